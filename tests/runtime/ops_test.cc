// Each operator on values worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/half.h"
#include "litertlm/error.h"
#include "tests/runtime/run_model.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// An operator without options on float inputs a, b, c.
Floats Compute(Builtin code, const std::vector<Extents>& shapes, const std::vector<Floats>& values,
               const Extents& result) {
  std::vector<Array> inputs;
  for (const Floats& input : values) inputs.push_back(Array::Of(input));
  return RunModel(
             [&](SignatureWriter& w) {
               std::vector<TensorId> ids;
               for (size_t i = 0; i < shapes.size(); ++i) {
                 ids.push_back(w.Input(std::string(1, static_cast<char>('a' + i)), shapes[i]));
               }
               w.Output("y", w.Op(code, ids, result));
             },
             inputs)
      .As<float>();
}

Floats Unary(Builtin code, const Floats& x) {
  const Extents shape = {static_cast<int32_t>(x.size())};
  return Compute(code, {shape}, {x}, shape);
}

TEST(UnaryOps, FollowTheirFormulas) {
  struct Case {
    Builtin code;
    double (*function)(double);
  };
  const Case cases[] = {
      {Builtin::ABS, [](double x) { return std::fabs(x); }},
      {Builtin::COS, [](double x) { return std::cos(x); }},
      {Builtin::EXP, [](double x) { return std::exp(x); }},
      {Builtin::LOGISTIC, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {Builtin::NEG, [](double x) { return -x; }},
      {Builtin::RELU, [](double x) { return x < 0 ? 0 : x; }},
      {Builtin::SIN, [](double x) { return std::sin(x); }},
      {Builtin::SQUARE, [](double x) { return x * x; }},
      {Builtin::TANH, [](double x) { return std::tanh(x); }},
      {Builtin::GELU, [](double x) { return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))); }},
  };
  const Floats x = {-30, -2.5f, -1, -0.25f, 0, 0.25f, 1, 2.5f, 10};
  for (const auto& [code, function] : cases) {
    SCOPED_TRACE(tflite::EnumNameBuiltinOperator(code));
    const Floats y = Unary(code, x);
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = function(x[i]);
      EXPECT_NEAR(y[i], expected, 1e-6 * std::max(1.0, std::fabs(expected))) << x[i];
    }
  }
  EXPECT_THAT(Unary(Builtin::SQRT, {0, 4, 2}), ElementsAre(0, 2, std::sqrt(2.0f)));
  EXPECT_THAT(Unary(Builtin::RSQRT, {4, 0.25f, 0}), ElementsAre(0.5f, 2, kInfinity));
  EXPECT_THAT(Unary(Builtin::LOG, {1, 0}), ElementsAre(0, -kInfinity));
}

TEST(UnaryOps, GeluHasATanhForm) {
  const Array y = RunModel(
      [](SignatureWriter& w) {
        tflite::GeluOptionsT options;
        options.approximate = true;
        w.Output("y", w.OpWith(Builtin::GELU, {w.Input("x", {3})}, {3}, options));
      },
      {Array::Of(Floats{-1, 0.5f, 3})});
  // PyTorch's gelu(approximate='tanh').
  EXPECT_THAT(y.As<float>(), Pointwise(FloatNear(1e-6f), Floats{-0.158808f, 0.345714f, 2.996363f}));
}

TEST(BinaryOps, BroadcastBothSides) {
  EXPECT_THAT(Compute(Builtin::ADD, {{2, 1}, {3}}, {{10, 20}, {1, 2, 3}}, {2, 3}),
              ElementsAre(11, 12, 13, 21, 22, 23));
  EXPECT_THAT(Compute(Builtin::SUB, {{2, 2}, {}}, {{1, 2, 3, 4}, {1}}, {2, 2}),
              ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Compute(Builtin::DIV, {{}, {3}}, {{12}, {1, 2, 4}}, {3}), ElementsAre(12, 6, 3));
  EXPECT_THAT(Compute(Builtin::MUL, {{1, 2, 1, 2, 1}, {2, 1, 2, 1, 1}},
                      {{1, 2, 3, 4}, {1, 10, 100, 1000}}, {2, 2, 2, 2, 1}),
              ElementsAre(1, 2, 10, 20, 3, 4, 30, 40, 100, 200, 1000, 2000, 300, 400, 3000, 4000));
  EXPECT_THAT(Compute(Builtin::MAXIMUM, {{3}, {1}}, {{-1, 0, 2}, {0}}, {3}), ElementsAre(0, 0, 2));
  EXPECT_THAT(Compute(Builtin::MINIMUM, {{3}, {1}}, {{-1, 0, 2}, {0}}, {3}), ElementsAre(-1, 0, 0));
  EXPECT_THAT(Compute(Builtin::POW, {{3}, {}}, {{2, 3, 4}, {2}}, {3}), ElementsAre(4, 9, 16));
  EXPECT_THAT(Compute(Builtin::SQUARED_DIFFERENCE, {{2}, {2}}, {{5, 1}, {2, 4}}, {2}),
              ElementsAre(9, 9));
  EXPECT_THAT(Compute(Builtin::FLOOR_DIV, {{4}, {}}, {{7, -7, 6, -6}, {4}}, {4}),
              ElementsAre(1, -2, 1, -2));
  EXPECT_THAT(Compute(Builtin::FLOOR_MOD, {{4}, {}}, {{7, -7, 8, -8}, {4}}, {4}),
              ElementsAre(3, 1, 0, 0));
}

TEST(BinaryOps, LongRowsAreCutForThreads) {
  const Floats x(100'000, 1.5f);
  const Extents shape = {static_cast<int32_t>(x.size())};
  EXPECT_EQ(Compute(Builtin::ADD, {shape, {}}, {x, {1}}, shape), Floats(x.size(), 2.5f));
  EXPECT_EQ(Compute(Builtin::MUL, {shape, shape}, {x, x}, shape), Floats(x.size(), 2.25f));
}

TEST(BinaryOps, ActivationsAreFused) {
  const auto run = [](tflite::ActivationFunctionType activation) {
    return RunModel(
               [&](SignatureWriter& w) {
                 tflite::AddOptionsT options;
                 options.fused_activation_function = activation;
                 const TensorId a = w.Input("a", {4});
                 w.Output("y", w.OpWith(Builtin::ADD, {a, w.Floats({}, {1})}, {4}, options));
               },
               {Array::Of(Floats{-5, -1.5f, 2, 9})})
        .As<float>();
  };
  EXPECT_THAT(run(tflite::ActivationFunctionType::NONE), ElementsAre(-4, -0.5f, 3, 10));
  EXPECT_THAT(run(tflite::ActivationFunctionType::RELU), ElementsAre(0, 0, 3, 10));
  EXPECT_THAT(run(tflite::ActivationFunctionType::RELU6), ElementsAre(0, 0, 3, 6));
  EXPECT_THAT(run(tflite::ActivationFunctionType::RELU_N1_TO_1), ElementsAre(-1, -0.5f, 1, 1));
}

TEST(BinaryOps, IntegersWrapAndDivideWithoutFault) {
  constexpr int32_t kLowest = std::numeric_limits<int32_t>::min();
  const auto run = [](Builtin code, const Ints& a, const Ints& b) {
    const Extents shape = {static_cast<int32_t>(a.size())};
    return RunModel(
               [&](SignatureWriter& w) {
                 const TensorId x = w.Input("a", shape, DType::kI32);
                 const TensorId y = w.Input("b", shape, DType::kI32);
                 w.Output("y", w.Op(code, {x, y}, shape, DType::kI32));
               },
               {Array::Of(a), Array::Of(b)})
        .As<int32_t>();
  };
  EXPECT_THAT(run(Builtin::ADD, {2147483647}, {1}), ElementsAre(kLowest));
  EXPECT_THAT(run(Builtin::MUL, {65536}, {65536}), ElementsAre(0));
  EXPECT_THAT(run(Builtin::DIV, {7, -7, kLowest, 5}, {2, 2, -1, 0}),
              ElementsAre(3, -3, kLowest, 0));
  EXPECT_THAT(run(Builtin::FLOOR_DIV, {7, -7, 7, kLowest, 5}, {2, 2, -2, -1, 0}),
              ElementsAre(3, -4, -4, kLowest, 0));
  EXPECT_THAT(run(Builtin::FLOOR_MOD, {7, -7, 7, 5}, {3, 3, -3, 0}), ElementsAre(1, 2, -2, 0));
}

TEST(ComparisonOps, GiveBooleans) {
  const auto run = [](Builtin code) {
    return RunModel(
               [&](SignatureWriter& w) {
                 const TensorId a = w.Input("a", {3});
                 const TensorId b = w.Input("b", {1});
                 w.Output("y", w.Op(code, {a, b}, {3}, DType::kBool));
               },
               {Array::Of(Floats{1, 2, 3}), Array::Of(Floats{2})})
        .As<uint8_t>();
  };
  EXPECT_THAT(run(Builtin::LESS), ElementsAre(1, 0, 0));
  EXPECT_THAT(run(Builtin::LESS_EQUAL), ElementsAre(1, 1, 0));
  EXPECT_THAT(run(Builtin::GREATER), ElementsAre(0, 0, 1));
  EXPECT_THAT(run(Builtin::GREATER_EQUAL), ElementsAre(0, 1, 1));
  EXPECT_THAT(run(Builtin::EQUAL), ElementsAre(0, 1, 0));
  EXPECT_THAT(run(Builtin::NOT_EQUAL), ElementsAre(1, 0, 1));
}

// Four booleans are as large as one int32, which is read for each of them.
TEST(ComparisonOps, KeepAScalarOfTheirResultsSize) {
  const Array y = RunModel(
      [](SignatureWriter& w) {
        const TensorId a = w.Input("a", {4}, DType::kI32);
        const TensorId b = w.Op(Builtin::NEG, {w.Input("b", {}, DType::kI32)}, {}, DType::kI32);
        w.Output("y", w.Op(Builtin::NOT_EQUAL, {a, b}, {4}, DType::kBool));
      },
      {Array::Of(Ints{-7, -7, 7, -7}), Array::Of(Ints{7})});
  EXPECT_THAT(y.As<uint8_t>(), ElementsAre(0, 0, 1, 0));
}

TEST(LogicalOps, CombineBooleans) {
  const auto run = [](Builtin code, int inputs) {
    std::vector<Array> values = {Array::Of(std::vector<uint8_t>{0, 0, 1, 1})};
    if (inputs == 2) values.push_back(Array::Of(std::vector<uint8_t>{0, 1, 0, 1}));
    return RunModel(
               [&](SignatureWriter& w) {
                 std::vector<TensorId> ids = {w.Input("a", {4}, DType::kBool)};
                 if (inputs == 2) ids.push_back(w.Input("b", {4}, DType::kBool));
                 w.Output("y", w.Op(code, ids, {4}, DType::kBool));
               },
               values)
        .As<uint8_t>();
  };
  EXPECT_THAT(run(Builtin::LOGICAL_AND, 2), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(run(Builtin::LOGICAL_OR, 2), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(run(Builtin::LOGICAL_NOT, 1), ElementsAre(1, 1, 0, 0));
}

TEST(SelectOps, PickByConditionOrByRow) {
  const auto run = [](Builtin code, const Extents& condition) {
    return RunModel(
               [&](SignatureWriter& w) {
                 const TensorId c = w.Input("c", condition, DType::kBool);
                 const TensorId x = w.Input("x", {2, 2});
                 const TensorId y = w.Input("y", {2, 2});
                 w.Output("z", w.Op(code, {c, x, y}, {2, 2}));
               },
               {Array::Of(std::vector<uint8_t>{1, 0}), Array::Of(Floats{1, 2, 3, 4}),
                Array::Of(Floats{5, 6, 7, 8})})
        .As<float>();
  };
  EXPECT_THAT(run(Builtin::SELECT_V2, {2}), ElementsAre(1, 6, 3, 8));
  EXPECT_THAT(run(Builtin::SELECT_V2, {2, 1}), ElementsAre(1, 2, 7, 8));
  EXPECT_THAT(run(Builtin::SELECT, {2}), ElementsAre(1, 2, 7, 8));
}

TEST(Cast, ConvertsAndSaturates) {
  const auto run = [](DType from, DType to, const Array& x, int32_t count) {
    return RunModel(
        [&](SignatureWriter& w) {
          w.Output("y", w.Op(Builtin::CAST, {w.Input("x", {count}, from)}, {count}, to));
        },
        {x});
  };
  EXPECT_THAT(
      run(DType::kF32, DType::kI32, Array::Of(Floats{-1.9f, 2.9f, 1e20f, NAN}), 4).As<int32_t>(),
      ElementsAre(-1, 2, 2147483647, 0));
  EXPECT_THAT(run(DType::kI32, DType::kF32, Array::Of(Ints{-7, 16777216}), 2).As<float>(),
              ElementsAre(-7, 16777216));
  EXPECT_THAT(run(DType::kF32, DType::kBool, Array::Of(Floats{0, -0.5f}), 2).As<uint8_t>(),
              ElementsAre(0, 1));
  EXPECT_THAT(run(DType::kF32, DType::kF16, Array::Of(Floats{1, -2}), 2).As<uint16_t>(),
              ElementsAre(0x3c00, 0xc000));
  EXPECT_THAT(
      run(DType::kF16, DType::kI64, Array::Of(std::vector<uint16_t>{0x4900}), 1).As<int64_t>(),
      ElementsAre(10));
}

TEST(Quantize, RoundsToEvenAndSaturates) {
  const Array y = RunModel(
      [](SignatureWriter& w) {
        OperatorSpec spec{.code = Builtin::QUANTIZE};
        spec.inputs = {w.Input("x", {5})};
        spec.outputs = {w.graph().AddConstant("codes", DType::kI8, {5}, 0,
                                              {.scales = {0.5f}, .zero_points = {-2}})};
        w.Output("y", spec.outputs[0]);
        w.AddOperator(std::move(spec));
      },
      {Array::Of(Floats{0, 0.25f, 0.75f, 1000, NAN})});
  EXPECT_THAT(y.As<int8_t>(), ElementsAre(-2, -2, 0, 127, 0));
}

Floats Reduce(Builtin code, const Ints& axes, bool keep, const Extents& result) {
  return RunModel(
             [&](SignatureWriter& w) {
               tflite::ReducerOptionsT options;
               options.keep_dims = keep;
               const TensorId x = w.Input("x", {2, 2, 3});
               w.Output("y", w.OpWith(code, {x, w.Ints(axes)}, result, options));
             },
             {Array::Of(Floats{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15})})
      .As<float>();
}

TEST(Reductions, TakeAnyAxes) {
  EXPECT_THAT(Reduce(Builtin::SUM, {2}, true, {2, 2, 1}), ElementsAre(6, 15, 24, 36));
  EXPECT_THAT(Reduce(Builtin::MEAN, {-1}, false, {2, 2}), ElementsAre(2, 5, 8, 12));
  EXPECT_THAT(Reduce(Builtin::MEAN, {1}, false, {2, 3}),
              ElementsAre(2.5f, 3.5f, 4.5f, 8.5f, 9.5f, 12));
  EXPECT_THAT(Reduce(Builtin::SUM, {0, 2}, true, {1, 2, 1}), ElementsAre(30, 51));
  EXPECT_THAT(Reduce(Builtin::REDUCE_MAX, {0, 1, 2}, false, {}), ElementsAre(15));
  EXPECT_THAT(Reduce(Builtin::REDUCE_MAX, {2}, false, {2, 2}), ElementsAre(3, 6, 9, 15));
}

TEST(Softmax, SubtractsTheMaximum) {
  const auto run = [](const Floats& x, float beta) {
    const Extents shape = {1, static_cast<int32_t>(x.size())};
    return RunModel(
               [&](SignatureWriter& w) {
                 tflite::SoftmaxOptionsT options;
                 options.beta = beta;
                 w.Output("y", w.OpWith(Builtin::SOFTMAX, {w.Input("x", shape)}, shape, options));
               },
               {Array::Of(x)})
        .As<float>();
  };
  EXPECT_THAT(run({1000, 1000}, 1), ElementsAre(0.5f, 0.5f));
  EXPECT_THAT(run({0, std::log(3.0f)}, 1), Pointwise(FloatNear(1e-6f), Floats{0.25f, 0.75f}));
  EXPECT_THAT(run({0, std::log(3.0f)}, 2), Pointwise(FloatNear(1e-6f), Floats{0.1f, 0.9f}));
  // A row that is masked as a whole is uniform, not NaN.
  const float masked = -0.7f * std::numeric_limits<float>::max();
  EXPECT_THAT(run({masked, masked, masked, masked}, 1), ElementsAre(0.25f, 0.25f, 0.25f, 0.25f));
  EXPECT_THAT(run({-kInfinity, 2}, 1), ElementsAre(0, 1));
}

TEST(Cumsum, RunsBothWays) {
  const auto run = [](bool exclusive, bool reverse) {
    return RunModel(
               [&](SignatureWriter& w) {
                 tflite::CumsumOptionsT options;
                 options.exclusive = exclusive;
                 options.reverse = reverse;
                 w.Output("y", w.OpWith(Builtin::CUMSUM, {w.Input("x", {3, 2}), w.Int(0)}, {3, 2},
                                        options));
               },
               {Array::Of(Floats{1, 2, 3, 4, 5, 6})})
        .As<float>();
  };
  EXPECT_THAT(run(false, false), ElementsAre(1, 2, 4, 6, 9, 12));
  EXPECT_THAT(run(true, false), ElementsAre(0, 0, 1, 2, 4, 6));
  EXPECT_THAT(run(false, true), ElementsAre(9, 12, 8, 10, 5, 6));
  EXPECT_THAT(run(true, true), ElementsAre(8, 10, 5, 6, 0, 0));
}

}  // namespace
}  // namespace litertlm
