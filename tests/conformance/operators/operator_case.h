// Models of one operator each, drawn at random, with inputs and with what we compute.
#ifndef LITERTLM_TESTS_CONFORMANCE_OPERATORS_OPERATOR_CASE_H_
#define LITERTLM_TESTS_CONFORMANCE_OPERATORS_OPERATOR_CASE_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/runtime/run_model.h"

namespace litertlm {

/// Drawn from a fixed seed: every run writes the same models.
class Random {
 public:
  int Int(int low, int high) {
    return low + static_cast<int>(generator_() % static_cast<uint32_t>(high - low + 1));
  }
  bool Coin() { return Int(0, 1) == 1; }
  float Float(float low, float high) {
    return low + (high - low) * static_cast<float>(generator_() >> 8) / 16777216.0f;
  }
  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Int(0, static_cast<int>(choices.size()) - 1))];
  }
  Extents Shape(int rank, int low = 1, int high = 5);
  /// A dtype that can be cast to and from what the reference's tensors hold.
  DType OfMovable() {
    return Of<DType>({DType::kF32, DType::kF32, DType::kI32, DType::kI64, DType::kBool});
  }
  /// Different numbers in [0, count), ascending; at least one.
  std::vector<int32_t> Subset(int count);
  std::vector<int32_t> Permutation(int count);
  /// Numbers in [low, high], whole ones for integers.
  template <typename T>
  std::vector<T> Numbers(const Extents& shape, float low, float high);

 private:
  std::mt19937 generator_{20240229};
};

int32_t CountOf(const Extents& shape);
Extents BroadcastOf(const Extents& a, const Extents& b);

/// How near our outputs must be to the reference's.
enum class Agreement {
  kExact,   ///< Integers, and what only moves data.
  kFloats,  ///< 1e-5 of the value.
  kCodes,   ///< 1e-4: products of coded matrices.
};

/// A model under construction. The reference's tensors are f32 and i32, so other dtypes are cast to
/// and from these inside the model.
class OperatorCase {
 public:
  explicit OperatorCase(Random& random) : random_(random), writer_(builder_, "main") {}

  Random& random() { return random_; }
  TfliteBuilder& builder() { return builder_; }
  SignatureWriter& writer() { return writer_; }

  /// An input of numbers in [low, high]; booleans are 0 or 1.
  TensorId Input(DType dtype, const Extents& shape, float low = -4, float high = 4);
  TensorId InputOf(const Extents& shape, const std::vector<int32_t>& values,
                   DType dtype = DType::kI32);
  /// A constant of numbers in [low, high]; f32, i32 or i64.
  TensorId Constant(DType dtype, const Extents& shape, float low = -4, float high = 4);
  /// One or the other.
  TensorId Operand(DType dtype, const Extents& shape, float low = -4, float high = 4);

  template <typename Options>
  TensorId Op(Builtin code, const std::vector<TensorId>& inputs, DType dtype, const Extents& shape,
              Options options, int version = 1) {
    OperatorSpec spec{.code = code, .version = version, .inputs = inputs};
    spec.options.Set(std::move(options));
    return Emit(std::move(spec), dtype, shape);
  }
  TensorId Op(Builtin code, const std::vector<TensorId>& inputs, DType dtype, const Extents& shape,
              int version = 1) {
    return Emit({.code = code, .version = version, .inputs = inputs}, dtype, shape);
  }
  /// With several outputs, all of one dtype.
  std::vector<TensorId> Ops(OperatorSpec spec, DType dtype, const std::vector<Extents>& shapes);
  TensorId Cast(TensorId x, DType from, DType to, const Extents& shape);

  void Output(TensorId tensor, DType dtype, const Extents& shape);
  /// Adds to what messages say of the case's options.
  void Note(const std::string& words) { notes_ += " " + words; }

  TestModel Finish();

 private:
  friend class OperatorCases;
  struct Port {
    std::string name;
    DType dtype;
    Extents shape;
  };

  TensorId Emit(OperatorSpec spec, DType dtype, const Extents& shape);
  TensorId Feed(const Extents& shape, DType stored, Array values, DType dtype);

  Random& random_;
  TfliteBuilder builder_;
  SignatureWriter writer_;
  std::vector<Port> inputs_;
  std::vector<Array> values_;
  std::vector<Port> outputs_;
  std::string notes_;
};

/// All cases: writes each model to a file of its own, and what is to be compared to two files.
class OperatorCases {
 public:
  explicit OperatorCases(std::filesystem::path folder);

  /// Draws a case of `op`; `options` tells it from others of the operator in messages.
  void Add(std::string_view op, const std::string& options, Agreement agreement,
           const std::function<void(OperatorCase&)>& draw);
  Random& random() { return random_; }

 private:
  std::string Describe(const OperatorCase::Port& port, const Array& values);

  std::filesystem::path folder_;
  Random random_;
  int count_ = 0;
  uint64_t offset_ = 0;
  std::ofstream list_;
  std::ofstream values_;
};

// The operators, by family.
void AddElementwiseCases(OperatorCases& cases);
void AddReductionCases(OperatorCases& cases);
void AddShapeCases(OperatorCases& cases);
void AddPartCases(OperatorCases& cases);
void AddIndexCases(OperatorCases& cases);
void AddMatrixCases(OperatorCases& cases);
void AddCodeCases(OperatorCases& cases);
void AddInt2TableCases(OperatorCases& cases);
void AddHadamardCases(OperatorCases& cases);

template <typename T>
std::vector<T> Random::Numbers(const Extents& shape, float low, float high) {
  std::vector<T> numbers(static_cast<size_t>(CountOf(shape)));
  for (T& number : numbers) {
    if constexpr (std::is_floating_point_v<T>) {
      number = Float(low, high);
    } else {
      number = static_cast<T>(Int(static_cast<int>(low), static_cast<int>(high)));
    }
  }
  return numbers;
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_OPERATORS_OPERATOR_CASE_H_
