#include "runtime/row_chain.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>

#include "kernels/kernel_table.h"

namespace litertlm {
namespace {

using Clock = std::chrono::steady_clock;

/// Rows of one index of a parallel loop have about so many numbers.
constexpr size_t kNumbersOfIndex = 4096;

/// Numbers of a row; one without dimensions is a row of its own.
size_t Columns(const Tensor& tensor) {
  return tensor.shape.rank() == 0 ? 1 : static_cast<size_t>(tensor.shape.back());
}

/// y = one row of the output of a node.
void RunRow(const OpContext& context, size_t row, float* y) {
  const KernelTable& kernels = ActiveKernels();
  const size_t columns = Columns(context.out());
  const float* x = context.in(0).as<float>() + row * columns;
  const float* other = context.in(1).as<float>();  // Rows as well, or the gains of a norm.
  switch (context.node.op) {
    case Op::kAdd:
      return kernels.add(x, other + row * columns, y, columns);
    case Op::kSiluMul:
      return kernels.silu_mul(x, other + row * columns, y, columns);
    case Op::kGeluTanhMul:
      return kernels.gelu_tanh_mul(x, other + row * columns, y, columns);
    default:
      return kernels.rms_norm(x, other, y, columns, context.As<RmsNormAttributes>().epsilon);
  }
}

bool WorksByRows(const Graph& graph, const Node& node) {
  const Value& out = graph.value(node.outputs[0]);
  if (out.dtype != DType::kF32 || out.shape.empty() || out.shape.back().is_rows()) return false;
  switch (node.op) {
    case Op::kAdd:
      return graph.value(node.inputs[0]).shape == out.shape &&
             graph.value(node.inputs[1]).shape == out.shape;
    case Op::kRmsNorm:
    case Op::kSiluMul:
    case Op::kGeluTanhMul:
      return true;
    default:
      return false;
  }
}

/// What a chain's nodes, and the coding after them, took on the calling thread.
class StageTimes {
 public:
  void Begin() { last_ = Clock::now(); }
  void End(size_t stage) {
    const Clock::time_point now = Clock::now();
    spent_[stage] += now - last_;
    last_ = now;
  }

  /// Shares `time`, that of the whole loop, among the operators; coding belongs to the products.
  void AddTo(OpTimes& times, std::span<const OpContext> chain, Clock::duration time) const {
    const Clock::duration all = std::accumulate(spent_.begin(), spent_.end(), Clock::duration{});
    if (all.count() == 0) return;
    const double factor = static_cast<double>(time.count()) / static_cast<double>(all.count());
    for (size_t i = 0; i <= chain.size(); ++i) {
      const double share = static_cast<double>(spent_[i].count()) * factor;
      times.Add(i < chain.size() ? chain[i].node.op : Op::kFullyConnected,
                Clock::duration(static_cast<Clock::rep>(share)));
    }
  }

 private:
  Clock::time_point last_;
  std::array<Clock::duration, kMaxRowChain + 1> spent_{};
};

}  // namespace

size_t RowChainLength(const Graph& graph, size_t first) {
  size_t length = 0;
  while (length < kMaxRowChain && first + length < graph.nodes.size()) {
    const Node& node = graph.nodes[first + length];
    const auto& shape = graph.value(node.outputs[0]).shape;
    const bool fits =
        WorksByRows(graph, node) && shape == graph.value(graph.nodes[first].outputs[0]).shape;
    if (!fits) break;
    ++length;
  }
  return length;
}

void RunRowChain(std::span<const OpContext> chain, bool code) {
  const Tensor& last = chain.back().out();
  Workers& workers = chain.back().workers;
  const size_t columns = Columns(last);
  const size_t rows = columns == 0 ? 0 : static_cast<size_t>(last.count()) / columns;
  if (code) workers.NextCodes().Resize(rows, columns);
  StageTimes times;
  const auto run_row = [&](size_t row, int worker) {
    // The caller's thread stands for all.
    const bool timed = workers.op_times != nullptr && worker == 0;
    if (timed) times.Begin();
    const float* coded = nullptr;
    for (size_t i = 0; i < chain.size(); ++i) {
      const Tensor& out = chain[i].out();
      float* y =
          out.data == nullptr
              ? reinterpret_cast<float*>(workers.pool.Scratch(worker, columns * sizeof(float)))
              : out.mutable_as<float>() + row * columns;
      RunRow(chain[i], row, y);
      coded = y;
      if (timed) times.End(i);
    }
    if (code) workers.coded.Code(row, coded);
    if (timed) times.End(chain.size());
  };
  const size_t step = std::max<size_t>(1, kNumbersOfIndex / std::max<size_t>(1, columns));
  const Clock::time_point begin = Clock::now();
  workers.pool.ParallelFor((rows + step - 1) / step, [&](size_t index, int worker) {
    const size_t end = std::min(rows, (index + 1) * step);
    for (size_t row = index * step; row < end; ++row) run_row(row, worker);
  });
  if (workers.op_times != nullptr) times.AddTo(*workers.op_times, chain, Clock::now() - begin);
}

}  // namespace litertlm
