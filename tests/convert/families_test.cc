#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "convert/families/registry.h"
#include "convert/rope.h"
#include "tests/error_of.h"

namespace litertlm {
namespace {

using testing::HasSubstr;

RopeTable Rope(double theta, int64_t dim, int64_t positions, const char* scaling) {
  return MakeRopeTable(theta, dim, positions,
                       Config::Parse(scaling, "config.json").Object("rope_scaling"));
}

// The expected numbers were computed with NumPy in f64, after Transformers' modeling_rope_utils.
TEST(RopeTest, WithoutScaling) {
  const RopeTable table = Rope(10000, 64, 4096, "{}");
  ASSERT_EQ(table.inverse_frequencies.size(), 32u);
  EXPECT_FLOAT_EQ(table.inverse_frequencies[0], 1.0f);
  EXPECT_FLOAT_EQ(table.inverse_frequencies[1], 0.74989420933f);
  EXPECT_FLOAT_EQ(table.inverse_frequencies[31], 1.3335214e-4f);
  EXPECT_EQ(table.attention_factor, 1.0);
}

TEST(RopeTest, Linear) {
  const RopeTable table =
      Rope(1e6, 256, 131072, R"({"rope_scaling": {"rope_type": "linear", "factor": 8.0}})");
  EXPECT_FLOAT_EQ(table.inverse_frequencies[0], 0.125f);
  EXPECT_FLOAT_EQ(table.inverse_frequencies[64], 1.25e-4f);
}

TEST(RopeTest, YarnAsQwen3UsesIt) {
  const RopeTable table = Rope(1e6, 128, 40960,
                               R"({"rope_scaling": {"type": "yarn", "factor": 4.0,
                                   "original_max_position_embeddings": 32768}})");
  const std::pair<size_t, float> expected[] = {{0, 1.0f},
                                               {10, 0.11547819847f},
                                               {22, 0.0086596432336f},
                                               {23, 0.0069783058486f},
                                               {24, 0.0053753215f},
                                               {30, 0.00106436098125f},
                                               {36, 1.7984115587e-4f},
                                               {40, 4.445698525e-05f},
                                               {45, 1.5107409756e-05f},
                                               {63, 3.1023444019e-07f}};
  for (const auto& [i, value] : expected) {
    EXPECT_NEAR(table.inverse_frequencies[i] / value, 1, 1e-6) << i;
  }
  EXPECT_NEAR(table.attention_factor, 1.138629436111989, 1e-12);
}

TEST(RopeTest, Llama3) {
  const RopeTable table =
      Rope(5e5, 64, 131072,
           R"({"rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}})");
  const std::pair<size_t, float> expected[] = {{0, 1.0f},
                                               {6, 0.0853971002856f},
                                               {12, 0.0072926647372f},
                                               {15, 0.0012905479282f},
                                               {18, 1.9461638185e-05f},
                                               {30, 1.4192720252e-07f}};
  for (const auto& [i, value] : expected) {
    EXPECT_NEAR(table.inverse_frequencies[i] / value, 1, 1e-6) << i;
  }
}

TEST(RopeTest, AnUnknownTypeIsNamed) {
  const Error error = ErrorOf(
      [] { Rope(1e4, 64, 4096, R"({"rope_scaling": {"rope_type": "longrope", "factor": 2}})"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("longrope"));
}

DecoderSpec Describe(const Json& config, const TensorNames& names = {}) {
  return FindFamily(config["model_type"].get<std::string>(), "config.json")
      .describe(Config::Parse(DumpJson(config), "config.json"), names);
}

Json Qwen() {
  return {{"model_type", "qwen3"},      {"vocab_size", 100},
          {"hidden_size", 32},          {"intermediate_size", 64},
          {"num_hidden_layers", 3},     {"num_attention_heads", 4},
          {"num_key_value_heads", 2},   {"head_dim", 16},
          {"rope_theta", 1000000},      {"max_position_embeddings", 512},
          {"tie_word_embeddings", true}};
}

TEST(FamilyTest, AnUnknownOneIsNamedWithTheKnownOnes) {
  const Error error = ErrorOf([] { FindFamily("qwen3_moe", "m/config.json"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(error.message(), "m/config.json: models of type \"qwen3_moe\" cannot be converted.");
  EXPECT_THAT(error.hint(), HasSubstr("qwen3, gemma3_text, gemma3"));
}

TEST(Qwen3Test, TakesWhatTheConfigurationSays) {
  Json config = Qwen();
  DecoderSpec spec = Describe(config);
  EXPECT_EQ(spec.head, spec.embedding);
  EXPECT_EQ(spec.norm_gain_offset, 0);
  EXPECT_EQ(spec.layers[2].attention.window, 0);
  EXPECT_EQ(spec.layers[2].attention.score_scale, 0.25);
  EXPECT_EQ(spec.layers[2].attention.query.bias, "");
  EXPECT_EQ(spec.layers[2].mlp.down.weight, "model.layers.2.mlp.down_proj.weight");

  config["attention_bias"] = true;
  config["tie_word_embeddings"] = false;
  config["use_sliding_window"] = true;
  config["sliding_window"] = 64;
  config["max_window_layers"] = 2;
  spec = Describe(config);
  EXPECT_EQ(spec.head, "lm_head.weight");
  EXPECT_EQ(spec.layers[0].attention.value.bias, "model.layers.0.self_attn.v_proj.bias");
  EXPECT_EQ(spec.layers[1].attention.window, 0);
  EXPECT_EQ(spec.layers[2].attention.window, 64);
}

TEST(Qwen3Test, ReadsTheNewerRopeParameters) {
  Json config = Qwen();
  config.erase("rope_theta");
  config["rope_parameters"] = {{"rope_type", "linear"}, {"rope_theta", 10000}, {"factor", 2}};
  EXPECT_FLOAT_EQ(Describe(config).ropes[0].inverse_frequencies[4], 0.5f * 0.01f);
}

TEST(Qwen3Test, RefusesSizesThatContradict) {
  const auto message = [](const char* key, Json value) {
    Json config = Qwen();
    config[key] = std::move(value);
    return ErrorOf([&] { Describe(config); }).message();
  };
  EXPECT_THAT(message("num_key_value_heads", 3), HasSubstr("not a multiple"));
  EXPECT_THAT(message("head_dim", 15), HasSubstr("odd"));
  EXPECT_THAT(message("hidden_size", -1), HasSubstr("\"hidden_size\" is -1"));
  EXPECT_THAT(message("num_hidden_layers", 1000000000), HasSubstr("\"num_hidden_layers\""));
  EXPECT_THAT(message("hidden_act", "relu"), HasSubstr("relu"));
  EXPECT_THAT(message("rms_norm_eps", "small"), HasSubstr("\"rms_norm_eps\""));
  EXPECT_THAT(message("layer_types", Json::array({"full_attention"})), HasSubstr("1 entries"));
  EXPECT_THAT(message("layer_types", Json::array({"linear_attention"})),
              HasSubstr("linear_attention"));
}

// text_config as in multimodal checkpoints, which leave out what is at its default.
TEST(Gemma3Test, FillsInTheDefaultsOfItsConfiguration) {
  const DecoderSpec spec =
      Describe({{"model_type", "gemma3"},
                {"hidden_size", 2560},
                {"intermediate_size", 10240},
                {"num_hidden_layers", 34},
                {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}},
                {"sliding_window", 1024}},
               {.decoder = "language_model.model.", .head = "language_model.lm_head.weight"});
  EXPECT_EQ(spec.vocabulary, 262208);
  EXPECT_EQ(spec.heads, 8);
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.head_dim, 256);
  EXPECT_EQ(spec.head, "language_model.model.embed_tokens.weight");
  EXPECT_EQ(spec.norm_gain_offset, 1);
  EXPECT_NEAR(spec.embedding_scale, 50.59644256, 1e-8);
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const AttentionSpec& attention = spec.layers[i].attention;
    const bool global = (i + 1) % 6 == 0;
    EXPECT_EQ(attention.window, global ? 0 : 1024) << i;
    // Only global layers are stretched, and each kind has a theta of its own.
    const RopeTable& rope = spec.ropes[attention.rope];
    EXPECT_FLOAT_EQ(rope.inverse_frequencies[0], global ? 0.125f : 1.0f) << i;
    EXPECT_FLOAT_EQ(rope.inverse_frequencies[64], global ? 1.25e-4f : 0.01f) << i;
  }
}

TEST(Gemma3Test, TakesScalesAndCapsFromTheConfiguration) {
  const DecoderSpec spec = Describe({{"model_type", "gemma3_text"},
                                     {"num_hidden_layers", 2},
                                     {"layer_types", {"full_attention", "sliding_attention"}},
                                     {"query_pre_attn_scalar", 64},
                                     {"attn_logit_softcapping", 50.0},
                                     {"final_logit_softcapping", 30.0},
                                     {"rope_parameters",
                                      {{"full_attention", {{"rope_theta", 100}}},
                                       {"sliding_attention", {{"rope_theta", 10000}}}}}});
  EXPECT_EQ(spec.layers[0].attention.window, 0);
  EXPECT_EQ(spec.layers[1].attention.window, 4096);
  EXPECT_EQ(spec.layers[1].attention.score_scale, 0.125);
  EXPECT_EQ(spec.layers[1].attention.score_softcap, 50);
  EXPECT_EQ(spec.logit_softcap, 30);
  EXPECT_FLOAT_EQ(spec.ropes[0].inverse_frequencies[64], 0.1f);
  EXPECT_FLOAT_EQ(spec.ropes[1].inverse_frequencies[64], 0.01f);
}

TEST(Gemma3Test, RefusesEmbeddingModels) {
  const Error error = ErrorOf([] {
    Describe({{"model_type", "gemma3_text"}, {"use_bidirectional_attention", true}});
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("bidirectional"));
}

}  // namespace
}  // namespace litertlm
