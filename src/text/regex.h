// Regular expressions of Oniguruma's syntax, as tokenizer.json has them.
#ifndef LITERTLM_TEXT_REGEX_H_
#define LITERTLM_TEXT_REGEX_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

struct pcre2_real_code_8;

namespace litertlm {

/// It is compiled at the first use. Any thread may use it.
class Regex {
 public:
  explicit Regex(std::string pattern) : pattern_(std::move(pattern)) {}
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  /// Calls `visit(begin, end)` with each match, in order; empty ones are left out. `text` must be
  /// valid UTF-8. Throws kUnsupported for a pattern that PCRE2 does not take, kBadInput for one
  /// that tries too much.
  void ForEachMatch(std::string_view text,
                    const std::function<void(size_t begin, size_t end)>& visit) const;

 private:
  void Compile() const;

  const std::string pattern_;
  mutable std::once_flag once_;
  mutable pcre2_real_code_8* code_ = nullptr;
};

/// `pattern` for PCRE2, with \s and \S written out: PCRE2 counts U+180E as a space, Oniguruma and
/// Unicode do not.
std::string PatternForPcre2(std::string_view pattern);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_REGEX_H_
