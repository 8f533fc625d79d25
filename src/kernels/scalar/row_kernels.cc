#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"
#include "kernels/scalar/approximations.h"
#include "kernels/scalar/rows.h"
#include "kernels/scalar/scalar_kernels.h"

namespace litertlm {
namespace {

/// Number `i` of a row of keys or values.
float CacheValue(const AttentionArgs& args, const void* data, size_t row, size_t i) {
  const size_t at = row * args.cache_row + i;
  if (args.cache_type == DType::kF32) return static_cast<const float*>(data)[at];
  if (args.cache_type == DType::kF16) return F16ToFloat(static_cast<const uint16_t*>(data)[at]);
  const auto* codes = static_cast<const int8_t*>(data);
  float scale = 0;
  std::memcpy(&scale, codes + row * args.cache_row + args.head_size, sizeof(scale));
  return static_cast<float>(codes[at]) * scale;
}

// Where a position stands in the row of the whole cache decides to which lane its exponential is
// added. So positions that are not seen take part, as zeros: those before the first, and those that
// fill the last vector. More zeros would change nothing.
constexpr float kHidden = -std::numeric_limits<float>::infinity();

size_t SoftmaxLength(size_t positions) { return (positions + 3) / 4 * 4; }

}  // namespace

void AddScalar(const float* a, const float* b, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

void SiluMulScalar(const float* gate, const float* up, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = gate[i] * scalar::Logistic(gate[i]) * up[i];
}

void GeluTanhMulScalar(const float* gate, const float* up, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = scalar::GeluTanh(gate[i]) * up[i];
}

void RopeScalar(const Rotation& rotation, size_t row, const float* x, float* y, size_t size) {
  if (rotation.gains != nullptr) {
    scalar::RmsNorm(x, rotation.gains, y, size, rotation.epsilon);
    x = y;
  }
  const float* cos = rotation.cos + row * rotation.width;
  const float* sin = rotation.sin + row * rotation.width;
  const size_t half = size / 2;
  for (size_t i = 0; i < half; ++i) {
    const float a = x[i];
    const float b = x[half + i];
    y[i] = a * cos[i] - b * sin[i];
    y[half + i] = b * cos[i] + a * sin[i];
  }
}

void ToF16Scalar(const float* x, uint16_t* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = FloatToF16(x[i]);
}

CacheScale ScaleUpTo(float largest) {
  constexpr float kNothing = 1e-30f;  // The inverse of less might be infinite.
  if (largest <= kNothing) return {0, 0};
  return {127 / largest, largest / 127};
}

void ToI8Scalar(const float* x, int8_t* y, size_t count) {
  float low = 0;
  float high = 0;
  for (size_t i = 0; i < count; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  const CacheScale coding = ScaleUpTo(std::max(-low, high));
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<int8_t>(std::lrintf(x[i] * coding.inverse));
  std::memcpy(y + count, &coding.scale, sizeof(coding.scale));
}

void AttentionScalar(const AttentionArgs& task, float* scores) {
  for (size_t row = 0; row < task.rows; ++row) {
    const size_t end = task.position + row + 1;
    const size_t begin = task.window != 0 && end > task.window ? end - task.window : 0;
    for (size_t head = 0; head < task.heads; ++head) {
      const float* q = task.q + row * task.q_row_stride + head * task.q_head_stride;
      for (size_t position = begin; position < end; ++position) {
        float sum = 0;
        for (size_t i = 0; i < task.head_size; ++i) {
          sum += q[i] * task.scale * CacheValue(task, task.keys, position, i);
        }
        scores[position] = sum;
      }
      std::fill(scores, scores + begin, kHidden);
      std::fill(scores + end, scores + SoftmaxLength(end), kHidden);
      scalar::Softmax(scores, scores, SoftmaxLength(end), 1.0f);
      float* y = task.y + row * task.y_row_stride + head * task.y_head_stride;
      for (size_t i = 0; i < task.head_size; ++i) {
        float sum = 0;
        for (size_t position = begin; position < end; ++position) {
          sum += scores[position] * CacheValue(task, task.values, position, i);
        }
        y[i] = sum;
      }
    }
  }
}

size_t AttentionScalarScratchBytes(const AttentionArgs& args) {
  return SoftmaxLength(args.position + args.rows) * sizeof(float);
}

}  // namespace litertlm
