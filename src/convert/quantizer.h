// Weights, from the checkpoint's 16 or 32-bit floats to the form they have in the file.
//
// Everything works row by row on the mapped checkpoint, in parallel, and writes in chunks of a few
// MB, so that memory does not grow with the model. Formulas: docs/quantization.md.
#ifndef LITERTLM_CONVERT_QUANTIZER_H_
#define LITERTLM_CONVERT_QUANTIZER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "format/safetensors.h"

namespace litertlm {

/// How a matrix is stored.
struct WeightCoding {
  DType dtype = DType::kF32;  ///< kF32, kF16, kI8 (one scale per row) or kI4 (scales per block).
  int64_t block_size = 0;     ///< For kI4: weights of a row that share a scale.
  bool operator==(const WeightCoding&) const = default;
};

/// A matrix of a checkpoint: BF16, F16 or F32, [tensor rows, columns].
struct WeightMatrix {
  const CheckpointTensor* tensor = nullptr;
  int64_t rows = 0;  ///< At least the tensor's; rows beyond are zeros.
  int64_t columns = 0;

  uint64_t elements() const { return static_cast<uint64_t>(rows * columns); }
};

/// Called after each chunk with the elements that are new, from the calling thread. May throw.
using ChunkDone = std::function<void(uint64_t elements)>;

/// The int8 scale of each row: max |w| / 127, and a positive one for a row of zeros.
/// Like all functions here, throws kBadInput naming file, tensor and index for NaN or infinity.
std::vector<float> RowScales(const WeightMatrix& matrix, ThreadPool& pool, const ChunkDone& done);

/// Writes the elements, BytesFor(coding.dtype, matrix.elements()) bytes. `row_scales` are those of
/// `RowScales` for kI8, else empty. Throws kUnsupported for a number that f16 cannot hold.
/// `sink` is called by one thread at a time, but not always the same.
void WriteWeights(const WeightMatrix& matrix, const WeightCoding& coding,
                  std::span<const float> row_scales, ThreadPool& pool, ByteSink& sink,
                  const ChunkDone& done);

/// Writes the f16 scales [rows, columns / block_size] of a kI4 matrix. Each is exact in bf16, too,
/// because LiteRT's matrix product uses them in that form.
void WriteBlockScales(const WeightMatrix& matrix, int64_t block_size, ThreadPool& pool,
                      ByteSink& sink, const ChunkDone& done);

/// A vector as f32, with `offset` added to each element.
std::vector<float> ReadVector(const CheckpointTensor& tensor, float offset);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_QUANTIZER_H_
