// "Did you mean": the known word nearest to a mistyped one.
#ifndef LITERTLM_BASE_SUGGEST_H_
#define LITERTLM_BASE_SUGGEST_H_

#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
int EditDistance(std::string_view a, std::string_view b);

/// "Did you mean X? " for the nearest of `known`, if one is near; otherwise empty.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

}  // namespace litertlm

#endif  // LITERTLM_BASE_SUGGEST_H_
