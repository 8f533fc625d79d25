// FlexBuffers can parse numbers from text, for which they would need FlatBuffers' library.
#define FLATBUFFERS_LOCALE_INDEPENDENT 0
#include "tests/styles/style_ops.h"

#include <flatbuffers/flexbuffers.h>

namespace litertlm {
namespace {

using Op = tflite::BuiltinOperator;

std::vector<uint8_t> FlexMap(const std::map<std::string, double>& attributes) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    for (const auto& [key, value] : attributes) builder.Double(key.c_str(), value);
  });
  builder.Finish();
  return builder.GetBuffer();
}

}  // namespace

TensorId StyleOps::Divide(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::DIV, With<tflite::DivOptionsT>(), DType::kF32, a, b, name);
}

TensorId StyleOps::Minimum(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::MINIMUM, With<tflite::MaximumMinimumOptionsT>(), DType::kF32, a, b, name);
}

TensorId StyleOps::AddInts(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::ADD, With<tflite::AddOptionsT>(), DType::kI32, a, b, name);
}

TensorId StyleOps::MaximumInts(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::MAXIMUM, With<tflite::MaximumMinimumOptionsT>(), DType::kI32, a, b, name);
}

TensorId StyleOps::LessInts(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::LESS, With<tflite::LessOptionsT>(), DType::kBool, a, b, name);
}

TensorId StyleOps::And(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::LOGICAL_AND, With<tflite::LogicalAndOptionsT>(), DType::kBool, a, b, name);
}

TensorId StyleOps::Equal(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::EQUAL, With<tflite::EqualOptionsT>(), DType::kBool, a, b, name);
}

TensorId StyleOps::NotEqual(TensorId a, TensorId b, std::string_view name) {
  return Binary(Op::NOT_EQUAL, With<tflite::NotEqualOptionsT>(), DType::kBool, a, b, name);
}

TensorId StyleOps::BoolsToFloats(TensorId x, std::string_view name) {
  return Cast(DType::kBool, DType::kF32, x, name);
}

TensorId StyleOps::ReshapeBools(TensorId x, Shape shape, std::string_view name) {
  return ReshapeAs(DType::kBool, x, std::move(shape), name);
}

TensorId StyleOps::Negate(TensorId x, std::string_view name) {
  return Unary(Op::NEG, With<tflite::NegOptionsT>(), x, name);
}

TensorId StyleOps::Cast(DType from, DType to, TensorId x, std::string_view name) {
  tflite::CastOptionsT options;
  options.in_data_type = static_cast<tflite::TensorType>(Info(from).tflite);
  options.out_data_type = static_cast<tflite::TensorType>(Info(to).tflite);
  return Emit({.code = Op::CAST, .inputs = {x}, .options = With(options)}, to, ShapeOf(x), name);
}

TensorId StyleOps::HalvesToFloats(TensorId x, std::string_view name) {
  return Cast(DType::kF16, DType::kF32, x, name);
}

TensorId StyleOps::FloatsToInts(TensorId x, std::string_view name) {
  return Cast(DType::kF32, DType::kI32, x, name);
}

TensorId StyleOps::Sum(TensorId x, int32_t axis, std::string_view name) {
  Shape shape = ShapeOf(x);
  shape.erase(shape.begin() + axis);
  return Emit({.code = Op::SUM,
               .inputs = {x, Ints({&axis, 1}, {1}, "sum_axis")},
               .options = With<tflite::ReducerOptionsT>()},
              DType::kF32, std::move(shape), name);
}

TensorId StyleOps::Gather(TensorId table, TensorId ids, int32_t axis, std::string_view name) {
  tflite::GatherOptionsT options;
  options.axis = axis;
  Shape shape = ShapeOf(table);
  shape[static_cast<size_t>(axis)] = ShapeOf(ids).front();
  return Emit({.code = Op::GATHER, .inputs = {table, ids}, .options = With(options)}, DType::kF32,
              std::move(shape), name);
}

std::vector<TensorId> StyleOps::UnpackInts(TensorId x, std::string_view name) {
  tflite::UnpackOptionsT options;
  options.num = ShapeOf(x).front();
  std::vector<TensorId> scalars;
  for (int32_t i = 0; i < options.num; ++i) {
    scalars.push_back(graph_.AddTensor(Name(name) + std::to_string(i), DType::kI32, {}));
  }
  graph_.AddOperator(
      {.code = Op::UNPACK, .inputs = {x}, .outputs = scalars, .options = With(options)});
  return scalars;
}

TensorId StyleOps::PackInts(const std::vector<TensorId>& scalars, std::string_view name) {
  tflite::PackOptionsT options;
  options.values_count = static_cast<int32_t>(scalars.size());
  return Emit({.code = Op::PACK, .inputs = scalars, .options = With(options)}, DType::kI32,
              {options.values_count}, name);
}

TensorId StyleOps::BroadcastTo(TensorId x, Shape shape, std::string_view name) {
  const TensorId target =
      Ints(shape, {static_cast<int32_t>(shape.size())}, std::string(name) + "_shape");
  return Emit({.code = Op::BROADCAST_TO,
               .version = 2,
               .inputs = {x, target},
               .options = With<tflite::BroadcastToOptionsT>()},
              DType::kF32, std::move(shape), name);
}

TensorId StyleOps::BatchMatMul(TensorId a, TensorId b, std::string_view name) {
  Shape shape = ShapeOf(a);
  shape.back() = ShapeOf(b).back();
  return Emit(
      {.code = Op::BATCH_MATMUL, .inputs = {a, b}, .options = With<tflite::BatchMatMulOptionsT>()},
      DType::kF32, std::move(shape), name);
}

TensorId StyleOps::Composite(const std::string& composite,
                             const std::map<std::string, double>& attributes,
                             const std::vector<TensorId>& inputs, const Body& body,
                             std::string_view name, const std::vector<DType>& dtypes) {
  StyleOps inner(model_, model_.AddSubgraph(composite + ".impl"));
  std::vector<TensorId> arguments;
  for (size_t i = 0; i < inputs.size(); ++i) {
    arguments.push_back(inner.graph_.AddTensor("argument" + std::to_string(i),
                                               i < dtypes.size() ? dtypes[i] : DType::kF32,
                                               ShapeOf(inputs[i])));
  }
  const TensorId result = body(inner, arguments);
  inner.graph_.SetInputs(arguments);
  inner.graph_.SetOutputs({result});

  tflite::StableHLOCompositeOptionsT options;
  options.name = composite;
  options.decomposition_subgraph_index = model_.SubgraphIndex(inner.graph_);
  options.composite_attributes = FlexMap(attributes);
  OperatorSpec spec{.code = Op::STABLEHLO_COMPOSITE, .inputs = inputs};
  spec.options2.Set(std::move(options));
  return Emit(std::move(spec), DType::kF32, inner.ShapeOf(result), name);
}

std::vector<TensorId> StyleOps::Named(const std::string& operation, bool custom,
                                      const std::map<std::string, double>& attributes,
                                      const std::vector<TensorId>& inputs,
                                      const std::vector<Shape>& shapes, std::string_view name) {
  OperatorSpec spec{.code = custom ? Op::CUSTOM : Op::STABLEHLO_COMPOSITE, .inputs = inputs};
  if (custom) {
    spec.custom_code = operation;
    spec.custom_options = FlexMap(attributes);
  } else {
    tflite::StableHLOCompositeOptionsT options;
    options.name = operation;
    options.composite_attributes = FlexMap(attributes);
    spec.options2.Set(std::move(options));
  }
  for (const Shape& shape : shapes) {
    spec.outputs.push_back(
        graph_.AddTensor(Name(name) + std::to_string(spec.outputs.size()), DType::kF32, shape));
  }
  const std::vector<TensorId> outputs = spec.outputs;
  graph_.AddOperator(std::move(spec));
  return outputs;
}

}  // namespace litertlm
