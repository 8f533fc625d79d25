// The error that a piece of code ends with.
#ifndef LITERTLM_TESTS_ERROR_OF_H_
#define LITERTLM_TESTS_ERROR_OF_H_

#include "litertlm/error.h"

namespace litertlm {

/// What `f` throws; if nothing, an error that no test expects.
template <typename F>
Error ErrorOf(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "nothing was thrown");
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_ERROR_OF_H_
