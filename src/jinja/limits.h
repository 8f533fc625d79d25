// How much a template may do: it comes from a file, and a short one can ask for endless work.
#ifndef LITERTLM_JINJA_LIMITS_H_
#define LITERTLM_JINJA_LIMITS_H_

#include <cstddef>

namespace litertlm::jinja {

/// Conversations of hundreds of messages need about a hundredth of these.
struct Limits {
  size_t steps = 5'000'000;         ///< Expressions, elements and pieces of text looked at.
  size_t bytes = size_t{64} << 20;  ///< Of all strings and lists made, kept or not.
  size_t output = size_t{8} << 20;  ///< Of the rendered text.
  int depth = 300;                  ///< Of expressions and macros within one another.
};

/// Containers within one another. Small enough that walking a value by recursion is safe.
inline constexpr int kMaxValueDepth = 100;

/// Expressions, and blocks, within one another in a template's source.
inline constexpr int kMaxSyntaxDepth = 150;

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_LIMITS_H_
