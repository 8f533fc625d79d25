// Products and tables: every coding of weights, every orientation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/half.h"
#include "litertlm/error.h"
#include "tests/runtime/run_model.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;
using Floats = std::vector<float>;

Floats BatchMatMul(const Extents& x, const Extents& y, const Extents& result, bool adj_x,
                   bool adj_y) {
  const auto counting = [](const Extents& shape) {
    size_t count = 1;
    for (const int32_t extent : shape) count *= static_cast<size_t>(extent);
    Floats values(count);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i + 1);
    return Array::Of(values);
  };
  return RunModel(
             [&](SignatureWriter& w) {
               tflite::BatchMatMulOptionsT options;
               options.adj_x = adj_x;
               options.adj_y = adj_y;
               const TensorId a = w.Input("a", x);
               const TensorId b = w.Input("b", y);
               w.Output("y", w.OpWith(Builtin::BATCH_MATMUL, {a, b}, result, options));
             },
             {counting(x), counting(y)})
      .As<float>();
}

TEST(BatchMatMul, AllOrientations) {
  // [1 2 3; 4 5 6] · [1 2; 3 4; 5 6]
  EXPECT_THAT(BatchMatMul({2, 3}, {3, 2}, {2, 2}, false, false), ElementsAre(22, 28, 49, 64));
  // [1 2 3; 4 5 6] · [1 2 3; 4 5 6]ᵀ
  EXPECT_THAT(BatchMatMul({2, 3}, {2, 3}, {2, 2}, false, true), ElementsAre(14, 32, 32, 77));
  // [1 2; 3 4; 5 6]ᵀ · [1 2; 3 4; 5 6]
  EXPECT_THAT(BatchMatMul({3, 2}, {3, 2}, {2, 2}, true, false), ElementsAre(35, 44, 44, 56));
  // [1 2; 3 4; 5 6]ᵀ · [1 2 3; 4 5 6]ᵀ
  EXPECT_THAT(BatchMatMul({3, 2}, {2, 3}, {2, 2}, true, true), ElementsAre(22, 49, 28, 64));
}

TEST(BatchMatMul, BroadcastsBatches) {
  EXPECT_THAT(BatchMatMul({2, 1, 1, 1}, {1, 3, 1, 1}, {2, 3, 1, 1}, false, false),
              ElementsAre(1, 2, 3, 2, 4, 6));
  EXPECT_THAT(BatchMatMul({2, 1, 2}, {2, 2}, {2, 1, 2}, false, true), ElementsAre(5, 11, 11, 25));
}

/// Weights [2, 32] in some coding, and the numbers they stand for.
struct Coding {
  std::string name;
  std::function<TensorId(SignatureWriter&)> write;
  std::vector<Floats> rows;
  bool dynamic;
};

std::vector<Coding> Codings() {
  constexpr size_t kColumns = 32;
  std::vector<int> codes(2 * kColumns);  // In [-7, 7].
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<int>(i * 5 % 15) - 7;
  const auto rows = [&](auto scale) {
    std::vector<Floats> result(2, Floats(kColumns));
    for (size_t i = 0; i < codes.size(); ++i) {
      result[i / kColumns][i % kColumns] = static_cast<float>(codes[i]) * scale(i / kColumns);
    }
    return result;
  };
  std::vector<int8_t> bytes(codes.begin(), codes.end());
  std::vector<uint8_t> nibbles(codes.size() / 2);
  for (size_t i = 0; i < codes.size(); ++i) {
    nibbles[i / 2] |= static_cast<uint8_t>((codes[i] & 15) << (i % 2 * 4));
  }
  Floats floats;
  std::vector<uint16_t> halves;
  for (const int code : codes) {
    floats.push_back(static_cast<float>(code));
    halves.push_back(FloatToF16(static_cast<float>(code)));
  }
  const Extents shape = {2, kColumns};
  const auto plain = rows([](size_t) { return 1.0f; });
  const auto scaled = rows([](size_t row) { return row == 0 ? 0.5f : 0.25f; });
  const TensorQuantization channels{.scales = {0.5f, 0.25f}};
  const auto dequantize = [](SignatureWriter& w, TensorId id) {
    return w.Op(Builtin::DEQUANTIZE, {id}, {2, kColumns});
  };
  const auto blocks = [=](SignatureWriter& w) {
    const TensorId scales =
        w.Constant<uint16_t>({2, 1}, {FloatToF16(0.5f), FloatToF16(0.25f)}, DType::kF16);
    return w.Constant(shape, nibbles, DType::kI4, {.block_scales = scales, .block_size = 32});
  };
  return {
      {"f32", [=](auto& w) { return w.Floats(shape, floats); }, plain, false},
      {"f16", [=](auto& w) { return dequantize(w, w.Constant(shape, halves, DType::kF16)); }, plain,
       false},
      {"int8", [=](auto& w) { return w.Constant(shape, bytes, DType::kI8, channels); }, scaled,
       true},
      {"int8 weight-only",
       [=](auto& w) { return dequantize(w, w.Constant(shape, bytes, DType::kI8, channels)); },
       scaled, false},
      {"int8 per tensor",
       [=](auto& w) { return w.Constant(shape, bytes, DType::kI8, {.scales = {0.5f}}); },
       rows([](size_t) { return 0.5f; }), true},
      {"int4", [=](auto& w) { return w.Constant(shape, nibbles, DType::kI4, channels); }, scaled,
       true},
      {"int4 blocks", blocks, scaled, true},
  };
}

TEST(EmbeddingLookup, WidensEveryCoding) {
  for (const Coding& coding : Codings()) {
    SCOPED_TRACE(coding.name);
    const Array y = RunModel(
        [&](SignatureWriter& w) {
          const TensorId ids = w.Input("ids", {3}, DType::kI32);
          w.Output("y", w.Op(Builtin::EMBEDDING_LOOKUP, {ids, coding.write(w)}, {3, 32}));
        },
        {Array::Of(std::vector<int32_t>{1, 0, 1})});
    Floats expected = coding.rows[1];
    expected.insert(expected.end(), coding.rows[0].begin(), coding.rows[0].end());
    expected.insert(expected.end(), coding.rows[1].begin(), coding.rows[1].end());
    EXPECT_EQ(y.As<float>(), expected);
  }
}

// Activations of 0 and 255, which their coding keeps as they are.
TEST(BatchMatMul, MultipliesCodedMatrices) {
  const auto run = [](bool adj_y) {
    return RunModel(
               [&](SignatureWriter& w) {
                 tflite::BatchMatMulOptionsT options;
                 options.adj_y = adj_y;
                 const TensorId x = w.Input("x", {1, 2});
                 const TensorId y =
                     w.Constant<int8_t>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}, DType::kI8,
                                        {.scales = {1, 10}, .dimension = adj_y ? 1 : 2});
                 w.Output("y", w.OpWith(Builtin::BATCH_MATMUL, {x, y}, {2, 1, 2}, options));
               },
               {Array::Of(Floats{255, 0})})
        .As<float>();
  };
  EXPECT_THAT(run(false), Pointwise(FloatNear(0.01f), Floats{255, 5100, 1275, 15300}));
  EXPECT_THAT(run(true), Pointwise(FloatNear(0.01f), Floats{255, 7650, 1275, 17850}));
}

TEST(EmbeddingLookup, RefusesIdsOutsideTheTable) {
  for (const int32_t id : {-1, 2}) {
    EXPECT_THROW(RunModel(
                     [](SignatureWriter& w) {
                       const TensorId ids = w.Input("ids", {1}, DType::kI32);
                       const TensorId table = w.Floats({2, 1}, {1, 2});
                       w.Output("y", w.Op(Builtin::EMBEDDING_LOOKUP, {ids, table}, {1, 1}));
                     },
                     {Array::Of(std::vector<int32_t>{id})}),
                 Error);
  }
}

TEST(FullyConnected, MultipliesEveryCoding) {
  Floats x(2 * 32);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  for (const Coding& coding : Codings()) {
    SCOPED_TRACE(coding.name);
    const Array y = RunModel(
        [&](SignatureWriter& w) {
          tflite::FullyConnectedOptionsT options;
          options.keep_num_dims = true;
          const TensorId input = w.Input("x", {1, 2, 32});
          const TensorId bias = w.Floats({2}, {100, 200});
          w.Output("y", w.OpWith(Builtin::FULLY_CONNECTED, {input, coding.write(w), bias},
                                 {1, 2, 2}, options));
        },
        {Array::Of(x)});
    Floats expected;
    for (size_t row = 0; row < 2; ++row) {
      for (size_t channel = 0; channel < 2; ++channel) {
        float sum = channel == 0 ? 100.0f : 200.0f;
        for (size_t i = 0; i < 32; ++i) sum += x[row * 32 + i] * coding.rows[channel][i];
        expected.push_back(sum);
      }
    }
    // Codes of 8 bits for x in [-1, 1] are off by up to 1/255 each.
    EXPECT_THAT(y.As<float>(), Pointwise(FloatNear(coding.dynamic ? 0.3f : 1e-4f), expected));
    if (coding.dynamic) {
      EXPECT_NE(y.As<float>(), expected);
    }
  }
}

TEST(FullyConnected, FlattensUnlessDimensionsAreKept) {
  const auto shape_of = [](const Extents& from, const Extents& declared) {
    return RunModel(
               [&](SignatureWriter& w) {
                 const TensorId x = w.Input("x", from);
                 const TensorId weights = w.Floats({1, 2}, {1, 10});
                 w.Output("y", w.OpWith(Builtin::FULLY_CONNECTED, {x, weights}, declared,
                                        tflite::FullyConnectedOptionsT{}));
               },
               {Array::Of(Floats{1, 2, 3, 4})})
        .As<float>();
  };
  EXPECT_THAT(shape_of({2, 1, 2}, {2, 1}), ElementsAre(21, 43));
  EXPECT_THAT(shape_of({1, 4}, {2, 1}), ElementsAre(21, 43));
}

}  // namespace
}  // namespace litertlm
