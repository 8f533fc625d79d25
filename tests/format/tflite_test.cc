#include "format/tflite.h"

#include <gtest/gtest.h>

#include <cstring>

#include "format/tflite_builder.h"
#include "litertlm/error.h"
#include "tests/format/memory_sink.h"

namespace litertlm {
namespace {

// y = x · wᵀ with a streamed int8 weight, in two subgraphs that share it.
std::string SampleModel() {
  TfliteBuilder builder;
  builder.SetDescription("sample");
  const BufferId weight = builder.AddStreamedBuffer(
      6, [](ByteSink& sink) { sink.Write(AsBytes(std::string_view("\1\2\3\4\5\6", 6))); });
  const float extra[2] = {1, 2};
  const BufferId small = builder.AddBuffer(std::as_bytes(std::span(extra)));
  EXPECT_EQ(builder.AddBuffer(std::as_bytes(std::span(extra))), small);
  for (const std::string key : {"prefill_2", "decode"}) {
    SubgraphBuilder& graph = builder.AddSubgraph(key);
    const TensorId x = graph.AddTensor("x", DType::kF32, {2, 3});
    const TensorId w = graph.AddConstant("w", DType::kI8, {2, 3}, weight, {.scales = {0.5f, 2.f}});
    const TensorId bias = graph.AddConstant("bias", DType::kF32, {2}, small);
    const TensorId y = graph.AddTensor("y", DType::kF32, {2, 2});
    OperatorSpec op{.code = tflite::BuiltinOperator::FULLY_CONNECTED, .version = 12};
    op.inputs = {x, w, bias};
    op.outputs = {y};
    tflite::FullyConnectedOptionsT options;
    options.keep_num_dims = true;
    op.options.Set(std::move(options));
    graph.AddOperator(std::move(op));
    graph.SetInputs({x});
    graph.SetOutputs({y});
    builder.AddSignature(key, graph, {{"x", x}}, {{"y", y}});
  }
  builder.AddMetadata("min_runtime_version", "2.0");
  const uint64_t size = builder.Finish();
  MemorySink sink;
  builder.Write(sink);
  EXPECT_EQ(sink.data.size(), size);
  return sink.data;
}

// FlatBuffers need their bytes aligned.
struct Aligned {
  explicit Aligned(std::string_view data) : words((data.size() + 15) / 8), size(data.size()) {
    std::memcpy(words.data(), data.data(), data.size());
  }
  Bytes bytes() const { return std::as_bytes(std::span(words)).first(size); }
  std::vector<uint64_t> words;
  size_t size;
};

TEST(Tflite, ReadsWhatTheBuilderWrote) {
  const Aligned data(SampleModel());
  const TfliteModel model = TfliteModel::Parse(data.bytes(), {}, "sample");
  ASSERT_EQ(model.model().subgraphs()->size(), 2u);
  EXPECT_EQ(model.model().operator_codes()->size(), 1u);
  EXPECT_EQ(BuiltinCode(*model.model().operator_codes()->Get(0)), 9);
  for (const tflite::SubGraph* graph : *model.model().subgraphs()) {
    const tflite::Tensor& w = *graph->tensors()->Get(1);
    EXPECT_EQ(AsText(model.Data(w)), "\1\2\3\4\5\6");
    EXPECT_EQ((model.Data(w).data() - data.bytes().data()) % 64, 0);
    EXPECT_EQ(w.quantization()->scale()->Get(1), 2.f);
    EXPECT_EQ(w.quantization()->zero_point()->size(), 2u);
    EXPECT_TRUE(model.Data(*graph->tensors()->Get(0)).empty());
  }
}

TEST(Tflite, TruncationIsAnErrorAtEveryLength) {
  const std::string data = SampleModel();
  for (size_t size = 0; size < data.size(); ++size) {
    const Aligned cut(std::string_view(data).substr(0, size));
    EXPECT_THROW(TfliteModel::Parse(cut.bytes(), {}, "cut"), Error) << size;
  }
}

TEST(Tflite, DamagedModelsNeverCrash) {
  const std::string good = SampleModel();
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int bit : {0, 4, 7}) {
      std::string data = good;
      data[at] = static_cast<char>(data[at] ^ (1 << bit));
      const Aligned aligned(data);
      try {
        const TfliteModel model = TfliteModel::Parse(aligned.bytes(), {}, "damaged");
        for (const tflite::SubGraph* graph : *model.model().subgraphs()) {
          if (graph->tensors() == nullptr) continue;
          for (const tflite::Tensor* tensor : *graph->tensors()) model.Data(*tensor);
        }
      } catch (const Error& e) {
        EXPECT_NE(e.message().find("damaged"), std::string::npos);
      }
    }
  }
}

// The sizes of a model beyond 4 GiB, without its bytes.
TEST(Tflite, OffsetsPassFourGigabytes) {
  constexpr uint64_t kSize = uint64_t{3} << 30;
  TfliteBuilder builder;
  SubgraphBuilder& graph = builder.AddSubgraph("decode");
  for (int i = 0; i < 2; ++i) {
    const BufferId id = builder.AddStreamedBuffer(kSize, [](ByteSink&) {});
    graph.AddConstant("w", DType::kI8, {3 << 10, 1 << 20}, id);
  }
  graph.SetInputs({});
  graph.SetOutputs({});
  const uint64_t size = builder.Finish();
  EXPECT_GE(size, 2 * kSize);
  MemorySink sink;
  EXPECT_THROW(builder.Write(sink), Error);  // The first producer breaks its promise.
  const auto* buffers = tflite::GetModel(sink.data.data())->buffers();
  EXPECT_GE(buffers->Get(2)->offset(), kSize);
  EXPECT_EQ(buffers->Get(2)->offset() + buffers->Get(2)->size(), size);
}

}  // namespace
}  // namespace litertlm
