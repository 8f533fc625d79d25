#include "kernels/attention.h"

#include <algorithm>

#include "kernels/kernel_table.h"

namespace litertlm {
namespace {

/// Some rows of the heads that use one head of keys and values, as if there were no others.
AttentionArgs TaskOf(const AttentionArgs& args, size_t kv_head, Range rows) {
  AttentionArgs task = args;
  task.heads = args.heads / args.kv_heads;
  task.kv_heads = 1;
  task.rows = rows.end - rows.begin;
  task.position += rows.begin;
  const size_t first_head = kv_head * task.heads;
  task.q += rows.begin * args.q_row_stride + first_head * args.q_head_stride;
  task.y += rows.begin * args.y_row_stride + first_head * args.y_head_stride;
  if (args.rotation.exists()) {
    task.rotation.cos += rows.begin * args.rotation.width;
    task.rotation.sin += rows.begin * args.rotation.width;
  }
  const size_t head_bytes = BytesFor(args.cache_type, args.cache_positions * args.cache_row);
  task.keys = static_cast<const std::byte*>(args.keys) + kv_head * head_bytes;
  task.values = static_cast<const std::byte*>(args.values) + kv_head * head_bytes;
  return task;
}

/// The queries of a row are too short, and too far from the next, for the hardware to see a stream.
void AskForQueries(const AttentionArgs& task, size_t row) {
  constexpr size_t kLine = 64 / sizeof(float);
  for (size_t head = 0; head < task.heads; ++head) {
    const float* q = task.q + row * task.q_row_stride + head * task.q_head_stride;
    for (size_t i = 0; i < task.head_size; i += kLine) __builtin_prefetch(q + i);
  }
}

/// Has a task read its queries, turned, from `memory`.
void TurnQueries(const KernelTable& kernels, AttentionArgs& task, float* memory) {
  constexpr size_t kRowsAhead = 8;
  float* to = memory;
  for (size_t row = 0; row < task.rows; ++row) {
    if (row + kRowsAhead < task.rows) AskForQueries(task, row + kRowsAhead);
    for (size_t head = 0; head < task.heads; ++head, to += task.head_size) {
      const float* q = task.q + row * task.q_row_stride + head * task.q_head_stride;
      kernels.rope(task.rotation, row, q, to, task.head_size);
    }
  }
  task.q = memory;
  task.q_head_stride = task.head_size;
  task.q_row_stride = task.heads * task.head_size;
}

}  // namespace

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
  const bool turn = args.rotation.exists();
  const size_t turned = turn ? step * group * args.head_size : 0;
  const size_t scratch = turned * sizeof(float) + kernels.attention_scratch_bytes(args);
  pool.ParallelFor(blocks * args.kv_heads, [&](size_t index, int worker) {
    // All rows of a head in turn, while its keys and values are in the cache. Late rows see the
    // most keys: they go first, so that threads end together.
    const size_t block = blocks - 1 - index % blocks;
    const Range rows{block * step, std::min(args.rows, (block + 1) * step)};
    auto* memory = reinterpret_cast<float*>(pool.Scratch(worker, scratch));
    AttentionArgs task = TaskOf(args, index / blocks, rows);
    if (turn) TurnQueries(kernels, task, memory);
    kernels.attention(task, memory + turned);
  });
}

void Attention(const AttentionArgs& args, ThreadPool& pool) {
  AttentionWith(ActiveKernels(), args, pool);
}

}  // namespace litertlm
