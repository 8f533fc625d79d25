// Jinja templates, as far as chat templates use the language: expressions, filters, tests, loops,
// conditions, macros, namespaces; rendered as Hugging Face's library renders them.
//
// Templates come from files, and files from strangers: what a template may do is limited, and it
// reaches nothing but the values that it is given.
#ifndef LITERTLM_JINJA_TEMPLATE_H_
#define LITERTLM_JINJA_TEMPLATE_H_

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/limits.h"
#include "jinja/text.h"
#include "jinja/value.h"

namespace litertlm::jinja {

/// Immutable; any thread may use it, copies share one syntax tree.
class Template {
 public:
  /// `where` names the template in messages: "model.litertlm: chat template". Throws kBadInput
  /// naming it, the line and what is wrong there.
  static Template Parse(std::string_view source, std::string where);

  /// `context` is a mapping from variables to values. The pieces say which bytes came, unchanged or
  /// changed, from strings of Origin::kMessage in it. Throws kBadInput where the template does what
  /// it cannot or passes a limit, kUnsupported where it calls raise_exception.
  std::vector<Piece> Render(const Value& context, const Limits& limits = {},
                            std::optional<std::time_t> now = std::nullopt) const;

  /// All text that the template itself can write: its data and its string literals.
  const std::vector<std::string>& literals() const;

 private:
  struct Parsed;
  explicit Template(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_TEMPLATE_H_
