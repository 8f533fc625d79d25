// Products of matrices, and rows of tables.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/scalar/rows.h"
#include "kernels/scalar/strided_loop.h"
#include "litertlm/error.h"
#include "runtime/coded_matrix.h"
#include "runtime/output_head.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

/// Matrices of one batch: y[m, n] = x[m, k] * (transposed_y ? w[n, k] : w[k, n]).
struct BatchShape {
  int64_t m, n, k;
  bool transposed_x, transposed_y;
};

// y one row at a time, each a sum of scaled rows of w.
void MultiplyByRows(const BatchShape& shape, const float* x, const float* w, float* y,
                    ThreadPool& pool) {
  const int64_t row_step = shape.transposed_x ? 1 : shape.k;
  const int64_t column_step = shape.transposed_x ? shape.m : 1;
  ParallelRanges(pool, shape.m, shape.n * shape.k, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      float* out = y + row * shape.n;
      std::fill_n(out, shape.n, 0.0f);
      for (int64_t i = 0; i < shape.k; ++i) {
        const float factor = x[row * row_step + i * column_step];
        if (!shape.transposed_y) {
          scalar::AddScaled(factor, w + i * shape.n, out, static_cast<size_t>(shape.n));
        } else {
          for (int64_t j = 0; j < shape.n; ++j) out[j] += factor * w[j * shape.k + i];
        }
      }
    }
  });
}

void MultiplyBatch(const BatchShape& shape, const float* x, const float* w, float* y,
                   ThreadPool& pool) {
  if (shape.transposed_x || !shape.transposed_y) {
    MultiplyByRows(shape, x, w, y, pool);
    return;
  }
  Product product;
  product.weights.data = w;
  product.weights.rows = static_cast<size_t>(shape.n);
  product.weights.columns = static_cast<size_t>(shape.k);
  product.y = y;
  product.y_stride = static_cast<size_t>(shape.n);
  MatMulFloat(x, static_cast<size_t>(shape.m), static_cast<size_t>(shape.k), product, pool);
}

bool IsDynamic(const Node& product, DType weights) {
  return Info(weights).bits <= 8 && product.As<FullyConnectedAttributes>().dynamic;
}

/// The products of nodes that have outputs.
class ProductList {
 public:
  explicit ProductList(std::span<const OpContext> contexts) {
    for (const OpContext& context : contexts) {
      if (context.out().count() == 0) continue;
      Product& product = list_[count_++];
      product.weights = MatrixOf(context.in(1));
      product.bias = context.has(2) ? context.in(2).as<float>() : nullptr;
      product.y = context.out().mutable_as<float>();
      product.y_stride = product.weights.rows;
    }
  }
  std::span<const Product> products() const { return {list_.data(), count_}; }

 private:
  std::array<Product, kMaxProducts> list_;
  size_t count_ = 0;
};

/// Where the activations of the next products will be coded.
std::span<std::byte> RoomFor(const ProductList& next, size_t rows, Workers& workers) {
  if (next.products().empty()) return {};
  workers.coded_next.Resize(rows, next.products().front().weights.columns);
  return workers.coded_next.memory();
}

Shape WithoutMatrix(const Shape& shape) {
  Shape batch;
  for (int axis = 0; axis + 2 < shape.rank(); ++axis) batch.push_back(shape[axis]);
  return batch;
}

}  // namespace

void RunBatchMatMul(const OpContext& context) {
  const Tensor& x = context.in(0);
  const Tensor& w = context.in(1);
  const Tensor& out = context.out();
  const auto& [adj_x, adj_y] = context.As<BatchMatMulAttributes>();
  const int rank = out.shape.rank();
  const int x_rank = x.shape.rank();
  const BatchShape shape{out.shape[rank - 2], out.shape[rank - 1],
                         x.shape[adj_x ? x_rank - 2 : x_rank - 1], adj_x, adj_y};
  if (out.count() == 0) return;
  const Shape batch = WithoutMatrix(out.shape);
  const StridedLoop<2> loop(batch, {BroadcastStrides(WithoutMatrix(x.shape), batch),
                                    BroadcastStrides(WithoutMatrix(w.shape), batch)});
  float* y = out.mutable_as<float>();
  loop.ForRows(0, loop.rows(), [&](const auto& at) {
    for (int64_t i = 0; i < loop.row_length(); ++i, y += shape.m * shape.n) {
      MultiplyBatch(shape, x.as<float>() + (at[0] + i * loop.row_stride(0)) * shape.m * shape.k,
                    w.as<float>() + (at[1] + i * loop.row_stride(1)) * shape.n * shape.k, y,
                    context.workers.pool);
    }
  });
}

bool QuantizesInput(const Graph& graph, const Node& product) {
  return IsDynamic(product, graph.value(product.inputs[1]).dtype);
}

bool AreProductsOfOneInput(const Graph& graph, const Node& a, const Node& b) {
  return a.op == Op::kFullyConnected && b.op == Op::kFullyConnected && a.inputs[0] == b.inputs[0] &&
         QuantizesInput(graph, a) == QuantizesInput(graph, b) &&
         graph.value(a.inputs[1]).shape[1] == graph.value(b.inputs[1]).shape[1];
}

void RunProducts(std::span<const OpContext> contexts, bool coded,
                 std::span<const OpContext> upcoming) {
  const ProductList list(contexts);
  const std::span<const Product> products = list.products();
  if (products.empty()) return;
  const Tensor& x = contexts.front().in(0);
  const size_t columns = products.front().weights.columns;
  const size_t rows = static_cast<size_t>(x.count()) / columns;
  Workers& workers = contexts.front().workers;
  const ProductList next(upcoming);
  ReadWeightsWhileWaiting(rows, next.products(), workers.pool);
  if (IsDynamic(contexts.front().node, products.front().weights.dtype)) {
    if (!coded) {
      workers.NextCodes().Quantize(x.as<float>(), rows, columns, columns, workers.pool);
    }
    const bool head = workers.output_head != nullptr && products.size() == 1 &&
                      contexts.front().As<FullyConnectedAttributes>().output_head;
    if (head) {
      workers.output_head->Compute(workers.coded, products.front(), workers.pool);
    } else {
      MatMulDynamic(workers.coded, products, workers.pool, RoomFor(next, rows, workers));
    }
  } else {
    MatMulFloat(x.as<float>(), rows, columns, products, workers.pool);
  }
}

void RunFullyConnected(const OpContext& context) { RunProducts({&context, 1}, false, {}); }

void RunEmbeddingLookup(const OpContext& context) {
  const Tensor& ids = context.in(0);
  const WeightMatrix table = MatrixOf(context.in(1));
  const auto columns = static_cast<int64_t>(table.columns);
  float* y = context.out().mutable_as<float>();
  for (int64_t i = 0; i < ids.count(); ++i) {
    const int32_t id = ids.as<int32_t>()[i];
    if (id < 0 || static_cast<size_t>(id) >= table.rows) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("token {} is not one of the {} that the model has.", id, table.rows));
    }
    WidenRow(table, id, y + i * columns);
  }
}

void RunDequantize(const OpContext& context) {
  const WeightMatrix matrix = MatrixOf(context.in(0));
  const auto columns = static_cast<int64_t>(matrix.columns);
  float* y = context.out().mutable_as<float>();
  ParallelRanges(context.workers.pool, static_cast<int64_t>(matrix.rows), columns,
                 [&](int64_t first, int64_t last) {
                   for (int64_t row = first; row < last; ++row) {
                     WidenRow(matrix, row, y + row * columns);
                   }
                 });
}

}  // namespace litertlm
