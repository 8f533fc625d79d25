// Operators that fusions make. All but the update of a cache are kernels of the active table.
#include <cstring>

#include "base/half.h"
#include "kernels/attention.h"
#include "kernels/kernel_table.h"
#include "kernels/rotation.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

/// Strides of [1, rows, heads, size], or of [1, heads, rows, size].
struct HeadsLayout {
  HeadsLayout(const Shape& shape, bool heads_first)
      : rows(shape[heads_first ? 2 : 1]),
        heads(shape[heads_first ? 1 : 2]),
        size(shape[3]),
        row_stride(heads_first ? size : heads * size),
        head_stride(heads_first ? rows * size : size) {}
  int64_t rows, heads, size, row_stride, head_stride;
};

int64_t FirstPosition(const Tensor& positions) {
  return positions.count() == 0 ? 0 : positions.as<int32_t>()[0];
}

/// Of the tables that are inputs `first` and following, if there are any.
Rotation RotationOf(const OpContext& context, size_t first, float epsilon) {
  Rotation rotation;
  if (!context.has(first)) return rotation;
  rotation.cos = context.in(first).as<float>();
  rotation.sin = context.in(first + 1).as<float>();
  rotation.width = static_cast<size_t>(context.in(first).shape.back());
  if (context.has(first + 2)) rotation.gains = context.in(first + 2).as<float>();
  rotation.epsilon = epsilon;
  return rotation;
}

}  // namespace

void RunAttention(const OpContext& context) {
  const auto& [scale, window, heads_first, epsilon] = context.As<AttentionAttributes>();
  const HeadsLayout layout(context.in(0).shape, heads_first);
  const Shape& cache = context.in(1).shape;  // [heads, positions, row]
  AttentionArgs args;
  args.q = context.in(0).as<float>();
  args.q_row_stride = args.y_row_stride = static_cast<size_t>(layout.row_stride);
  args.q_head_stride = args.y_head_stride = static_cast<size_t>(layout.head_stride);
  args.y = context.out().mutable_as<float>();
  args.cache_type = context.in(1).dtype();
  args.keys = context.in(1).data;
  args.values = context.in(2).data;
  args.cache_positions = static_cast<size_t>(cache[1]);
  args.cache_row = static_cast<size_t>(cache[2]);
  args.rows = static_cast<size_t>(layout.rows);
  args.heads = static_cast<size_t>(layout.heads);
  args.kv_heads = static_cast<size_t>(cache[0]);
  args.head_size = static_cast<size_t>(layout.size);
  args.position = static_cast<size_t>(FirstPosition(context.in(3)));
  args.window = static_cast<size_t>(window);
  args.scale = scale;
  args.rotation = RotationOf(context, 4, epsilon);
  Attention(args, context.workers.pool);
}

void RunCacheUpdate(const OpContext& context) {
  const Tensor& cache = context.out();
  const Tensor& update = context.in(1);
  const auto& [heads_first, epsilon] = context.As<CacheUpdateAttributes>();
  const HeadsLayout layout(update.shape, heads_first);
  const Rotation rotation = RotationOf(context, 3, epsilon);
  const uint64_t row_bytes = BytesFor(cache.dtype(), static_cast<uint64_t>(cache.shape[2]));
  if (cache.data != context.in(0).data) {
    std::memcpy(cache.data, context.in(0).data,
                BytesFor(cache.dtype(), static_cast<uint64_t>(cache.count())));
  }
  const int64_t first = FirstPosition(context.in(2));
  const auto size = static_cast<size_t>(layout.size);
  const KernelTable& kernels = ActiveKernels();
  ThreadPool& pool = context.workers.pool;
  const auto write = [&](int64_t row, int64_t head, float* turned) {
    const float* from = update.as<float>() + row * layout.row_stride + head * layout.head_stride;
    if (rotation.exists()) {
      kernels.rope(rotation, static_cast<size_t>(row), from, turned, size);
      from = turned;
    }
    const int64_t to = head * cache.shape[1] + first + row;
    std::byte* target = cache.data + static_cast<uint64_t>(to) * row_bytes;
    if (cache.dtype() == DType::kF16) {
      kernels.to_f16(from, reinterpret_cast<uint16_t*>(target), size);
    } else if (cache.dtype() == DType::kI8) {
      kernels.to_i8(from, reinterpret_cast<int8_t*>(target), size);
    } else {
      std::memcpy(target, from, size * sizeof(float));
    }
  };
  ParallelRanges(
      pool, layout.rows * layout.heads, layout.size, [&](int64_t begin, int64_t end, int worker) {
        auto* turned = reinterpret_cast<float*>(pool.Scratch(worker, size * sizeof(float)));
        for (int64_t i = begin; i < end; ++i) {
          write(i / layout.heads, i % layout.heads, turned);
        }
      });
}

void RunRope(const OpContext& context) {
  const auto& [row_axis, epsilon] = context.As<RopeAttributes>();
  const Rotation rotation = RotationOf(context, 1, epsilon);
  const Tensor& x = context.in(0);
  const int64_t size = x.shape.back();
  const int64_t inner = x.shape.Product(row_axis + 1, x.shape.rank() - 1);
  const int64_t rows = x.shape[row_axis];
  float* y = context.out().mutable_as<float>();
  const KernelTable& kernels = ActiveKernels();
  if (size == 0) return;
  ParallelRanges(context.workers.pool, x.count() / size, 2 * size,
                 [&](int64_t first, int64_t last) {
                   for (int64_t i = first; i < last; ++i) {
                     const int64_t row = i / inner % rows;
                     kernels.rope(rotation, static_cast<size_t>(row), x.as<float>() + i * size,
                                  y + i * size, static_cast<size_t>(size));
                   }
                 });
}

}  // namespace litertlm
