// Checkpoints for tests: one of testdata/ with changes, in a folder that lives as long as the
// object.
#ifndef LITERTLM_TESTS_CONVERT_CHECKPOINT_EDITOR_H_
#define LITERTLM_TESTS_CONVERT_CHECKPOINT_EDITOR_H_

#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"
#include "base/json.h"
#include "format/safetensors.h"
#include "tests/scratch_path.h"

namespace litertlm {

struct EditedTensor {
  DType dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};

class CheckpointEditor {
 public:
  explicit CheckpointEditor(const std::string& fixture)
      : folder_(ScratchPath("checkpoint" + std::to_string(counter_++))) {
    const auto source = std::filesystem::path(LITERTLM_SOURCE_DIR) / "testdata" / fixture;
    std::filesystem::create_directories(folder_);
    for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json",
                             "generation_config.json", "config.json"}) {
      if (std::filesystem::exists(source / name)) {
        std::filesystem::copy(source / name, folder_ / name);
      }
    }
    config = ParseJson(ReadFile(folder_ / "config.json"), "config.json");
    const Checkpoint checkpoint = Checkpoint::Open(source);
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      tensors[name] = {tensor.dtype, tensor.shape, std::string(AsText(tensor.bytes))};
    }
  }
  CheckpointEditor(const CheckpointEditor&) = delete;
  CheckpointEditor& operator=(const CheckpointEditor&) = delete;
  ~CheckpointEditor() { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  void WriteText(const std::string& name, std::string_view text) const {
    AtomicFile file(folder_ / name);
    file.Write(AsBytes(text));
    file.Commit();
  }

  /// Writes config.json and model.safetensors, and returns the folder.
  const std::filesystem::path& Save() const {
    WriteText("config.json", DumpJson(config));
    Json header = Json::object();
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      header[name] = {{"dtype", Info(tensor.dtype).safetensors},
                      {"shape", tensor.shape},
                      {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
      data += tensor.bytes;
    }
    const std::string text = DumpJson(header);
    const uint64_t size = text.size();
    std::string prefix(sizeof size, '\0');
    std::memcpy(prefix.data(), &size, sizeof size);
    WriteText("model.safetensors", prefix + text + data);
    return folder_;
  }

  /// Gives every tensor whose name begins with `from` a name that begins with `to`.
  void RenamePrefix(const std::string& from, const std::string& to) {
    std::map<std::string, EditedTensor> renamed;
    for (auto& [name, tensor] : tensors) {
      renamed[name.starts_with(from) ? to + name.substr(from.size()) : name] = std::move(tensor);
    }
    tensors = std::move(renamed);
  }

  Json config;
  std::map<std::string, EditedTensor> tensors;

 private:
  inline static int counter_ = 0;
  std::filesystem::path folder_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONVERT_CHECKPOINT_EDITOR_H_
