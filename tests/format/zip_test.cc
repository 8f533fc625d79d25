#include "format/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/error_of.h"
#include "tests/format/zip_writer.h"

namespace litertlm {
namespace {

using testing::HasSubstr;

std::string Sample() {
  ZipWriter writer;
  writer.Add("folder/", "");
  writer.Add("TF_LITE_PREFILL_DECODE", std::string(5000, 'm'), {.alignment = 4096});
  writer.Add("METADATA", "meta");
  writer.Add("empty", "");
  return writer.Finish();
}

Error Failure(const std::string& archive) {
  return ErrorOf([&] { ReadZip(AsBytes(archive), "model.task"); });
}

void Overwrite(std::string& data, size_t at, uint64_t value, size_t bytes) {
  data.replace(at, bytes, reinterpret_cast<const char*>(&value), bytes);
}

TEST(Zip, FindsEntriesInPlace) {
  const std::string data = Sample();
  const std::vector<ZipEntry> entries = ReadZip(AsBytes(data), "sample");
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "TF_LITE_PREFILL_DECODE");
  EXPECT_EQ(entries[0].begin, 4096u);
  EXPECT_EQ(entries[0].bytes.size(), 5000u);
  EXPECT_EQ(entries[0].bytes.data(), AsBytes(data).data() + 4096);
  EXPECT_EQ(AsText(entries[1].bytes), "meta");
  EXPECT_TRUE(entries[2].bytes.empty());
}

TEST(Zip, ReadsArchivesWithWideNumbersAndComments) {
  ZipWriter writer;
  writer.Add("a", "first", {.zip64 = true});
  writer.Add("b", "second");
  for (const bool zip64 : {false, true}) {
    for (const std::string& comment :
         {std::string(), std::string("PK\5\6"), std::string(65535, 'c')}) {
      const std::string data = writer.Finish(zip64, comment);
      const std::vector<ZipEntry> entries = ReadZip(AsBytes(data), "wide");
      ASSERT_EQ(entries.size(), 2u);
      EXPECT_EQ(AsText(entries[0].bytes), "first");
      EXPECT_EQ(AsText(entries[1].bytes), "second");
    }
  }
}

TEST(Zip, AnEmptyArchiveHasNoEntries) {
  const std::string data = ZipWriter().Finish();
  EXPECT_TRUE(IsZip(AsBytes(data)));
  EXPECT_TRUE(ReadZip(AsBytes(data), "empty").empty());
}

TEST(Zip, WhatCannotBeReadInPlaceIsRefused) {
  const auto refusal = [](ZipWriter::Options options) {
    ZipWriter writer;
    writer.Add("METADATA", "meta", options);
    const Error error = Failure(writer.Finish());
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.message();
  };
  EXPECT_EQ(
      refusal({.method = 8}),
      "model.task: its entry \"METADATA\" is compressed (deflate), so that it cannot be read in "
      "place.");
  EXPECT_THAT(refusal({.method = 93}), HasSubstr("method 93"));
  EXPECT_EQ(refusal({.flags = 1}), "model.task: its entry \"METADATA\" is encrypted.");
  EXPECT_THAT(refusal({.flags = 1 << 13}), HasSubstr("encrypted"));
}

TEST(Zip, TwoEntriesOfOneNameAreAnError) {
  ZipWriter writer;
  writer.Add("METADATA", "one");
  writer.Add("METADATA", "two");
  EXPECT_THAT(Failure(writer.Finish()).message(), HasSubstr("two entries \"METADATA\""));
}

TEST(Zip, OverlappingEntriesAreAnError) {
  ZipWriter writer;
  writer.Add("a", "12345678");
  writer.Add("b", "12345678");
  std::string data = writer.Finish();
  const size_t directory = writer.directory_begin();
  // The first entry, by its sizes in the directory, reaches into the second.
  Overwrite(data, directory + 20, 20, 4);
  Overwrite(data, directory + 24, 20, 4);
  EXPECT_THAT(Failure(data).message(), HasSubstr("\"a\" and \"b\" overlap"));
}

TEST(Zip, AbsurdNumbersAreErrors) {
  ZipWriter writer;
  writer.Add("a", "12345678", {.zip64 = true});
  const std::string narrow = writer.Finish();
  const std::string wide = writer.Finish(/*zip64=*/true);
  const size_t directory = writer.directory_begin();
  const size_t extra = directory + 46 + 1 + 4;
  const size_t end = narrow.size() - 22;
  const size_t end64 = wide.size() - 22 - 20 - 56;
  const struct {
    const std::string& archive;
    size_t at;
    size_t bytes;
    const char* message;
  } cases[] = {
      {narrow, end + 8, 2, "in several files"},
      {narrow, end + 4, 2, "zip64 directory is not announced"},
      {narrow, end + 12, 4, "zip64 directory is not announced"},
      {narrow, directory + 28, 2, "does not end inside it"},
      {narrow, directory + 30, 2, "does not end inside it"},
      {narrow, extra, 8, "bytes here and"},
      {narrow, extra + 16, 8, "does not begin at byte 18446744073709551615"},
      {wide, end64 + 24, 8, "in several files"},
      {wide, end64 + 40, 8, "does not end before"},
      {wide, end64 + 48, 8, "does not end before"},
      {wide, wide.size() - 22 - 20 + 8, 8, "where there is none"},
  };
  for (const auto& [archive, at, bytes, message] : cases) {
    std::string data = archive;
    Overwrite(data, at, ~uint64_t{0}, bytes);
    EXPECT_THAT(Failure(data).message(), HasSubstr(message)) << at;
  }
  std::string data = wide;
  for (const size_t at : {end64 + 24, end64 + 32}) Overwrite(data, at, uint64_t{1} << 60, 8);
  EXPECT_THAT(Failure(data).message(), HasSubstr("cannot list 1152921504606846976 entries"));
}

TEST(Zip, TruncationIsAnErrorAtEveryLength) {
  const std::string data = Sample();
  for (size_t size = 4; size < data.size(); ++size) {
    EXPECT_EQ(Failure(data.substr(0, size)).code(), ErrorCode::kBadInput) << size;
  }
}

TEST(Zip, DamagedArchivesNeverCrash) {
  ZipWriter writer;
  writer.Add("a", "first", {.zip64 = true});
  writer.Add("METADATA", "second");
  for (const std::string& good : {writer.Finish(), writer.Finish(/*zip64=*/true, "comment")}) {
    for (size_t at = 0; at < good.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string data = good;
        data[at] = static_cast<char>(data[at] ^ (1 << bit));
        try {
          for (const ZipEntry& entry : ReadZip(AsBytes(data), "damaged")) {
            ASSERT_LE(entry.begin + entry.bytes.size(), data.size());
          }
        } catch (const Error& e) {
          EXPECT_THAT(e.message(), HasSubstr("damaged: "));
        }
      }
    }
  }
}

}  // namespace
}  // namespace litertlm
