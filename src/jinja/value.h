// What a template computes with. Values never change, except for namespaces; so no value can hold
// itself, and each is freed when its last holder is gone.
#ifndef LITERTLM_JINJA_VALUE_H_
#define LITERTLM_JINJA_VALUE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "jinja/text.h"

namespace litertlm::jinja {

class Call;
class Value;
struct Callable;
struct Dict;
struct List;
struct Loop;
struct Namespace;

class Value {
 public:
  using Entries = std::vector<std::pair<Value, Value>>;

  Value() = default;  ///< Undefined: what a name or key without a value gives.
  static Value None();
  static Value Bool(bool value);
  static Value Int(int64_t value);
  static Value Float(double value);
  static Value String(Text text);
  static Value String(std::string_view bytes, Origin origin = Origin::kTemplate);
  static Value MakeList(std::vector<Value> items);
  static Value MakeTuple(std::vector<Value> items);
  static Value MakeDict(Entries entries);
  static Value MakeCallable(std::string name, std::function<Value(Call&)> call, int depth = 1);
  static Value MakeLoop(std::shared_ptr<const Loop> loop);
  /// Not owned: it lives as long as the rendering.
  static Value Of(Namespace* space);

  bool is_undefined() const { return data_.index() == 0; }
  bool is_none() const { return std::holds_alternative<NoneType>(data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const int64_t* integer() const { return std::get_if<int64_t>(&data_); }
  const double* floating() const { return std::get_if<double>(&data_); }
  const Text* text() const { return Shared<Text>(); }
  const List* list() const { return Shared<List>(); }  ///< Of a list or a tuple.
  std::shared_ptr<const List> shared_list() const;
  const Dict* dict() const { return Shared<Dict>(); }
  const Callable* callable() const { return Shared<Callable>(); }
  const Loop* loop() const { return Shared<Loop>(); }
  Namespace* space() const;

  /// Booleans count as integers, as in Python.
  std::optional<int64_t> whole() const;
  /// Integers and floats.
  std::optional<double> number() const;
  /// "string", "list": for messages.
  std::string_view type_name() const;
  /// False are: nothing, zero, and what is empty.
  bool truth() const;
  /// How many containers stand inside one another; 0 for other values.
  int depth() const;

 private:
  struct NoneType {};
  using Data =
      std::variant<std::monostate, NoneType, bool, int64_t, double, std::shared_ptr<const Text>,
                   std::shared_ptr<const List>, std::shared_ptr<const Dict>,
                   std::shared_ptr<const Callable>, std::shared_ptr<const Loop>, Namespace*>;

  explicit Value(Data data) : data_(std::move(data)) {}
  static Value MakeSequence(std::vector<Value> items, bool tuple);

  template <class T>
  const T* Shared() const {
    const auto* shared = std::get_if<std::shared_ptr<const T>>(&data_);
    return shared != nullptr ? shared->get() : nullptr;
  }

  Data data_;
};

struct List {
  std::vector<Value> items;
  bool tuple;
  int depth;
};

/// Keeps the order in which keys came.
struct Dict {
  Value::Entries entries;
  int depth;

  const Value* Find(std::string_view key) const;
};

/// A macro, a method of a value, or a function.
struct Callable {
  std::string name;
  std::function<Value(Call&)> call;
  int depth;
};

/// The variable `loop`.
struct Loop {
  std::shared_ptr<const std::vector<Value>> items;
  size_t index;
  int depth;
};

/// What namespace() makes: the only value that a template can change.
struct Namespace {
  std::map<std::string, Value, std::less<>> values;
};

}  // namespace litertlm::jinja

#endif  // LITERTLM_JINJA_VALUE_H_
