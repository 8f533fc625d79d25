// Zip archives for tests: stored entries, as bundles have them, and whatever else a reader may
// meet.
#ifndef LITERTLM_TESTS_FORMAT_ZIP_WRITER_H_
#define LITERTLM_TESTS_FORMAT_ZIP_WRITER_H_

#include <libdeflate.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

class ZipWriter {
 public:
  /// Of an entry; nothing is compressed or encrypted, whatever `method` and `flags` say.
  struct Options {
    uint64_t alignment = 4;  ///< Of the content, by means of the header's extra field.
    uint16_t method = 0;
    uint16_t flags = 0;
    bool zip64 = false;  ///< Sizes and offset stand in the directory's extra field.
  };

  void Add(std::string_view name, std::string_view content) { Add(name, content, Options()); }
  void Add(std::string_view name, std::string_view content, const Options& options) {
    const uint64_t header = data_.size();
    const uint64_t begin = header + 30 + name.size();
    const uint64_t padding = (options.alignment - begin % options.alignment) % options.alignment;
    const uint32_t crc = libdeflate_crc32(0, content.data(), content.size());
    const auto common = [&](std::string& out) {
      Put<uint16_t>(out, 45);
      Put<uint16_t>(out, options.flags);
      Put<uint16_t>(out, options.method);
      Put<uint32_t>(out, 0x21 << 16);  // The first of January 1980.
      Put<uint32_t>(out, crc);
    };
    Put<uint32_t>(data_, 0x04034b50);
    common(data_);
    Put(data_, static_cast<uint32_t>(content.size()));
    Put(data_, static_cast<uint32_t>(content.size()));
    Put(data_, static_cast<uint16_t>(name.size()));
    Put(data_, static_cast<uint16_t>(padding));
    data_ += name;
    data_.append(padding, '\0');
    data_ += content;

    const uint32_t narrow = options.zip64 ? UINT32_MAX : static_cast<uint32_t>(content.size());
    Put<uint32_t>(directory_, 0x02014b50);
    Put<uint16_t>(directory_, 45);
    common(directory_);
    Put(directory_, narrow);
    Put(directory_, narrow);
    Put(directory_, static_cast<uint16_t>(name.size()));
    Put<uint16_t>(directory_, options.zip64 ? 28 : 0);
    Put<uint16_t>(directory_, 0);  // No comment.
    Put<uint16_t>(directory_, 0);  // The first disk.
    Put<uint16_t>(directory_, 0);
    Put<uint32_t>(directory_, 0);
    Put<uint32_t>(directory_, options.zip64 ? UINT32_MAX : static_cast<uint32_t>(header));
    directory_ += name;
    if (options.zip64) {
      Put<uint16_t>(directory_, 1);
      Put<uint16_t>(directory_, 24);
      Put<uint64_t>(directory_, content.size());
      Put<uint64_t>(directory_, content.size());
      Put<uint64_t>(directory_, header);
    }
    ++count_;
  }

  /// The whole archive. With `zip64` its end refers to the wide record in front of it.
  std::string Finish(bool zip64 = false, std::string_view comment = "") const {
    std::string all = data_ + directory_;
    if (zip64) {
      const uint64_t record = all.size();
      Put<uint32_t>(all, 0x06064b50);
      Put<uint64_t>(all, 44);
      Put<uint32_t>(all, 45 | 45 << 16);
      Put<uint32_t>(all, 0);
      Put<uint32_t>(all, 0);
      Put<uint64_t>(all, count_);
      Put<uint64_t>(all, count_);
      Put<uint64_t>(all, directory_.size());
      Put<uint64_t>(all, data_.size());
      Put<uint32_t>(all, 0x07064b50);
      Put<uint32_t>(all, 0);
      Put<uint64_t>(all, record);
      Put<uint32_t>(all, 1);
    }
    Put<uint32_t>(all, 0x06054b50);
    Put<uint32_t>(all, 0);
    Put<uint16_t>(all, zip64 ? UINT16_MAX : static_cast<uint16_t>(count_));
    Put<uint16_t>(all, zip64 ? UINT16_MAX : static_cast<uint16_t>(count_));
    Put<uint32_t>(all, zip64 ? UINT32_MAX : static_cast<uint32_t>(directory_.size()));
    Put<uint32_t>(all, zip64 ? UINT32_MAX : static_cast<uint32_t>(data_.size()));
    Put(all, static_cast<uint16_t>(comment.size()));
    return all.append(comment);
  }

  uint64_t directory_begin() const { return data_.size(); }

 private:
  template <typename T>
  static void Put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  std::string data_;
  std::string directory_;
  uint64_t count_ = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_FORMAT_ZIP_WRITER_H_
