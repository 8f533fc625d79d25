// Chains of rows: several operators, and the coding for products, in one loop.
#include "runtime/row_chain.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/kernel_table.h"
#include "runtime/program.h"

namespace litertlm {
namespace {

constexpr int64_t kColumns = 48;
constexpr int64_t kOutputs = 20;

/// norm(a + b), multiplied with a matrix of int8; the sum is an output as well, as residual streams
/// are read later.
class ChainTest : public ::testing::Test {
 protected:
  ChainTest() {
    std::mt19937 random(11);
    for (float& gain : gains_) gain = std::uniform_real_distribution<float>(0.5f, 2)(random);
    for (int8_t& code : codes_) code = static_cast<int8_t>(random() % 255 - 127);
    graph_.name = "test";
    const ValueId a = Rows(kColumns);
    const ValueId b = Rows(kColumns);
    sum_ = Rows(kColumns);
    norm_ = Rows(kColumns);
    product_ = Rows(kOutputs);
    const ValueId gains = Constant(DType::kF32, {kColumns}, gains_.data(), sizeof gains_);
    const ValueId matrix = Constant(DType::kI8, {kOutputs, kColumns}, codes_.data(), sizeof codes_);
    graph_.values[static_cast<size_t>(matrix)].quantization.scales = scale_;
    graph_.nodes = {{Op::kAdd, {a, b}, {sum_}, {}},
                    {Op::kRmsNorm, {sum_, gains}, {norm_}, RmsNormAttributes{1e-6f}},
                    {Op::kFullyConnected, {norm_, matrix}, {product_}, FullyConnectedAttributes{}}};
    graph_.inputs = {{"a", a}, {"b", b}};
    graph_.outputs = {{"sum", sum_}, {"product", product_}};
  }

  ValueId Rows(int64_t columns) {
    Value value;
    value.shape = {Dim::Rows(), columns};
    return graph_.AddValue(value);
  }
  ValueId Constant(DType dtype, SymbolicShape shape, const void* data, size_t bytes) {
    Value value;
    value.dtype = dtype;
    value.shape = std::move(shape);
    value.is_constant = true;
    value.data = {static_cast<const std::byte*>(data), bytes};
    return graph_.AddValue(value);
  }

  /// Runs the graph: its outputs, one after the other.
  static std::vector<std::vector<float>> Run(const Graph& graph, int64_t rows, int threads,
                                             OpTimes* times = nullptr) {
    std::mt19937 random(7);
    std::vector<std::vector<float>> inputs;
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      std::vector<float>& input = inputs.emplace_back(static_cast<size_t>(rows * kColumns));
      for (float& x : input) x = std::normal_distribution<float>(0, 3)(random);
    }
    std::vector<std::vector<float>> outputs;
    for (const Binding& output : graph.outputs) {
      const Shape shape = Concrete(graph.value(output.value).shape, rows);
      outputs.emplace_back(static_cast<size_t>(shape.count()));
    }
    std::vector<std::byte*> in;
    std::vector<std::byte*> out;
    for (auto& input : inputs) in.push_back(reinterpret_cast<std::byte*>(input.data()));
    for (auto& output : outputs) out.push_back(reinterpret_cast<std::byte*>(output.data()));
    Workers workers(threads);
    workers.op_times = times;
    Arena arena;
    Program(graph, {}).Run(rows, in, out, arena, workers);
    return outputs;
  }

  std::array<float, kColumns> gains_{};
  std::array<int8_t, kOutputs * kColumns> codes_{};
  std::array<float, 1> scale_{0.01f};
  Graph graph_;
  ValueId sum_ = kNoValue;
  ValueId norm_ = kNoValue;
  ValueId product_ = kNoValue;
};

TEST_F(ChainTest, IsWhatItsOperatorsAreOneByOne) {
  for (const int64_t rows : {1, 2, 85, 86, 700}) {
    for (const int threads : {1, 3}) {
      const auto results = Run(graph_, rows, threads);
      // Where the rows in between are an output too, they are stored.
      Graph stored = graph_;
      stored.outputs.push_back({"norm", norm_});
      const auto with_norm = Run(stored, rows, threads);
      EXPECT_EQ(results[0], with_norm[0]);
      EXPECT_EQ(results[1], with_norm[1]);
      // And each row is what the kernels make of it, called by hand.
      const KernelTable& kernels = ActiveKernels();
      std::vector<float> norm(static_cast<size_t>(rows * kColumns));
      for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
        kernels.rms_norm(results[0].data() + row * kColumns, gains_.data(),
                         norm.data() + row * kColumns, kColumns, 1e-6f);
      }
      EXPECT_EQ(with_norm[2], norm);
      ThreadPool pool(1);
      QuantizedRows coded;
      coded.Quantize(norm.data(), static_cast<size_t>(rows), kColumns, kColumns, pool);
      std::vector<float> product(static_cast<size_t>(rows * kOutputs));
      const WeightMatrix matrix{.dtype = DType::kI8,
                                .data = codes_.data(),
                                .rows = kOutputs,
                                .columns = kColumns,
                                .scales = scale_.data(),
                                .scale_count = 1};
      MatMulDynamic(coded, {.weights = matrix, .y = product.data(), .y_stride = kOutputs}, pool);
      EXPECT_EQ(results[1], product);
    }
  }
}

TEST_F(ChainTest, RowsThatOnlyProductsReadHaveNoMemory) {
  Program program(graph_, {});
  const ValueId mean = Rows(1);
  Graph stored = graph_;
  stored.nodes.push_back({Op::kMean, {norm_}, {mean}, AxesAttributes{{1}}});
  stored.outputs.push_back({"mean", mean});
  Program with_reader(stored, {});
  // Sums and products are outputs, the norm alone is not.
  EXPECT_EQ(program.WorkingBytes(4), 0u);
  EXPECT_EQ(with_reader.WorkingBytes(4), 4u * kColumns * sizeof(float));
}

TEST_F(ChainTest, NumbersWithoutDimensionsAreRowsToo) {
  Graph gates;
  gates.name = "test";
  for (int i = 0; i < 3; ++i) gates.AddValue({});
  gates.nodes = {{Op::kSiluMul, {0, 1}, {2}, {}}};
  gates.inputs = {{"gate", 0}, {"up", 1}};
  gates.outputs = {{"y", 2}};
  EXPECT_EQ(RowChainLength(gates, 0), 0u);
  float gate = 0;
  float up = 3;
  float y = 1;
  std::byte* inputs[] = {reinterpret_cast<std::byte*>(&gate), reinterpret_cast<std::byte*>(&up)};
  std::byte* outputs[] = {reinterpret_cast<std::byte*>(&y)};
  Workers workers(1);
  Arena arena;
  Program(gates, {}).Run(1, inputs, outputs, arena, workers);
  EXPECT_EQ(y, 0.0f);
}

TEST_F(ChainTest, LengthsEndWhereShapesOrOperatorsChange) {
  EXPECT_EQ(RowChainLength(graph_, 0), 2u);
  EXPECT_EQ(RowChainLength(graph_, 1), 1u);
  EXPECT_EQ(RowChainLength(graph_, 2), 0u) << "a product needs whole matrices";
  Graph broadcast = graph_;
  broadcast.values[static_cast<size_t>(broadcast.nodes[0].inputs[1])].shape = {1, kColumns};
  EXPECT_EQ(RowChainLength(broadcast, 0), 0u) << "one row for all is no row of each";
}

TEST_F(ChainTest, TimesAreSharedAmongItsOperators) {
  OpTimes times;
  Run(graph_, 300, 2, &times);
  for (const Op op : {Op::kAdd, Op::kRmsNorm, Op::kFullyConnected}) {
    EXPECT_GT(times.of(op).count(), 0) << OpName(op);
  }
}

}  // namespace
}  // namespace litertlm
