#include "convert/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "convert/prefill_lengths.h"
#include "tests/error_of.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config Sample() {
  return Config::Parse(
      R"({"size": 64, "whole": 1e4, "half": 0.5, "flag": true, "name": "x", "nothing": null,
          "list": [1, 2], "types": ["a", "b"], "mixed": ["a", 1], "inner": {"size": "big"},
          "huge": 18446744073709551615})",
      "m/config.json");
}

TEST(ConfigTest, GivesCheckedValues) {
  const Config config = Sample();
  EXPECT_EQ(config.Int("size", 1, 64), 64);
  EXPECT_EQ(config.Int("whole", 1, 20000), 10000);
  EXPECT_EQ(config.Int("absent", 1, 2, 2), 2);
  EXPECT_EQ(config.Int("nothing", 1, 2, 1), 1);
  EXPECT_EQ(config.Number("half", 0, 1), 0.5);
  EXPECT_TRUE(config.Bool("flag"));
  EXPECT_EQ(config.String("name"), "x");
  EXPECT_THAT(config.Ints("list", 0, 9), ElementsAre(1, 2));
  EXPECT_THAT(config.Ints("size", 0, 99), ElementsAre(64));
  EXPECT_THAT(config.Ints("absent", 0, 9), IsEmpty());
  EXPECT_THAT(config.Strings("types"), ElementsAre("a", "b"));
  EXPECT_FALSE(config.Object("absent").has_value());
}

TEST(ConfigTest, NamesWhatIsWrong) {
  const Config config = Sample();
  const auto message = [&](auto f) {
    const Error error = ErrorOf([&] { f(config); });
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    return error.message();
  };
  EXPECT_EQ(message([](const Config& c) { c.Int("absent", 0, 1); }),
            "m/config.json: \"absent\" is missing.");
  EXPECT_EQ(message([](const Config& c) { c.Int("size", 1, 63); }),
            "m/config.json: \"size\" is 64, outside the range 1 to 63.");
  EXPECT_THAT(message([](const Config& c) { c.Int("half", 0, 1); }), HasSubstr("whole number"));
  EXPECT_THAT(message([](const Config& c) { c.Int("name", 0, 1); }), HasSubstr("whole number"));
  EXPECT_THAT(message([](const Config& c) { c.Int("list", 0, 9); }), HasSubstr("list"));
  EXPECT_THAT(message([](const Config& c) { c.Int("huge", 0, 9); }), HasSubstr("range"));
  EXPECT_THAT(message([](const Config& c) { c.Number("name", 0, 1); }), HasSubstr("number"));
  EXPECT_THAT(message([](const Config& c) { c.Bool("size"); }), HasSubstr("true nor false"));
  EXPECT_THAT(message([](const Config& c) { c.String("size"); }), HasSubstr("string"));
  EXPECT_THAT(message([](const Config& c) { c.Strings("mixed"); }), HasSubstr("list of strings"));
  EXPECT_THAT(message([](const Config& c) { c.Object("list"); }), HasSubstr("object"));
  EXPECT_THAT(message([](const Config& c) { c.Object("inner")->Int("size", 0, 1); }),
              HasSubstr("m/config.json, inner: \"size\""));
  EXPECT_THAT(message([](const Config&) { Config::Parse("[1]", "list.json"); }),
              HasSubstr("list.json"));
}

TEST(PrefillLengthsTest, TheDefaultStandsForASetCutToTheCache) {
  EXPECT_THAT(PrefillLengths({256}, 1280), ElementsAre(8, 64, 128, 256, 512, 1024));
  EXPECT_THAT(PrefillLengths({256}, 512), ElementsAre(8, 64, 128, 256, 512));
  EXPECT_THAT(PrefillLengths({256}, 8), ElementsAre(8));
}

TEST(PrefillLengthsTest, AListIsTakenAsItIs) {
  EXPECT_THAT(PrefillLengths({128, 16, 128}, 1280), ElementsAre(16, 128));
  EXPECT_THAT(PrefillLengths({1280}, 1280), ElementsAre(1280));
  EXPECT_THAT(PrefillLengths({100, 8}, 1280), ElementsAre(8, 100));
}

TEST(PrefillLengthsTest, RefusesWhatGooglesEngineCouldNotRun) {
  const auto error = [](std::vector<int> lengths, int cache) {
    const Error e = ErrorOf([&] { PrefillLengths(lengths, cache); });
    EXPECT_EQ(e.code(), ErrorCode::kUsage);
    return e;
  };
  EXPECT_THAT(error({100}, 1280).message(), HasSubstr("1280 is not a multiple of 100"));
  EXPECT_THAT(error({100}, 1280).hint(), HasSubstr("--kv-cache-max-len 1200 or 1300"));
  EXPECT_THAT(error({256}, 1001).message(), HasSubstr("1001 is not a multiple of 8"));
  EXPECT_THAT(error({256}, 4).message(), HasSubstr("prefill length 8"));
  EXPECT_THAT(error({2048}, 1280).message(), HasSubstr("prefill length 2048"));
  EXPECT_THAT(error({0, 8}, 1280).message(), HasSubstr("prefill length 0"));
  EXPECT_THAT(error({}, 1280).message(), HasSubstr("at least one"));
}

}  // namespace
}  // namespace litertlm
