// The attention mask that a caller gives a decoder.
#ifndef LITERTLM_RUNTIME_CAUSAL_MASK_H_
#define LITERTLM_RUNTIME_CAUSAL_MASK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/dtype.h"

namespace litertlm {

struct MaskRows {
  int64_t real;  ///< Rows that stand for tokens; those after them see nothing.
  int64_t rows;
  int64_t columns;   ///< Positions of the cache.
  int64_t position;  ///< Of the first row.
};

/// Writes [rows, columns] of `dtype` (kF32, kF16 or kBool): row i sees the positions up to its own.
/// Hidden positions hold -0.7 of the largest number, as LiteRT-LM has it, because graphs may add
/// further terms; of a bool mask, false.
void FillCausalMask(DType dtype, const MaskRows& shape, std::vector<std::byte>& mask);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_CAUSAL_MASK_H_
