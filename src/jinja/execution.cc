#include "jinja/execution.h"

#include <fmt/format.h>

namespace litertlm::jinja {

void FailAt(std::string_view where, int line, std::string_view what, ErrorCode code) {
  throw Error(code, fmt::format("{}, line {}: {}.", where, line, what),
              "Use --raw to give the model text as it is.");
}

void Execution::Step(size_t count) {
  steps_ += count;
  if (steps_ > limits_.steps) {
    Fail(fmt::format("the template takes more than {} steps", limits_.steps));
  }
}

void Execution::Make(size_t bytes) {
  if (bytes > limits_.bytes - bytes_) {
    Fail(fmt::format("the template needs more than {} MiB", limits_.bytes >> 20));
  }
  bytes_ += bytes;
}

void Execution::CheckOutput(size_t bytes) const {
  if (bytes > limits_.output) {
    Fail(fmt::format("the template writes more than {} bytes", limits_.output));
  }
}

void Execution::Enter() {
  if (++depth_ <= limits_.depth) return;
  --depth_;
  Fail(fmt::format("expressions and macros call each other {} levels deep", limits_.depth));
}

Value Execution::NewString(Text text) {
  Make(text.size());
  return Value::String(std::move(text));
}

Value Execution::NewList(std::vector<Value> items) {
  Make(items.size() * sizeof(Value));
  return Checked(Value::MakeList(std::move(items)));
}

Value Execution::NewTuple(std::vector<Value> items) {
  Make(items.size() * sizeof(Value));
  return Checked(Value::MakeTuple(std::move(items)));
}

Value Execution::NewDict(Value::Entries entries) {
  Make(entries.size() * 2 * sizeof(Value));
  return Checked(Value::MakeDict(std::move(entries)));
}

Namespace* Execution::NewNamespace() {
  Make(sizeof(Namespace));
  return &namespaces_.emplace_back();
}

const Value& Execution::Checked(const Value& value) const {
  if (value.depth() > kMaxValueDepth) {
    Fail(fmt::format("lists stand in each other {} levels deep", kMaxValueDepth));
  }
  return value;
}

}  // namespace litertlm::jinja
