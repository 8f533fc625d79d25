// y = condition ? a : b, all three broadcast.
#include "kernels/scalar/strided_loop.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

// `T` is any type of the element's size: values are only moved.
template <typename T>
void Select(const OpContext& context) {
  const Shape& shape = context.out().shape;
  const StridedLoop<4> loop(shape, {BroadcastStrides(context.in(0).shape, shape),
                                    BroadcastStrides(context.in(1).shape, shape),
                                    BroadcastStrides(context.in(2).shape, shape), shape.Strides()});
  const auto* condition = context.in(0).as<uint8_t>();
  const T* a = context.in(1).as<T>();
  const T* b = context.in(2).as<T>();
  T* y = context.out().mutable_as<T>();
  ParallelRanges(
      context.workers.pool, loop.rows(), loop.row_length(), [&](int64_t first, int64_t last) {
        loop.ForRows(first, last, [&](const auto& at) {
          for (int64_t i = 0; i < loop.row_length(); ++i) {
            const bool pick = condition[at[0] + i * loop.row_stride(0)] != 0;
            y[at[3] + i] =
                pick ? a[at[1] + i * loop.row_stride(1)] : b[at[2] + i * loop.row_stride(2)];
          }
        });
      });
}

}  // namespace

void RunSelect(const OpContext& context) {
  if (context.out().count() == 0) return;
  switch (Info(context.out().dtype()).bits) {
    case 8:
      return Select<uint8_t>(context);
    case 16:
      return Select<uint16_t>(context);
    case 32:
      return Select<uint32_t>(context);
    default:
      return Select<uint64_t>(context);
  }
}

}  // namespace litertlm
