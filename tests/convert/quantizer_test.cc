#include "convert/quantizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/half.h"
#include "convert/weight_store.h"
#include "tests/error_of.h"
#include "tests/format/memory_sink.h"

namespace litertlm {
namespace {

using testing::HasSubstr;

// A tensor of its own, in one of the types of checkpoints.
struct Weights {
  Weights(DType dtype, int64_t rows, int64_t columns, const std::vector<float>& values) {
    for (const float v : values) {
      if (dtype == DType::kF32) {
        Append(v);
      } else {
        Append(dtype == DType::kBF16 ? FloatToBF16(v) : FloatToF16(v));
      }
    }
    tensor = {"model.w", dtype, {rows, columns}, AsBytes(data), "m/model.safetensors"};
    matrix = {&tensor, rows, columns};
  }
  template <typename T>
  void Append(T bits) {
    data.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  // The number that element i really is.
  double operator[](size_t i) const {
    uint16_t half = 0;
    float f = 0;
    if (tensor.dtype == DType::kF32) {
      std::memcpy(&f, data.data() + 4 * i, 4);
      return f;
    }
    std::memcpy(&half, data.data() + 2 * i, 2);
    return tensor.dtype == DType::kBF16 ? BF16ToFloat(half) : F16ToFloat(half);
  }
  std::string data;
  CheckpointTensor tensor;
  WeightMatrix matrix;
};

std::vector<float> RandomValues(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.03f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(random);
  return values;
}

const ChunkDone kIgnore = [](uint64_t) {};

std::string Encode(const Weights& w, const WeightCoding& coding, ThreadPool& pool) {
  const std::vector<float> scales =
      coding.dtype == DType::kI8 ? RowScales(w.matrix, pool, kIgnore) : std::vector<float>();
  MemorySink sink;
  WriteWeights(w.matrix, coding, scales, pool, sink, kIgnore);
  return sink.data;
}

template <typename T>
T At(const std::string& data, size_t i) {
  T value;
  std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
  return value;
}

int Nibble(const std::string& data, size_t i) {
  const int nibble = (static_cast<unsigned char>(data[i / 2]) >> (i % 2 * 4)) & 15;
  return nibble > 7 ? nibble - 16 : nibble;
}

class QuantizerTest : public testing::TestWithParam<DType> {
 protected:
  // More rows than one chunk has for this width, so that seams are crossed.
  static constexpr int64_t kRows = 9001;
  static constexpr int64_t kColumns = 480;
  const Weights weights_{GetParam(), kRows, kColumns, RandomValues(kRows* kColumns, 7)};
  ThreadPool pool_{3};
};

// All divisions are done in double and rounded afterwards; ties, where f32 division may differ, are
// left out by the distance to the half.
TEST_P(QuantizerTest, Int8IsTheNearestCodeOfEachRow) {
  const std::vector<float> scales = RowScales(weights_.matrix, pool_, kIgnore);
  const std::string codes = Encode(weights_, {DType::kI8}, pool_);
  ASSERT_EQ(codes.size(), weights_.matrix.elements());
  int largest_used = 0;
  for (size_t r = 0; r < kRows; ++r) {
    double largest = 0;
    for (size_t c = 0; c < kColumns; ++c) {
      largest = std::max(largest, std::fabs(weights_[r * kColumns + c]));
    }
    ASSERT_EQ(scales[r], static_cast<float>(largest) / 127.0f);
    for (size_t c = 0; c < kColumns; ++c) {
      const double exact = weights_[r * kColumns + c] / scales[r];
      const int code = At<int8_t>(codes, r * kColumns + c);
      ASSERT_LE(std::fabs(exact - code), 0.5 + 1e-5) << r << ", " << c;
      largest_used = std::max(largest_used, std::abs(code));
    }
  }
  EXPECT_EQ(largest_used, 127);
}

TEST_P(QuantizerTest, Int4BlocksHaveScalesThatBothShortFloatsHold) {
  for (const int64_t block : {32, 96}) {
    MemorySink scale_sink;
    WriteBlockScales(weights_.matrix, block, pool_, scale_sink, kIgnore);
    const std::string codes = Encode(weights_, {DType::kI4, block}, pool_);
    ASSERT_EQ(codes.size(), weights_.matrix.elements() / 2);
    ASSERT_EQ(scale_sink.data.size(), weights_.matrix.elements() / static_cast<size_t>(block) * 2);
    for (size_t b = 0; b < weights_.matrix.elements() / static_cast<size_t>(block); ++b) {
      double largest = 0;
      const size_t begin = b * static_cast<size_t>(block);
      for (size_t i = begin; i < begin + static_cast<size_t>(block); ++i) {
        largest = std::max(largest, std::fabs(weights_[i]));
      }
      const float scale = F16ToFloat(At<uint16_t>(scale_sink.data, b));
      ASSERT_EQ(scale, BF16ToFloat(FloatToBF16(scale)));
      ASSERT_GE(scale, 0x1p-14f);
      ASSERT_NEAR(scale / (largest / 7), 1, 1.0 / 256 + 1e-6);
      for (size_t i = begin; i < begin + static_cast<size_t>(block); ++i) {
        const double exact = std::clamp(weights_[i] / scale, -8.0, 7.0);
        ASSERT_LE(std::fabs(exact - Nibble(codes, i)), 0.5 + 1e-5) << i;
      }
    }
  }
}

TEST_P(QuantizerTest, FloatsAreRoundedOnce) {
  const std::string f32 = Encode(weights_, {DType::kF32}, pool_);
  const std::string f16 = Encode(weights_, {DType::kF16}, pool_);
  for (size_t i = 0; i < weights_.matrix.elements(); ++i) {
    ASSERT_EQ(At<float>(f32, i), weights_[i]);
    ASSERT_EQ(At<uint16_t>(f16, i), FloatToF16(static_cast<float>(weights_[i])));
  }
}

TEST_P(QuantizerTest, ThreadsDoNotChangeTheBytes) {
  ThreadPool one(1);
  for (const WeightCoding coding : {WeightCoding{DType::kI8}, WeightCoding{DType::kI4, 32}}) {
    EXPECT_EQ(Encode(weights_, coding, one), Encode(weights_, coding, pool_));
  }
}

INSTANTIATE_TEST_SUITE_P(, QuantizerTest, testing::Values(DType::kBF16, DType::kF16, DType::kF32),
                         [](const auto& p) { return std::string(Info(p.param).name); });

TEST(QuantizerRulesTest, TiesGoToTheEvenCode) {
  ThreadPool pool(1);
  // The largest makes the scale 1.
  const Weights w(DType::kF32, 1, 8, {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, -127});
  const std::string codes = Encode(w, {DType::kI8}, pool);
  const int expected[] = {127, 0, 2, 2, 0, -2, -2, -127};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(At<int8_t>(codes, i), expected[i]) << i;
}

TEST(QuantizerRulesTest, TheFirstOfTwoInt4CodesIsInTheLowHalf) {
  ThreadPool pool(1);
  std::vector<float> values(32, 0.0f);
  values[0] = 7;  // The scale is 1.
  values[1] = -3;
  values[2] = -7;
  values[3] = 2.5f;
  const std::string codes = Encode(Weights(DType::kF32, 1, 32, values), {DType::kI4, 32}, pool);
  EXPECT_EQ(static_cast<unsigned char>(codes[0]), 0xd7);
  EXPECT_EQ(static_cast<unsigned char>(codes[1]), 0x29);
}

TEST(QuantizerRulesTest, ZerosAndPaddingHaveValidScales) {
  ThreadPool pool(2);
  Weights w(DType::kBF16, 2, 32, std::vector<float>(64, 0.0f));
  w.matrix.rows = 5;  // Three more than there are.
  const std::vector<float> scales = RowScales(w.matrix, pool, kIgnore);
  ASSERT_EQ(scales.size(), 5u);
  for (const float s : scales) EXPECT_TRUE(std::isnormal(s) && s > 0) << s;
  EXPECT_EQ(Encode(w, {DType::kI8}, pool), std::string(5 * 32, '\0'));
  MemorySink block_scales;
  WriteBlockScales(w.matrix, 32, pool, block_scales, kIgnore);
  ASSERT_EQ(block_scales.data.size(), 10u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(F16ToFloat(At<uint16_t>(block_scales.data, i)), 0x1p-14f);
  }
}

TEST(QuantizerRulesTest, NumbersThatAreNoneAreNamed) {
  ThreadPool pool(2);
  for (const DType dtype : {DType::kBF16, DType::kF16, DType::kF32}) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      std::vector<float> values = RandomValues(20 * 32, 3);
      values[333] = bad;
      const Weights w(dtype, 20, 32, values);
      for (const WeightCoding& coding :
           {WeightCoding{DType::kF32}, {DType::kF16}, {DType::kI8}, {DType::kI4, 32}}) {
        const Error error = ErrorOf([&] { Encode(w, coding, pool); });
        EXPECT_EQ(error.code(), ErrorCode::kBadInput);
        EXPECT_EQ(error.message(),
                  "m/model.safetensors: model.w holds NaN or infinity at element 333.");
      }
    }
  }
}

TEST(QuantizerRulesTest, NumbersThatF16CannotHoldAreRefused) {
  ThreadPool pool(1);
  EXPECT_EQ(Encode(Weights(DType::kF32, 1, 1, {65519.0f}), {DType::kF16}, pool).size(), 2u);
  const Weights w(DType::kF32, 1, 1, {65520.0f});
  const Error error = ErrorOf([&] { Encode(w, {DType::kF16}, pool); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("model.w"));
}

TEST(QuantizerRulesTest, CheckpointsWithOtherTypesAreRefused) {
  ThreadPool pool(1);
  Weights w(DType::kF32, 1, 1, {1});
  w.tensor.dtype = DType::kI8;
  const Error error = ErrorOf([&] { Encode(w, {DType::kF32}, pool); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("model.w has the type i8"));
}

TEST(ChooseCodingTest, BlocksHaveToDivideTheRow) {
  const auto block = [](Quantization q, int64_t columns) { return ChooseCoding(q, columns); };
  EXPECT_EQ(block(Quantization::kDynamicInt4Block128, 1024), (WeightCoding{DType::kI4, 128}));
  EXPECT_EQ(block(Quantization::kDynamicInt4Block128, 320), (WeightCoding{DType::kI4, 64}));
  EXPECT_EQ(block(Quantization::kDynamicInt4Block128, 96), (WeightCoding{DType::kI4, 32}));
  EXPECT_EQ(block(Quantization::kDynamicInt4Block32, 320), (WeightCoding{DType::kI4, 32}));
  EXPECT_EQ(block(Quantization::kDynamicInt4Block32, 100), (WeightCoding{DType::kI8}));
}

}  // namespace
}  // namespace litertlm
