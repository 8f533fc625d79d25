// Operators that combine elements along axes.
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/kernel_table.h"
#include "kernels/scalar/functions.h"
#include "kernels/scalar/rows.h"
#include "kernels/scalar/strided_loop.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

bool IsLastAxisOnly(const OpContext& context) {
  const auto& axes = context.As<AxesAttributes>().axes;
  return axes.size() == 1 && axes[0] == context.in(0).shape.rank() - 1;
}

template <typename T>
T MaximumOf(const T* x, int64_t count) {
  T highest = std::numeric_limits<T>::lowest();
  for (int64_t i = 0; i < count; ++i) highest = scalar::Maximum(highest, x[i]);
  return highest;
}

void ReduceRows(const OpContext& context) {
  const int64_t length = context.in(0).shape.back();
  const float* x = context.in(0).as<float>();
  float* y = context.out().mutable_as<float>();
  const auto count = static_cast<size_t>(length);
  ParallelRanges(context.workers.pool, context.out().count(), length,
                 [&](int64_t first, int64_t last) {
                   for (int64_t row = first; row < last; ++row) {
                     const float* values = x + row * length;
                     if (context.node.op == Op::kReduceMax) {
                       y[row] = MaximumOf(values, length);
                     } else {
                       y[row] = scalar::Sum(values, count);
                     }
                     if (context.node.op == Op::kMean) y[row] *= 1.0f / static_cast<float>(length);
                   }
                 });
}

// Any axes, any number: the output is broadcast over the input and takes up every element.
template <typename T>
void ReduceAny(const OpContext& context) {
  const Tensor& in = context.in(0);
  const Tensor& out = context.out();
  const bool is_max = context.node.op == Op::kReduceMax;
  T* y = out.mutable_as<T>();
  std::fill_n(y, out.count(), is_max ? std::numeric_limits<T>::lowest() : T{0});
  if (in.count() == 0) return;
  const StridedLoop<2> loop(in.shape, {in.shape.Strides(), BroadcastStrides(out.shape, in.shape)});
  const T* x = in.as<T>();
  loop.ForRows(0, loop.rows(), [&](const auto& at) {
    for (int64_t i = 0; i < loop.row_length(); ++i) {
      T& total = y[at[1] + i * loop.row_stride(1)];
      const T element = x[at[0] + i * loop.row_stride(0)];
      total = is_max ? scalar::Maximum(total, element) : scalar::Add(total, element);
    }
  });
  if (context.node.op != Op::kMean) return;
  const int64_t averaged = in.count() / std::max<int64_t>(out.count(), 1);
  const T count = static_cast<T>(averaged);
  for (int64_t i = 0; i < out.count(); ++i) y[i] /= count;
}

template <typename T>
void Cumsum(const OpContext& context) {
  const auto& [axis, exclusive, reverse] = context.As<CumsumAttributes>();
  const Shape& shape = context.out().shape;
  const int64_t inner = shape.Product(axis + 1, shape.rank());
  const int64_t extent = shape[axis];
  const T* x = context.in(0).as<T>();
  T* y = context.out().mutable_as<T>();
  const int64_t lines = extent == 0 ? 0 : shape.count() / extent;
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t start = line / inner * extent * inner + line % inner;
    T total = 0;
    for (int64_t i = 0; i < extent; ++i) {
      const int64_t at = start + (reverse ? extent - 1 - i : i) * inner;
      const T next = scalar::Add(total, x[at]);
      y[at] = exclusive ? total : next;
      total = next;
    }
  }
}

// No number counts as the lowest, so that there is an order.
template <typename T>
bool IsHigher(T a, T b) {
  if constexpr (std::floating_point<T>) {
    if (std::isnan(b)) return !std::isnan(a);
  }
  return a > b;
}

// Of equal elements, those that come first.
template <typename T>
void TopK(const OpContext& context) {
  const int64_t length = context.in(0).shape.back();
  const int64_t count = context.out().shape.back();
  if (count == 0) return;
  const T* x = context.in(0).as<T>();
  int32_t* y = context.out().mutable_as<int32_t>();
  ParallelRanges(context.workers.pool, context.out().count() / count, 4 * length,
                 [&](int64_t first, int64_t last) {
                   std::vector<int32_t> order(static_cast<size_t>(length));
                   for (int64_t row = first; row < last; ++row) {
                     const T* values = x + row * length;
                     std::iota(order.begin(), order.end(), 0);
                     std::partial_sort(order.begin(), order.begin() + count, order.end(),
                                       [values](int32_t a, int32_t b) {
                                         if (IsHigher(values[a], values[b])) return true;
                                         return !IsHigher(values[b], values[a]) && a < b;
                                       });
                     std::copy_n(order.begin(), count, y + row * count);
                   }
                 });
}

// Calls `f(first, last)` for ranges of the rows along the last axis.
template <typename F>
void ForLastAxis(const OpContext& context, F f) {
  const int64_t length = context.out().shape.back();
  if (length == 0) return;
  ParallelRanges(context.workers.pool, context.out().count() / length, 8 * length, f);
}

}  // namespace

void RunReduction(const OpContext& context) {
  switch (context.in(0).dtype()) {
    case DType::kI32:
      return ReduceAny<int32_t>(context);
    case DType::kI64:
      return ReduceAny<int64_t>(context);
    default:
      return IsLastAxisOnly(context) ? ReduceRows(context) : ReduceAny<float>(context);
  }
}

void RunCumsum(const OpContext& context) {
  switch (context.in(0).dtype()) {
    case DType::kI32:
      return Cumsum<int32_t>(context);
    case DType::kI64:
      return Cumsum<int64_t>(context);
    default:
      return Cumsum<float>(context);
  }
}

void RunTopK(const OpContext& context) {
  switch (context.in(0).dtype()) {
    case DType::kI32:
      return TopK<int32_t>(context);
    case DType::kI64:
      return TopK<int64_t>(context);
    default:
      return TopK<float>(context);
  }
}

void RunSoftmax(const OpContext& context) {
  const int64_t length = context.out().shape.back();
  const float beta = context.As<SoftmaxAttributes>().beta;
  const float* x = context.in(0).as<float>();
  float* y = context.out().mutable_as<float>();
  ForLastAxis(context, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      scalar::Softmax(x + row * length, y + row * length, static_cast<size_t>(length), beta);
    }
  });
}

}  // namespace litertlm
