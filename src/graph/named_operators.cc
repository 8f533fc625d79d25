// What each named operator computes was read in public sources, which are named beside it.
#include "graph/named_operators.h"

#include <flatbuffers/flexbuffers.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

namespace litertlm {
namespace {

/// All of f32 and of this rank.
bool AreFloats(OperatorImporter& op, std::initializer_list<size_t> inputs, int rank) {
  return std::all_of(inputs.begin(), inputs.end(), [&](size_t i) {
    return op.in(i) != kNoValue && op.value(i).dtype == DType::kF32 && op.rank(i) == rank;
  });
}

ValueId EmitScalar(OperatorImporter& op, float value) {
  return op.EmitConstant(DType::kF32, {}, std::vector<float>{value});
}

ValueId EmitTransposed(OperatorImporter& op, ValueId x, const Shape& permutation) {
  return op.Emit(Op::kTranspose, {x}, PermutationAttributes{permutation});
}

ValueId EmitScaled(OperatorImporter& op, ValueId x, float scale) {
  return scale == 1 ? x : op.Emit(Op::kMul, {x, EmitScalar(op, scale)});
}

/// cap * tanh(x / cap); `x` without one.
ValueId EmitCapped(OperatorImporter& op, ValueId x, std::optional<float> cap) {
  if (!cap || !(*cap > 0)) return x;
  const ValueId ratio = op.Emit(Op::kDiv, {x, EmitScalar(op, *cap)});
  return op.Emit(Op::kMul, {op.Emit(Op::kTanh, {ratio}), EmitScalar(op, *cap)});
}

// (x, gains), "epsilon". LiteRT's litert/test/testdata/rms_norm_composite.mlir.
bool ImportRmsNorm(OperatorImporter& op, const NamedAttributes& attributes) {
  const std::optional<float> epsilon = attributes.Number("epsilon");
  const bool fits = epsilon && op.inputs() == 2 && op.outputs() == 1 &&
                    op.value(0).dtype == DType::kF32 && op.value(1).dtype == DType::kF32 &&
                    op.rank(0) >= 1 && op.rank(1) == 1 &&
                    op.value(1).shape[0] == op.value(0).shape.back();
  if (!fits) return false;
  op.Bind(0, op.Emit(Op::kRmsNorm, {op.in(0), op.in(1)}, RmsNormAttributes{*epsilon}));
  return true;
}

/// [1, positions, heads, size] as [1, heads, positions, size], each head `repetitions` times.
ValueId EmitHeads(OperatorImporter& op, size_t input, int64_t repetitions) {
  const Shape shape = op.shape(input);
  const ValueId heads = EmitTransposed(op, op.in(input), {0, 2, 1, 3});
  if (repetitions == 1) return heads;
  const ValueId apart = op.EmitReshape(heads, {shape[0], shape[2], 1, shape[1], shape[3]});
  const ValueId repeated =
      op.Emit(Op::kBroadcastTo, {apart},
              TargetAttributes{Shape{shape[0], shape[2], repetitions, shape[1], shape[3]}});
  return op.EmitReshape(repeated, {shape[0], shape[2] * repetitions, shape[1], shape[3]});
}

// (queries, keys, values, mask), all [batch, positions, heads, size]; the mask is added, and may be
// left out. "scale", 1 / sqrt(size) where it is missing or 0; "logit_cap".
// LiteRT's tflite/experimental/genai/sdpa.cc, and tflite/delegates/xnnpack/xnnpack_delegate.cc.
bool ImportAttention(OperatorImporter& op, const NamedAttributes& attributes) {
  const bool masked = op.inputs() == 4 && op.in(3) != kNoValue;
  if (op.inputs() < 3 || op.inputs() > 4 || op.outputs() != 1 || !AreFloats(op, {0, 1, 2}, 4) ||
      (masked && op.value(3).dtype != DType::kF32)) {
    return false;
  }
  const Shape queries = op.shape(0);
  const int64_t kv_heads = op.shape(1)[2];
  if (kv_heads < 1 || queries[2] % kv_heads != 0 || op.shape(2)[2] != kv_heads) return false;
  const int64_t repetitions = queries[2] / kv_heads;
  const float given = attributes.Number("scale").value_or(0);
  const float scale = given > 0 ? given : 1 / std::sqrt(static_cast<float>(queries[3]));
  const ValueId query = EmitScaled(op, EmitHeads(op, 0, 1), scale);
  ValueId scores = op.Emit(Op::kBatchMatMul, {query, EmitHeads(op, 1, repetitions)},
                           BatchMatMulAttributes{false, true});
  scores = EmitCapped(op, scores, attributes.Number("logit_cap"));
  if (masked) scores = op.Emit(Op::kAdd, {scores, op.in(3)});
  const ValueId weights = op.Emit(Op::kSoftmax, {scores}, SoftmaxAttributes{1});
  const ValueId mixed =
      op.Emit(Op::kBatchMatMul, {weights, EmitHeads(op, 2, repetitions)}, BatchMatMulAttributes{});
  op.Bind(0, EmitTransposed(op, mixed, {0, 2, 1, 3}));
  return true;
}

/// Scores of queries [1, K, G * T, H], shown where the mask [1, 1, T, positions] says so: a mask of
/// bools picks, any other is added.
ValueId EmitMasked(OperatorImporter& op, ValueId scores, ValueId mask, int64_t rows) {
  constexpr float kHidden = -1e30f;
  const Shape stacked = Concrete(op.ValueOf(scores).shape, 1);
  const ValueId apart = op.EmitReshape(scores, {stacked[1], stacked[2] / rows, rows, stacked[3]});
  const ValueId masked = op.ValueOf(mask).dtype == DType::kBool
                             ? op.Emit(Op::kSelect, {mask, apart, EmitScalar(op, kHidden)})
                             : op.Emit(Op::kAdd, {apart, mask});
  return op.EmitReshape(masked, stacked);
}

// (queries [1, N, T, H] that are scaled already; keys and values [1, K, .., ..], whose positions
// lie along the axes "k_ts_idx", 2, and "v_ts_idx", 3; a mask [1, 1, T, positions] of floats or
// bools; parameters): [1, N, T, H]. "softcap"; a "scale" only where the writer left it to the
// operator. litert-torch's generative/export_hf/experimental/composites/sdpa.py, and LiteRT's
// tflite/delegates/ynnpack.
bool ImportTransposedAttention(OperatorImporter& op, const NamedAttributes& attributes) {
  const float key_axis = attributes.Number("k_ts_idx").value_or(2);
  const float value_axis = attributes.Number("v_ts_idx").value_or(3);
  const auto is_axis = [](float axis) { return axis == 2 || axis == 3; };
  if (op.inputs() < 4 || op.inputs() > 5 || op.outputs() != 1 || !AreFloats(op, {0, 1, 2}, 4) ||
      op.in(3) == kNoValue || !is_axis(key_axis) || !is_axis(value_axis)) {
    return false;
  }
  const Shape queries = op.shape(0);
  const int64_t kv_heads = op.shape(1)[1];
  const DType mask = op.value(3).dtype;
  if ((mask != DType::kF32 && mask != DType::kBool) || queries[0] != 1 || queries[2] < 1 ||
      kv_heads < 1 || queries[1] % kv_heads != 0 || op.shape(2)[1] != kv_heads) {
    return false;
  }
  const ValueId query = EmitScaled(op, op.in(0), attributes.Number("scale").value_or(1));
  const ValueId stacked =
      op.EmitReshape(query, {1, kv_heads, queries[1] / kv_heads * queries[2], queries[3]});
  ValueId scores =
      op.Emit(Op::kBatchMatMul, {stacked, op.in(1)}, BatchMatMulAttributes{false, key_axis == 2});
  scores = EmitCapped(op, scores, attributes.Number("softcap"));
  scores = EmitMasked(op, scores, op.in(3), queries[2]);
  const ValueId weights = op.Emit(Op::kSoftmax, {scores}, SoftmaxAttributes{1});
  const ValueId mixed =
      op.Emit(Op::kBatchMatMul, {weights, op.in(2)}, BatchMatMulAttributes{false, value_axis == 3});
  op.Bind(0, op.EmitReshape(mixed, queries));
  return true;
}

// (a, b, parameters): a · bᵀ. The parameters say how much of b is filled; what is not, masks hide.
// litert-torch's generative/export_hf/experimental/composites/runtime_batched_matmul.py.
bool ImportRuntimeProduct(OperatorImporter& op, const NamedAttributes&) {
  if (op.inputs() < 2 || op.inputs() > 3 || op.outputs() != 1 || !AreFloats(op, {0, 1}, 4)) {
    return false;
  }
  op.Bind(0, op.Emit(Op::kBatchMatMul, {op.in(0), op.in(1)}, BatchMatMulAttributes{false, true}));
  return true;
}

// (new keys, new values [1, heads, rows, size], parameters, key cache, value cache with the last
// axes exchanged, where new keys begin, where new values begin): both caches with the new rows.
// litert-torch's generative/export_hf/experimental/composites/cache_update.py. In its form of three
// inputs the caches are nowhere in the graph, and ring buffers wrap around.
bool ImportCacheUpdate(OperatorImporter& op, const NamedAttributes& attributes) {
  if (op.inputs() != 7 || op.outputs() != 2 || attributes.Flag("is_ring_buffer") ||
      !AreFloats(op, {0, 1, 3, 4}, 4)) {
    return false;
  }
  const ValueId values = EmitTransposed(op, op.in(1), {0, 1, 3, 2});
  op.Bind(0, op.Emit(Op::kDynamicUpdateSlice, {op.in(3), op.in(0), op.in(5)}));
  op.Bind(1, op.Emit(Op::kDynamicUpdateSlice, {op.in(4), values, op.in(6)}));
  return true;
}

// (key cache, value cache [1, positions, heads, size], positions, new keys, new values): both
// caches with the new rows at their positions, which follow each other. LiteRT's
// tflite/experimental/genai/external_kvcache.cc.
bool ImportExternalCacheUpdate(OperatorImporter& op, const NamedAttributes&) {
  if (op.inputs() != 5 || op.outputs() != 2 || !AreFloats(op, {0, 1, 3, 4}, 4) ||
      op.value(2).dtype != DType::kI32 || op.rank(2) != 1 || op.shape(2)[0] < 1) {
    return false;
  }
  const ValueId zero = op.EmitNumbers(DType::kI32, {1}, {0});
  const ValueId first = EmitPart(op, op.in(2), 0, 0, 1);
  const ValueId start =
      op.Emit(Op::kConcatenation, {zero, first, zero, zero}, ConcatenationAttributes{0});
  op.Bind(0, op.Emit(Op::kDynamicUpdateSlice, {op.in(0), op.in(3), start}));
  op.Bind(1, op.Emit(Op::kDynamicUpdateSlice, {op.in(1), op.in(4), start}));
  return true;
}

/// Sylvester's Hadamard matrix, each entry `scale` or -`scale`: entry (i, j) is negative if i and j
/// have an odd number of ones in common. It is symmetric.
ValueId EmitHadamard(OperatorImporter& op, int64_t size, float scale) {
  std::vector<float> entries(static_cast<size_t>(size * size));
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) {
      const bool negative = std::popcount(static_cast<uint64_t>(i & j)) % 2 == 1;
      entries[static_cast<size_t>(i * size + j)] = negative ? -scale : scale;
    }
  }
  return op.EmitConstant(DType::kF32, {size, size}, entries);
}

// (x of two or three axes), "hadamard_size": each stretch of so many numbers of a row times the
// Hadamard matrix of that size, divided by its square root. "random_binary_vector" is not used.
// TensorFlow's tensorflow/lite/kernels/hadamard_rotation.cc.
//
// The matrix of size a · b is the Kronecker product of those of sizes a and b, so that a stretch
// laid out as [a, b] is multiplied along one axis and then along the other: a + b products for each
// number, not a · b.
bool ImportHadamardRotation(OperatorImporter& op, const NamedAttributes& attributes) {
  constexpr float kMostSize = 1 << 16;
  constexpr int64_t kMostAtOnce = 64;
  const float given = attributes.Number("hadamard_size").value_or(0);
  if (op.inputs() != 1 || op.outputs() != 1 || !(given >= 1 && given <= kMostSize)) return false;
  const auto size = static_cast<int64_t>(given);
  if (!std::has_single_bit(static_cast<uint64_t>(size)) || op.value(0).dtype != DType::kF32 ||
      op.rank(0) < 2 || op.rank(0) > 3 || op.shape(0).back() % size != 0) {
    return false;
  }
  int64_t outer = 1;
  while (size / outer > kMostAtOnce) outer *= 2;
  const int64_t inner = size / outer;
  const Shape shape = op.shape(0);
  Shape stretches = shape;
  stretches[shape.rank() - 1] /= size;
  if (outer > 1) stretches.push_back(outer);
  stretches.push_back(inner);
  const auto multiply = [&](ValueId x, ValueId matrix) {
    return op.Emit(Op::kFullyConnected, {x, matrix}, FullyConnectedAttributes{});
  };
  ValueId x = multiply(op.EmitReshape(op.in(0), stretches),
                       EmitHadamard(op, inner, 1 / std::sqrt(static_cast<float>(size))));
  if (outer > 1) {
    Shape exchanged;
    for (int axis = 0; axis < stretches.rank(); ++axis) exchanged.push_back(axis);
    std::swap(exchanged[stretches.rank() - 2], exchanged[stretches.rank() - 1]);
    x = multiply(EmitTransposed(op, x, exchanged), EmitHadamard(op, outer, 1));
    x = EmitTransposed(op, x, exchanged);
  }
  op.Bind(0, op.EmitReshape(x, shape));
  return true;
}

struct NamedOperator {
  std::string_view name;
  NamedHandler handler;
};
constexpr NamedOperator kNamedOperators[] = {
    {"aeq.hadamard_rotation", ImportHadamardRotation},
    {"odml.cache_update", ImportCacheUpdate},
    {"odml.rms_norm", ImportRmsNorm},
    {"odml.runtime_bmm", ImportRuntimeProduct},
    {"odml.scaled_dot_product_attention", ImportAttention},
    {"odml.sdpa_transposed", ImportTransposedAttention},
    {"odml.update_external_kv_cache", ImportExternalCacheUpdate},
};

}  // namespace

std::optional<NamedAttributes> NamedAttributes::Read(const flatbuffers::Vector<uint8_t>* bytes) {
  NamedAttributes attributes;
  if (bytes == nullptr || bytes->size() == 0) return attributes;
  std::vector<uint8_t> tracker;
  if (!flexbuffers::VerifyBuffer(bytes->data(), bytes->size(), &tracker) ||
      !flexbuffers::GetRoot(bytes->data(), bytes->size()).IsMap()) {
    return std::nullopt;
  }
  attributes.bytes_ = bytes;
  return attributes;
}

std::optional<float> NamedAttributes::Number(const char* key) const {
  if (bytes_ == nullptr) return std::nullopt;
  const auto value = flexbuffers::GetRoot(bytes_->data(), bytes_->size()).AsMap()[key];
  return value.IsNumeric() ? std::optional(value.AsFloat()) : std::nullopt;
}

bool NamedAttributes::Flag(const char* key) const {
  if (bytes_ == nullptr) return false;
  const auto value = flexbuffers::GetRoot(bytes_->data(), bytes_->size()).AsMap()[key];
  return (value.IsBool() || value.IsNumeric()) && value.AsBool();
}

NamedHandler FindNamedHandler(std::string_view name) {
  const auto it = std::find_if(std::begin(kNamedOperators), std::end(kNamedOperators),
                               [&](const NamedOperator& entry) { return entry.name == name; });
  return it == std::end(kNamedOperators) ? nullptr : it->handler;
}

}  // namespace litertlm
