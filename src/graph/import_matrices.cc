// Products of matrices, and tables.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "graph/importer.h"

namespace litertlm {
namespace {

// Far more than exporters write; each becomes nodes of its own.
constexpr int64_t kMaxCodedProducts = 1024;

Shape BatchOf(const Shape& matrices) {
  Shape batch;
  for (int axis = 0; axis + 2 < matrices.rank(); ++axis) batch.push_back(matrices[axis]);
  return batch;
}

Shape Broadcast(OperatorImporter& op, const Shape& a, const Shape& b) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  for (int axis = 0; axis < shorter.rank(); ++axis) {
    int64_t& extent = result[longer.rank() - shorter.rank() + axis];
    op.Check(extent == shorter[axis] || extent == 1 || shorter[axis] == 1,
             "its batches cannot be broadcast");
    if (extent == 1) extent = shorter[axis];
  }
  return result;
}

// Which element of `from` stands at element `index` of `to`, to which it is broadcast.
int64_t BroadcastIndex(int64_t index, const Shape& from, const Shape& to) {
  const Shape strides = from.Strides();
  int64_t result = 0;
  for (int axis = to.rank() - 1; axis >= 0; --axis) {
    const int own = axis - (to.rank() - from.rank());
    if (own >= 0 && from[own] != 1) result += index % to[axis] * strides[own];
    index /= to[axis];
  }
  return result;
}

ValueId EmitTransposed(OperatorImporter& op, ValueId matrices) {
  Shape permutation;
  const auto rank = static_cast<int>(op.ValueOf(matrices).shape.size());
  for (int axis = 0; axis < rank; ++axis) permutation.push_back(axis);
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return op.Emit(Op::kTranspose, {matrices}, PermutationAttributes{permutation});
}

/// The coded constant of a BATCH_MATMUL: matrices [columns, rows], or [rows, columns] if `adj_y`.
struct CodedMatrices {
  Value value;
  bool adj_y;
  int64_t rows;  ///< Of the product's weights: one for each output.
  int64_t columns;

  /// Matrix `index` as the weights [rows, columns] of a FULLY_CONNECTED.
  ValueId Emit(OperatorImporter& op, int64_t index) const {
    const auto size = static_cast<size_t>(rows * columns);
    Value matrix = value;
    matrix.shape = {rows, columns};
    matrix.quantization.dimension = 0;
    matrix.data = value.data.subspan(static_cast<size_t>(index) * size, size);
    if (!adj_y) {
      std::vector<std::byte> turned = op.AllocateTransposed(size);
      for (size_t i = 0; i < size; ++i) {
        const size_t row = i / static_cast<size_t>(columns);
        const size_t column = i % static_cast<size_t>(columns);
        turned[i] = matrix.data[column * static_cast<size_t>(rows) + row];
      }
      matrix.storage = std::make_shared<const std::vector<std::byte>>(std::move(turned));
      matrix.data = *matrix.storage;
    }
    return op.AddConstant(std::move(matrix));
  }
};

CodedMatrices ReadCodedMatrices(OperatorImporter& op, bool adj_y) {
  const Shape shape = op.shape(1);
  const int outputs = shape.rank() - (adj_y ? 2 : 1);
  CodedMatrices matrices{op.value(1), adj_y, shape[outputs], shape[shape.rank() - (adj_y ? 1 : 2)]};
  const Quantization& quantization = matrices.value.quantization;
  op.Check(!quantization.scales.empty(), "its weights have no scales");
  if (quantization.scales.size() > 1 && quantization.dimension != outputs) {
    op.Fail(ErrorCode::kUnsupported, "its weights are scaled along another axis than its outputs");
  }
  return matrices;
}

// Weights that are coded multiply rows as in FULLY_CONNECTED, one matrix after the other.
void MultiplyCoded(OperatorImporter& op, bool adj_x, bool adj_y) {
  op.Check(op.rank(0) >= 2 && op.rank(1) >= 2, "its inputs are not matrices");
  const ValueId x = adj_x ? EmitTransposed(op, op.in(0)) : op.in(0);
  const Shape from = Concrete(op.ValueOf(x).shape, 1);
  const int64_t height = from[from.rank() - 2];
  const CodedMatrices weights = ReadCodedMatrices(op, adj_y);
  op.Check(weights.columns == from.back() && weights.columns > 0,
           "its inputs differ along the summed axis");
  const Shape x_batch = BatchOf(from);
  const Shape w_batch = BatchOf(op.shape(1));
  const Shape batch = Broadcast(op, x_batch, w_batch);
  Shape target = batch;
  op.Check(batch.rank() + 2 <= kMaxRank, "its rank is too high");
  target.push_back(height);
  target.push_back(weights.rows);

  if (w_batch.count() == 1) {
    const ValueId product =
        op.Emit(Op::kFullyConnected, {x, weights.Emit(op, 0)}, FullyConnectedAttributes{});
    op.Bind(0, op.EmitReshape(product, target));
    return;
  }
  if (batch.count() > kMaxCodedProducts) {
    op.Fail(ErrorCode::kUnsupported, fmt::format("it has {} coded matrices", batch.count()));
  }
  const ValueId flat = op.EmitReshape(x, {x_batch.count(), height, weights.columns});
  std::vector<ValueId> products;
  for (int64_t i = 0; i < batch.count(); ++i) {
    const ValueId part = EmitPart(op, flat, 0, BroadcastIndex(i, x_batch, batch), 1);
    const ValueId matrix = weights.Emit(op, BroadcastIndex(i, w_batch, batch));
    products.push_back(op.Emit(Op::kFullyConnected, {part, matrix}, FullyConnectedAttributes{}));
  }
  op.Check(!products.empty(), "its weights are empty");
  const ValueId all = op.Emit(Op::kConcatenation, products, ConcatenationAttributes{0});
  op.Bind(0, op.EmitReshape(all, target));
}

}  // namespace

void ImportBatchMatMul(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_BatchMatMulOptions();
  const BatchMatMulAttributes attributes{options != nullptr && options->adj_x(),
                                         options != nullptr && options->adj_y()};
  if (op.value(1).is_constant && op.value(1).dtype == DType::kI8) {
    return MultiplyCoded(op, attributes.adj_x, attributes.adj_y);
  }
  op.Bind(0, op.Emit(Op::kBatchMatMul, op.all_inputs(), attributes));
}

// Tables of a higher rank hold numbers only, and are gathered from.
void ImportEmbeddingLookup(OperatorImporter& op) {
  if (op.rank(1) > 2) {
    op.Check(op.rank(0) == 1, "its indices are not a vector");
    op.Bind(0, op.Emit(Op::kGather, {op.in(1), op.in(0)}, GatherAttributes{}));
  } else {
    op.Bind(0, op.Emit(Op::kEmbeddingLookup, op.all_inputs()));
  }
}

void ImportFullyConnected(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_FullyConnectedOptions();
  if (options != nullptr && options->weights_format() != 0) {
    op.Fail(ErrorCode::kUnsupported, "its weights are in a shuffled format");
  }
  FullyConnectedAttributes attributes;
  attributes.keep_num_dims = options != nullptr && options->keep_num_dims();
  const ValueId result = op.Emit(Op::kFullyConnected, op.all_inputs(), attributes);
  op.Bind(0, op.EmitActivation(result, ActivationOf(options)));
}

}  // namespace litertlm
