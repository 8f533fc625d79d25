#include "runtime/running_probe.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "runtime/causal_mask.h"

namespace litertlm {
namespace {

bool Shows(float added) { return added == 0; }
bool Hides(float added) { return added <= kHiddenScore; }
bool Shows(uint8_t picked) { return picked != 0; }
bool Hides(uint8_t picked) { return picked == 0; }

/// How many positions up to its own `position` a row of a mask shows, and nothing else; -1 if it
/// shows others, none, or some in part.
template <typename T>
int64_t Shown(const std::vector<std::byte>& mask, int64_t index, int64_t columns,
              int64_t position) {
  const T* row = reinterpret_cast<const T*>(mask.data()) + index * columns;
  int64_t first = position + 1;
  while (first > 0 && Shows(row[first - 1])) --first;
  for (int64_t i = 0; i < columns; ++i) {
    const bool shown = i >= first && i <= position;
    if (!shown && !Hides(row[i])) return -1;
  }
  return first <= position ? position + 1 - first : -1;
}

std::vector<ValueId> InputsOf(const Graph& graph) {
  std::set<ValueId> used;
  for (const Node& node : graph.nodes) used.insert(node.inputs.begin(), node.inputs.end());
  std::vector<ValueId> inputs;
  for (const Binding& input : graph.inputs) {
    const bool is_output = std::any_of(graph.outputs.begin(), graph.outputs.end(),
                                       [&](const Binding& o) { return o.value == input.value; });
    if (used.contains(input.value) || is_output) inputs.push_back(input.value);
  }
  return inputs;
}

}  // namespace

RunningProbe::RunningProbe(const Graph& graph, const DecoderSignature& signature, Workers& workers)
    : graph_(graph), signature_(signature), workers_(workers) {
  const Dim rows = graph.value(graph.inputs[signature.positions].value).shape.back();
  rows_ = rows.is_rows() ? 1 : rows.outer();
}

std::unique_ptr<Program> RunningProbe::ProgramFor(ValueId value) const {
  Graph part = graph_;
  part.outputs = {{"value", value}};
  RemoveDeadNodes(part);
  const ValueId positions = graph_.inputs[signature_.positions].value;
  const ValueId mask =
      signature_.mask == kNoBinding ? kNoValue : graph_.inputs[signature_.mask].value;
  for (const ValueId input : InputsOf(part)) {
    if (input != positions && input != mask) return nullptr;
  }
  return std::make_unique<Program>(std::move(part), std::vector<StatePair>());
}

std::vector<std::byte> RunningProbe::Run(Program& program, int64_t position) {
  std::vector<int32_t> positions(static_cast<size_t>(rows_));
  for (size_t i = 0; i < positions.size(); ++i) {
    positions[i] = static_cast<int32_t>(position) + static_cast<int32_t>(i);
  }
  std::vector<std::byte*> inputs(graph_.inputs.size());
  inputs[signature_.positions] = reinterpret_cast<std::byte*>(positions.data());
  std::vector<std::byte> mask;
  if (signature_.mask != kNoBinding) {
    FillCausalMask(graph_.value(graph_.inputs[signature_.mask].value).dtype,
                   {rows_, rows_, signature_.context, position}, mask);
    inputs[signature_.mask] = mask.data();
  }
  const Value& value = graph_.value(program.graph().outputs[0].value);
  const int64_t count = Concrete(value.shape, rows_).count();
  std::vector<std::byte> result(BytesFor(value.dtype, static_cast<uint64_t>(count)));
  std::byte* output = result.data();
  program.Run(rows_, inputs, {&output, 1}, arena_, workers_);
  return result;
}

std::optional<int64_t> RunningProbe::WindowOf(ValueId mask) {
  const auto [it, added] = windows_.try_emplace(mask);
  if (added) it->second = FindWindow(mask);
  return it->second;
}

std::optional<int64_t> RunningProbe::FindWindow(ValueId mask) {
  const Value& value = graph_.value(mask);
  const size_t rank = value.shape.size();
  const int64_t columns = signature_.context;
  const int64_t highest = columns - rows_;
  const bool is_bool = value.dtype == DType::kBool;
  const int64_t copies = rank >= 2 ? value.shape[rank - 2].At(rows_) / rows_ : 0;
  const bool plain = (is_bool || value.dtype == DType::kF32) && !value.is_constant && copies >= 1 &&
                     value.shape.back().Is(columns) &&
                     Concrete(value.shape, rows_).count() == copies * rows_ * columns;
  if (!plain || highest < 0) return std::nullopt;
  const std::unique_ptr<Program> program = ProgramFor(mask);
  if (program == nullptr) return std::nullopt;
  // The last row shows how wide the window is; others are looked at where it begins to hide.
  const auto shown = [&](int64_t position, int64_t row) {
    const std::vector<std::byte> bytes = Run(*program, position);
    const int64_t own = position + row % rows_;
    return is_bool ? Shown<uint8_t>(bytes, row, columns, own)
                   : Shown<float>(bytes, row, columns, own);
  };
  const int64_t window = shown(highest, rows_ - 1);
  if (window < 1) return std::nullopt;
  for (const int64_t position :
       {int64_t{0}, int64_t{1}, window - 2, window - 1, window, window + 1, columns / 2, highest}) {
    const int64_t first = std::clamp<int64_t>(position, 0, highest);
    for (int64_t copy = 0; copy < copies; ++copy) {
      for (const int64_t row : {int64_t{0}, rows_ - 1}) {
        const int64_t expected = std::min(first + row + 1, window);
        if (shown(first, copy * rows_ + row) != expected) return std::nullopt;
      }
    }
  }
  return window == columns ? 0 : window;
}

bool RunningProbe::IsPositionAlong(ValueId start, int axis) {
  const auto [it, added] = starts_.try_emplace({start, axis}, false);
  if (!added) return it->second;
  const Value& value = graph_.value(start);
  if (value.dtype != DType::kI32 || value.is_constant || value.shape.size() != 1) return false;
  const std::unique_ptr<Program> program = ProgramFor(start);
  if (program == nullptr) return false;
  for (const int64_t position : {int64_t{0}, int64_t{1}, signature_.context / 2}) {
    const std::vector<std::byte> bytes = Run(*program, position);
    std::vector<int32_t> starts(bytes.size() / sizeof(int32_t));
    std::memcpy(starts.data(), bytes.data(), bytes.size());
    std::vector<int32_t> expected(starts.size(), 0);
    if (static_cast<size_t>(axis) >= expected.size()) return false;
    expected[static_cast<size_t>(axis)] = static_cast<int32_t>(position);
    if (starts != expected) return false;
  }
  return it->second = true;
}

}  // namespace litertlm
