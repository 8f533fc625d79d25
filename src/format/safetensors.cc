#include "format/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/json.h"
#include "format/foreign_format.h"
#include "format/safetensors_header.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLengthSize = 8;                   // u64: bytes of the JSON header.
constexpr uint64_t kMaxHeader = uint64_t{100} << 20;  // The limit of the format's own library.
constexpr uint64_t kMaxIndex = uint64_t{16} << 20;    // Some 100 bytes a tensor.
constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";

[[noreturn]] void ThrowDamagedCheckpoint(const std::string& file, std::string_view what) {
  throw Error(ErrorCode::kBadInput, fmt::format("{}: {}.", file, what),
              "The file is damaged or incomplete; download it again.");
}

CheckpointTensor ReadTensor(SafetensorsEntry entry, Bytes data, const std::string& file) {
  const std::string what = fmt::format("tensor {}", entry.name);
  const std::optional<DType> dtype = DTypeFromSafetensors(entry.dtype);
  if (!dtype) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("{}: {} has the type {}, which is not supported.", file, what, entry.dtype),
        "Checkpoints in BF16, F16 or F32 can be converted.");
  }
  CheckpointTensor tensor;
  tensor.name = std::move(entry.name);
  tensor.dtype = *dtype;
  tensor.file = file;
  constexpr uint64_t kMostElements = uint64_t{1} << 48;
  uint64_t elements = 1;
  for (const uint64_t extent : entry.shape) {
    if (extent > kMostElements || (extent > 0 && elements > kMostElements / extent)) {
      ThrowDamagedCheckpoint(file, fmt::format("{} has too many elements", what));
    }
    elements *= extent;
    tensor.shape.push_back(static_cast<int64_t>(extent));
  }
  const uint64_t begin = entry.offsets[0];
  const uint64_t end = entry.offsets[1];
  if (end < begin || end - begin != BytesFor(*dtype, elements)) {
    ThrowDamagedCheckpoint(file, fmt::format("{} lies at {} to {}, but its shape needs {} bytes",
                                             what, begin, end, BytesFor(*dtype, elements)));
  }
  tensor.bytes = Subrange(data, begin, end - begin, fmt::format("{}: {}", file, what));
  return tensor;
}

// Two tensors that share bytes, or bytes that belong to none, mean that offsets were changed.
void CheckCoverage(std::vector<const CheckpointTensor*> tensors, Bytes data,
                   const std::string& file) {
  std::sort(tensors.begin(), tensors.end(), [](const auto* a, const auto* b) {
    return std::pair(a->bytes.data(), a->bytes.size()) <
           std::pair(b->bytes.data(), b->bytes.size());
  });
  const std::byte* position = data.data();
  for (const CheckpointTensor* tensor : tensors) {
    if (tensor->bytes.empty()) continue;
    if (tensor->bytes.data() != position) {
      ThrowDamagedCheckpoint(
          file, fmt::format("tensor {} overlaps another, or leaves a gap before it", tensor->name));
    }
    position = tensor->bytes.data() + tensor->bytes.size();
  }
  if (position != data.data() + data.size())
    ThrowDamagedCheckpoint(file, "bytes follow the last tensor");
}

// Shard file → the tensors that the index places in it.
std::map<std::string, std::set<std::string>> ReadIndex(const fs::path& path) {
  const Json index = ParseJson(ReadFile(path, kMaxIndex), path.string());
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    ThrowDamagedCheckpoint(path.string(), "it has no weight_map");
  }
  std::map<std::string, std::set<std::string>> shards;
  for (const auto& [tensor, shard] : index["weight_map"].items()) {
    if (!shard.is_string()) ThrowDamagedCheckpoint(path.string(), "a shard's name is not a string");
    const auto& name = shard.get_ref<const std::string&>();
    // Only files of this very folder: an index must not reach elsewhere.
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      ThrowDamagedCheckpoint(path.string(),
                             fmt::format("the shard name \"{}\" is not a file name", name));
    }
    shards[name].insert(tensor);
  }
  return shards;
}

}  // namespace

uint64_t CheckpointTensor::elements() const {
  uint64_t count = 1;
  for (const int64_t dim : shape) count *= static_cast<uint64_t>(dim);
  return count;
}

std::vector<CheckpointTensor> ParseSafetensors(Bytes bytes, const std::string& file) {
  if (IsGitLfsPointer(bytes)) {
    throw Error(ErrorCode::kBadInput, fmt::format("{} holds no weights.", file),
                std::string(kGitLfsHint));
  }
  if (bytes.size() < kLengthSize)
    ThrowDamagedCheckpoint(file, "it is too short to be a safetensors file");
  uint64_t header_size;
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  if (header_size > kMaxHeader || header_size > bytes.size() - kLengthSize) {
    ThrowDamagedCheckpoint(file, fmt::format("its header is said to have {} bytes, the file has {}",
                                             header_size, bytes.size()));
  }
  const std::string_view header = AsText(bytes.subspan(kLengthSize, header_size));
  const Bytes data = bytes.subspan(kLengthSize + header_size);
  std::vector<CheckpointTensor> tensors;
  for (SafetensorsEntry& entry : ParseSafetensorsHeader(header, file)) {
    tensors.push_back(ReadTensor(std::move(entry), data, file));
  }
  std::vector<const CheckpointTensor*> all;
  for (const CheckpointTensor& tensor : tensors) all.push_back(&tensor);
  CheckCoverage(std::move(all), data, file);
  return tensors;
}

Checkpoint Checkpoint::Open(const fs::path& folder) {
  Checkpoint checkpoint;
  const auto add = [&](const fs::path& path) {
    const MappedFile& file = checkpoint.files_.emplace_back(MappedFile::Open(path));
    for (CheckpointTensor& tensor : ParseSafetensors(file.bytes(), path.string())) {
      std::string name = tensor.name;
      if (!checkpoint.tensors_.emplace(name, std::move(tensor)).second) {
        ThrowDamagedCheckpoint(path.string(), fmt::format("tensor {} exists twice", name));
      }
    }
  };
  const fs::path index_path = folder / kIndexFile;
  if (fs::exists(folder / kSingleFile)) {
    add(folder / kSingleFile);
  } else if (fs::exists(index_path)) {
    for (const auto& [shard, tensors] : ReadIndex(index_path)) {
      const fs::path path = folder / shard;
      if (!fs::exists(path)) {
        throw Error(ErrorCode::kNotFound,
                    fmt::format("{} is missing; {} places {} tensors in it.", path.string(),
                                kIndexFile, tensors.size()),
                    "Download the missing shard.");
      }
      add(path);
      for (const std::string& tensor : tensors) {
        const CheckpointTensor* found = checkpoint.Find(tensor);
        if (found == nullptr || found->file != path.string()) {
          ThrowDamagedCheckpoint(
              path.string(),
              fmt::format("tensor {}, which {} places in it, is missing", tensor, kIndexFile));
        }
      }
    }
  } else {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("{} holds neither {} nor {}.", folder.string(), kSingleFile, kIndexFile),
        "Give the folder of a Hugging Face checkpoint in safetensors format.");
  }
  return checkpoint;
}

const CheckpointTensor* Checkpoint::Find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

uint64_t Checkpoint::total_bytes() const {
  uint64_t total = 0;
  for (const auto& [name, tensor] : tensors_) total += tensor.bytes.size();
  return total;
}

}  // namespace litertlm
