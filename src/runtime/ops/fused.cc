// Operators that fusions make. All but the update of a cache are kernels of the active table.
#include <cstring>

#include "base/half.h"
#include "kernels/attention.h"
#include "kernels/kernel_table.h"
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

}  // namespace

void RunAttention(const OpContext& context) {
  const auto& [scale, window, heads_first] = context.As<AttentionAttributes>();
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
  Attention(args, context.workers.pool);
}

void RunCacheUpdate(const OpContext& context) {
  const Tensor& cache = context.out();
  const Tensor& update = context.in(1);
  const HeadsLayout layout(update.shape, context.As<CacheUpdateAttributes>().heads_first);
  const uint64_t row_bytes = BytesFor(cache.dtype(), static_cast<uint64_t>(cache.shape[2]));
  if (cache.data != context.in(0).data) {
    std::memcpy(cache.data, context.in(0).data,
                BytesFor(cache.dtype(), static_cast<uint64_t>(cache.count())));
  }
  const int64_t first = FirstPosition(context.in(2));
  const auto size = static_cast<size_t>(layout.size);
  const KernelTable& kernels = ActiveKernels();
  ParallelRanges(context.workers.pool, layout.rows * layout.heads, layout.size,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const int64_t row = i / layout.heads;
                     const int64_t head = i % layout.heads;
                     const float* from =
                         update.as<float>() + row * layout.row_stride + head * layout.head_stride;
                     const int64_t to = head * cache.shape[1] + first + row;
                     std::byte* target = cache.data + static_cast<uint64_t>(to) * row_bytes;
                     if (cache.dtype() == DType::kF16) {
                       kernels.to_f16(from, reinterpret_cast<uint16_t*>(target), size);
                     } else if (cache.dtype() == DType::kI8) {
                       kernels.to_i8(from, reinterpret_cast<int8_t*>(target), size);
                     } else {
                       std::memcpy(target, from, size * sizeof(float));
                     }
                   }
                 });
}

void RunRope(const OpContext& context) {
  const auto& attributes = context.As<RopeAttributes>();
  const Tensor& x = context.in(0);
  const Tensor& cos = context.in(1);
  const Tensor& sin = context.in(2);
  const float* gains = context.has(3) ? context.in(3).as<float>() : nullptr;
  const int64_t size = x.shape.back();
  const int64_t width = cos.shape.back();
  const int64_t inner = x.shape.Product(attributes.row_axis + 1, x.shape.rank() - 1);
  float* y = context.out().mutable_as<float>();
  const KernelTable& kernels = ActiveKernels();
  if (size == 0) return;
  ParallelRanges(
      context.workers.pool, x.count() / size, 2 * size, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const int64_t row = i / inner % x.shape[attributes.row_axis];
          const float* from = x.as<float>() + i * size;
          float* to = y + i * size;
          if (gains != nullptr) {
            kernels.rms_norm(from, gains, to, static_cast<size_t>(size), attributes.epsilon);
            from = to;
          }
          kernels.rope(from, cos.as<float>() + row * width, sin.as<float>() + row * width, to,
                       static_cast<size_t>(size / 2));
        }
      });
}

}  // namespace litertlm
