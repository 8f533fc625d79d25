// The models of converted files: signatures, operators, weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "base/half.h"
#include "format/safetensors.h"
#include "tests/convert/checkpoint_editor.h"
#include "tests/convert/converted.h"

namespace litertlm {
namespace {

using testing::ElementsAre;

TEST(ConvertedGraph, SignaturesHaveTheNamesAndShapesThatEnginesLookFor) {
  ConvertOptions options =
      Converted::Options(Fixture("tiny-qwen3"), Quantization::kDynamicInt8, {256});
  options.kv_cache_max_len = 128;
  const Converted c(options);
  std::set<std::string> keys;
  for (const auto* signature : *c.model().signature_defs()) {
    const std::string key = signature->signature_key()->str();
    keys.insert(key);
    const int t = key == "decode" ? 1 : std::stoi(key.substr(std::strlen("prefill_")));
    const tflite::SubGraph& graph = *c.model().subgraphs()->Get(signature->subgraph_index());
    std::map<std::string, std::vector<int>> shapes;
    for (const auto* input : *signature->inputs()) {
      shapes[input->name()->str()] = Shape(*graph.tensors()->Get(input->tensor_index()));
    }
    EXPECT_THAT(shapes["tokens"], ElementsAre(1, t));
    EXPECT_THAT(shapes["input_pos"], ElementsAre(t));
    EXPECT_THAT(shapes["mask"], ElementsAre(1, 1, t, 128));
    EXPECT_THAT(shapes["kv_cache_k_3"], ElementsAre(1, 2, 128, 64));
    EXPECT_THAT(shapes["kv_cache_v_3"], ElementsAre(1, 2, 64, 128));
    EXPECT_EQ(shapes.size(), 3u + 8);
    EXPECT_EQ(signature->outputs()->size(), key == "decode" ? 9u : 8u);
    for (const auto* output : *signature->outputs()) {
      const auto shape = Shape(*graph.tensors()->Get(output->tensor_index()));
      if (output->name()->str() == "logits") {
        EXPECT_THAT(shape, ElementsAre(1, 1, 1600));
      } else {
        EXPECT_EQ(shape, shapes[output->name()->str()]);
      }
    }
  }
  EXPECT_THAT(keys, ElementsAre("decode", "prefill_128", "prefill_64", "prefill_8"));
}

TEST(ConvertedGraph, PrefillLeavesOutWhatOnlyLeadsToLogits) {
  const Converted c(Fixture("tiny-qwen3"), Quantization::kDynamicInt8);
  // Per layer q, k, v, o, gate, up and down; the last layer of prefill has only k and v.
  EXPECT_EQ(c.Operators("decode")["FULLY_CONNECTED"], 4 * 7 + 1);
  EXPECT_EQ(c.Operators("prefill_8")["FULLY_CONNECTED"], 3 * 7 + 2);
  EXPECT_EQ(c.Operators("decode")["DYNAMIC_UPDATE_SLICE"], 8);
  EXPECT_EQ(c.Operators("prefill_8")["DYNAMIC_UPDATE_SLICE"], 8);
  EXPECT_EQ(c.Operators("prefill_8")["SOFTMAX"], 3);
}

TEST(ConvertedGraph, SignaturesAndTheTiedHeadShareTheirWeights) {
  const Converted c(Fixture("tiny-qwen3"), Quantization::kDynamicInt8, {8, 64});
  uint64_t outside = 0;
  for (const auto* buffer : *c.model().buffers()) outside += buffer->size();
  // One byte for each of the matrices' weights, once.
  EXPECT_EQ(outside, 1600u * 128 + 4 * (256 * 128 + 2 * 128 * 128 + 128 * 256 + 3 * 320 * 128));
  const auto* embedding = c.Tensor("prefill_64", "model.embed_tokens.weight");
  EXPECT_EQ(embedding->buffer(), c.Tensor("decode", "model.embed_tokens.weight")->buffer());
  EXPECT_EQ(c.Tensor("decode", "lm_head.weight"), nullptr);
}

struct CodingCase {
  Quantization quantization;
  tflite::TensorType type;
  int fully_connected, lookup, dequantize;  // Versions; 0 for absent.

  friend void PrintTo(const CodingCase& coding, std::ostream* out) {
    *out << QuantizationName(coding.quantization);
  }
};

class CodingTest : public testing::TestWithParam<CodingCase> {};

TEST_P(CodingTest, WeightsAndOperatorsHaveTheTypesAndVersionsOfTheReference) {
  const CodingCase& p = GetParam();
  for (const char* fixture : {"tiny-qwen3", "tiny-gemma3"}) {
    const Converted c(Fixture(fixture), p.quantization);
    const auto* down = c.Tensor("decode", "model.layers.0.mlp.down_proj.weight");
    ASSERT_NE(down, nullptr);
    EXPECT_EQ(down->type(), p.type);
    EXPECT_THAT(c.Versions(tflite::BuiltinOperator::FULLY_CONNECTED),
                ElementsAre(p.fully_connected));
    EXPECT_THAT(c.Versions(tflite::BuiltinOperator::EMBEDDING_LOOKUP), ElementsAre(p.lookup));
    if (p.dequantize == 0) {
      EXPECT_THAT(c.Versions(tflite::BuiltinOperator::DEQUANTIZE), ElementsAre());
    } else {
      EXPECT_THAT(c.Versions(tflite::BuiltinOperator::DEQUANTIZE), ElementsAre(p.dequantize));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    , CodingTest,
    testing::Values(
        CodingCase{Quantization::kNone, tflite::TensorType::FLOAT32, 6, 1, 0},
        CodingCase{Quantization::kFp16, tflite::TensorType::FLOAT16, 6, 1, 3},
        CodingCase{Quantization::kInt8, tflite::TensorType::INT8, 6, 1, 5},
        CodingCase{Quantization::kDynamicInt8, tflite::TensorType::INT8, 12, 4, 0},
        CodingCase{Quantization::kDynamicInt4Block32, tflite::TensorType::INT4, 6, 4, 0},
        CodingCase{Quantization::kDynamicInt4Block128, tflite::TensorType::INT4, 6, 4, 0}),
    [](const auto& p) { return std::string(QuantizationName(p.param.quantization)); });

TEST(ConvertedGraph, Int4BlocksNarrowWhereTheyDoNotDivideARow) {
  const Converted c(Fixture("tiny-qwen3"), Quantization::kDynamicInt4Block128);
  const auto block = [&](const char* name) {
    return c.Tensor("decode", name)->quantization()->details_as_BlockwiseQuantization();
  };
  EXPECT_EQ(block("model.layers.0.mlp.up_proj.weight")->block_size(), 128);
  const auto* down = block("model.layers.0.mlp.down_proj.weight");  // Rows of 320.
  EXPECT_EQ(down->block_size(), 64);
  const auto* scales = c.Graph("decode").tensors()->Get(static_cast<unsigned>(down->scales()));
  EXPECT_EQ(scales->type(), tflite::TensorType::FLOAT16);
  EXPECT_THAT(Shape(*scales), ElementsAre(128, 5));
}

TEST(ConvertedGraph, GemmaGainsGrowByOneAndLocalLayersGetAMask) {
  const Converted c(Fixture("tiny-gemma3"), Quantization::kNone);
  const Checkpoint checkpoint = Checkpoint::Open(Fixture("tiny-gemma3"));
  const char* name = "model.layers.0.input_layernorm.weight";
  uint16_t stored = 0;
  std::memcpy(&stored, checkpoint.Find(name)->bytes.data(), sizeof stored);
  float gain = 0;
  std::memcpy(&gain, c.Data(*c.Tensor("decode", name)).data(), sizeof gain);
  EXPECT_EQ(gain, BF16ToFloat(stored) + 1.0f);
  // Five of six layers see a window of 32; the mask is made once.
  EXPECT_EQ(c.Operators("decode")["SELECT_V2"], 1);
  EXPECT_EQ(c.Operators("decode")["GELU"], 6);
  EXPECT_EQ(c.Operators("decode")["COS"], 2);
}

TEST(ConvertedGraph, AWindowAsLongAsTheCacheNeedsNoMask) {
  ConvertOptions options = Converted::Options(Fixture("tiny-gemma3"), Quantization::kNone, {8});
  options.kv_cache_max_len = 32;
  EXPECT_EQ(Converted(options).Operators("decode").count("SELECT_V2"), 0u);
}

TEST(ConvertedGraph, AHeadOfItsOwnIsStored) {
  CheckpointEditor editor("tiny-qwen3");
  editor.config["tie_word_embeddings"] = false;
  editor.tensors["lm_head.weight"] = editor.tensors["model.embed_tokens.weight"];
  editor.tensors["lm_head.weight"].bytes[0] ^= 1;
  const Converted c(editor.Save(), Quantization::kDynamicInt8);
  const auto* head = c.Tensor("decode", "lm_head.weight");
  ASSERT_NE(head, nullptr);
  EXPECT_NE(head->buffer(), c.Tensor("decode", "model.embed_tokens.weight")->buffer());
  EXPECT_EQ(c.Tensor("prefill_8", "lm_head.weight"), nullptr);
}

TEST(ConvertedGraph, BiasesAreAddedAsTheyAre) {
  CheckpointEditor editor("tiny-qwen3");
  editor.config["attention_bias"] = true;
  const std::pair<const char*, int64_t> sizes[] = {
      {"q_proj", 256}, {"k_proj", 128}, {"v_proj", 128}, {"o_proj", 128}};
  for (int layer = 0; layer < 4; ++layer) {
    for (const auto& [name, size] : sizes) {
      std::string bytes;
      for (int64_t i = 0; i < size; ++i) {
        const uint16_t half = FloatToBF16(0.25f);
        bytes.append(reinterpret_cast<const char*>(&half), 2);
      }
      editor.tensors["model.layers." + std::to_string(layer) + ".self_attn." + name + ".bias"] = {
          DType::kBF16, {size}, bytes};
    }
  }
  const Converted c(editor.Save(), Quantization::kDynamicInt8);
  const auto* bias = c.Tensor("decode", "model.layers.1.self_attn.o_proj.bias");
  ASSERT_NE(bias, nullptr);
  EXPECT_EQ(bias->type(), tflite::TensorType::FLOAT32);
  float value = 0;
  std::memcpy(&value, c.Data(*bias).data(), sizeof value);
  EXPECT_EQ(value, 0.25f);
  int with_bias = 0;
  for (const auto* op : *c.Graph("decode").operators()) {
    const auto code = BuiltinCode(*c.model().operator_codes()->Get(op->opcode_index()));
    if (code == static_cast<int>(tflite::BuiltinOperator::FULLY_CONNECTED)) {
      with_bias += op->inputs()->size() == 3;
    }
  }
  EXPECT_EQ(with_bias, 16);
}

TEST(ConvertedGraph, YarnSharpensScoresThroughTheirScale) {
  CheckpointEditor editor("tiny-qwen3");
  editor.config["rope_scaling"] = {
      {"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 1024}};
  const Converted c(editor.Save(), Quantization::kNone);
  float scale = 0;
  std::memcpy(&scale, c.Data(*c.Tensor("decode", "score_scale")).data(), sizeof scale);
  EXPECT_FLOAT_EQ(scale, 0.125f * 1.138629436f * 1.138629436f);
}

}  // namespace
}  // namespace litertlm
