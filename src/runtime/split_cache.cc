#include "runtime/split_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "graph/import.h"
#include "graph/join_graphs.h"
#include "graph/passes/passes.h"
#include "litertlm/error.h"
#include "runtime/decoder_signature.h"
#include "runtime/program.h"

namespace litertlm {
namespace {

constexpr std::string_view kAngles = "pos_emb_";
constexpr std::string_view kGlobalMask = "mask_global";
constexpr std::string_view kLocalMask = "mask_local";  // With "_<size>", where there are several.
constexpr std::string_view kPositions = "input_pos";
constexpr std::string_view kNewRows = "kv_slice_";
constexpr std::string_view kCaches = "kv_cache_";

// Of the auxiliary model's masks: what they add where nothing shall be seen.
constexpr float kHiddenByMask = -100;

bool IsSplit(const Graph& graph) {
  const auto any = [](const std::vector<Binding>& bindings, std::string_view prefix) {
    return std::any_of(bindings.begin(), bindings.end(),
                       [&](const Binding& binding) { return binding.name.starts_with(prefix); });
  };
  return any(graph.inputs, kAngles) || any(graph.inputs, kGlobalMask) ||
         any(graph.outputs, kNewRows);
}

[[noreturn]] void Fail(const Graph& graph, const std::string& detail) {
  throw Error(ErrorCode::kUnsupported, fmt::format("{}: {}.", graph.name, detail));
}

/// "decode" or "prefill_8" to "decode_rope" or "prefill_rope_8".
std::string AuxiliaryKey(std::string_view key, std::string_view part) {
  const size_t end = std::min(key.find('_'), key.size());
  return fmt::format("{}_{}{}", key.substr(0, end), part, key.substr(end));
}

/// What the masks of the auxiliary model show to one token.
class MaskModel {
 public:
  MaskModel(const TfliteModel& auxiliary, std::string_view output, Workers& workers)
      : workers_(workers) {
    Graph graph = ImportSignature(auxiliary, AuxiliaryKey(kDecodeKey, "mask"));
    const ValueId mask = graph.FindOutput(output);
    if (mask == kNoValue) Fail(graph, fmt::format("it has no output '{}'", output));
    graph.outputs = {{std::string(output), mask}};
    RemoveDeadNodes(graph);
    for (const Binding& input : graph.inputs) {
      const Value& value = graph.value(input.value);
      const bool fits =
          Count(value.shape).Is(1) && (value.dtype == DType::kI32 || value.dtype == DType::kBool);
      if (!fits) Fail(graph, fmt::format("input '{}' is not known", input.name));
    }
    if (graph.value(mask).dtype != DType::kF32) Fail(graph, "its mask is not f32");
    columns_ = Count(graph.value(mask).shape).outer();
    program_.emplace(std::move(graph), std::vector<StatePair>());
  }

  /// How many of the last positions a token sees, its own included; 0: all. Throws kUnsupported for
  /// a mask that shows anything else.
  int64_t Window(int64_t context) {
    const int64_t window = columns_ == context + 1 ? Shown(context - 1) : -1;
    for (const int64_t position :
         {int64_t{0}, int64_t{1}, window - 1, window, window + 1, context / 2, context - 1}) {
      const int64_t at = std::clamp<int64_t>(position, 0, context - 1);
      if (window < 1 || Shown(at) != std::min(at + 1, window)) {
        Fail(program_->graph(), fmt::format("'{}' shows other tokens than the last ones of {}",
                                            program_->graph().outputs[0].name, context));
      }
    }
    return window == context ? 0 : window;
  }

 private:
  /// How many positions up to its own a token at `position` sees, if no others; else -1.
  int64_t Shown(int64_t position) {
    const std::vector<float> mask = Run(position);
    // The last column is the token's own; those before are positions of the cache.
    int64_t first = position;
    while (first > 0 && mask[static_cast<size_t>(first - 1)] == 0) --first;
    for (int64_t column = 0; column < columns_; ++column) {
      const bool shown = (column >= first && column < position) || column == columns_ - 1;
      const float value = mask[static_cast<size_t>(column)];
      if (shown ? value != 0 : !(value <= kHiddenByMask)) return -1;
    }
    return position + 1 - first;
  }

  std::vector<float> Run(int64_t position) {
    const Graph& graph = program_->graph();
    // Tokens and flags of validity are 1: no padding.
    std::vector<int32_t> numbers(graph.inputs.size(), 1);
    std::vector<std::byte*> inputs;
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      if (graph.inputs[i].name == "time_step") numbers[i] = static_cast<int32_t>(position);
      inputs.push_back(reinterpret_cast<std::byte*>(&numbers[i]));
    }
    std::vector<float> mask(static_cast<size_t>(columns_));
    auto* output = reinterpret_cast<std::byte*>(mask.data());
    program_->Run(1, inputs, {&output, 1}, arena_, workers_);
    return mask;
  }

  Workers& workers_;
  Arena arena_;
  int64_t columns_ = 0;
  std::optional<Program> program_;
};

class Joiner {
 public:
  Joiner(Graph graph, std::string_view key, const TfliteModel& auxiliary, Workers& workers)
      : graph_(std::move(graph)), key_(key), auxiliary_(auxiliary), workers_(workers) {}

  Graph Join() {
    FindMasks();
    ComputeAngles();
    UpdateCaches();
    ComputeLocalMasks();
    JoinSplitAttention(graph_, caches_, mask_);
    DropInputs();
    return std::move(graph_);
  }

 private:
  void FindMasks() {
    mask_ = graph_.FindInput(kGlobalMask);
    if (mask_ == kNoValue) Fail(graph_, fmt::format("it has no input '{}'", kGlobalMask));
    const Value& mask = graph_.value(mask_);
    const SymbolicShape& shape = mask.shape;
    if (mask.dtype != DType::kF32 || shape.size() != 4 || !shape[0].Is(1) || !shape[1].Is(1) ||
        shape[2].outer() < 1 || shape[3].outer() <= shape[2].outer()) {
      Fail(graph_, fmt::format("input '{}' is {} {}, not f32 [1, 1, rows, context + rows]",
                               kGlobalMask, Info(mask.dtype).name, ToString(shape)));
    }
    rows_ = shape[2].outer();
    context_ = shape[3].outer() - rows_;
    for (const Binding& input : graph_.inputs) {
      if (!input.name.starts_with(kLocalMask) || graph_.value(input.value).shape == shape) continue;
      Fail(graph_, fmt::format("input '{}' has another shape than '{}': caches that are ring "
                               "buffers are not supported",
                               input.name, kGlobalMask));
    }
  }

  Graph ImportPart(std::string_view part) const {
    return ImportSignature(auxiliary_, AuxiliaryKey(key_, part));
  }

  /// `input` becomes what is computed as `result`.
  void Define(ValueId input, ValueId result) {
    const Value& wanted = graph_.value(input);
    const Value& given = graph_.value(result);
    if (wanted.dtype != given.dtype || Count(wanted.shape) != Count(given.shape)) {
      Fail(graph_, fmt::format("input '{}' is {}, but the auxiliary model makes {}", wanted.name,
                               ToString(wanted.shape), ToString(given.shape)));
    }
    graph_.nodes.push_back(
        {Op::kReshape, {result}, {input}, TargetAttributes{Concrete(wanted.shape, 1)}});
  }

  void ComputeAngles() {
    const Graph part = ImportPart("rope");
    if (part.inputs.size() != 1 || part.inputs[0].name != kPositions) {
      Fail(part, fmt::format("it has other inputs than '{}'", kPositions));
    }
    positions_ = graph_.AddValue(part.value(part.inputs[0].value));
    const Value& positions = graph_.value(positions_);
    if (positions.dtype != DType::kI32 || !Count(positions.shape).Is(rows_)) {
      Fail(part, fmt::format("input '{}' is not i32 [{}]", kPositions, rows_));
    }
    const std::vector<ValueId> results = AppendGraph(graph_, part, {positions_});
    for (const Binding& input : graph_.inputs) {
      if (!input.name.starts_with(kAngles)) continue;
      const auto output =
          std::find_if(part.outputs.begin(), part.outputs.end(),
                       [&](const Binding& binding) { return binding.name == input.name; });
      if (output == part.outputs.end()) {
        Fail(part, fmt::format("it has no output '{}'", input.name));
      }
      Define(input.value, results[static_cast<size_t>(output - part.outputs.begin())]);
    }
  }

  void UpdateCaches() {
    const Graph part = ImportPart("cache_update");
    std::vector<ValueId> inputs;
    for (const Binding& input : part.inputs) inputs.push_back(GivenTo(part, input));
    const std::vector<ValueId> results = AppendGraph(graph_, part, inputs);
    std::vector<Binding> outputs;
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string& name = part.outputs[i].name;
      const ValueId before = graph_.FindInput(name);
      const ValueId rows = NewRowsFor(name);
      if (before == kNoValue || rows == kNoValue) {
        Fail(part, fmt::format("output '{}' is no cache of the decoder", name));
      }
      caches_.push_back({before, rows, results[i]});
      outputs.push_back({name, results[i]});
    }
    for (const Binding& output : graph_.outputs) {
      if (!output.name.starts_with(kNewRows)) outputs.push_back(output);
    }
    graph_.outputs = std::move(outputs);
  }

  ValueId NewRowsFor(std::string_view cache) const {
    return cache.starts_with(kCaches)
               ? graph_.FindOutput(fmt::format("{}{}", kNewRows, cache.substr(kCaches.size())))
               : kNoValue;
  }

  /// The value for an input of the update of caches.
  ValueId GivenTo(const Graph& part, const Binding& input) {
    if (input.name == kPositions) return positions_;
    const ValueId value = input.name.starts_with(kNewRows) ? graph_.FindOutput(input.name)
                                                           : graph_.FindInput(input.name);
    if (value != kNoValue) return value;
    if (input.name != "valid_mask" || part.value(input.value).dtype != DType::kBool) {
      Fail(part, fmt::format("input '{}' is nothing that the decoder has", input.name));
    }
    // Which rows are no padding: of these there are none here.
    const SymbolicShape& shape = part.value(input.value).shape;
    const std::vector<uint8_t> ones(static_cast<size_t>(Count(shape).outer()), 1);
    return AddConstant("valid_mask", DType::kBool, shape, ones);
  }

  template <typename T>
  ValueId AddConstant(std::string name, DType dtype, SymbolicShape shape,
                      const std::vector<T>& numbers) {
    std::vector<std::byte> bytes(numbers.size() * sizeof(T));
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    Value value;
    value.name = std::move(name);
    value.dtype = dtype;
    value.shape = std::move(shape);
    value.is_constant = true;
    value.storage = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    value.data = *value.storage;
    return graph_.AddValue(std::move(value));
  }

  /// Adds a node, whose type is inferred later.
  ValueId Emit(Op op, const char* name, std::vector<ValueId> inputs, Attributes attributes = {}) {
    Value value;
    value.name = name;
    const ValueId result = graph_.AddValue(std::move(value));
    graph_.nodes.push_back({op, std::move(inputs), {result}, std::move(attributes)});
    return result;
  }

  // The global mask, less what the local one hides: which is found by running the auxiliary model.
  void ComputeLocalMasks() {
    for (const Binding& input : graph_.inputs) {
      if (!input.name.starts_with(kLocalMask)) continue;
      const int64_t window = MaskModel(auxiliary_, input.name, workers_).Window(context_);
      const int64_t width = window == 0 ? context_ : window;
      std::vector<int32_t> numbers(static_cast<size_t>(context_));
      std::iota(numbers.begin(), numbers.end(), 0);
      const ValueId keys = AddConstant("key_positions", DType::kI32, {1, 1, 1, context_}, numbers);
      const ValueId size =
          AddConstant("window", DType::kI32, {}, std::vector<int32_t>{static_cast<int32_t>(width)});
      const ValueId queries = Emit(Op::kReshape, "query_positions", {positions_},
                                   TargetAttributes{Shape{1, 1, rows_, 1}});
      const ValueId before = Emit(Op::kSub, "before_window", {queries, size});
      const ValueId shown = Emit(Op::kGreater, "in_window", {keys, before});
      const ValueId zero = AddConstant("shown", DType::kF32, {}, std::vector<float>{0});
      const ValueId hidden = AddConstant("hidden", DType::kF32, {}, std::vector<float>{-FLT_MAX});
      const ValueId local = Emit(Op::kSelect, "window_mask", {shown, zero, hidden});
      graph_.nodes.push_back({Op::kMinimum, {mask_, local}, {input.value}, {}});
    }
  }

  /// What is computed now is no input any more.
  void DropInputs() {
    std::vector<Binding> inputs = {{std::string(kPositions), positions_}};
    for (Binding& input : graph_.inputs) {
      if (input.name.starts_with(kAngles) || input.name.starts_with(kLocalMask)) continue;
      if (input.name == kGlobalMask) input.name = "mask";
      inputs.push_back(std::move(input));
    }
    graph_.inputs = std::move(inputs);
  }

  Graph graph_;
  const std::string_view key_;
  const TfliteModel& auxiliary_;
  Workers& workers_;
  int64_t rows_ = 0;
  int64_t context_ = 0;
  ValueId positions_ = kNoValue;
  ValueId mask_ = kNoValue;  ///< The global one.
  std::vector<SplitCache> caches_;
};

}  // namespace

Graph ImportDecoder(const TfliteModel& model, std::string_view key, const TfliteModel* auxiliary,
                    int64_t open_context, Workers& workers) {
  const auto length = [&](std::string_view input, int axis, int rank) {
    return OpenLength(key, open_context, input, axis, rank);
  };
  Graph graph = ImportSignature(model, key, {length, MakeEvaluator(workers)});
  if (!IsSplit(graph)) return graph;
  if (auxiliary == nullptr) {
    Fail(graph,
         "its caches are split, as NPUs need it, but there is no auxiliary model that "
         "updates them");
  }
  return Joiner(std::move(graph), key, *auxiliary, workers).Join();
}

}  // namespace litertlm
