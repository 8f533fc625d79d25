// A checkpoint converted for a test, and read back.
#ifndef LITERTLM_TESTS_CONVERT_CONVERTED_H_
#define LITERTLM_TESTS_CONVERT_CONVERTED_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "format/litertlm.h"
#include "format/llm_metadata.h"
#include "format/tflite.h"
#include "litertlm/error.h"
#include "tests/scratch_path.h"

namespace litertlm {

inline std::filesystem::path Fixture(const std::string& name) {
  return std::filesystem::path(LITERTLM_SOURCE_DIR) / "testdata" / name;
}

/// The file exists as long as the object.
class Converted {
 public:
  explicit Converted(const ConvertOptions& options) : output_(options.output) {
    result = Convert(options);
    file_ = LitertlmFile::Open(output_);
    const Section* model = file_.Find(SectionType::kTfliteModel, kPrefillDecodeModel);
    tflite_ = TfliteModel::Parse(model->bytes, {}, "model");
    metadata = ParseLlmMetadata(file_.Find(SectionType::kLlmMetadata)->bytes, "metadata");
  }
  Converted(const std::filesystem::path& checkpoint, Quantization quantization,
            std::vector<int> lengths = {8})
      : Converted(Options(checkpoint, quantization, std::move(lengths))) {}
  ~Converted() { std::filesystem::remove(output_); }

  static ConvertOptions Options(const std::filesystem::path& checkpoint, Quantization quantization,
                                std::vector<int> lengths) {
    ConvertOptions options;
    options.checkpoint = checkpoint;
    options.output = ScratchPath("converted.litertlm");
    options.quantization = quantization;
    options.kv_cache_max_len = 64;
    options.prefill_seq_lens = std::move(lengths);
    return options;
  }

  const LitertlmFile& file() const { return file_; }
  std::string bytes() const { return ReadFile(output_); }
  const tflite::Model& model() const { return tflite_.model(); }

  const tflite::SubGraph& Graph(std::string_view key) const {
    for (const auto* signature : *model().signature_defs()) {
      if (signature->signature_key()->string_view() == key) {
        return *model().subgraphs()->Get(signature->subgraph_index());
      }
    }
    throw Error(ErrorCode::kNotFound, std::string(key));
  }
  const tflite::Tensor* Tensor(std::string_view key, std::string_view name) const {
    for (const auto* tensor : *Graph(key).tensors()) {
      if (tensor->name()->string_view() == name) return tensor;
    }
    return nullptr;
  }
  Bytes Data(const tflite::Tensor& tensor) const { return tflite_.Data(tensor); }
  // How often each operator occurs.
  std::map<std::string, int> Operators(std::string_view key) const {
    std::map<std::string, int> counts;
    for (const auto* op : *Graph(key).operators()) {
      const auto code = BuiltinCode(*model().operator_codes()->Get(op->opcode_index()));
      ++counts[tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(code))];
    }
    return counts;
  }
  std::vector<int> Versions(tflite::BuiltinOperator code) const {
    std::vector<int> versions;
    for (const auto* entry : *model().operator_codes()) {
      if (BuiltinCode(*entry) == static_cast<int32_t>(code)) versions.push_back(entry->version());
    }
    return versions;
  }

  ConvertResult result;
  proto::LlmMetadata metadata;

 private:
  std::filesystem::path output_;
  LitertlmFile file_;
  TfliteModel tflite_;
};

inline std::vector<int> Shape(const tflite::Tensor& tensor) {
  return {tensor.shape()->begin(), tensor.shape()->end()};
}

/// Of metadata whose stop tokens are single ids, as `Convert` writes them.
inline std::vector<int> StopIds(const proto::LlmMetadata& metadata) {
  std::vector<int> ids;
  for (const auto& token : metadata.stop_tokens()) {
    EXPECT_EQ(token.token_ids().ids_size(), 1);
    ids.push_back(token.token_ids().ids(0));
  }
  return ids;
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONVERT_CONVERTED_H_
