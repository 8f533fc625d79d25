// The intermediate representation: what a signature of a model computes, as values and nodes.
#ifndef LITERTLM_GRAPH_IR_H_
#define LITERTLM_GRAPH_IR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"
#include "graph/op.h"
#include "graph/symbolic_shape.h"

namespace litertlm {

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;  ///< An optional input that is left out.

/// How the codes of a constant stand for numbers: number = code * scale.
struct Quantization {
  std::span<const float> scales;  ///< One, or one for each index along `dimension`.
  int dimension = 0;
  std::span<const uint16_t> block_scales;  ///< f16, [rows, columns / block_size]; else empty.
  int64_t block_size = 0;
  bool has_zero_points = false;  ///< Some code other than 0 stands for 0: weights cannot be so.

  bool empty() const { return scales.empty() && block_scales.empty(); }
};

struct Value {
  std::string name;
  DType dtype = DType::kF32;
  SymbolicShape shape;
  bool is_constant = false;
  Bytes data;  ///< Of a constant: bytes of the model's file, or of `storage`.
  std::shared_ptr<const std::vector<std::byte>> storage;  ///< Set where a pass made the constant.
  Quantization quantization;
};

/// Ranges to which kRelu clamps.
enum class Activation : uint8_t { kRelu, kReluN1To1, kRelu6 };

struct ReluAttributes {
  Activation activation = Activation::kRelu;
  bool operator==(const ReluAttributes&) const = default;
};
struct GeluAttributes {
  bool tanh = false;  ///< The tanh form, else the erf form.
  bool operator==(const GeluAttributes&) const = default;
};
/// code = round(number / scale) + zero_point
struct QuantizeAttributes {
  float scale = 1;
  int32_t zero_point = 0;
  bool operator==(const QuantizeAttributes&) const = default;
};
struct SoftmaxAttributes {
  float beta = 1;
  bool operator==(const SoftmaxAttributes&) const = default;
};
struct AxesAttributes {
  std::vector<int> axes;  ///< In [0, rank), ascending.
  bool operator==(const AxesAttributes&) const = default;
};
struct CumsumAttributes {
  int axis = 0;
  bool exclusive = false;
  bool reverse = false;
  bool operator==(const CumsumAttributes&) const = default;
};
struct TopKAttributes {
  int64_t count = 1;
  bool operator==(const TopKAttributes&) const = default;
};
struct ConcatenationAttributes {
  int axis = 0;
  bool operator==(const ConcatenationAttributes&) const = default;
};
struct GatherAttributes {
  int axis = 0;
  int batch_dims = 0;
  bool operator==(const GatherAttributes&) const = default;
};
/// Of kReshape, kBroadcastTo, kScatterNd: the target for `Graph::file_rows` rows.
struct TargetAttributes {
  Shape shape;
  bool operator==(const TargetAttributes&) const = default;
};
/// Element i of the output along an axis is element begin + i * stride of the input.
struct SliceAttributes {
  Shape begin;
  Shape size;  ///< For `Graph::file_rows` rows.
  Shape stride;
  bool operator==(const SliceAttributes&) const = default;
};
struct PermutationAttributes {
  Shape permutation;  ///< Output axis i is input axis permutation[i].
  bool operator==(const PermutationAttributes&) const = default;
};
/// Of kPad, elements before and after; of kTile (`before` only), repetitions.
struct PerAxisAttributes {
  Shape before;
  Shape after;
  bool operator==(const PerAxisAttributes&) const = default;
};
struct BatchMatMulAttributes {
  bool adj_x = false;
  bool adj_y = false;
  bool operator==(const BatchMatMulAttributes&) const = default;
};
struct FullyConnectedAttributes {
  bool keep_num_dims = true;
  /// Integer weights: true multiplies them with activations quantized on the fly, false widens
  /// them and computes in f32 (a DEQUANTIZE stood before them).
  bool dynamic = true;
  /// Its products are logits, and nothing but an output of the graph: they may be computed in part.
  bool output_head = false;
  bool operator==(const FullyConnectedAttributes&) const = default;
};
struct RmsNormAttributes {
  float epsilon = 0;
  bool operator==(const RmsNormAttributes&) const = default;
};

/// Of kAttention.
struct AttentionAttributes {
  float scale = 1;           ///< Of the products of queries and keys.
  int64_t window = 0;        ///< A row sees the last `window` positions, its own included; 0: all.
  bool heads_first = false;  ///< Queries are [1, heads, rows, size], else [1, rows, heads, size].
  float epsilon = 0;         ///< Of the norm of queries, where there are gains.
  bool operator==(const AttentionAttributes&) const = default;
};
/// Of kCacheUpdate.
struct CacheUpdateAttributes {
  bool heads_first = false;  ///< New rows are [1, heads, rows, size], else [1, rows, heads, size].
  float epsilon = 0;         ///< Of the norm of new rows, where there are gains.
  bool operator==(const CacheUpdateAttributes&) const = default;
};
/// Of kRope.
struct RopeAttributes {
  int row_axis = 0;   ///< The axis of the input along which the angles differ.
  float epsilon = 0;  ///< Of the RMS norm that goes before, where there are gains.
  bool operator==(const RopeAttributes&) const = default;
};

using Attributes = std::variant<std::monostate, ReluAttributes, GeluAttributes, QuantizeAttributes,
                                SoftmaxAttributes, AxesAttributes, CumsumAttributes, TopKAttributes,
                                ConcatenationAttributes, GatherAttributes, TargetAttributes,
                                SliceAttributes, PermutationAttributes, PerAxisAttributes,
                                BatchMatMulAttributes, FullyConnectedAttributes, RmsNormAttributes,
                                AttentionAttributes, CacheUpdateAttributes, RopeAttributes>;

struct Node {
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;

  template <typename T>
  const T& As() const {
    return std::get<T>(attributes);
  }
};

/// A name of the signature and the value bound to it.
struct Binding {
  std::string name;
  ValueId value;
};

/// Nodes stand in an order in which they can be executed; each value has at most one producer.
/// Copying a graph copies no weights.
struct Graph {
  std::string name;  ///< For messages: model and signature.
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<Binding> inputs;
  std::vector<Binding> outputs;
  /// Rows for which the constants (targets of reshapes, sizes of slices) were written.
  int64_t file_rows = 1;

  const Value& value(ValueId id) const { return values[id]; }
  Value& value(ValueId id) { return values[id]; }
  ValueId AddValue(Value value) {
    values.push_back(std::move(value));
    return static_cast<ValueId>(values.size() - 1);
  }
  /// kNoValue if the signature has no such input or output.
  ValueId FindInput(std::string_view input) const;
  ValueId FindOutput(std::string_view output) const;
};

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_IR_H_
