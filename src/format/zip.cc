#include "format/zip.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "litertlm/error.h"

namespace litertlm {
namespace {

// The numbers and offsets are those of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryEntry = 0x02014b50;
constexpr uint32_t kDirectoryEnd = 0x06054b50;
constexpr uint32_t kDirectoryEnd64 = 0x06064b50;
constexpr uint32_t kDirectoryEnd64Locator = 0x07064b50;
constexpr uint64_t kLocalHeaderSize = 30;
constexpr uint64_t kDirectoryEntrySize = 46;
constexpr uint64_t kDirectoryEndSize = 22;
constexpr uint64_t kDirectoryEnd64Size = 56;
constexpr uint64_t kLocatorSize = 20;
constexpr uint64_t kLongestComment = 0xffff;
constexpr uint16_t kLongestName = 1000;
constexpr uint16_t kZip64Extra = 1;
// In 16 and 32 bits: "the number stands in the zip64 record".
constexpr uint16_t kElsewhere16 = 0xffff;
constexpr uint32_t kElsewhere32 = 0xffffffff;
constexpr uint16_t kEncrypted = 1;            // A bit of the flags; bit 6 comes with it.
constexpr uint16_t kHiddenHeaders = 1 << 13;  // The directory is encrypted.
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;

// The caller has checked that the number lies inside.
template <typename T>
T Read(Bytes bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

class ZipReader {
 public:
  ZipReader(Bytes bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  std::vector<ZipEntry> Entries() {
    const Directory directory = FindDirectory();
    std::vector<ZipEntry> entries;
    uint64_t at = directory.offset;
    for (uint64_t i = 0; i < directory.count; ++i) {
      std::optional<ZipEntry> entry = ReadEntry(i, directory, at);
      if (entry) entries.push_back(*std::move(entry));
    }
    CheckApart(entries);
    return entries;
  }

 private:
  struct Directory {
    uint64_t count = 0;
    uint64_t offset = 0;
    uint64_t end = 0;
  };
  /// What the directory says of an entry; zip64 has replaced what did not fit.
  struct Described {
    uint64_t stored_size = 0;
    uint64_t size = 0;
    uint64_t header = 0;
  };

  [[noreturn]] void Damaged(const std::string& detail) const {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: {}.", where_, detail),
                "The archive is damaged or incomplete; fetch it again.");
  }
  [[noreturn]] void Unsupported(const std::string& detail, std::string hint = {}) const {
    throw Error(ErrorCode::kUnsupported, fmt::format("{}: {}.", where_, detail), std::move(hint));
  }

  bool Holds(uint64_t offset, uint64_t size) const {
    return offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  bool IsAt(uint64_t offset, uint64_t size, uint32_t signature) const {
    return Holds(offset, size) && Read<uint32_t>(bytes_, offset) == signature;
  }

  // From the end: only a comment may follow the record.
  uint64_t FindDirectoryEnd() const {
    if (bytes_.size() >= kDirectoryEndSize) {
      const uint64_t last = bytes_.size() - kDirectoryEndSize;
      const uint64_t first = last - std::min(last, kLongestComment);
      for (uint64_t at = last + 1; at-- > first;) {
        if (IsAt(at, kDirectoryEndSize, kDirectoryEnd) &&
            Read<uint16_t>(bytes_, at + 20) == last - at) {
          return at;
        }
      }
    }
    Damaged("it begins as a zip archive but has no directory at its end");
  }

  Directory FindDirectory() const {
    const uint64_t record = FindDirectoryEnd();
    const auto disk = Read<uint16_t>(bytes_, record + 4);
    const auto count = Read<uint16_t>(bytes_, record + 10);
    const auto size = Read<uint32_t>(bytes_, record + 12);
    const auto offset = Read<uint32_t>(bytes_, record + 16);
    if (disk == kElsewhere16 || count == kElsewhere16 || size == kElsewhere32 ||
        offset == kElsewhere32) {
      return FindDirectory64(record);
    }
    if (disk != 0 || Read<uint16_t>(bytes_, record + 8) != count) {
      Unsupported("it is one part of a zip archive in several files");
    }
    return Checked(count, offset, size, record);
  }

  Directory FindDirectory64(uint64_t record) const {
    if (record < kLocatorSize ||
        !IsAt(record - kLocatorSize, kLocatorSize, kDirectoryEnd64Locator)) {
      Damaged("its zip64 directory is not announced");
    }
    const uint64_t locator = record - kLocatorSize;
    const auto at = Read<uint64_t>(bytes_, locator + 8);
    if (at > locator || !IsAt(at, kDirectoryEnd64Size, kDirectoryEnd64)) {
      Damaged(fmt::format("its zip64 directory ends at byte {}, where there is none", at));
    }
    if (Read<uint32_t>(bytes_, at + 16) != 0 ||
        Read<uint64_t>(bytes_, at + 24) != Read<uint64_t>(bytes_, at + 32)) {
      Unsupported("it is one part of a zip archive in several files");
    }
    return Checked(Read<uint64_t>(bytes_, at + 32), Read<uint64_t>(bytes_, at + 48),
                   Read<uint64_t>(bytes_, at + 40), at);
  }

  // `limit`: what follows the directory begins there.
  Directory Checked(uint64_t count, uint64_t offset, uint64_t size, uint64_t limit) const {
    if (offset > limit || size > limit - offset) {
      Damaged(fmt::format("its directory of {} bytes at byte {} does not end before byte {}", size,
                          offset, limit));
    }
    if (count > size / kDirectoryEntrySize) {
      Damaged(fmt::format("its directory of {} bytes cannot list {} entries", size, count));
    }
    return {count, offset, offset + size};
  }

  // Moves `at` to the next entry. Nothing for a folder.
  std::optional<ZipEntry> ReadEntry(uint64_t index, const Directory& directory,
                                    uint64_t& at) const {
    if (directory.end - at < kDirectoryEntrySize ||
        !IsAt(at, kDirectoryEntrySize, kDirectoryEntry)) {
      Damaged(fmt::format("entry {} of its directory, at byte {}, is none", index, at));
    }
    const auto name_size = Read<uint16_t>(bytes_, at + 28);
    const auto extra_size = Read<uint16_t>(bytes_, at + 30);
    const auto comment_size = Read<uint16_t>(bytes_, at + 32);
    const uint64_t name_at = at + kDirectoryEntrySize;
    if (uint64_t{name_size} + extra_size + comment_size > directory.end - name_at) {
      Damaged(
          fmt::format("entry {} of its directory, at byte {}, does not end inside it", index, at));
    }
    if (name_size > kLongestName) {
      Unsupported(
          fmt::format("entry {} of its directory has a name of {} bytes", index, name_size));
    }
    const std::string name(AsText(bytes_.subspan(name_at, name_size)));
    const Described described = Describe(name, at, bytes_.subspan(name_at + name_size, extra_size));
    const auto flags = Read<uint16_t>(bytes_, at + 8);
    const auto method = Read<uint16_t>(bytes_, at + 10);
    at = name_at + name_size + extra_size + comment_size;
    if (name.ends_with('/')) return std::nullopt;
    CheckCoding(name, flags, method, described);
    return Locate(name, described, directory);
  }

  Described Describe(const std::string& name, uint64_t at, Bytes extra) const {
    const auto stored_size = Read<uint32_t>(bytes_, at + 20);
    const auto size = Read<uint32_t>(bytes_, at + 24);
    const auto header = Read<uint32_t>(bytes_, at + 42);
    Bytes wide = Zip64Extra(extra);
    // The record holds only those numbers that did not fit, in this order.
    const auto take = [&](uint32_t narrow) -> uint64_t {
      if (narrow != kElsewhere32) return narrow;
      if (wide.size() < sizeof(uint64_t)) {
        Damaged(fmt::format("the size or place of \"{}\" is missing", name));
      }
      const auto value = Read<uint64_t>(wide, 0);
      wide = wide.subspan(sizeof value);
      return value;
    };
    Described described;
    described.size = take(size);
    described.stored_size = take(stored_size);
    described.header = take(header);
    return described;
  }

  static Bytes Zip64Extra(Bytes extra) {
    while (extra.size() >= 4) {
      const auto id = Read<uint16_t>(extra, 0);
      const uint64_t size = std::min<uint64_t>(Read<uint16_t>(extra, 2), extra.size() - 4);
      if (id == kZip64Extra) return extra.subspan(4, size);
      extra = extra.subspan(4 + size);
    }
    return {};
  }

  void CheckCoding(const std::string& name, uint16_t flags, uint16_t method,
                   const Described& described) const {
    if ((flags & (kEncrypted | kHiddenHeaders)) != 0) {
      Unsupported(fmt::format("its entry \"{}\" is encrypted", name));
    }
    if (method != kStored) {
      Unsupported(
          fmt::format("its entry \"{}\" is compressed ({}), so that it cannot be read in "
                      "place",
                      name, method == kDeflated ? "deflate" : fmt::format("method {}", method)),
          "Pack it again without compression: zip -0.");
    }
    if (described.stored_size != described.size) {
      Damaged(fmt::format("its entry \"{}\" is stored as it is, but has {} bytes here and {} there",
                          name, described.stored_size, described.size));
    }
  }

  // The entry's own header, in front of its content, has name and extra fields of its own lengths.
  ZipEntry Locate(const std::string& name, const Described& described,
                  const Directory& directory) const {
    const uint64_t header = described.header;
    if (header > directory.offset || directory.offset - header < kLocalHeaderSize ||
        Read<uint32_t>(bytes_, header) != kLocalHeader) {
      Damaged(fmt::format("its entry \"{}\" does not begin at byte {}", name, header));
    }
    const uint64_t name_size = Read<uint16_t>(bytes_, header + 26);
    const uint64_t begin =
        header + kLocalHeaderSize + name_size + Read<uint16_t>(bytes_, header + 28);
    if (begin > directory.offset || described.size > directory.offset - begin) {
      Damaged(fmt::format("its entry \"{}\" of {} bytes at byte {} does not end before byte {}",
                          name, described.size, begin, directory.offset));
    }
    if (Read<uint16_t>(bytes_, header + 8) != kStored ||
        AsText(bytes_.subspan(header + kLocalHeaderSize, name_size)) != name) {
      Damaged(
          fmt::format("the header of \"{}\" at byte {} contradicts the directory", name, header));
    }
    return {name, begin, bytes_.subspan(begin, described.size)};
  }

  void CheckApart(const std::vector<ZipEntry>& entries) const {
    std::vector<const ZipEntry*> sorted;
    for (const ZipEntry& entry : entries) sorted.push_back(&entry);
    std::ranges::sort(sorted, std::less(), [](const ZipEntry* entry) { return entry->begin; });
    for (size_t i = 1; i < sorted.size(); ++i) {
      const ZipEntry& before = *sorted[i - 1];
      if (before.begin + before.bytes.size() + kLocalHeaderSize > sorted[i]->begin) {
        Damaged(fmt::format("its entries \"{}\" and \"{}\" overlap", before.name, sorted[i]->name));
      }
    }
    std::ranges::sort(sorted, std::less(),
                      [](const ZipEntry* entry) -> const std::string& { return entry->name; });
    for (size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i - 1]->name == sorted[i]->name) {
        Damaged(fmt::format("it has two entries \"{}\"", sorted[i]->name));
      }
    }
  }

  Bytes bytes_;
  std::string_view where_;
};

}  // namespace

bool IsZip(Bytes bytes) {
  // An archive without entries begins with the end of its directory.
  return bytes.size() >= 4 &&
         (Read<uint32_t>(bytes, 0) == kLocalHeader || Read<uint32_t>(bytes, 0) == kDirectoryEnd);
}

std::vector<ZipEntry> ReadZip(Bytes bytes, std::string_view where) {
  return ZipReader(bytes, where).Entries();
}

}  // namespace litertlm
