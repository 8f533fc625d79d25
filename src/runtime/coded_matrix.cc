#include "runtime/coded_matrix.h"

#include <cstring>

#include "base/half.h"

namespace litertlm {
namespace {

/// Element `i` of a packed array of two's complement numbers, the first in the lowest bits.
template <int kBits>
int CodeAt(const uint8_t* codes, size_t i) {
  constexpr size_t kPerByte = 8 / kBits;
  const int shift = static_cast<int>(i % kPerByte) * kBits;
  const auto high = static_cast<int8_t>(codes[i / kPerByte] << (8 - kBits - shift));
  return high >> (8 - kBits);
}

template <int kBits>
void WidenCodes(const WeightMatrix& matrix, size_t row, float* y) {
  const auto* codes = static_cast<const uint8_t*>(matrix.data);
  const size_t first = row * matrix.columns;
  if (matrix.block_scales == nullptr) {
    const float scale = matrix.scales[matrix.scale_count == 1 ? 0 : row];
    for (size_t i = 0; i < matrix.columns; ++i) {
      y[i] = static_cast<float>(CodeAt<kBits>(codes, first + i)) * scale;
    }
    return;
  }
  const size_t blocks = matrix.columns / matrix.block;
  for (size_t i = 0; i < matrix.columns; ++i) {
    const float scale = F16ToFloat(matrix.block_scales[row * blocks + i / matrix.block]);
    y[i] = static_cast<float>(CodeAt<kBits>(codes, first + i)) * scale;
  }
}

}  // namespace

WeightMatrix MatrixOf(const Tensor& tensor) {
  WeightMatrix matrix;
  matrix.dtype = tensor.dtype();
  matrix.data = tensor.data;
  matrix.rows = tensor.shape.rank() == 0 ? 1 : static_cast<size_t>(tensor.shape[0]);
  matrix.columns = static_cast<size_t>(tensor.shape.Product(1, tensor.shape.rank()));
  const Quantization& quantization = tensor.value->quantization;
  if (quantization.block_size > 0) {
    matrix.block_scales = quantization.block_scales.data();
    matrix.block = static_cast<size_t>(quantization.block_size);
  } else {
    matrix.scales = quantization.scales.data();
    matrix.scale_count = quantization.scales.size();
  }
  return matrix;
}

void WidenRow(const WeightMatrix& matrix, int64_t index, float* y) {
  const auto row = static_cast<size_t>(index);
  const size_t first = row * matrix.columns;
  switch (matrix.dtype) {
    case DType::kF32:
      std::memcpy(y, static_cast<const float*>(matrix.data) + first,
                  matrix.columns * sizeof(float));
      break;
    case DType::kF16:
    case DType::kBF16: {
      const auto* halves = static_cast<const uint16_t*>(matrix.data) + first;
      for (size_t i = 0; i < matrix.columns; ++i) {
        y[i] = matrix.dtype == DType::kF16 ? F16ToFloat(halves[i]) : BF16ToFloat(halves[i]);
      }
      break;
    }
    case DType::kI8:
      WidenCodes<8>(matrix, row, y);
      break;
    case DType::kI4:
      WidenCodes<4>(matrix, row, y);
      break;
    default:
      WidenCodes<2>(matrix, row, y);
      break;
  }
}

}  // namespace litertlm
