#include "format/tflite.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <tuple>

#include "format/tflite_builder.h"
#include "litertlm/error.h"
#include "tests/format/memory_sink.h"
#include "tests/scratch_path.h"
#include "tests/test_name.h"

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
    builder.AddSignature(key, graph, {{"x", x}}, {{"y", y}});
  }
  builder.AddMetadata("min_runtime_version", "2.0");
  const uint64_t size = builder.Finish();
  MemorySink sink;
  builder.Write(sink);
  EXPECT_EQ(sink.data.size(), size);
  return sink.data;
}

// Like a mapped section, at the beginning of a page.
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

TEST(Tflite, EqualInputGivesEqualBytes) { EXPECT_EQ(SampleModel(), SampleModel()); }

TEST(Tflite, SubgraphsShareScales) {
  const Aligned data(SampleModel());
  const TfliteModel model = TfliteModel::Parse(data.bytes(), {}, "sample");
  const auto* graphs = model.model().subgraphs();
  EXPECT_EQ(graphs->Get(0)->tensors()->Get(1)->quantization(),
            graphs->Get(1)->tensors()->Get(1)->quantization());
}

TEST(Tflite, EqualCodesMayHaveOtherScales) {
  TfliteBuilder builder;
  const BufferId codes = builder.AddBuffer(AsBytes("ab"));
  SubgraphBuilder& graph = builder.AddSubgraph("main");
  graph.AddConstant("a", DType::kI8, {2, 1}, codes, {.scales = {1.f, 2.f}});
  graph.AddConstant("b", DType::kI8, {2, 1}, codes, {.scales = {1.f, 3.f}});
  graph.AddConstant("c", DType::kI8, {1, 2}, codes, {.scales = {1.f, 2.f}, .dimension = 1});
  builder.Finish();
  MemorySink sink;
  builder.Write(sink);
  const Aligned data(sink.data);
  const TfliteModel model = TfliteModel::Parse(data.bytes(), {}, "scales");
  const auto& tensors = *model.model().subgraphs()->Get(0)->tensors();
  EXPECT_EQ(tensors.Get(0)->quantization()->scale()->Get(1), 2.f);
  EXPECT_EQ(tensors.Get(1)->quantization()->scale()->Get(1), 3.f);
  EXPECT_EQ(tensors.Get(2)->quantization()->quantized_dimension(), 1);
}

TEST(Tflite, OperatorCodesAreListedOnce) {
  TfliteBuilder builder;
  SubgraphBuilder& graph = builder.AddSubgraph("main");
  const TensorId x = graph.AddTensor("x", DType::kF32, {1});
  using enum tflite::BuiltinOperator;
  for (const auto& [code, version, custom] :
       {std::tuple{ADD, 1, ""}, std::tuple{ADD, 2, ""}, std::tuple{ADD, 1, ""},
        std::tuple{GELU, 1, ""}, std::tuple{CUSTOM, 1, "a"}, std::tuple{CUSTOM, 1, "b"}}) {
    graph.AddOperator({.code = code,
                       .version = version,
                       .inputs = {x, -1},
                       .outputs = {x},
                       .custom_code = custom});
  }
  builder.Finish();
  MemorySink sink;
  builder.Write(sink);
  const Aligned data(sink.data);
  const TfliteModel model = TfliteModel::Parse(data.bytes(), {}, "codes");
  const auto& codes = *model.model().operator_codes();
  ASSERT_EQ(codes.size(), 5u);
  EXPECT_EQ(codes.Get(1)->version(), 2);
  EXPECT_EQ(codes.Get(2)->deprecated_builtin_code(), 127);
  EXPECT_EQ(BuiltinCode(*codes.Get(2)), 150);
  EXPECT_EQ(codes.Get(4)->custom_code()->str(), "b");
}

TEST(Tflite, AnOldFilesOperatorCodeIsFound) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(tflite::CreateOperatorCode(builder, 14));
  EXPECT_EQ(BuiltinCode(*flatbuffers::GetRoot<tflite::OperatorCode>(builder.GetBufferPointer())),
            14);
}

TEST(Tflite, ReadsModelsAtOddOffsets) {
  const Aligned data("?" + SampleModel());
  const TfliteModel model = TfliteModel::Parse(data.bytes().subspan(1), {}, "odd");
  const TfliteModel copy = model;
  const tflite::SubGraph& graph = *copy.model().subgraphs()->Get(0);
  EXPECT_EQ(AsText(copy.Data(*graph.tensors()->Get(1))), "\1\2\3\4\5\6");
}

// Models that are consistent FlatBuffers and yet wrong, each in one place.
struct Mistake {
  const char* expected;  // In the message.
  std::function<void(tflite::ModelT&)> make;

  friend void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.expected; }
};

class TfliteMistake : public testing::TestWithParam<Mistake> {};

std::unique_ptr<tflite::ModelT> UnpackedSample() {
  const Aligned data(SampleModel());
  auto model = tflite::UnPackModel(data.bytes().data());
  model->buffers[1]->offset = 0;  // Inline, as the FlatBuffer's size will change.
  model->buffers[1]->size = 0;
  model->buffers[1]->data = {1, 2, 3, 4, 5, 6};
  return model;
}

std::string ParseError(const tflite::ModelT& model, Bytes weights = {}) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(tflite::Model::Pack(builder, &model), tflite::ModelIdentifier());
  const Aligned data(std::string_view(reinterpret_cast<const char*>(builder.GetBufferPointer()),
                                      builder.GetSize()));
  try {
    TfliteModel::Parse(data.bytes(), weights, "wrong");
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}

TEST_P(TfliteMistake, IsNamed) {
  auto model = UnpackedSample();
  ASSERT_EQ(ParseError(*model), "");
  GetParam().make(*model);
  const std::string message = ParseError(*model);
  EXPECT_NE(message.find(GetParam().expected), std::string::npos) << message;
}

tflite::TensorT& Weight(tflite::ModelT& model) { return *model.subgraphs[0]->tensors[1]; }

// Makes the weight [2, 4] i4 codes in blocks of two, and adds their scales.
tflite::BlockwiseQuantizationT& MakeBlockwise(tflite::ModelT& model) {
  tflite::TensorT& weight = Weight(model);
  weight.type = tflite::TensorType::INT4;
  weight.shape = {2, 4};
  model.subgraphs[1]->tensors[1]->shape = {6};
  model.subgraphs[1]->tensors[1]->quantization.reset();
  weight.buffer = static_cast<uint32_t>(model.buffers.size());
  model.buffers.push_back(std::make_unique<tflite::BufferT>());
  model.buffers.back()->data = {1, 2, 3, 4};
  auto scales = std::make_unique<tflite::TensorT>();
  scales->type = tflite::TensorType::FLOAT16;
  scales->shape = {2, 2};
  scales->buffer = static_cast<uint32_t>(model.buffers.size());
  model.buffers.push_back(std::make_unique<tflite::BufferT>());
  model.buffers.back()->data.resize(8);
  tflite::BlockwiseQuantizationT blocks;
  blocks.scales = static_cast<int32_t>(model.subgraphs[0]->tensors.size());
  blocks.zero_points = -1;
  blocks.block_size = 2;
  model.subgraphs[0]->tensors.push_back(std::move(scales));
  weight.quantization = std::make_unique<tflite::QuantizationParametersT>();
  weight.quantization->details.Set(std::move(blocks));
  return *weight.quantization->details.AsBlockwiseQuantization();
}

const Mistake kMistakes[] = {
    {"schema version 2", [](auto& m) { m.version = 2; }},
    {"no subgraphs", [](auto& m) { m.subgraphs.clear(); }},
    {"buffer 9 of", [](auto& m) { Weight(m).buffer = 9; }},
    {"element type 5", [](auto& m) { Weight(m).type = tflite::TensorType::STRING; }},
    {"the dimension -1", [](auto& m) { Weight(m).shape[0] = -1; }},
    {"too many elements", [](auto& m) { Weight(m).shape.assign(8, 0x7fffffff); }},
    {"rank 9", [](auto& m) { Weight(m).shape.assign(9, 1); }},
    {"shape signature", [](auto& m) { Weight(m).shape_signature = {2}; }},
    {"(w) of subgraph 0 has 6 bytes, but its shape needs 8",
     [](auto& m) {
       Weight(m).shape = {2, 4};
     }},
    {"2 scales", [](auto& m) { Weight(m).quantization->quantized_dimension = 1; }},
    {"2 scales", [](auto& m) { Weight(m).quantization->quantized_dimension = -1; }},
    {"2 scales", [](auto& m) { Weight(m).quantization->quantized_dimension = 2; }},
    {"3 scales",
     [](auto& m) {
       Weight(m).quantization->scale.push_back(1);
       Weight(m).quantization->zero_point.push_back(0);
     }},
    {"zero points", [](auto& m) { Weight(m).quantization->zero_point.push_back(0); }},
    {"not finite", [](auto& m) { Weight(m).quantization->scale[1] = INFINITY; }},
    {"negative", [](auto& m) { Weight(m).quantization->scale[1] = -1; }},
    {"input or output", [](auto& m) { m.subgraphs[1]->inputs = {4}; }},
    {"input or output", [](auto& m) { m.subgraphs[1]->outputs = {-1}; }},
    {"operator code 7", [](auto& m) { m.subgraphs[0]->operators[0]->opcode_index = 7; }},
    {"names tensor -2", [](auto& m) { m.subgraphs[0]->operators[0]->inputs[2] = -2; }},
    {"names tensor 4 of 4", [](auto& m) { m.subgraphs[0]->operators[0]->inputs[0] = 4; }},
    {"names tensor -1", [](auto& m) { m.subgraphs[0]->operators[0]->outputs[0] = -1; }},
    {"5000 inputs", [](auto& m) { m.subgraphs[0]->operators[0]->inputs.assign(5000, 0); }},
    {"decomposition",
     [](auto& m) {
       tflite::StableHLOCompositeOptionsT composite;
       composite.decomposition_subgraph_index = 2;
       m.subgraphs[0]->operators[0]->builtin_options_2.Set(std::move(composite));
     }},
    {"subgraph 2 of 2", [](auto& m) { m.signature_defs[0]->subgraph_index = 2; }},
    {"\"decode\" names tensor 4",
     [](auto& m) { m.signature_defs[1]->inputs[0]->tensor_index = 4; }},
    {"external buffer 1", [](auto& m) { Weight(m).external_buffer = 1; }},
    {"buffer 1 lies at bytes",
     [](auto& m) {
       m.buffers[1]->offset = UINT64_MAX;
       m.buffers[1]->size = 6;
     }},
    {"blocks of 3", [](auto& m) { MakeBlockwise(m).block_size = 3; }},
    {"blocks of 0", [](auto& m) { MakeBlockwise(m).block_size = 0; }},
    {"names tensor 5", [](auto& m) { MakeBlockwise(m).scales = 5; }},
    {"zero points", [](auto& m) { MakeBlockwise(m).zero_points = 1; }},
    {"8 block scales", [](auto& m) { MakeBlockwise(m).block_size = 1; }},
    {"4 block scales, constant and f16", [](auto& m) { MakeBlockwise(m).scales = 0; }},
};
INSTANTIATE_TEST_SUITE_P(All, TfliteMistake, testing::ValuesIn(kMistakes), [](const auto& test) {
  return TestName(std::to_string(test.index) + " " + test.param.expected);
});

TEST(Tflite, AcceptsBlockwiseScales) {
  auto model = UnpackedSample();
  MakeBlockwise(*model);
  EXPECT_EQ(ParseError(*model), "");
}

TEST(Tflite, FindsWeightsInTheirOwnSection) {
  auto model = UnpackedSample();
  model->external_buffer_groups.push_back(std::make_unique<tflite::ExternalBufferGroupT>());
  model->external_buffer_groups[0]->name = "tflite_weights";
  model->external_buffers.push_back(std::make_unique<tflite::ExternalBufferT>());
  tflite::ExternalBufferT& buffer = *model->external_buffers[0];
  buffer.id = 1;
  buffer.offset = 2;
  buffer.length = 6;
  Weight(*model).external_buffer = 1;
  Weight(*model).buffer = 0;
  EXPECT_EQ(ParseError(*model, AsBytes("??123456")), "");
  EXPECT_NE(ParseError(*model, AsBytes("??12345")).find("external buffer 1"), std::string::npos);
  EXPECT_NE(ParseError(*model).find("TFLiteWeights section, which is missing"), std::string::npos);
}

// A model beyond 4 GiB, written without its bytes, and read back from a file that is one hole.
TEST(Tflite, OffsetsPassFourGigabytes) {
  constexpr uint64_t kSize = uint64_t{3} << 30;
  const std::string chunk(1 << 20, '\0');
  TfliteBuilder builder;
  SubgraphBuilder& graph = builder.AddSubgraph("decode");
  for (int i = 0; i < 2; ++i) {
    const BufferId id = builder.AddStreamedBuffer(kSize, [&](ByteSink& sink) {
      for (uint64_t n = 0; n < kSize; n += chunk.size()) sink.Write(AsBytes(chunk));
    });
    graph.AddConstant("w", DType::kI8, {3 << 10, 1 << 20}, id);
  }
  const uint64_t size = builder.Finish();
  BeginningSink sink(4096);
  builder.Write(sink);
  EXPECT_EQ(sink.written, size);

  const auto path = ScratchPath("six_gigabytes.tflite");
  {
    AtomicFile file(path);
    file.Write(AsBytes(sink.data));
    file.Commit();
  }
  std::filesystem::resize_file(path, size);
  const MappedFile file = MappedFile::Open(path);
  std::filesystem::remove(path);
  const TfliteModel model = TfliteModel::Parse(file.bytes(), {}, "large");
  const Bytes last = model.Data(*model.model().subgraphs()->Get(0)->tensors()->Get(1));
  EXPECT_EQ(last.size(), kSize);
  EXPECT_EQ(last.data() + kSize, file.bytes().data() + size);
  EXPECT_EQ(last.back(), std::byte{0});
}

TEST(Tflite, AProducerMustKeepItsWord) {
  TfliteBuilder builder;
  builder.AddSubgraph("main");
  builder.AddStreamedBuffer(5, [](ByteSink& sink) { sink.Write(AsBytes("four")); });
  builder.Finish();
  MemorySink sink;
  EXPECT_THROW(builder.Write(sink), Error);
}

}  // namespace
}  // namespace litertlm
