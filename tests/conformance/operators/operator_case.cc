#include "tests/conformance/operators/operator_case.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "litertlm/error.h"

namespace litertlm {
namespace {

/// What the reference's tensors can hold.
DType StoredAs(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 ? DType::kF32
                                                                               : DType::kI32;
}

double Tolerance(Agreement agreement) {
  switch (agreement) {
    case Agreement::kExact:
      return 0;
    case Agreement::kFloats:
      return 1e-5;
    case Agreement::kCodes:
      return 1e-4;
  }
  return 0;
}

void Write(std::ofstream& file, Bytes bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

Extents Random::Shape(int rank, int low, int high) {
  Extents shape;
  for (int i = 0; i < rank; ++i) shape.push_back(Int(low, high));
  return shape;
}

std::vector<int32_t> Random::Permutation(int count) {
  std::vector<int32_t> result(static_cast<size_t>(count));
  std::iota(result.begin(), result.end(), 0);
  for (int i = count - 1; i > 0; --i) {
    std::swap(result[static_cast<size_t>(i)], result[static_cast<size_t>(Int(0, i))]);
  }
  return result;
}

std::vector<int32_t> Random::Subset(int count) {
  std::vector<int32_t> result = Permutation(count);
  result.resize(static_cast<size_t>(Int(1, count)));
  std::sort(result.begin(), result.end());
  return result;
}

int32_t CountOf(const Extents& shape) {
  return std::accumulate(shape.begin(), shape.end(), 1, std::multiplies<>());
}

Extents BroadcastOf(const Extents& a, const Extents& b) {
  Extents result = a.size() >= b.size() ? a : b;
  const Extents& shorter = a.size() >= b.size() ? b : a;
  const size_t offset = result.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    if (result[offset + i] == 1) result[offset + i] = shorter[i];
  }
  return result;
}

TensorId OperatorCase::Input(DType dtype, const Extents& shape, float low, float high) {
  const DType stored = StoredAs(dtype);
  if (dtype == DType::kBool) {
    low = 0;
    high = 1;
  }
  const Array values = stored == DType::kF32
                           ? Array::Of(random_.Numbers<float>(shape, low, high))
                           : Array::Of(random_.Numbers<int32_t>(shape, low, high));
  return Feed(shape, stored, values, dtype);
}

TensorId OperatorCase::InputOf(const Extents& shape, const std::vector<int32_t>& values,
                               DType dtype) {
  return Feed(shape, DType::kI32, Array::Of(values), dtype);
}

TensorId OperatorCase::Feed(const Extents& shape, DType stored, Array values, DType dtype) {
  const std::string name(1, static_cast<char>('a' + inputs_.size()));
  inputs_.push_back({name, stored, shape});
  values_.push_back(std::move(values));
  return Cast(writer_.Input(name, shape, stored), stored, dtype, shape);
}

TensorId OperatorCase::Constant(DType dtype, const Extents& shape, float low, float high) {
  switch (dtype) {
    case DType::kF32:
      return writer_.Constant(shape, random_.Numbers<float>(shape, low, high), dtype);
    case DType::kI64:
      return writer_.Constant(shape, random_.Numbers<int64_t>(shape, low, high), dtype);
    default:
      return writer_.Constant(shape, random_.Numbers<int32_t>(shape, low, high), DType::kI32);
  }
}

TensorId OperatorCase::Operand(DType dtype, const Extents& shape, float low, float high) {
  const bool can_be_constant = dtype == DType::kF32 || dtype == DType::kI32 || dtype == DType::kI64;
  return can_be_constant && random_.Coin() ? Constant(dtype, shape, low, high)
                                           : Input(dtype, shape, low, high);
}

TensorId OperatorCase::Cast(TensorId x, DType from, DType to, const Extents& shape) {
  if (from == to) return x;
  tflite::CastOptionsT options;
  options.in_data_type = static_cast<tflite::TensorType>(Info(from).tflite);
  options.out_data_type = static_cast<tflite::TensorType>(Info(to).tflite);
  return Op(Builtin::CAST, {x}, to, shape, options);
}

TensorId OperatorCase::Emit(OperatorSpec spec, DType dtype, const Extents& shape) {
  return Ops(std::move(spec), dtype, {shape}).front();
}

std::vector<TensorId> OperatorCase::Ops(OperatorSpec spec, DType dtype,
                                        const std::vector<Extents>& shapes) {
  for (const Extents& shape : shapes) spec.outputs.push_back(writer_.Tensor(shape, dtype));
  const std::vector<TensorId> outputs = spec.outputs;
  writer_.AddOperator(std::move(spec));
  return outputs;
}

void OperatorCase::Output(TensorId tensor, DType dtype, const Extents& shape) {
  const std::string name = "y" + std::string(1, static_cast<char>('a' + outputs_.size()));
  const DType stored = StoredAs(dtype);
  writer_.Output(name, Cast(tensor, dtype, stored, shape));
  outputs_.push_back({name, stored, shape});
}

TestModel OperatorCase::Finish() {
  writer_.Finish();
  return FinishModel(builder_);
}

OperatorCases::OperatorCases(std::filesystem::path folder)
    : folder_(std::move(folder)),
      list_(folder_ / "cases.jsonl"),
      values_(folder_ / "values.bin", std::ios::binary) {
  list_.exceptions(std::ios::badbit | std::ios::failbit);
  values_.exceptions(std::ios::badbit | std::ios::failbit);
}

std::string OperatorCases::Describe(const OperatorCase::Port& port, const Array& values) {
  Write(values_, values.bytes);
  const uint64_t offset = std::exchange(offset_, offset_ + values.bytes.size());
  return fmt::format(R"({{"name":"{}","dtype":"{}","shape":[{}],"offset":{},"count":{}}})",
                     port.name, Info(port.dtype).name, fmt::join(port.shape, ","), offset,
                     values.bytes.size() / 4);
}

void OperatorCases::Add(std::string_view op, const std::string& options, Agreement agreement,
                        const std::function<void(OperatorCase&)>& draw) {
  OperatorCase drawn(random_);
  draw(drawn);
  const TestModel data = drawn.Finish();
  const std::string file = fmt::format("{}.tflite", count_++);
  std::ofstream out(folder_ / file, std::ios::binary);
  out.exceptions(std::ios::badbit | std::ios::failbit);
  Write(out, data.bytes());

  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  for (size_t i = 0; i < drawn.inputs_.size(); ++i) {
    inputs.push_back(Describe(drawn.inputs_[i], drawn.values_[i]));
  }
  try {
    const std::vector<Array> results = RunSignature(data.Parse(), "main", drawn.values_);
    for (size_t i = 0; i < results.size(); ++i) {
      outputs.push_back(Describe(drawn.outputs_[i], results[i]));
    }
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{} {}: {}", op, options, error.message()));
  }
  list_
      << fmt::format(
             R"({{"op":"{}","options":"{}","tolerance":{},"file":"{}","inputs":[{}],"outputs":[{}]}})",
             op, options + drawn.notes_, Tolerance(agreement), file, fmt::join(inputs, ","),
             fmt::join(outputs, ","))
      << '\n';
}

}  // namespace litertlm
