#include "convert/op_emitter.h"

#include <algorithm>

namespace litertlm {
namespace {

using Op = tflite::BuiltinOperator;

Shape Broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  const auto merge = [&](const Shape& shape) {
    const size_t skip = result.size() - shape.size();
    for (size_t i = 0; i < shape.size(); ++i) {
      result[skip + i] = std::max(result[skip + i], shape[i]);
    }
  };
  merge(a);
  merge(b);
  return result;
}

std::vector<int32_t> WithLast(Shape shape, int32_t last) {
  shape.back() = last;
  return shape;
}

}  // namespace

TensorId OpEmitter::Constant(Bytes bytes, DType dtype, Shape shape, std::string_view name) {
  auto& constants = dtype == DType::kF32 ? float_constants_ : int_constants_;
  const BufferId buffer = model_.AddBuffer(bytes);
  const auto [it, added] = constants.try_emplace({shape, buffer}, -1);
  if (added) it->second = graph_.AddConstant(std::string(name), dtype, std::move(shape), buffer);
  return it->second;
}

TensorId OpEmitter::Floats(std::span<const float> values, Shape shape, std::string_view name) {
  return Constant(std::as_bytes(values), DType::kF32, std::move(shape), name);
}

TensorId OpEmitter::Ints(std::span<const int32_t> values, Shape shape, std::string_view name) {
  return Constant(std::as_bytes(values), DType::kI32, std::move(shape), name);
}

TensorId OpEmitter::Emit(OperatorSpec spec, DType dtype, Shape shape, std::string_view name) {
  const TensorId output = graph_.AddTensor(Name(name), dtype, std::move(shape));
  spec.outputs = {output};
  graph_.AddOperator(std::move(spec));
  return output;
}

TensorId OpEmitter::Unary(Op code, tflite::BuiltinOptionsUnion options, TensorId x,
                          std::string_view name) {
  return Emit({.code = code, .inputs = {x}, .options = std::move(options)}, DType::kF32, ShapeOf(x),
              name);
}

TensorId OpEmitter::Binary(Op code, tflite::BuiltinOptionsUnion options, DType dtype, TensorId a,
                           TensorId b, std::string_view name) {
  return Emit({.code = code, .inputs = {a, b}, .options = std::move(options)}, dtype,
              Broadcast(ShapeOf(a), ShapeOf(b)), name);
}

TensorId OpEmitter::Add(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::ADD, With<tflite::AddOptionsT>(), DType::kF32, a, b, name);
}

TensorId OpEmitter::Subtract(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::SUB, With<tflite::SubOptionsT>(), DType::kF32, a, b, name);
}

TensorId OpEmitter::SubtractInts(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::SUB, With<tflite::SubOptionsT>(), DType::kI32, a, b, name);
}

TensorId OpEmitter::Multiply(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::MUL, With<tflite::MulOptionsT>(), DType::kF32, a, b, name);
}

TensorId OpEmitter::GreaterInts(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::GREATER, With<tflite::GreaterOptionsT>(), DType::kBool, a, b, name);
}

TensorId OpEmitter::Select(TensorId condition, TensorId yes, TensorId no, std::string_view name) {
  return Emit({.code = Op::SELECT_V2,
               .inputs = {condition, yes, no},
               .options = With<tflite::SelectV2OptionsT>()},
              DType::kF32, Broadcast(ShapeOf(condition), Broadcast(ShapeOf(yes), ShapeOf(no))),
              name);
}

TensorId OpEmitter::Sin(TensorId x, std::string_view name) { return Unary(Op::SIN, {}, x, name); }

TensorId OpEmitter::Cos(TensorId x, std::string_view name) {
  return Unary(Op::COS, With<tflite::CosOptionsT>(), x, name);
}

TensorId OpEmitter::Tanh(TensorId x, std::string_view name) { return Unary(Op::TANH, {}, x, name); }

TensorId OpEmitter::Logistic(TensorId x, std::string_view name) {
  return Unary(Op::LOGISTIC, {}, x, name);
}

TensorId OpEmitter::Rsqrt(TensorId x, std::string_view name) {
  return Unary(Op::RSQRT, {}, x, name);
}

TensorId OpEmitter::GeluTanh(TensorId x, std::string_view name) {
  tflite::GeluOptionsT options;
  options.approximate = true;
  return Unary(Op::GELU, With(options), x, name);
}

TensorId OpEmitter::IntsToFloats(TensorId x, std::string_view name) {
  tflite::CastOptionsT options;
  options.in_data_type = tflite::TensorType::INT32;
  options.out_data_type = tflite::TensorType::FLOAT32;
  return Unary(Op::CAST, With(options), x, name);
}

TensorId OpEmitter::MeanOfLastAxis(TensorId x, std::string_view name) {
  const auto last = static_cast<int32_t>(ShapeOf(x).size()) - 1;
  tflite::ReducerOptionsT options;
  options.keep_dims = true;
  return Emit({.code = Op::MEAN,
               .inputs = {x, Ints({&last, 1}, {1}, "last_axis")},
               .options = With(options)},
              DType::kF32, WithLast(ShapeOf(x), 1), name);
}

TensorId OpEmitter::Softmax(TensorId x, std::string_view name) {
  tflite::SoftmaxOptionsT options;
  options.beta = 1;
  return Unary(Op::SOFTMAX, With(options), x, name);
}

TensorId OpEmitter::ReshapeAs(DType dtype, TensorId x, Shape shape, std::string_view name) {
  tflite::ReshapeOptionsT options;
  options.new_shape = shape;
  const TensorId new_shape =
      Ints(shape, {static_cast<int32_t>(shape.size())}, std::string(name) + "_shape");
  return Emit({.code = Op::RESHAPE, .inputs = {x, new_shape}, .options = With(options)}, dtype,
              std::move(shape), name);
}

TensorId OpEmitter::Reshape(TensorId x, Shape shape, std::string_view name) {
  return ReshapeAs(DType::kF32, x, std::move(shape), name);
}

TensorId OpEmitter::ReshapeInts(TensorId x, Shape shape, std::string_view name) {
  return ReshapeAs(DType::kI32, x, std::move(shape), name);
}

TensorId OpEmitter::Transpose(TensorId x, const std::vector<int32_t>& permutation,
                              std::string_view name) {
  const Shape& from = ShapeOf(x);
  Shape to;
  for (const int32_t axis : permutation) to.push_back(from[static_cast<size_t>(axis)]);
  const TensorId order = Ints(permutation, {static_cast<int32_t>(permutation.size())},
                              std::string(name) + "_permutation");
  return Emit(
      {.code = Op::TRANSPOSE, .inputs = {x, order}, .options = With<tflite::TransposeOptionsT>()},
      DType::kF32, std::move(to), name);
}

TensorId OpEmitter::SliceAs(DType dtype, TensorId x, const Shape& begin, const Shape& size,
                            std::string_view name) {
  const auto rank = static_cast<int32_t>(begin.size());
  const TensorId begins = Ints(begin, {rank}, std::string(name) + "_begin");
  const TensorId sizes = Ints(size, {rank}, std::string(name) + "_size");
  return Emit(
      {.code = Op::SLICE, .inputs = {x, begins, sizes}, .options = With<tflite::SliceOptionsT>()},
      dtype, size, name);
}

TensorId OpEmitter::Slice(TensorId x, const Shape& begin, const Shape& size,
                          std::string_view name) {
  return SliceAs(DType::kF32, x, begin, size, name);
}

TensorId OpEmitter::SliceInts(TensorId x, const Shape& begin, const Shape& size,
                              std::string_view name) {
  return SliceAs(DType::kI32, x, begin, size, name);
}

TensorId OpEmitter::ConcatenateAs(DType dtype, const std::vector<TensorId>& parts, int32_t axis,
                                  std::string_view name) {
  Shape shape = ShapeOf(parts.front());
  const auto a = static_cast<size_t>(axis);
  for (size_t i = 1; i < parts.size(); ++i) shape[a] += ShapeOf(parts[i])[a];
  tflite::ConcatenationOptionsT options;
  options.axis = axis;
  return Emit({.code = Op::CONCATENATION, .inputs = parts, .options = With(options)}, dtype,
              std::move(shape), name);
}

TensorId OpEmitter::Concatenate(const std::vector<TensorId>& parts, int32_t axis,
                                std::string_view name) {
  return ConcatenateAs(DType::kF32, parts, axis, name);
}

TensorId OpEmitter::ConcatenateInts(const std::vector<TensorId>& parts, int32_t axis,
                                    std::string_view name) {
  return ConcatenateAs(DType::kI32, parts, axis, name);
}

TensorId OpEmitter::BatchMatMulTransposed(TensorId a, TensorId b, std::string_view name) {
  const Shape& b_shape = ShapeOf(b);
  tflite::BatchMatMulOptionsT options;
  options.adj_y = true;
  return Emit({.code = Op::BATCH_MATMUL, .inputs = {a, b}, .options = With(options)}, DType::kF32,
              WithLast(ShapeOf(a), b_shape[b_shape.size() - 2]), name);
}

TensorId OpEmitter::FullyConnected(TensorId x, TensorId weight, DType weight_dtype, TensorId bias,
                                   std::string_view name) {
  // The lowest version that knows the form, by LiteRT's own rule.
  int32_t version = bias < 0 ? 6 : 5;
  if (weight_dtype == DType::kI8) version = 12;
  tflite::FullyConnectedOptionsT options;
  options.keep_num_dims = true;
  std::vector<TensorId> inputs = {x, weight};
  if (bias >= 0) inputs.push_back(bias);
  return Emit({.code = Op::FULLY_CONNECTED,
               .version = version,
               .inputs = std::move(inputs),
               .options = With(options)},
              DType::kF32, WithLast(ShapeOf(x), ShapeOf(weight)[0]), name);
}

TensorId OpEmitter::EmbeddingLookup(TensorId ids, TensorId table, DType table_dtype,
                                    std::string_view name) {
  return Emit({.code = Op::EMBEDDING_LOOKUP,
               .version = table_dtype == DType::kF32 ? 1 : 4,
               .inputs = {ids, table}},
              DType::kF32, {ShapeOf(ids)[0], ShapeOf(table)[1]}, name);
}

TensorId OpEmitter::Dequantize(TensorId x, DType dtype, std::string_view name) {
  return Emit({.code = Op::DEQUANTIZE,
               .version = dtype == DType::kF16 ? 3 : 5,
               .inputs = {x},
               .options = With<tflite::DequantizeOptionsT>()},
              DType::kF32, ShapeOf(x), name);
}

TensorId OpEmitter::DynamicUpdateSlice(TensorId operand, TensorId update, TensorId start,
                                       std::string_view name) {
  return Emit({.code = Op::DYNAMIC_UPDATE_SLICE,
               .inputs = {operand, update, start},
               .options = With<tflite::DynamicUpdateSliceOptionsT>()},
              DType::kF32, ShapeOf(operand), name);
}

}  // namespace litertlm
