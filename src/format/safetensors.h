// Hugging Face checkpoints: safetensors files, alone or in shards with an index.
#ifndef LITERTLM_FORMAT_SAFETENSORS_H_
#define LITERTLM_FORMAT_SAFETENSORS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"

namespace litertlm {

struct CheckpointTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  Bytes bytes;       ///< Row-major, little-endian; a view of the mapped file, maybe unaligned.
  std::string file;  ///< The file it lies in, for messages.

  uint64_t elements() const;
};

/// The tensors of one file's `bytes`, in the header's order; they view them. Throws kBadInput or
/// kUnsupported naming `file` and the tensor.
std::vector<CheckpointTensor> ParseSafetensors(Bytes bytes, const std::string& file);

/// All tensors of a checkpoint folder, mapped. Offsets, overlaps, shapes and sizes were checked.
/// Immutable; any thread may read.
class Checkpoint {
 public:
  /// `folder` holds model.safetensors, or model.safetensors.index.json and its shards.
  /// Throws kNotFound naming what is missing, kBadInput for a damaged file.
  static Checkpoint Open(const std::filesystem::path& folder);

  const std::map<std::string, CheckpointTensor, std::less<>>& tensors() const { return tensors_; }
  const CheckpointTensor* Find(std::string_view name) const;  ///< Null if absent.
  uint64_t total_bytes() const;

 private:
  std::vector<MappedFile> files_;
  std::map<std::string, CheckpointTensor, std::less<>> tensors_;
};

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_SAFETENSORS_H_
