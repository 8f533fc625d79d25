// What composites stand for: written in their decompositions, or in their place.
#ifndef LITERTLM_TESTS_STYLES_COMPOSITE_BODIES_H_
#define LITERTLM_TESTS_STYLES_COMPOSITE_BODIES_H_

#include <vector>

#include "tests/styles/style_ops.h"

namespace litertlm {

/// x * rsqrt(sum(x²) / n + epsilon) * gains.
TensorId WriteNorm(StyleOps& ops, TensorId x, TensorId gains, double epsilon, bool divides);

/// softmax(scale * q kᵀ + mask) v with all of [1, positions, heads, size], and heads of keys and
/// values repeated.
TensorId WriteAttention(StyleOps& ops, const std::vector<TensorId>& inputs, double scale);

/// The same for queries [1, N, T, H] that are scaled already, keys [1, K, C, H] and values
/// [1, K, H, C], where a mask of bools [1, 1, T, C] picks scores; query heads that share a key head
/// are stacked as rows. To [1, N, T, H].
TensorId WriteTransposedAttention(StyleOps& ops, const std::vector<TensorId>& inputs);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_COMPOSITE_BODIES_H_
