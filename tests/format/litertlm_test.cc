#include "format/litertlm.h"

#include <gtest/gtest.h>
#include <schema/litertlm_header_generated.h>

#include <cstring>

#include "litertlm/error.h"
#include "tests/format/memory_sink.h"

namespace litertlm {
namespace {

std::function<void(ByteSink&)> Text(std::string text) {
  return [text = std::move(text)](ByteSink& sink) { sink.Write(AsBytes(text)); };
}

std::string SampleFile() {
  LitertlmWriter writer;
  writer.AddSystemMetadata({"Authors", std::string("somebody")});
  writer.AddSystemMetadata({"u8", uint8_t{200}});
  writer.AddSystemMetadata({"i8", int8_t{-3}});
  writer.AddSystemMetadata({"u16", uint16_t{60000}});
  writer.AddSystemMetadata({"i16", int16_t{-300}});
  writer.AddSystemMetadata({"u32", uint32_t{4000000000}});
  writer.AddSystemMetadata({"i32", int32_t{-70000}});
  writer.AddSystemMetadata({"f32", 0.5f});
  writer.AddSystemMetadata({"bool", true});
  writer.AddSystemMetadata({"u64", uint64_t{1} << 60});
  writer.AddSystemMetadata({"i64", -(int64_t{1} << 60)});
  writer.AddSystemMetadata({"f64", -0.25});
  writer.AddSection(SectionType::kLlmMetadata, {}, 4, Text("meta"));
  writer.AddSection(SectionType::kTfliteModel, {{"Model_Type", std::string("TF_LITE_AUX")}}, 3,
                    Text("aux"));
  writer.AddSection(SectionType::kTfliteModel, {}, 20000, Text(std::string(20000, 'm')));
  writer.AddSection(static_cast<SectionType>(77), {{"n", int32_t{-5}}}, 1, Text("?"));
  MemorySink sink;
  writer.Write(sink);
  EXPECT_EQ(sink.data.size(), writer.FileSize());
  return sink.data;
}

TEST(Litertlm, ReadsWhatItWrote) {
  const std::string data = SampleFile();
  const LitertlmFile file = LitertlmFile::Parse(AsBytes(data), "sample");
  EXPECT_EQ(file.major_version(), 1u);
  const std::vector<MetadataValue> expected = {std::string("somebody"),
                                               uint8_t{200},
                                               int8_t{-3},
                                               uint16_t{60000},
                                               int16_t{-300},
                                               uint32_t{4000000000},
                                               int32_t{-70000},
                                               0.5f,
                                               true,
                                               uint64_t{1} << 60,
                                               -(int64_t{1} << 60),
                                               -0.25};
  ASSERT_EQ(file.system_metadata().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(file.system_metadata()[i].value, expected[i]) << file.system_metadata()[i].key;
  }
  ASSERT_EQ(file.sections().size(), 4u);
  for (const Section& section : file.sections()) EXPECT_EQ(section.begin % 16384, 0u);
  EXPECT_EQ(AsText(file.sections()[0].bytes), "meta");
  EXPECT_EQ(SectionTypeName(file.sections()[3].type), "unknown (77)");
  EXPECT_EQ(std::get<int32_t>(file.sections()[3].items[0].value), -5);
}

TEST(Litertlm, FindsSectionsByTypeAndRole) {
  const std::string data = SampleFile();
  const LitertlmFile file = LitertlmFile::Parse(AsBytes(data), "sample");
  EXPECT_EQ(file.Find(SectionType::kTfliteModel, kPrefillDecodeModel), &file.sections()[2]);
  EXPECT_EQ(file.Find(SectionType::kTfliteModel, "tf_lite_aux"), &file.sections()[1]);
  EXPECT_EQ(file.Find(SectionType::kSentencePiece), nullptr);
}

TEST(Litertlm, EqualInputGivesEqualBytes) { EXPECT_EQ(SampleFile(), SampleFile()); }

// What older and other writers do: sections at odd offsets, in another order, two of one type, an
// end of header that points at the first section, padding behind the last.
TEST(Litertlm, ReadsFilesOfOtherWriters) {
  flatbuffers::FlatBufferBuilder builder;
  const auto model_type =
      schema::CreateEntry(builder, builder.CreateString("MODEL_TYPE"), schema::Value::VString,
                          schema::CreateVStringDirect(builder, "TF_Lite_Prefill_Decode").Union());
  const std::vector<flatbuffers::Offset<schema::Entry>> items = {model_type};
  const auto section = [&](uint64_t begin, uint64_t end, SectionType type, bool named) {
    return schema::CreateSectionObject(builder, named ? builder.CreateVector(items) : 0, begin, end,
                                       static_cast<uint8_t>(type));
  };
  const std::vector<flatbuffers::Offset<schema::SectionObject>> sections = {
      section(1013, 1016, SectionType::kTfliteModel, false),
      section(1007, 1011, SectionType::kTfliteModel, true),
      section(1001, 1005, SectionType::kLlmMetadata, false),
      section(1016, 1016, SectionType::kDeprecated, false)};
  builder.Finish(schema::CreateHeader(
      builder, 0, schema::CreateSectionMetadata(builder, builder.CreateVector(sections))));
  ASSERT_LT(32 + builder.GetSize(), 1001u);

  std::string data(2048, '\0');
  data.replace(0, 8, "LITERTLM");
  data[8] = 1;
  data[24] = static_cast<char>(1001 & 0xff);
  data[25] = static_cast<char>(1001 >> 8);
  data.replace(32, builder.GetSize(), reinterpret_cast<const char*>(builder.GetBufferPointer()),
               builder.GetSize());
  data.replace(1001, 4, "meta");
  data.replace(1007, 4, "late");
  data.replace(1013, 3, "old");

  const LitertlmFile file = LitertlmFile::Parse(AsBytes(data), "other");
  ASSERT_EQ(file.sections().size(), 4u);
  EXPECT_TRUE(file.system_metadata().empty());
  EXPECT_EQ(AsText(file.Find(SectionType::kLlmMetadata)->bytes), "meta");
  EXPECT_EQ(AsText(file.Find(SectionType::kTfliteModel, kPrefillDecodeModel)->bytes), "late");
  EXPECT_TRUE(file.Find(SectionType::kDeprecated)->bytes.empty());
}

TEST(Litertlm, AHeaderThatRepeatsItselfIsNoLargerThanItIs) {
  flatbuffers::FlatBufferBuilder builder;
  const auto entry =
      schema::CreateEntry(builder, builder.CreateString(std::string(4000, 'k')),
                          schema::Value::VBool, schema::CreateVBool(builder, true).Union());
  const auto items = builder.CreateVector(std::vector(500, entry));
  const auto section = schema::CreateSectionObject(builder, items);
  const auto objects = builder.CreateVector(std::vector(500, section));
  builder.Finish(schema::CreateHeader(builder, 0, schema::CreateSectionMetadata(builder, objects)));
  std::string data = SampleFile().substr(0, 32);
  const uint64_t end = 32 + builder.GetSize();
  std::memcpy(data.data() + 24, &end, sizeof end);
  data.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  EXPECT_THROW(LitertlmFile::Parse(AsBytes(data), "bomb"), Error);
}

TEST(Litertlm, TruncationIsAnErrorAtEveryLength) {
  const std::string data = SampleFile();
  for (size_t size = 0; size < data.size(); size += size < 1200 ? 1 : 977) {
    EXPECT_THROW(LitertlmFile::Parse(AsBytes(std::string_view(data).substr(0, size)), "cut"), Error)
        << size;
  }
}

TEST(Litertlm, DamagedHeadersNeverCrash) {
  const std::string good = SampleFile();
  for (size_t at = 0; at < 1200; ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string data = good;
      data[at] = static_cast<char>(data[at] ^ (1 << bit));
      try {
        const LitertlmFile file = LitertlmFile::Parse(AsBytes(data), "damaged");
        for (const Section& section : file.sections()) {
          ASSERT_LE(section.begin + section.bytes.size(), data.size());
        }
      } catch (const Error& e) {
        EXPECT_NE(e.message().find("damaged"), std::string::npos);
      }
    }
  }
}

TEST(Litertlm, OtherMajorVersionsAreRefused) {
  std::string data = SampleFile();
  data[8] = 2;
  EXPECT_THROW(LitertlmFile::Parse(AsBytes(data), "new"), Error);
}

TEST(Litertlm, AProducerMustKeepItsWord) {
  LitertlmWriter writer;
  writer.AddSection(SectionType::kGenericBinary, {}, 5, Text("four"));
  MemorySink sink;
  EXPECT_THROW(writer.Write(sink), Error);
}

TEST(Litertlm, AHeaderThatReadersCannotReachIsNotWritten) {
  LitertlmWriter writer;
  writer.AddSystemMetadata({"Authors", std::string(20000, 'a')});
  MemorySink sink;
  EXPECT_THROW(writer.Write(sink), Error);
  EXPECT_TRUE(sink.data.empty());
}

TEST(Litertlm, SectionsPassFourGigabytes) {
  constexpr uint64_t kChunk = 1 << 20, kChunks = 4097;
  const std::string chunk(kChunk, 'w');
  LitertlmWriter writer;
  writer.AddSection(SectionType::kTfliteModel, {}, kChunk * kChunks, [&](ByteSink& sink) {
    for (uint64_t i = 0; i < kChunks; ++i) sink.Write(AsBytes(chunk));
  });
  writer.AddSection(SectionType::kGenericBinary, {}, 3, Text("end"));
  BeginningSink sink(16384);
  writer.Write(sink);
  EXPECT_EQ(sink.written, writer.FileSize());

  // The beginning alone does not have the sections, and says so with the right numbers.
  try {
    LitertlmFile::Parse(AsBytes(sink.data), "beginning");
    FAIL();
  } catch (const Error& e) {
    const std::string end = std::to_string(16384 + kChunk * kChunks);
    EXPECT_NE(e.message().find("16384 to " + end), std::string::npos) << e.message();
  }
}

}  // namespace
}  // namespace litertlm
