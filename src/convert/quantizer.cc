#include "convert/quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/half.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// Floating-point types of checkpoints. Magnitudes compare as integers, and everything from
// kInfinity on is not finite.
struct BF16 {
  using Bits = uint16_t;
  static constexpr Bits kMagnitude = 0x7fff;
  static constexpr Bits kInfinity = 0x7f80;
  static float ToFloat(Bits bits) { return BF16ToFloat(bits); }
};
struct F16 {
  using Bits = uint16_t;
  static constexpr Bits kMagnitude = 0x7fff;
  static constexpr Bits kInfinity = 0x7c00;
  static float ToFloat(Bits bits) { return F16ToFloat(bits); }
};
struct F32 {
  using Bits = uint32_t;
  static constexpr Bits kMagnitude = 0x7fffffff;
  static constexpr Bits kInfinity = 0x7f800000;
  static float ToFloat(Bits bits) { return std::bit_cast<float>(bits); }
};

// Calls `f` with a value of the struct above for `dtype`.
template <typename F>
decltype(auto) WithSourceType(const CheckpointTensor& tensor, F&& f) {
  switch (tensor.dtype) {
    case DType::kBF16:
      return f(BF16());
    case DType::kF16:
      return f(F16());
    case DType::kF32:
      return f(F32());
    default:
      throw Error(
          ErrorCode::kUnsupported,
          fmt::format("{}: {} has the type {}; weights have to be BF16, F16 or F32.", tensor.file,
                      tensor.name, Info(tensor.dtype).name),
          "A checkpoint that was quantized already cannot be converted; take the original.");
  }
}

[[noreturn]] void ThrowNotFinite(const CheckpointTensor& tensor, uint64_t index) {
  throw Error(
      ErrorCode::kBadInput,
      fmt::format("{}: {} holds NaN or infinity at element {}.", tensor.file, tensor.name, index),
      "The checkpoint is damaged or its training diverged.");
}

// Elements [first, first + values.size()) of the tensor as floats. Throws if one is not finite.
template <typename Source>
void Load(const CheckpointTensor& tensor, uint64_t first, std::span<float> values) {
  using Bits = typename Source::Bits;
  const std::byte* bytes = tensor.bytes.data() + first * sizeof(Bits);
  const size_t n = values.size();
  Bits largest = 0;
  for (size_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
    largest = std::max<Bits>(largest, bits & Source::kMagnitude);
    values[i] = Source::ToFloat(bits);
  }
  if (largest < Source::kInfinity) return;
  for (size_t i = 0; i < n; ++i) {
    if (!std::isfinite(values[i])) ThrowNotFinite(tensor, first + i);
  }
}

float LargestMagnitude(std::span<const float> values) {
  // As integers: magnitudes of floats order the same way, and the loop vectorises.
  int32_t largest = 0;
  for (const float v : values) largest = std::max(largest, std::bit_cast<int32_t>(std::fabs(v)));
  return std::bit_cast<float>(largest);
}

// Nearest integer, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves it in the low bits.
int32_t RoundToInt(float x) {
  constexpr float kMagic = 0x1.8p23f;
  return std::bit_cast<int32_t>(x + kMagic) - std::bit_cast<int32_t>(kMagic);
}

// Rows without weight still need a valid scale.
constexpr float kLeastMagnitude = 1e-9f;

float RowScale(std::span<const float> row) {
  return std::max(LargestMagnitude(row), kLeastMagnitude) / 127.0f;
}

// The nearest number that bf16 can hold, within the range where f16 is normal and so exact, too.
float BlockScale(std::span<const float> block) {
  constexpr float kLeast = 0x1p-14f;
  constexpr float kMost = 65280.0f;
  return std::clamp(BF16ToFloat(FloatToBF16(LargestMagnitude(block) / 7.0f)), kLeast, kMost);
}

void EncodeInt8(std::span<const float> row, float scale, std::byte* out) {
  for (size_t i = 0; i < row.size(); ++i) {
    const int32_t code = std::clamp(RoundToInt(row[i] / scale), -127, 127);
    out[i] = static_cast<std::byte>(code);
  }
}

void EncodeInt4(std::span<const float> row, size_t block_size, std::byte* out) {
  for (size_t begin = 0; begin < row.size(); begin += block_size) {
    const auto block = row.subspan(begin, block_size);
    const float scale = BlockScale(block);
    // Far outside [-8, 7] only where the scale was held at its most; there the sum must not round.
    const auto code = [&](float w) { return RoundToInt(std::clamp(w / scale, -8.0f, 7.0f)); };
    for (size_t i = 0; i < block_size; i += 2) {
      *out++ = static_cast<std::byte>((code(block[i]) & 15) | ((code(block[i + 1]) & 15) << 4));
    }
  }
}

void EncodeF16(const CheckpointTensor& tensor, std::span<const float> row, std::byte* out) {
  constexpr float kMost = 65520.0f;  // From here on f16 rounds to infinity.
  if (LargestMagnitude(row) >= kMost) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: {} holds numbers above 65504, which f16 cannot represent.",
                            tensor.file, tensor.name),
                "Choose another --quantize.");
  }
  for (size_t i = 0; i < row.size(); ++i) {
    const uint16_t half = FloatToF16(row[i]);
    std::memcpy(out + 2 * i, &half, sizeof half);
  }
}

// Reads row `index` of `matrix` into `row`.
template <typename Source>
void LoadRow(const WeightMatrix& matrix, int64_t index, std::span<float> row) {
  if (index < matrix.tensor->shape[0]) {
    Load<Source>(*matrix.tensor, static_cast<uint64_t>(index * matrix.columns), row);
  } else {
    std::fill(row.begin(), row.end(), 0.0f);
  }
}

// Rows that one task handles: enough work to outweigh handing it out.
int64_t RowsPerTask(const WeightMatrix& matrix) {
  constexpr int64_t kElements = 128 << 10;
  return std::max<int64_t>(1, kElements / matrix.columns);
}
constexpr int64_t kTasksPerChunk = 32;

// Calls `visit(index, row)` for rows [begin, end) of `matrix`, as floats.
template <typename Visit>
void VisitRows(const WeightMatrix& matrix, int64_t begin, int64_t end, std::span<float> row,
               const Visit& visit) {
  WithSourceType(*matrix.tensor, [&](auto source) {
    for (int64_t i = begin; i < end; ++i) {
      LoadRow<decltype(source)>(matrix, i, row);
      visit(i, std::span<const float>(row));
    }
  });
}

std::span<float> RowScratch(ThreadPool& pool, int worker, int64_t columns) {
  const auto n = static_cast<size_t>(columns);
  return {reinterpret_cast<float*>(pool.Scratch(worker, n * sizeof(float))), n};
}

// Encodes all rows, `row_bytes` each, with `encode(index, row, out)`. While one chunk of rows is
// encoded by most of the pool, one thread writes the chunk before it.
template <typename Encode>
void StreamRows(const WeightMatrix& matrix, size_t row_bytes, ThreadPool& pool, ByteSink& sink,
                const ChunkDone& done, const Encode& encode) {
  const int64_t task_rows = RowsPerTask(matrix);
  const int64_t chunk_rows = std::min(matrix.rows, task_rows * kTasksPerChunk);
  std::vector<std::byte> current(static_cast<size_t>(chunk_rows) * row_bytes);
  std::vector<std::byte> previous(current.size());
  size_t to_write = 0;
  for (int64_t begin = 0; begin < matrix.rows; begin += chunk_rows) {
    const int64_t end = std::min(matrix.rows, begin + chunk_rows);
    const auto tasks = static_cast<size_t>((end - begin + task_rows - 1) / task_rows);
    pool.ParallelFor(tasks + 1, [&](size_t index, int worker) {
      if (index == 0) {
        sink.Write(Bytes(previous).first(to_write));
        return;
      }
      const int64_t first = begin + static_cast<int64_t>(index - 1) * task_rows;
      VisitRows(matrix, first, std::min(end, first + task_rows),
                RowScratch(pool, worker, matrix.columns), [&](int64_t i, auto row) {
                  encode(i, row, current.data() + static_cast<size_t>(i - begin) * row_bytes);
                });
    });
    std::swap(current, previous);
    to_write = static_cast<size_t>(end - begin) * row_bytes;
    done(static_cast<uint64_t>((end - begin) * matrix.columns));
  }
  sink.Write(Bytes(previous).first(to_write));
}

}  // namespace

std::vector<float> RowScales(const WeightMatrix& matrix, ThreadPool& pool, const ChunkDone& done) {
  std::vector<float> scales(static_cast<size_t>(matrix.rows));
  const int64_t task_rows = RowsPerTask(matrix);
  const int64_t chunk_rows = task_rows * kTasksPerChunk;
  for (int64_t begin = 0; begin < matrix.rows; begin += chunk_rows) {
    const int64_t end = std::min(matrix.rows, begin + chunk_rows);
    const auto tasks = static_cast<size_t>((end - begin + task_rows - 1) / task_rows);
    pool.ParallelFor(tasks, [&](size_t index, int worker) {
      const int64_t first = begin + static_cast<int64_t>(index) * task_rows;
      VisitRows(matrix, first, std::min(end, first + task_rows),
                RowScratch(pool, worker, matrix.columns),
                [&](int64_t i, auto row) { scales[static_cast<size_t>(i)] = RowScale(row); });
    });
    done(static_cast<uint64_t>((end - begin) * matrix.columns));
  }
  return scales;
}

void WriteWeights(const WeightMatrix& matrix, const WeightCoding& coding,
                  std::span<const float> row_scales, ThreadPool& pool, ByteSink& sink,
                  const ChunkDone& done) {
  const auto columns = static_cast<size_t>(matrix.columns);
  const size_t row_bytes = BytesFor(coding.dtype, columns);
  switch (coding.dtype) {
    case DType::kF32:
      StreamRows(matrix, row_bytes, pool, sink, done, [](int64_t, auto row, std::byte* out) {
        std::memcpy(out, row.data(), row.size_bytes());
      });
      return;
    case DType::kF16:
      StreamRows(matrix, row_bytes, pool, sink, done,
                 [&](int64_t, auto row, std::byte* out) { EncodeF16(*matrix.tensor, row, out); });
      return;
    case DType::kI8:
      StreamRows(matrix, row_bytes, pool, sink, done, [&](int64_t i, auto row, std::byte* out) {
        EncodeInt8(row, row_scales[static_cast<size_t>(i)], out);
      });
      return;
    case DType::kI4:
      StreamRows(matrix, row_bytes, pool, sink, done, [&](int64_t, auto row, std::byte* out) {
        EncodeInt4(row, static_cast<size_t>(coding.block_size), out);
      });
      return;
    default:
      throw Error(ErrorCode::kInternal,
                  fmt::format("Weights cannot be stored as {}.", Info(coding.dtype).name));
  }
}

void WriteBlockScales(const WeightMatrix& matrix, int64_t block_size, ThreadPool& pool,
                      ByteSink& sink, const ChunkDone& done) {
  const auto block = static_cast<size_t>(block_size);
  const size_t row_bytes = static_cast<size_t>(matrix.columns) / block * sizeof(uint16_t);
  StreamRows(matrix, row_bytes, pool, sink, done, [&](int64_t, auto row, std::byte* out) {
    for (size_t begin = 0; begin < row.size(); begin += block, out += sizeof(uint16_t)) {
      const uint16_t half = FloatToF16(BlockScale(row.subspan(begin, block)));
      std::memcpy(out, &half, sizeof half);
    }
  });
}

std::vector<float> ReadVector(const CheckpointTensor& tensor, float offset) {
  std::vector<float> values(tensor.elements());
  WithSourceType(tensor, [&](auto source) { Load<decltype(source)>(tensor, 0, values); });
  for (float& v : values) v += offset;
  return values;
}

}  // namespace litertlm
