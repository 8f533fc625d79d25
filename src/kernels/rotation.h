// Rotary position embeddings of queries and keys, with the norm that some models have before them.
#ifndef LITERTLM_KERNELS_ROTATION_H_
#define LITERTLM_KERNELS_ROTATION_H_

#include <cstddef>

namespace litertlm {

/// How the heads of each row are normed and turned: the numbers x[i] and x[size / 2 + i] by the
/// angle whose cosine and sine are number i of the row's.
struct Rotation {
  const float* cos = nullptr;  ///< [rows, width], of which size / 2 are read; null: as they are.
  const float* sin = nullptr;  ///< The same.
  size_t width = 0;
  const float* gains = nullptr;  ///< [size], of an RMS norm before that; null: none.
  float epsilon = 0;

  bool exists() const { return cos != nullptr; }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_ROTATION_H_
