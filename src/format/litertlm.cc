#include "format/litertlm.h"

#include <fmt/format.h>
#include <schema/litertlm_header_generated.h>

#include <cstring>
#include <optional>
#include <utility>

#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr std::string_view kMagic = "LITERTLM";
constexpr uint64_t kPrefixSize = 32;    // Magic, three version numbers, padding, header end.
constexpr uint64_t kAlignment = 16384;  // LiteRT-LM reads the header from the first 16 KiB.
constexpr uint32_t kMajor = 1, kMinor = 5, kPatch = 0;

uint64_t AlignUp(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

template <typename T>
T ReadLittleEndian(Bytes bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <typename Table>
MetadataValue ScalarValue(const void* table) {
  return static_cast<const Table*>(table)->value();
}

std::optional<MetadataValue> ReadValue(const schema::Entry& entry) {
  const void* value = entry.value();
  if (value == nullptr) return std::nullopt;
  switch (entry.value_type()) {
    case schema::Value::VUInt8:
      return ScalarValue<schema::VUInt8>(value);
    case schema::Value::VInt8:
      return ScalarValue<schema::VInt8>(value);
    case schema::Value::VUInt16:
      return ScalarValue<schema::VUInt16>(value);
    case schema::Value::VInt16:
      return ScalarValue<schema::VInt16>(value);
    case schema::Value::VUInt32:
      return ScalarValue<schema::VUInt32>(value);
    case schema::Value::VInt32:
      return ScalarValue<schema::VInt32>(value);
    case schema::Value::VFloat32:
      return ScalarValue<schema::VFloat32>(value);
    case schema::Value::VBool:
      return ScalarValue<schema::VBool>(value);
    case schema::Value::VString: {
      const auto* text = static_cast<const schema::VString*>(value)->value();
      return text == nullptr ? std::string() : text->str();
    }
    case schema::Value::VUInt64:
      return ScalarValue<schema::VUInt64>(value);
    case schema::Value::VInt64:
      return ScalarValue<schema::VInt64>(value);
    case schema::Value::VFloat64:
      return ScalarValue<schema::VFloat64>(value);
    case schema::Value::NONE:
      break;
  }
  return std::nullopt;
}

using Entries = flatbuffers::Vector<flatbuffers::Offset<schema::Entry>>;

// Entries of a type this program does not know are left out.
std::vector<KeyValue> ReadEntries(const Entries* entries) {
  std::vector<KeyValue> result;
  if (entries == nullptr) return result;
  for (const schema::Entry* entry : *entries) {
    if (std::optional<MetadataValue> value = ReadValue(*entry)) {
      result.push_back({entry->key()->str(), std::move(*value)});
    }
  }
  return result;
}

using Tagged = std::pair<schema::Value, flatbuffers::Offset<void>>;

struct ValueWriter {
  flatbuffers::FlatBufferBuilder& builder;
  Tagged operator()(uint8_t v) const {
    return {schema::Value::VUInt8, schema::CreateVUInt8(builder, v).Union()};
  }
  Tagged operator()(int8_t v) const {
    return {schema::Value::VInt8, schema::CreateVInt8(builder, v).Union()};
  }
  Tagged operator()(uint16_t v) const {
    return {schema::Value::VUInt16, schema::CreateVUInt16(builder, v).Union()};
  }
  Tagged operator()(int16_t v) const {
    return {schema::Value::VInt16, schema::CreateVInt16(builder, v).Union()};
  }
  Tagged operator()(uint32_t v) const {
    return {schema::Value::VUInt32, schema::CreateVUInt32(builder, v).Union()};
  }
  Tagged operator()(int32_t v) const {
    return {schema::Value::VInt32, schema::CreateVInt32(builder, v).Union()};
  }
  Tagged operator()(float v) const {
    return {schema::Value::VFloat32, schema::CreateVFloat32(builder, v).Union()};
  }
  Tagged operator()(bool v) const {
    return {schema::Value::VBool, schema::CreateVBool(builder, v).Union()};
  }
  Tagged operator()(const std::string& v) const {
    return {schema::Value::VString,
            schema::CreateVString(builder, builder.CreateString(v)).Union()};
  }
  Tagged operator()(uint64_t v) const {
    return {schema::Value::VUInt64, schema::CreateVUInt64(builder, v).Union()};
  }
  Tagged operator()(int64_t v) const {
    return {schema::Value::VInt64, schema::CreateVInt64(builder, v).Union()};
  }
  Tagged operator()(double v) const {
    return {schema::Value::VFloat64, schema::CreateVFloat64(builder, v).Union()};
  }
};

flatbuffers::Offset<Entries> WriteEntries(flatbuffers::FlatBufferBuilder& builder,
                                          const std::vector<KeyValue>& entries) {
  std::vector<flatbuffers::Offset<schema::Entry>> offsets;
  for (const KeyValue& entry : entries) {
    const auto [type, value] = std::visit(ValueWriter{builder}, entry.value);
    offsets.push_back(schema::CreateEntry(builder, builder.CreateString(entry.key), type, value));
  }
  return builder.CreateVector(offsets);
}

[[noreturn]] void ThrowDamagedContainer(const std::string& name, std::string_view what) {
  throw Error(ErrorCode::kBadInput, fmt::format("{}: {}.", name, what),
              "The file is damaged or incomplete; fetch or convert it again.");
}

}  // namespace

bool LitertlmFile::Matches(Bytes bytes) {
  return bytes.size() >= kMagic.size() && AsText(bytes.first(kMagic.size())) == kMagic;
}

LitertlmFile LitertlmFile::Open(const std::filesystem::path& path) {
  MappedFile mapping = MappedFile::Open(path);
  LitertlmFile file = Parse(mapping.bytes(), path.string());
  file.file_ = std::move(mapping);
  return file;
}

LitertlmFile LitertlmFile::Parse(Bytes bytes, std::string name) {
  if (!Matches(bytes)) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} is not a .litertlm file: it does not start with {}.", name, kMagic),
                "A web page saved under this name, or another format, looks like this.");
  }
  LitertlmFile file;
  file.bytes_ = bytes;
  file.name_ = std::move(name);
  if (bytes.size() < kPrefixSize)
    ThrowDamagedContainer(file.name_, "it ends inside its first 32 bytes");
  for (int i = 0; i < 3; ++i) file.version_[i] = ReadLittleEndian<uint32_t>(bytes, 8 + 4 * i);
  if (file.version_[0] != kMajor) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{} has format version {}.{}.{}; this program reads version 1.",
                            file.name_, file.version_[0], file.version_[1], file.version_[2]));
  }
  const auto header_end = ReadLittleEndian<uint64_t>(bytes, 24);
  if (header_end <= kPrefixSize || header_end > bytes.size()) {
    ThrowDamagedContainer(
        file.name_, fmt::format("its header ends at byte {} of {}", header_end, bytes.size()));
  }
  // The end may also point past the header, at the first section; a header is never larger.
  const uint64_t size = std::min(header_end, kAlignment) - kPrefixSize;
  const Bytes header_bytes = bytes.subspan(kPrefixSize, size);
  flatbuffers::Verifier::Options limits;
  // A table takes four bytes. Sharing tables must not make more of a header than its size.
  limits.max_tables = static_cast<flatbuffers::uoffset_t>(header_bytes.size() / 4);
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(header_bytes.data()),
                                 header_bytes.size(), limits);
  if (!schema::VerifyHeaderBuffer(verifier)) {
    ThrowDamagedContainer(file.name_, "its header (from byte 32) is not a valid FlatBuffer");
  }
  const schema::Header& header = *schema::GetHeader(header_bytes.data());
  if (header.system_metadata() != nullptr) {
    file.system_metadata_ = ReadEntries(header.system_metadata()->entries());
  }
  if (header.section_metadata() == nullptr || header.section_metadata()->objects() == nullptr) {
    ThrowDamagedContainer(file.name_, "its header lists no sections");
  }
  for (const schema::SectionObject* object : *header.section_metadata()->objects()) {
    Section section;
    section.type = static_cast<SectionType>(object->data_type());
    section.items = ReadEntries(object->items());
    section.begin = object->begin_offset();
    section.end = object->end_offset();
    const std::string what = fmt::format("{}: section {} ({})", file.name_, file.sections_.size(),
                                         SectionTypeName(section.type));
    if (section.end < section.begin) {
      ThrowDamagedContainer(what, fmt::format("it begins at byte {} and ends at byte {}",
                                              section.begin, section.end));
    }
    section.bytes = Subrange(bytes, section.begin, section.end - section.begin, what);
    file.sections_.push_back(std::move(section));
  }
  return file;
}

void LitertlmWriter::AddSection(SectionType type, std::vector<KeyValue> items, uint64_t size,
                                std::function<void(ByteSink&)> produce) {
  sections_.push_back({type, std::move(items), size, std::move(produce)});
}

uint64_t LitertlmWriter::FileSize() const {
  uint64_t offset = kAlignment;
  for (size_t i = 0; i < sections_.size(); ++i) offset = AlignUp(offset) + sections_[i].size;
  return offset;
}

void LitertlmWriter::Write(ByteSink& out) const {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<schema::SectionObject>> objects;
  uint64_t offset = kAlignment;
  for (const Pending& section : sections_) {
    const auto items = WriteEntries(builder, section.items);
    offset = AlignUp(offset);
    objects.push_back(schema::CreateSectionObject(builder, items, offset, offset + section.size,
                                                  static_cast<uint8_t>(section.type)));
    offset += section.size;
  }
  const auto system =
      schema::CreateSystemMetadata(builder, WriteEntries(builder, system_metadata_));
  const auto sections = schema::CreateSectionMetadata(builder, builder.CreateVector(objects));
  builder.Finish(schema::CreateHeader(builder, system, sections));

  const uint64_t header_end = kPrefixSize + builder.GetSize();
  if (header_end > kAlignment) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("The header of the .litertlm file would need {} bytes; the format "
                            "allows {}.",
                            header_end, kAlignment));
  }
  CountingSink sink(out);
  sink.Write(AsBytes(kMagic));
  const uint32_t version[4] = {kMajor, kMinor, kPatch, 0};
  sink.Write(std::as_bytes(std::span(version)));
  sink.Write(std::as_bytes(std::span(&header_end, 1)));
  sink.Write(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
  sink.WriteZeros(kAlignment - header_end);
  for (const Pending& section : sections_) {
    sink.WriteZeros(AlignUp(sink.count()) - sink.count());
    const uint64_t begin = sink.count();
    section.produce(sink);
    if (sink.count() - begin != section.size) {
      throw Error(ErrorCode::kInternal,
                  fmt::format("A {} section was announced with {} bytes, but {} were written.",
                              SectionTypeName(section.type), section.size, sink.count() - begin));
    }
  }
}

}  // namespace litertlm
