// The `.litertlm` container: a 32-byte prefix, a FlatBuffer header that lists sections, and the
// sections, each at a multiple of 16 KiB. Byte layout: docs/format.md.
#ifndef LITERTLM_FORMAT_LITERTLM_H_
#define LITERTLM_FORMAT_LITERTLM_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "format/section.h"

namespace litertlm {

/// A container opened for reading. Every section was checked to lie inside the file. Immutable.
class LitertlmFile {
 public:
  /// Throws kNotFound, kIo, or kBadInput with the offset of what is wrong.
  static LitertlmFile Open(const std::filesystem::path& path);
  /// The same for bytes in memory, which must outlive the object.
  static LitertlmFile Parse(Bytes bytes, std::string name);
  /// True if the first bytes are those of a container.
  static bool Matches(Bytes bytes);

  const std::string& name() const { return name_; }  ///< For messages: the path.
  uint64_t size() const { return bytes_.size(); }
  uint32_t major_version() const { return version_[0]; }
  uint32_t minor_version() const { return version_[1]; }
  uint32_t patch_version() const { return version_[2]; }
  const std::vector<KeyValue>& system_metadata() const { return system_metadata_; }
  const std::vector<Section>& sections() const { return sections_; }

  /// FindSection among its own.
  const Section* Find(SectionType type, std::string_view model_type = {}) const {
    return FindSection(sections_, type, model_type);
  }

 private:
  MappedFile file_;
  Bytes bytes_;
  std::string name_;
  uint32_t version_[3] = {};
  std::vector<KeyValue> system_metadata_;
  std::vector<Section> sections_;
};

/// Writes a container front to back without holding any section in memory.
class LitertlmWriter {
 public:
  /// `produce` must write exactly `size` bytes; it is called once, from `Write`.
  void AddSection(SectionType type, std::vector<KeyValue> items, uint64_t size,
                  std::function<void(ByteSink&)> produce);
  void AddSystemMetadata(KeyValue entry) { system_metadata_.push_back(std::move(entry)); }

  uint64_t FileSize() const;
  void Write(ByteSink& sink) const;

 private:
  struct Pending {
    SectionType type;
    std::vector<KeyValue> items;
    uint64_t size;
    std::function<void(ByteSink&)> produce;
  };
  std::vector<KeyValue> system_metadata_;
  std::vector<Pending> sections_;
};

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_LITERTLM_H_
