#include "convert/tokenizer_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libdeflate.h>

#include <cstring>
#include <memory>
#include <new>

#include "base/file.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// u64 size of the text, then a zlib stream. The level is fixed: it decides the bytes of the file.
std::string Compress(Bytes text) {
  constexpr int kLevel = 6;
  const uint64_t size = text.size();
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> packer(
      libdeflate_alloc_compressor(kLevel), libdeflate_free_compressor);
  if (packer == nullptr) throw std::bad_alloc();
  const size_t bound = libdeflate_zlib_compress_bound(packer.get(), size);
  std::string section(sizeof size + bound, '\0');
  std::memcpy(section.data(), &size, sizeof size);
  const size_t packed = libdeflate_zlib_compress(packer.get(), text.data(), size,
                                                 section.data() + sizeof size, bound);
  section.resize(sizeof size + packed);
  return section;
}

}  // namespace

TokenizerSection ReadTokenizer(const std::filesystem::path& folder,
                               std::span<const std::string_view> files) {
  for (const std::string_view name : files) {
    const std::filesystem::path path = folder / name;
    if (!std::filesystem::exists(path)) continue;
    const MappedFile file = MappedFile::Open(path);
    TokenizerSection section;
    section.file = path.string();
    if (name == "tokenizer.model") {
      section.type = SectionType::kSentencePiece;
      section.tokenizer = LoadSentencePiece(file.bytes(), section.file);
      section.bytes = AsText(file.bytes());
    } else {
      section.type = SectionType::kHfTokenizerZlib;
      section.tokenizer = LoadHfTokenizer(file.bytes(), section.file);
      section.bytes = Compress(file.bytes());
    }
    return section;
  }
  throw Error(ErrorCode::kNotFound,
              fmt::format("{} has no {}.", folder.string(), fmt::join(files, " or ")),
              "The folder of a checkpoint holds its tokenizer, too.");
}

}  // namespace litertlm
