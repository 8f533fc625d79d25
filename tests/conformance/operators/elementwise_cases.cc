// Operators that work element by element, broadcast where they have several inputs.
#include <fmt/format.h>

#include "tests/conformance/operators/operator_case.h"

namespace litertlm {
namespace {

using Draw = std::function<void(OperatorCase&)>;
using Activation = tflite::ActivationFunctionType;

std::string NameOf(Builtin code) { return tflite::EnumNameBuiltinOperator(code); }
std::string NameOf(DType dtype) { return std::string(Info(dtype).name); }

Agreement AgreementOf(DType dtype) {
  return dtype == DType::kF32 ? Agreement::kFloats : Agreement::kExact;
}

/// Two shapes that broadcast to each other.
std::pair<Extents, Extents> BroadcastPair(Random& random) {
  Extents a = random.Shape(random.Int(0, 5));
  Extents b(a.begin() + random.Int(0, static_cast<int>(a.size())), a.end());
  for (size_t i = 0; i < b.size(); ++i) {
    const int choice = random.Int(0, 3);
    if (choice == 0) b[i] = 1;
    if (choice == 1) a[a.size() - b.size() + i] = 1;
  }
  if (random.Coin()) std::swap(a, b);
  return {a, b};
}

struct Range {
  float low = -4;
  float high = 4;
};

template <typename Options>
void AddBinary(OperatorCases& cases, Builtin code, DType dtype, int count, DType result,
               Range a_range = {}, Range b_range = {}) {
  for (int i = 0; i < count; ++i) {
    const auto [a, b] = BroadcastPair(cases.random());
    Options options;
    std::string name = NameOf(dtype);
    if constexpr (requires { options.fused_activation_function; }) {
      options.fused_activation_function =
          cases.random().Of<Activation>({Activation::NONE, Activation::RELU, Activation::RELU6});
      name += fmt::format(" {}", EnumNameActivationFunctionType(options.fused_activation_function));
    }
    const Extents shape = BroadcastOf(a, b);
    cases.Add(NameOf(code), name, AgreementOf(result), [&, a = a, b = b](OperatorCase& c) {
      const TensorId x = c.Input(dtype, a, a_range.low, a_range.high);
      const TensorId y = c.Operand(dtype, b, b_range.low, b_range.high);
      c.Output(c.Op(code, {x, y}, result, shape, options), result, shape);
    });
  }
}

void AddArithmetic(OperatorCases& cases) {
  constexpr Range kDivisors{1, 9};
  constexpr Range kIntegers{-100, 100};
  const auto add = [&]<typename Options>(Builtin code, Options, std::vector<DType> dtypes,
                                         Range divisors) {
    for (const DType dtype : dtypes) {
      const bool is_float = dtype == DType::kF32;
      AddBinary<Options>(cases, code, dtype, is_float ? 8 : 4, dtype,
                         is_float ? Range{} : kIntegers, divisors);
    }
  };
  const std::vector<DType> all = {DType::kF32, DType::kI32, DType::kI64};
  const std::vector<DType> common = {DType::kF32, DType::kI32};
  add(Builtin::ADD, tflite::AddOptionsT{}, all, {});
  add(Builtin::SUB, tflite::SubOptionsT{}, all, {});
  add(Builtin::MUL, tflite::MulOptionsT{}, all, {});
  add(Builtin::DIV, tflite::DivOptionsT{}, common, kDivisors);
  add(Builtin::DIV, tflite::DivOptionsT{}, common, {-9, -1});
  add(Builtin::FLOOR_DIV, tflite::FloorDivOptionsT{}, common, kDivisors);
  add(Builtin::FLOOR_DIV, tflite::FloorDivOptionsT{}, common, {-9, -1});
  add(Builtin::FLOOR_MOD, tflite::FloorModOptionsT{}, all, kDivisors);
  add(Builtin::FLOOR_MOD, tflite::FloorModOptionsT{}, all, {-9, -1});
  add(Builtin::SQUARED_DIFFERENCE, tflite::SquaredDifferenceOptionsT{}, common, {});
  const std::vector<DType> choices = {DType::kF32, DType::kI32, DType::kI64, DType::kI16};
  add(Builtin::MAXIMUM, tflite::MaximumMinimumOptionsT{}, choices, {});
  add(Builtin::MINIMUM, tflite::MaximumMinimumOptionsT{}, choices, {});
  AddBinary<tflite::PowOptionsT>(cases, Builtin::POW, DType::kF32, 6, DType::kF32, {0.1f, 4});
  AddBinary<tflite::PowOptionsT>(cases, Builtin::POW, DType::kI32, 3, DType::kI32, {-5, 5}, {0, 6});
}

void AddComparisons(OperatorCases& cases) {
  const auto add = [&]<typename Options>(Builtin code, Options, bool of_booleans) {
    for (const DType dtype : {DType::kF32, DType::kI32, DType::kI64, DType::kI16}) {
      // For which the reference has no kernel, and does not say so.
      if (code == Builtin::NOT_EQUAL && dtype == DType::kI16) continue;
      AddBinary<Options>(cases, code, dtype, 3, DType::kBool);
    }
    if (of_booleans) {
      AddBinary<Options>(cases, code, DType::kBool, 3, DType::kBool, {0, 1}, {0, 1});
    }
  };
  add(Builtin::LESS, tflite::LessOptionsT{}, false);
  add(Builtin::LESS_EQUAL, tflite::LessEqualOptionsT{}, false);
  add(Builtin::GREATER, tflite::GreaterOptionsT{}, false);
  add(Builtin::GREATER_EQUAL, tflite::GreaterEqualOptionsT{}, false);
  add(Builtin::EQUAL, tflite::EqualOptionsT{}, true);
  add(Builtin::NOT_EQUAL, tflite::NotEqualOptionsT{}, true);
  constexpr Range kBits{0, 1};
  AddBinary<tflite::LogicalAndOptionsT>(cases, Builtin::LOGICAL_AND, DType::kBool, 4, DType::kBool,
                                        kBits, kBits);
  AddBinary<tflite::LogicalOrOptionsT>(cases, Builtin::LOGICAL_OR, DType::kBool, 4, DType::kBool,
                                       kBits, kBits);
}

template <typename Options = void>
void AddUnary(OperatorCases& cases, Builtin code, DType dtype, Range range = {},
              const std::string& detail = "", const Options* options = nullptr) {
  for (int i = 0; i < 3; ++i) {
    const Extents shape = cases.random().Shape(cases.random().Int(0, 5));
    cases.Add(NameOf(code), NameOf(dtype) + detail, AgreementOf(dtype), [&](OperatorCase& c) {
      const TensorId x = c.Input(dtype, shape, range.low, range.high);
      if constexpr (std::is_void_v<Options>) {
        c.Output(c.Op(code, {x}, dtype, shape), dtype, shape);
      } else {
        c.Output(c.Op(code, {x}, dtype, shape, *options), dtype, shape);
      }
    });
  }
}

void AddUnaries(OperatorCases& cases) {
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kI64}) {
    AddUnary(cases, Builtin::NEG, dtype);
    if (dtype != DType::kI64) AddUnary(cases, Builtin::ABS, dtype);
  }
  AddUnary(cases, Builtin::LOGICAL_NOT, DType::kBool, {0, 1});
  for (const Builtin code :
       {Builtin::COS, Builtin::EXP, Builtin::LOGISTIC, Builtin::RELU, Builtin::RELU6,
        Builtin::RELU_N1_TO_1, Builtin::SIN, Builtin::SQUARE, Builtin::TANH}) {
    AddUnary(cases, code, DType::kF32, {-8, 8});
  }
  for (const Builtin code : {Builtin::LOG, Builtin::RSQRT, Builtin::SQRT}) {
    AddUnary(cases, code, DType::kF32, {0.01f, 50});
  }
  // Angles of late positions.
  AddUnary(cases, Builtin::COS, DType::kF32, {0, 4096});
  AddUnary(cases, Builtin::SIN, DType::kF32, {0, 4096});
  tflite::GeluOptionsT gelu;
  for (const bool approximate : {false, true}) {
    gelu.approximate = approximate;
    AddUnary(cases, Builtin::GELU, DType::kF32, {-4, 4}, approximate ? " tanh" : " erf", &gelu);
  }
}

void AddCasts(OperatorCases& cases) {
  const std::vector<DType> dtypes = {DType::kF32, DType::kF16, DType::kI64, DType::kI32,
                                     DType::kI16, DType::kI8,  DType::kU8,  DType::kBool};
  for (const DType from : dtypes) {
    for (const DType to : dtypes) {
      if (from == to) continue;
      const bool is_bit = from == DType::kBool;
      const bool is_unsigned = from == DType::kU8 || to == DType::kU8;
      const Extents shape = cases.random().Shape(cases.random().Int(1, 4));
      cases.Add("CAST", NameOf(from) + " to " + NameOf(to), Agreement::kExact,
                [&](OperatorCase& c) {
                  const TensorId x =
                      c.Input(from, shape, is_bit || is_unsigned ? 0 : -100, is_bit ? 1 : 100);
                  c.Output(c.Cast(x, from, to, shape), to, shape);
                });
    }
  }
}

void AddSelects(OperatorCases& cases) {
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kI64, DType::kBool, DType::kI16}) {
    const Range range = dtype == DType::kBool ? Range{0, 1} : Range{};
    for (int i = 0; i < 4; ++i) {
      const auto [a, b] = BroadcastPair(cases.random());
      const Extents choices = BroadcastOf(a, b);
      const Extents condition(
          choices.begin() + cases.random().Int(0, static_cast<int>(choices.size())), choices.end());
      cases.Add("SELECT_V2", NameOf(dtype), Agreement::kExact, [&, a = a, b = b](OperatorCase& c) {
        const TensorId pick = c.Input(DType::kBool, condition, 0, 1);
        const TensorId x = c.Operand(dtype, a, range.low, range.high);
        const TensorId y = c.Operand(dtype, b, range.low, range.high);
        c.Output(c.Op(Builtin::SELECT_V2, {pick, x, y}, dtype, choices, tflite::SelectV2OptionsT{}),
                 dtype, choices);
      });
    }
    for (const std::string form : {"whole", "by rows", "by a scalar"}) {
      const Extents shape = cases.random().Shape(cases.random().Int(2, 4));
      const Extents condition = form == "whole"     ? shape
                                : form == "by rows" ? Extents{shape.front()}
                                                    : Extents{};
      cases.Add("SELECT", NameOf(dtype) + " " + form, Agreement::kExact, [&](OperatorCase& c) {
        const TensorId pick = c.Input(DType::kBool, condition, 0, 1);
        const TensorId x = c.Operand(dtype, shape, range.low, range.high);
        const TensorId y = c.Operand(dtype, shape, range.low, range.high);
        c.Output(c.Op(Builtin::SELECT, {pick, x, y}, dtype, shape, tflite::SelectOptionsT{}), dtype,
                 shape);
      });
    }
  }
}

}  // namespace

void AddElementwiseCases(OperatorCases& cases) {
  AddArithmetic(cases);
  AddComparisons(cases);
  AddUnaries(cases);
  AddCasts(cases);
  AddSelects(cases);
}

}  // namespace litertlm
