#include "runtime/decoder_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

#include "graph/import.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr std::string_view kPrefillPrefix = "prefill";

using Names = std::span<const std::string_view>;
constexpr std::string_view kTokenNames[] = {"tokens", "token_ids"};
constexpr std::string_view kEmbeddings = "embeddings";
constexpr std::string_view kLayerEmbeddings = "per_layer_embeddings";
constexpr std::string_view kPositionNames[] = {"input_pos", "positions"};
constexpr std::string_view kMaskNames[] = {"mask", "attn_mask"};
constexpr std::string_view kParameters = "param_tensor";
constexpr std::string_view kStatePrefixes[] = {"kv_cache_", "k_cache_", "v_cache_"};

/// Inputs of known exporters for which this program has nothing to give, by a part of their names.
struct ForeignInput {
  std::string_view part;
  const char* reason;
};
constexpr ForeignInput kForeignInputs[] = {
    {"local", "the file does not say how many tokens such a mask shows"},
    {"_prime_", "adapters (LoRA) are not supported"},
};

bool IsOneOf(std::string_view name, Names names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsStateName(std::string_view name) {
  return std::any_of(std::begin(kStatePrefixes), std::end(kStatePrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

[[noreturn]] void Fail(const Graph& graph, const std::string& detail) {
  throw Error(ErrorCode::kUnsupported, fmt::format("{}: {}.", graph.name, detail));
}

const Value& InputValue(const Graph& graph, size_t input) {
  return graph.value(graph.inputs[input].value);
}

std::string NotFilled(const std::string& name) {
  return fmt::format("input '{}' is not one that this program fills", name);
}

// First of all, because such graphs lack other inputs, too.
void RefuseForeignInputs(const Graph& graph) {
  for (const Binding& input : graph.inputs) {
    for (const auto& [part, reason] : kForeignInputs) {
      if (input.name.find(part) == std::string::npos || IsStateName(input.name)) continue;
      Fail(graph, fmt::format("{}: {}", NotFilled(input.name), reason));
    }
  }
}

/// True if all dimensions are 1 but the last `count`.
bool IsPlain(const SymbolicShape& shape, size_t count) {
  return shape.size() >= count && std::all_of(shape.begin(), shape.end() - static_cast<long>(count),
                                              [](const Dim& dim) { return dim.Is(1); });
}

void Require(const Graph& graph, size_t input, bool fits, const char* wanted) {
  if (fits) return;
  Fail(graph, fmt::format("input '{}' is {} {}, not {}", graph.inputs[input].name,
                          Info(InputValue(graph, input).dtype).name,
                          ToString(InputValue(graph, input).shape), wanted));
}

void CheckPositions(const Graph& graph, DecoderSignature& signature) {
  if (signature.positions == kNoBinding) Fail(graph, "it has no input 'input_pos'");
  const Value& positions = InputValue(graph, signature.positions);
  Require(graph, signature.positions,
          positions.dtype == DType::kI32 && IsPlain(positions.shape, 1) &&
              positions.shape.back().outer() > 0,
          "a vector of i32");
  signature.rows = positions.shape.back().outer();
}

void CheckTokens(const Graph& graph, const DecoderSignature& signature) {
  if (signature.tokens != kNoBinding) {
    const Value& tokens = InputValue(graph, signature.tokens);
    Require(graph, signature.tokens,
            tokens.dtype == DType::kI32 && IsPlain(tokens.shape, 1) &&
                tokens.shape.back().Is(signature.rows),
            "i32 with one token for each position");
  } else if (signature.embeddings != kNoBinding) {
    const Value& embeddings = InputValue(graph, signature.embeddings);
    Require(graph, signature.embeddings,
            embeddings.dtype == DType::kF32 && IsPlain(embeddings.shape, 2) &&
                embeddings.shape[embeddings.shape.size() - 2].Is(signature.rows),
            "f32 with one embedding for each position");
  } else {
    Fail(graph, "it has no input 'tokens' or 'embeddings'");
  }
}

void CheckLayerEmbeddings(const Graph& graph, const DecoderSignature& signature) {
  if (signature.layer_embeddings == kNoBinding) return;
  const Value& value = InputValue(graph, signature.layer_embeddings);
  Require(graph, signature.layer_embeddings,
          value.dtype == DType::kF32 && value.shape.size() >= 3 && value.shape[0].Is(1) &&
              value.shape[1].Is(signature.rows),
          "f32 [1, rows, layers, width]");
}

void CheckMask(const Graph& graph, DecoderSignature& signature) {
  if (signature.mask == kNoBinding) return;
  const Value& mask = InputValue(graph, signature.mask);
  const bool dtype_fits =
      mask.dtype == DType::kF32 || mask.dtype == DType::kF16 || mask.dtype == DType::kBool;
  Require(
      graph, signature.mask,
      dtype_fits && IsPlain(mask.shape, 2) && mask.shape[mask.shape.size() - 2].Is(signature.rows),
      "f32, f16 or bool [1, 1, rows, context]");
  signature.context = mask.shape.back().outer();
}

void CheckParameters(const Graph& graph, const DecoderSignature& signature) {
  if (signature.parameters == kNoBinding) return;
  constexpr int64_t kFewest = 4;
  constexpr int64_t kMost = 64;
  const Value& value = InputValue(graph, signature.parameters);
  const int64_t count = Concrete(value.shape, 1).count();
  Require(graph, signature.parameters,
          value.dtype == DType::kI32 && count >= kFewest && count <= kMost, "a few numbers of i32");
}

void FindStates(const Graph& graph, DecoderSignature& signature) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const std::string& name = graph.inputs[i].name;
    if (i == signature.tokens || i == signature.embeddings || i == signature.layer_embeddings ||
        i == signature.positions || i == signature.mask || i == signature.parameters) {
      continue;
    }
    if (!IsStateName(name)) Fail(graph, NotFilled(name));
    const auto output = std::find_if(graph.outputs.begin(), graph.outputs.end(),
                                     [&](const Binding& binding) { return binding.name == name; });
    if (output == graph.outputs.end()) {
      Fail(graph, fmt::format("cache '{}' is an input, but not an output", name));
    }
    const Value& before = InputValue(graph, i);
    const Value& after = graph.value(output->value);
    Require(graph, i, before.dtype == after.dtype && before.shape == after.shape,
            "what the output of that name is");
    signature.states.push_back({i, static_cast<size_t>(output - graph.outputs.begin())});
  }
  // Signatures that share caches need not list them in the same order.
  std::sort(signature.states.begin(), signature.states.end(),
            [&](const StatePair& a, const StatePair& b) {
              return graph.inputs[a.input].name < graph.inputs[b.input].name;
            });
}

// Without a mask: the axis along which the first cache is longer than what is written into it.
int64_t ContextFromCaches(const Graph& graph, const DecoderSignature& signature) {
  for (const StatePair& state : signature.states) {
    const ValueId cache = graph.inputs[state.input].value;
    for (const Node& node : graph.nodes) {
      if (node.op != Op::kDynamicUpdateSlice || node.inputs[0] != cache) continue;
      const SymbolicShape& whole = graph.value(cache).shape;
      const SymbolicShape& update = graph.value(node.inputs[1]).shape;
      for (size_t axis = 0; axis < whole.size(); ++axis) {
        if (whole[axis] != update[axis]) return whole[axis].outer();
      }
    }
  }
  Fail(graph, "neither a mask nor a cache shows how long its context is");
}

void FindLogits(const Graph& graph, DecoderSignature& signature) {
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    if (graph.outputs[i].name != "logits") continue;
    const Value& logits = graph.value(graph.outputs[i].value);
    if (logits.dtype != DType::kF32 || logits.shape.empty()) {
      Fail(graph, "output 'logits' is not f32 [1, rows, vocabulary]");
    }
    signature.logits = i;
  }
}

}  // namespace

DecoderSignature ReadDecoderSignature(const Graph& graph) {
  DecoderSignature signature;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const std::string& name = graph.inputs[i].name;
    if (IsOneOf(name, kTokenNames)) signature.tokens = i;
    if (name == kEmbeddings) signature.embeddings = i;
    if (name == kLayerEmbeddings) signature.layer_embeddings = i;
    if (IsOneOf(name, kPositionNames)) signature.positions = i;
    if (IsOneOf(name, kMaskNames)) signature.mask = i;
    if (name == kParameters) signature.parameters = i;
  }
  RefuseForeignInputs(graph);
  CheckPositions(graph, signature);
  CheckTokens(graph, signature);
  CheckLayerEmbeddings(graph, signature);
  CheckMask(graph, signature);
  CheckParameters(graph, signature);
  FindStates(graph, signature);
  FindLogits(graph, signature);
  if (signature.mask == kNoBinding) signature.context = ContextFromCaches(graph, signature);
  return signature;
}

int64_t OpenLength(std::string_view key, int64_t context, std::string_view input, int axis,
                   int rank) {
  // Any number of rows is computed afterwards; two or more show which dimensions they are.
  constexpr int64_t kRows = 64;
  const int64_t rows = key == kDecodeKey ? 1 : std::min(kRows, context);
  if (IsStateName(input)) return context;
  if (IsOneOf(input, kMaskNames)) {
    return axis == rank - 1 ? context : axis == rank - 2 ? rows : 0;
  }
  if (IsOneOf(input, kTokenNames) || IsOneOf(input, kPositionNames)) {
    return axis == rank - 1 ? rows : 0;
  }
  if (input == kEmbeddings) return axis == rank - 2 ? rows : 0;
  return input == kLayerEmbeddings && axis == 1 ? rows : 0;
}

std::vector<std::string> PrefillKeys(const TfliteModel& model) {
  const std::vector<std::string> known = InputNames(model, kDecodeKey);
  const auto is_known = [&](const std::string& input) {
    return std::find(known.begin(), known.end(), input) != known.end();
  };
  std::vector<std::string> keys;
  for (const std::string& key : SignatureKeys(model)) {
    if (!key.starts_with(kPrefillPrefix)) continue;
    const std::vector<std::string> inputs = InputNames(model, key);
    if (std::all_of(inputs.begin(), inputs.end(), is_known)) keys.push_back(key);
  }
  return keys;
}

int64_t RowsOf(const TfliteModel& model, std::string_view key) {
  for (const std::string_view name : kPositionNames) {
    const std::optional<Shape> shape = InputShape(model, key, name);
    if (shape.has_value() && shape->rank() > 0) return shape->back();
  }
  // Of a split cache, whose positions the auxiliary model takes.
  const std::optional<Shape> embeddings = InputShape(model, key, kEmbeddings);
  if (embeddings.has_value() && embeddings->rank() > 1)
    return (*embeddings)[embeddings->rank() - 2];
  return 0;
}

std::vector<RowAxis> RowAxesOf(const Graph& graph, const DecoderSignature& signature) {
  std::vector<RowAxis> axes;
  const auto add = [&](size_t input, int from_the_end) {
    if (input == kNoBinding) return;
    const int rank = static_cast<int>(InputValue(graph, input).shape.size());
    axes.push_back({graph.inputs[input].value, rank - from_the_end});
  };
  add(signature.tokens, 1);
  add(signature.embeddings, 2);
  add(signature.positions, 1);
  add(signature.mask, 2);
  if (signature.layer_embeddings != kNoBinding) {
    axes.push_back({graph.inputs[signature.layer_embeddings].value, 1});
  }
  return axes;
}

}  // namespace litertlm
