#include "tests/styles/styled_file.h"

#include "base/file.h"
#include "format/litertlm.h"
#include "format/llm_metadata.h"
#include "tests/format/zip_writer.h"

namespace litertlm {
namespace {

LitertlmFile ConvertAsWeDo(const std::filesystem::path& checkpoint,
                           const StyledModelOptions& options, const std::filesystem::path& path) {
  ConvertOptions convert;
  convert.checkpoint = checkpoint;
  convert.output = path;
  convert.quantization = options.quantization;
  convert.kv_cache_max_len = options.cache_length;
  convert.prefill_seq_lens = options.prefill_lengths;
  Convert(convert);
  LitertlmFile file = LitertlmFile::Open(path);
  std::filesystem::remove(path);  // It stays mapped.
  return file;
}

/// The metadata of our conversion, with another model type.
std::string MetadataOf(const LitertlmFile& ours, const std::string& model_type) {
  proto::LlmMetadata metadata =
      ParseLlmMetadata(ours.Find(SectionType::kLlmMetadata)->bytes, "ours");
  if (model_type == "generic_model") metadata.mutable_llm_model_type()->mutable_generic_model();
  if (model_type == "qwen2p5") metadata.mutable_llm_model_type()->mutable_qwen2p5();
  return metadata.SerializeAsString();
}

void WriteBundle(const std::filesystem::path& checkpoint, const StyledModel& model,
                 const LitertlmFile& ours, std::string_view metadata,
                 const std::filesystem::path& output) {
  ZipWriter writer;
  writer.Add("TF_LITE_PREFILL_DECODE", AsText(model.decoder.bytes()));
  if (model.embedder) writer.Add("TF_LITE_EMBEDDER", AsText(model.embedder->bytes()));
  if (model.layer_embedder) {
    writer.Add("TF_LITE_PER_LAYER_EMBEDDER", AsText(model.layer_embedder->bytes()));
  }
  if (model.auxiliary) writer.Add("TF_LITE_AUX", AsText(model.auxiliary->bytes()));
  const bool sentencepiece = ours.Find(SectionType::kSentencePiece) != nullptr;
  writer.Add("TOKENIZER_MODEL",
             ReadFile(checkpoint / (sentencepiece ? "tokenizer.model" : "tokenizer.json")));
  writer.Add("METADATA", metadata);
  AtomicFile file(output);
  file.Write(AsBytes(writer.Finish()));
  file.Commit();
}

void WriteAlone(const TestModel& model, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.Write(model.bytes());
  file.Commit();
}

/// As export_hf leaves them where it does not bundle them.
void WriteModelsApart(const StyledModel& model, const std::filesystem::path& output) {
  const std::filesystem::path folder = output.parent_path();
  WriteAlone(model.decoder, output);
  if (model.embedder) WriteAlone(*model.embedder, folder / "embedder.tflite");
  if (model.layer_embedder) WriteAlone(*model.layer_embedder, folder / "per_layer_embedder.tflite");
  if (model.auxiliary) WriteAlone(*model.auxiliary, folder / "auxiliary.tflite");
}

}  // namespace

void WriteStyledFile(const std::filesystem::path& checkpoint, const ExporterStyle& style,
                     const StyledModelOptions& options, const std::filesystem::path& output) {
  const StyledModel model = WriteStyledModel(checkpoint, style, options);
  if (output.extension() == ".tflite") return WriteModelsApart(model, output);
  const LitertlmFile ours = ConvertAsWeDo(checkpoint, options, output.string() + ".ours");
  const std::string metadata = MetadataOf(ours, options.model_type);
  if (output.extension() == ".task") {
    WriteBundle(checkpoint, model, ours, metadata, output);
    return;
  }
  LitertlmWriter writer;
  const auto add = [&](SectionType type, std::vector<KeyValue> items, Bytes bytes) {
    writer.AddSection(type, std::move(items), bytes.size(),
                      [bytes](ByteSink& sink) { sink.Write(bytes); });
  };
  const auto add_model = [&](const TestModel& part, std::string_view role) {
    add(SectionType::kTfliteModel, {{std::string(kModelTypeKey), std::string(role)}}, part.bytes());
  };
  for (const Section& section : ours.sections()) {
    if (section.type == SectionType::kTfliteModel) continue;
    const bool is_metadata = section.type == SectionType::kLlmMetadata;
    add(section.type, section.items, is_metadata ? AsBytes(metadata) : section.bytes);
  }
  if (model.embedder) add_model(*model.embedder, kEmbedderModel);
  if (model.layer_embedder) add_model(*model.layer_embedder, kLayerEmbedderModel);
  if (model.auxiliary) add_model(*model.auxiliary, kAuxiliaryModel);
  add_model(model.decoder, kPrefillDecodeModel);
  AtomicFile file(output);
  writer.Write(file);
  file.Commit();
}

}  // namespace litertlm
