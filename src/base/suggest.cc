#include "base/suggest.h"

#include <algorithm>
#include <cctype>

namespace litertlm {

// Optimal string alignment; three rows of the table are enough.
int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1);
  std::vector<int> above(b.size() + 1);
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const auto lower = [](std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
  };
  // A third of the letters may be wrong; beyond that a guess confuses more than it helps.
  int nearest = static_cast<int>(word.size()) / 3 + 1;
  std::string result;
  for (const std::string& candidate : known) {
    const int distance = EditDistance(lower(word), lower(candidate));
    if (distance >= nearest + (result.empty() ? 1 : 0)) continue;
    nearest = distance;
    result = "Did you mean " + candidate + "? ";
  }
  return result;
}

}  // namespace litertlm
