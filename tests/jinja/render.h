// Shorthands of this room's tests.
#ifndef LITERTLM_TESTS_JINJA_RENDER_H_
#define LITERTLM_TESTS_JINJA_RENDER_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "jinja/template.h"
#include "litertlm/error.h"

namespace litertlm::jinja {

inline std::vector<Piece> Pieces(std::string_view source, Value context = Value(),
                                 const Limits& limits = {}) {
  return Template::Parse(source, "file").Render(context, limits);
}

inline std::string Rendered(std::string_view source, Value context = Value()) {
  std::string text;
  for (const Piece& piece : Pieces(source, std::move(context))) text += piece.text;
  return text;
}

inline Error ErrorOf(std::string_view source, Value context = Value(), const Limits& limits = {}) {
  try {
    Pieces(source, std::move(context), limits);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error: " << source;
  return Error(ErrorCode::kInternal, "");
}

}  // namespace litertlm::jinja

#endif  // LITERTLM_TESTS_JINJA_RENDER_H_
