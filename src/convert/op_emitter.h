// Operators of a subgraph under construction, with the versions and options that LiteRT expects
// and with output shapes worked out.
#ifndef LITERTLM_CONVERT_OP_EMITTER_H_
#define LITERTLM_CONVERT_OP_EMITTER_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/tflite_builder.h"

namespace litertlm {

using Shape = std::vector<int32_t>;

/// An operator's options as the builder takes them.
template <typename Options>
tflite::BuiltinOptionsUnion With(Options options = {}) {
  tflite::BuiltinOptionsUnion result;
  result.Set(std::move(options));
  return result;
}

/// Every function adds one operator and returns its output, which is called `name` in the current
/// scope. Tensors are f32 unless said otherwise. Shapes are the caller's duty: they are not
/// checked beyond what computing the output's shape needs.
class OpEmitter {
 public:
  /// Both must outlive the emitter.
  OpEmitter(TfliteBuilder& model, SubgraphBuilder& graph) : model_(model), graph_(graph) {}

  /// Is put in front of the names of tensors: "layer_3/".
  void SetScope(std::string scope) { scope_ = std::move(scope); }
  const Shape& ShapeOf(TensorId tensor) const { return graph_.Shape(tensor); }
  SubgraphBuilder& graph() { return graph_; }

  /// Constants; equal ones are one tensor, named without the scope.
  TensorId Floats(std::span<const float> values, Shape shape, std::string_view name);
  TensorId Ints(std::span<const int32_t> values, Shape shape, std::string_view name);
  TensorId Scalar(float value, std::string_view name) { return Floats({&value, 1}, {}, name); }

  /// Element-wise with broadcasting.
  TensorId Add(TensorId a, TensorId b, std::string_view name);
  TensorId Subtract(TensorId a, TensorId b, std::string_view name);
  TensorId SubtractInts(TensorId a, TensorId b, std::string_view name);
  TensorId Multiply(TensorId a, TensorId b, std::string_view name);
  TensorId GreaterInts(TensorId a, TensorId b, std::string_view name);  ///< Of i32; gives bool.
  TensorId Select(TensorId condition, TensorId yes, TensorId no, std::string_view name);

  TensorId Sin(TensorId x, std::string_view name);
  TensorId Cos(TensorId x, std::string_view name);
  TensorId Tanh(TensorId x, std::string_view name);
  TensorId Logistic(TensorId x, std::string_view name);
  TensorId Rsqrt(TensorId x, std::string_view name);
  TensorId GeluTanh(TensorId x, std::string_view name);
  TensorId IntsToFloats(TensorId x, std::string_view name);

  TensorId MeanOfLastAxis(TensorId x, std::string_view name);  ///< The axis stays, with size 1.
  TensorId Softmax(TensorId x, std::string_view name);         ///< Over the last axis.

  TensorId Reshape(TensorId x, Shape shape, std::string_view name);
  TensorId ReshapeInts(TensorId x, Shape shape, std::string_view name);
  TensorId Transpose(TensorId x, const std::vector<int32_t>& permutation, std::string_view name);
  TensorId Slice(TensorId x, const Shape& begin, const Shape& size, std::string_view name);
  TensorId SliceInts(TensorId x, const Shape& begin, const Shape& size, std::string_view name);
  TensorId Concatenate(const std::vector<TensorId>& parts, int32_t axis, std::string_view name);
  TensorId ConcatenateInts(const std::vector<TensorId>& parts, int32_t axis, std::string_view name);

  /// a [.., M, K] times b [.., N, K], transposed.
  TensorId BatchMatMulTransposed(TensorId a, TensorId b, std::string_view name);
  /// x [.., inputs] times weight [outputs, inputs], transposed; `bias` may be -1.
  TensorId FullyConnected(TensorId x, TensorId weight, DType weight_dtype, TensorId bias,
                          std::string_view name);
  /// Rows of `table` for `ids` [n].
  TensorId EmbeddingLookup(TensorId ids, TensorId table, DType table_dtype, std::string_view name);
  TensorId Dequantize(TensorId x, DType dtype, std::string_view name);
  /// `operand` with `update` written at `start` (i32 [rank]).
  TensorId DynamicUpdateSlice(TensorId operand, TensorId update, TensorId start,
                              std::string_view name);

 protected:
  std::string Name(std::string_view name) const { return scope_ + std::string(name); }
  TensorId Constant(Bytes bytes, DType dtype, Shape shape, std::string_view name);
  TensorId Emit(OperatorSpec spec, DType dtype, Shape shape, std::string_view name);
  TensorId Unary(tflite::BuiltinOperator code, tflite::BuiltinOptionsUnion options, TensorId x,
                 std::string_view name);
  TensorId Binary(tflite::BuiltinOperator code, tflite::BuiltinOptionsUnion options, DType dtype,
                  TensorId a, TensorId b, std::string_view name);
  TensorId ReshapeAs(DType dtype, TensorId x, Shape shape, std::string_view name);
  TensorId SliceAs(DType dtype, TensorId x, const Shape& begin, const Shape& size,
                   std::string_view name);
  TensorId ConcatenateAs(DType dtype, const std::vector<TensorId>& parts, int32_t axis,
                         std::string_view name);

  TfliteBuilder& model_;
  SubgraphBuilder& graph_;

 private:
  std::string scope_;
  std::map<std::pair<Shape, BufferId>, TensorId> float_constants_;
  std::map<std::pair<Shape, BufferId>, TensorId> int_constants_;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_OP_EMITTER_H_
