// Files of all kinds, and the parts that they have in common.
#include "format/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <schema/llm_parameters.pb.h>

#include "format/litertlm.h"
#include "tests/error_of.h"
#include "tests/format/memory_sink.h"
#include "tests/format/zip_writer.h"
#include "tests/graph/model_writer.h"
#include "tests/scratch_path.h"

namespace litertlm {
namespace {

using testing::HasSubstr;

TestModel TinyModel() {
  TfliteBuilder builder;
  SignatureWriter w(builder, "decode");
  w.Output("out", w.Input("in", {1, 2}));
  w.Finish();
  return FinishModel(builder);
}

std::string Bundle(const std::string& metadata, std::string_view tokenizer = "\x0a\x05") {
  ZipWriter writer;
  writer.Add("TF_LITE_PREFILL_DECODE", AsText(TinyModel().bytes()));
  writer.Add("TOKENIZER_MODEL", tokenizer);
  writer.Add("METADATA", metadata);
  writer.Add("README", "words");
  return writer.Finish();
}

proto::LlmMetadata MetadataOf(const proto::LlmParameters& parameters) {
  const std::string bundle = Bundle(parameters.SerializeAsString());
  const ModelFile file = ModelFile::Parse(AsBytes(bundle), "model.task");
  EXPECT_NE(file.Find(SectionType::kLlmParameters), nullptr);
  return file.ReadMetadata().value();
}

proto::LlmParameters GemmaParameters() {
  proto::LlmParameters parameters;
  parameters.set_start_token("<bos>");
  parameters.add_stop_tokens("<eos>");
  parameters.add_stop_tokens("<end_of_turn>");
  parameters.mutable_prompt_template()->set_prompt_prefix("<start_of_turn>user\n");
  parameters.mutable_prompt_template()->set_prompt_suffix("<end_of_turn>\n<start_of_turn>model\n");
  return parameters;
}

TEST(ModelFile, ABundleHasTheSectionsOfAContainer) {
  const std::string bundle = Bundle(GemmaParameters().SerializeAsString());
  const ModelFile file = ModelFile::Parse(AsBytes(bundle), "model.task");
  EXPECT_EQ(file.kind(), ContainerKind::kTask);
  EXPECT_TRUE(file.version().empty());
  ASSERT_EQ(file.sections().size(), 4u);
  EXPECT_EQ(file.sections()[0].StringItem("model_type"), kPrefillDecodeModel);
  EXPECT_EQ(file.sections()[0].StringItem("entry"), "TF_LITE_PREFILL_DECODE");
  EXPECT_EQ(file.sections()[3].type, SectionType::kGenericBinary);
  EXPECT_EQ(file.FindTokenizer()->type, SectionType::kSentencePiece);
  EXPECT_TRUE(file.ReadModel(kPrefillDecodeModel).has_value());
  EXPECT_FALSE(file.ReadModel(kEmbedderModel).has_value());
  const std::string json = Bundle("", " \n{\"model\":{}}");
  const ModelFile other = ModelFile::Parse(AsBytes(json), "model.task");
  EXPECT_EQ(other.FindTokenizer()->type, SectionType::kHfTokenizerJson);
  EXPECT_FALSE(other.ReadMetadata().has_value());
}

TEST(ModelFile, MetadataOfBundlesIsWhatMediaPipeMeans) {
  const proto::LlmMetadata metadata = MetadataOf(GemmaParameters());
  EXPECT_EQ(metadata.start_token().token_str(), "<bos>");
  ASSERT_EQ(metadata.stop_tokens_size(), 2);
  EXPECT_EQ(metadata.stop_tokens(1).token_str(), "<end_of_turn>");
  const proto::PromptTemplates& templates = metadata.prompt_templates();
  EXPECT_EQ(templates.user().prefix(), "<start_of_turn>user\n");
  EXPECT_EQ(templates.user().suffix(), "<end_of_turn>\n");
  EXPECT_EQ(templates.model().prefix(), "<start_of_turn>model\n");
  EXPECT_EQ(templates.model().suffix(), "<end_of_turn>\n");
  EXPECT_FALSE(templates.has_system());
}

TEST(ModelFile, ASuffixWithoutAStopTokenBeginsTheModelsTurn) {
  proto::LlmParameters parameters = GemmaParameters();
  parameters.mutable_prompt_template()->set_prompt_suffix("\n<|assistant|>\n");
  const proto::PromptTemplates templates = MetadataOf(parameters).prompt_templates();
  EXPECT_EQ(templates.user().suffix(), "");
  EXPECT_EQ(templates.model().prefix(), "\n<|assistant|>\n");
  EXPECT_EQ(templates.model().suffix(), "");
}

TEST(ModelFile, TemplatesOfAllRolesAreTakenAsTheyAre) {
  proto::LlmParameters parameters = GemmaParameters();
  proto::RoleTemplates& roles = *parameters.mutable_prompt_templates();
  roles.mutable_user_template()->set_prompt_prefix("U:");
  roles.mutable_model_template()->set_prompt_suffix(";");
  roles.mutable_system_template()->set_prompt_prefix("S:");
  const proto::PromptTemplates templates = MetadataOf(parameters).prompt_templates();
  EXPECT_EQ(templates.user().prefix(), "U:");
  EXPECT_EQ(templates.model().suffix(), ";");
  EXPECT_EQ(templates.system().prefix(), "S:");
}

TEST(ModelFile, ConversationsBeginWithTheSessionPrefix) {
  proto::LlmParameters parameters = GemmaParameters();
  parameters.mutable_prompt_template()->set_session_prefix("Be brief.\n");
  EXPECT_EQ(MetadataOf(parameters).start_token().token_str(), "<bos>Be brief.\n");
  parameters.set_start_token_id(2);
  EXPECT_THAT(ErrorOf([&] { MetadataOf(parameters); }).message(),
              HasSubstr("the start token as a number (2)"));
  parameters.mutable_prompt_template()->clear_session_prefix();
  EXPECT_EQ(MetadataOf(parameters).start_token().token_ids().ids(0), 2);
}

TEST(ModelFile, NewerBundlesHoldLlmMetadata) {
  proto::LlmMetadata metadata;
  metadata.mutable_start_token()->mutable_token_ids()->add_ids(2);
  metadata.add_stop_tokens()->set_token_str("<eos>");
  metadata.set_max_num_tokens(2048);
  metadata.mutable_llm_model_type()->mutable_gemma3();
  const std::string bundle = Bundle(metadata.SerializeAsString());
  const ModelFile file = ModelFile::Parse(AsBytes(bundle), "model.task");
  EXPECT_NE(file.Find(SectionType::kLlmMetadata), nullptr);
  EXPECT_EQ(file.ReadMetadata()->max_num_tokens(), 2048);
  EXPECT_FALSE(file.spells_bytes_as_unicode());
}

TEST(ModelFile, SaysHowItsTokenizerSpellsBytes) {
  proto::LlmParameters parameters = GemmaParameters();
  parameters.add_input_output_normalizations(proto::LlmParameters::BYTES_TO_UNICODE);
  const std::string bundle = Bundle(parameters.SerializeAsString());
  EXPECT_TRUE(ModelFile::Parse(AsBytes(bundle), "model.task").spells_bytes_as_unicode());
}

TEST(ModelFile, AModelAloneIsOneSection) {
  const TestModel model = TinyModel();
  const ModelFile file = ModelFile::Parse(model.bytes(), "model.tflite");
  EXPECT_EQ(file.kind(), ContainerKind::kTflite);
  EXPECT_TRUE(file.ReadModel(kPrefillDecodeModel).has_value());
  EXPECT_EQ(file.FindTokenizer(), nullptr);
}

TEST(ModelFile, ATokenizerFromOutsideTakesThePlaceOfTheFilesOwn) {
  const std::filesystem::path bundle = ScratchPath("outside.task");
  const std::filesystem::path tokenizer = ScratchPath("outside.json");
  for (const auto& [path, content] :
       {std::pair(bundle, Bundle("")), std::pair(tokenizer, std::string("{}"))}) {
    AtomicFile file(path);
    file.Write(AsBytes(content));
    file.Commit();
  }
  const ModelFile file = ModelFile::Open(bundle, tokenizer);
  EXPECT_EQ(file.FindTokenizer()->type, SectionType::kHfTokenizerJson);
  EXPECT_EQ(file.FindTokenizer()->StringItem(kFileKey), tokenizer.string());
  EXPECT_EQ(file.Find(SectionType::kSentencePiece), nullptr);
  std::filesystem::remove(bundle);
  std::filesystem::remove(tokenizer);
}

TEST(ModelFile, ModelsBesideATfliteModelBelongToIt) {
  const std::filesystem::path folder = ScratchPathOfTest();
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, Bytes content) {
    AtomicFile file(folder / name);
    file.Write(content);
    file.Commit();
  };
  const TestModel model = TinyModel();
  write("model.tflite", model.bytes());
  write("embedder.tflite", model.bytes());
  write("per_layer_embedder.tflite", model.bytes().first(40));  // Cut off.
  write("auxiliary.tflite", AsBytes("<!DOCTYPE html><title>404"));
  const ModelFile file = ModelFile::Open(folder / "model.tflite");
  EXPECT_EQ(file.ReadModel(kEmbedderModel)->name(), folder / "embedder.tflite");
  EXPECT_EQ(file.NameOf(*file.Find(SectionType::kTfliteModel, kPrefillDecodeModel)),
            folder / "model.tflite");
  EXPECT_FALSE(file.ReadModel(kAuxiliaryModel).has_value());
  const Error cut = ErrorOf([&] { file.ReadModel(kLayerEmbedderModel); });
  EXPECT_EQ(cut.code(), ErrorCode::kBadInput);
  EXPECT_THAT(cut.message(), HasSubstr("per_layer_embedder.tflite"));
  EXPECT_FALSE(ModelFile::Open(folder / "embedder.tflite").ReadModel(kEmbedderModel).has_value());
  std::filesystem::remove_all(folder);
}

TEST(ModelFile, OtherFilesAreNamedAsSuch) {
  const Error error =
      ErrorOf([] { ModelFile::Parse(AsBytes("<!DOCTYPE html><title>404"), "model.task"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.message(), HasSubstr("model.task is not a model"));
  const struct {
    std::string content;
    const char* hint;
  } others[] = {{"", "empty"},
                {"G", "Another format"},
                {"GGUF\x03", "GGUF"},
                {"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"},
                {std::string("\x18\x13\0\0\0\0\0\0{\"__metadata__\":", 22), "the folder"},
                {"<!DOCTYPE html><title>404", "web page"},
                {"\n <html>", "web page"},
                {"\n\n", "Another format"},
                {"\x89PNG\r\n", "Another format"}};
  for (const auto& other : others) {
    const Error what = ErrorOf([&] { ModelFile::Parse(AsBytes(other.content), "it"); });
    EXPECT_EQ(what.code(), ErrorCode::kBadInput);
    EXPECT_THAT(what.hint(), HasSubstr(other.hint));
  }
}

}  // namespace
}  // namespace litertlm
