#include "format/litertlm.h"

#include <gtest/gtest.h>

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
  writer.AddSystemMetadata({"f32", 0.5f});
  writer.AddSystemMetadata({"bool", true});
  writer.AddSystemMetadata({"u64", uint64_t{1} << 60});
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
  ASSERT_EQ(file.system_metadata().size(), 7u);
  EXPECT_EQ(std::get<std::string>(file.system_metadata()[0].value), "somebody");
  EXPECT_EQ(std::get<uint8_t>(file.system_metadata()[1].value), 200);
  EXPECT_EQ(std::get<int8_t>(file.system_metadata()[2].value), -3);
  EXPECT_EQ(std::get<float>(file.system_metadata()[3].value), 0.5f);
  EXPECT_TRUE(std::get<bool>(file.system_metadata()[4].value));
  EXPECT_EQ(std::get<uint64_t>(file.system_metadata()[5].value), uint64_t{1} << 60);
  EXPECT_EQ(std::get<double>(file.system_metadata()[6].value), -0.25);
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

}  // namespace
}  // namespace litertlm
