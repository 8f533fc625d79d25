// Operators that read or write by index, or find indices, on values worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "litertlm/error.h"
#include "tests/runtime/run_model.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

TEST(GatherNd, TakesWhatEachVectorNames) {
  const auto run = [](const Extents& indices, const Ints& values, const Extents& result) {
    return RunModel(
               [&](SignatureWriter& w) {
                 const TensorId x = w.Floats({2, 3}, {0, 1, 2, 3, 4, 5});
                 const TensorId ids = w.Input("ids", indices, DType::kI32);
                 w.Output("y", w.Op(Builtin::GATHER_ND, {x, ids}, result));
               },
               {Array::Of(values)})
        .As<float>();
  };
  EXPECT_THAT(run({3, 2}, {0, 0, 1, 2, 0, 1}, {3}), ElementsAre(0, 5, 1));
  EXPECT_THAT(run({2, 1}, {1, 0}, {2, 3}), ElementsAre(3, 4, 5, 0, 1, 2));
  EXPECT_THROW(run({1, 2}, {2, 0}, {1}), Error);
}

TEST(ScatterNd, AddsToZeros) {
  const auto run = [](const Ints& indices) {
    return RunModel(
               [&](SignatureWriter& w) {
                 const TensorId ids = w.Input("a", {3, 1}, DType::kI32);
                 const TensorId updates = w.Input("b", {3, 2});
                 w.Output("y", w.Op(Builtin::SCATTER_ND, {ids, updates, w.Ints({4, 2})}, {4, 2}));
               },
               {Array::Of(indices), Array::Of(Floats{1, 2, 3, 4, 5, 6})})
        .As<float>();
  };
  EXPECT_THAT(run({3, 0, 3}), ElementsAre(3, 4, 0, 0, 0, 0, 6, 8));
  EXPECT_THROW(run({3, 4, 0}), Error);
  EXPECT_THROW(run({3, -1, 0}), Error);
}

TEST(Largest, FirstOfEqualsAndNoNumberLast) {
  const auto run = [](const Floats& x, int32_t count) {
    const auto size = static_cast<int32_t>(x.size());
    return RunModel(
               [&](SignatureWriter& w) {
                 OperatorSpec spec{.code = Builtin::TOPK_V2};
                 spec.inputs = {w.Input("x", {1, size}), w.Int(count)};
                 spec.outputs = {w.Tensor({1, count}), w.Tensor({1, count}, DType::kI32)};
                 w.Output("y", spec.outputs[1]);
                 w.AddOperator(std::move(spec));
               },
               {Array::Of(x)})
        .As<int32_t>();
  };
  EXPECT_THAT(run({1, 3, 3, 2}, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(run({NAN, -INFINITY, 1}, 3), ElementsAre(2, 1, 0));
  EXPECT_THROW(run({1, 2}, 3), Error);
  const Array y = RunModel(
      [](SignatureWriter& w) {
        tflite::ArgMaxOptionsT options;
        const TensorId x = w.Input("x", {2, 3});
        w.Output("y", w.OpWith(Builtin::ARG_MAX, {x, w.Int(0)}, {3}, options, DType::kI64));
      },
      {Array::Of(Floats{1, 5, 2, 4, 0, 2})});
  EXPECT_THAT(y.As<int64_t>(), ElementsAre(1, 0, 0));
}

}  // namespace
}  // namespace litertlm
