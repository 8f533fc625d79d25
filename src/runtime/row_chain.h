// Operators that compute each row of their output from the same rows of their inputs. Some that
// follow each other run as one loop over the rows, so that a row passes through all of them, and
// through the quantization for the products that read it, while it is in the first-level cache.
#ifndef LITERTLM_RUNTIME_ROW_CHAIN_H_
#define LITERTLM_RUNTIME_ROW_CHAIN_H_

#include <span>

#include "runtime/tensor.h"

namespace litertlm {

/// The most nodes of a chain.
inline constexpr size_t kMaxRowChain = 8;

/// How many nodes from `first` on work row by row, on rows of the same shape; at most kMaxRowChain.
/// 0: not even that node does.
size_t RowChainLength(const Graph& graph, size_t first);

/// Runs a chain, in parallel over the rows. `code`: the rows of the last output are also coded into
/// the workers' activations, and if that output has no memory (`data` is null), only there.
void RunRowChain(std::span<const OpContext> chain, bool code);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_ROW_CHAIN_H_
