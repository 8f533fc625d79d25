#include "kernels/attention.h"

#include <algorithm>

#include "kernels/kernel_table.h"

namespace litertlm {

void AttentionWith(const KernelTable& kernels, const AttentionArgs& args, ThreadPool& pool) {
  if (args.rows == 0) return;
  const size_t group = args.heads / args.kv_heads;
  // The heads of a group share keys and values: rows are taken so that a block of query vectors is
  // as long as the kernel likes, but not so many that threads are left without work.
  const size_t wanted =
      (static_cast<size_t>(pool.threads()) * 4 + args.kv_heads - 1) / args.kv_heads;
  const size_t step = std::clamp((args.rows + wanted - 1) / wanted, size_t{1},
                                 std::max<size_t>(1, kernels.attention_queries / group));
  const size_t blocks = (args.rows + step - 1) / step;
  const size_t scratch = kernels.attention_scratch_bytes(args);
  pool.ParallelFor(blocks * args.kv_heads, [&](size_t index, int worker) {
    // All rows of a head in turn, while its keys and values are in the cache. Late rows see the
    // most keys: they go first, so that threads end together.
    const size_t block = blocks - 1 - index % blocks;
    const Range rows{block * step, std::min(args.rows, (block + 1) * step)};
    kernels.attention(args, index / blocks, rows, pool.Scratch(worker, scratch));
  });
}

void Attention(const AttentionArgs& args, ThreadPool& pool) {
  AttentionWith(ActiveKernels(), args, pool);
}

}  // namespace litertlm
