#include "format/llm_metadata.h"

#include <gtest/gtest.h>

#include "litertlm/error.h"

namespace litertlm {
namespace {

using namespace std::string_view_literals;

// The bytes in these tests follow from the protobuf encoding and the field numbers of LiteRT-LM.

TEST(LlmMetadata, WritesTheBytesThatLiteRtLmReads) {
  proto::LlmMetadata metadata;
  metadata.mutable_llm_model_type()->mutable_qwen3();
  EXPECT_EQ(SerializeLlmMetadata(metadata), "\x32\x02\x2A\x00"sv);
  metadata.mutable_llm_model_type()->mutable_gemma3();
  EXPECT_EQ(SerializeLlmMetadata(metadata), "\x32\x02\x22\x00"sv);

  metadata.Clear();
  metadata.add_stop_tokens()->mutable_token_ids()->add_ids(106);
  metadata.set_max_num_tokens(1280);
  EXPECT_EQ(SerializeLlmMetadata(metadata), "\x12\x05\x0A\x03\x0A\x01\x6A\x28\x80\x0A"sv);
}

TEST(LlmMetadata, ReadsEveryField) {
  const proto::LlmMetadata metadata = ParseLlmMetadata(
      AsBytes("\x0A\x05\x0A\x03\x0A\x01\x02"       // start_token { token_ids { ids: 2 } }
              "\x12\x07\x12\x05<eos>"              // stop_tokens { token_str: "<eos>" }
              "\x1A\x07\x0A\x05\x0A\x01<\x12\x00"  // prompt_templates { user { prefix suffix } }
              "\x22\x0E\x08\x02\x10\x40\x1D\x00\x00\x00\x3F\x25\x00\x00\x80\x3F"  // sampler_params
              "\x3A\x01J"                            // jinja_prompt_template
              "\x42\x09\x0A\x01t\x12\x01<\x1A\x01>"  // channels
              ""sv),
      "test");
  EXPECT_EQ(metadata.start_token().token_ids().ids(0), 2);
  EXPECT_EQ(metadata.stop_tokens(0).token_str(), "<eos>");
  EXPECT_EQ(metadata.prompt_templates().user().prefix(), "<");
  EXPECT_TRUE(metadata.prompt_templates().user().has_suffix());
  EXPECT_FALSE(metadata.prompt_templates().has_system());
  EXPECT_EQ(metadata.sampler_params().type(), proto::SamplerParameters::TOP_P);
  EXPECT_EQ(metadata.sampler_params().k(), 64);
  EXPECT_EQ(metadata.sampler_params().p(), 0.5f);
  EXPECT_EQ(metadata.sampler_params().temperature(), 1.0f);
  EXPECT_EQ(metadata.jinja_prompt_template(), "J");
  EXPECT_EQ(metadata.channels(0).channel_name(), "t");
  EXPECT_EQ(metadata.channels(0).end(), ">");
}

TEST(LlmMetadata, FieldsOfNewerVersionsSurvive) {
  // kv_cache_init_value (10), and a field inside a family that this program does not know.
  const std::string_view bytes = "\x28\x05\x32\x05\x3A\x03\x98\x06\x01\x50\x07"sv;
  EXPECT_EQ(SerializeLlmMetadata(ParseLlmMetadata(AsBytes(bytes), "test")), bytes);
}

TEST(LlmMetadata, TextThatIsNotUtf8IsAnErrorAndNothingElseIsSaid) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(ParseLlmMetadata(AsBytes("\x3A\x01\xFF"sv), "broken.litertlm"), Error);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(LlmMetadata, DamageIsNamed) {
  try {
    ParseLlmMetadata(AsBytes("\x12\x7F"sv), "broken.litertlm");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadInput);
    EXPECT_NE(e.message().find("broken.litertlm"), std::string::npos);
  }
}

}  // namespace
}  // namespace litertlm
