#include "convert/tokenizer_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <cstring>

#include "base/file.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// u64 size of the text, then a zlib stream. The level is fixed: it decides the bytes of the file.
std::string Compress(Bytes text) {
  constexpr int kLevel = 6;
  const uint64_t size = text.size();
  uLongf compressed = compressBound(size);
  std::string section(sizeof size + compressed, '\0');
  std::memcpy(section.data(), &size, sizeof size);
  const int status = compress2(reinterpret_cast<Bytef*>(section.data() + sizeof size), &compressed,
                               reinterpret_cast<const Bytef*>(text.data()), size, kLevel);
  if (status != Z_OK) {
    throw Error(ErrorCode::kInternal, fmt::format("zlib failed with status {}.", status));
  }
  section.resize(sizeof size + compressed);
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
