// The syntax tree of a template.
#ifndef LITERTLM_JINJA_AST_H_
#define LITERTLM_JINJA_AST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jinja/value.h"

namespace litertlm::jinja {

enum class Op : uint8_t {
  kAdd,
  kSubtract,
  kConcatenate,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

/// The comments name the children. A null child was left out by the template.
struct Expr {
  enum class Kind : uint8_t {
    kLiteral,      ///< `literal`.
    kName,         ///< `name`.
    kAttribute,    ///< object; `name`.
    kSubscript,    ///< object, key.
    kSlice,        ///< object, start, stop, step.
    kNegate,       ///< operand.
    kPlus,         ///< operand.
    kNot,          ///< operand.
    kAnd,          ///< left, right.
    kOr,           ///< left, right.
    kBinary,       ///< left, right; one of `ops`.
    kCompare,      ///< operands, one more than `ops`.
    kConditional,  ///< condition, value, other value.
    kList,         ///< items.
    kTuple,        ///< items.
    kDict,         ///< key, value, key, value, …
    kCall,         ///< function, arguments; `keywords` name the last of them.
    kFilter,       ///< subject, arguments; likewise; `name`.
    kTest,         ///< subject, arguments; likewise; `name`.
  };

  Kind kind;
  int line;
  int depth = 1;
  std::string name{};
  Value literal{};
  std::vector<Op> ops{};
  std::vector<ExprPtr> children{};
  std::vector<std::string> keywords{};
};

/// What is assigned to: a name, several names, or a value of a namespace.
struct Target {
  std::vector<std::string> names;
  bool unpack = false;
  std::string attribute{};
};

struct Parameter {
  std::string name;
  ExprPtr fallback;  ///< May be null.
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind : uint8_t {
    kData,      ///< `data`.
    kPrint,     ///< value.
    kIf,        ///< conditions; a block for each, and one more for else.
    kFor,       ///< what is iterated over, condition (may be null); body, else.
    kSet,       ///< value.
    kSetBlock,  ///< filters (may be null) on kCaptured; body.
    kMacro,     ///< `name`, `parameters`; body.
    kCall,      ///< call; `parameters` of caller(); body.
    kFilter,    ///< filters on kCaptured; body.
    kScope,     ///< values of the targets; body.
    kBreak,
    kContinue,
  };

  Kind kind;
  int line;
  Value data{};
  std::string name{};
  std::vector<ExprPtr> exprs{};
  std::vector<Target> targets{};
  std::vector<Parameter> parameters{};
  std::vector<Block> blocks{};
};

/// The variable that holds what a block has written, for its filters. No template can spell it.
inline constexpr char kCaptured[] = "";

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_AST_H_
