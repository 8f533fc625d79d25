#include "runtime/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "graph/import.h"
#include "litertlm/error.h"
#include "runtime/decoder_program.h"
#include "tests/runtime/tiny_decoder.h"

namespace litertlm {
namespace {

std::vector<int32_t> Tokens(size_t count) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; ++i) tokens[i] = static_cast<int32_t>((i * i + 3 * i + 1) % 11);
  return tokens;
}

struct Compiled {
  explicit Compiled(const TinyDecoderOptions& options, int threads = 1, int prefill_threads = 0)
      : data(TinyDecoder(options).Write()), model(data.Parse()) {
    RuntimeOptions runtime;
    runtime.threads = threads;
    runtime.prefill_threads = prefill_threads;
    language_model = CompileLanguageModel(model, runtime);
  }

  /// Logits after `tokens`, of which all but the last go through prefill in the given pieces.
  std::vector<float> Logits(std::span<const int32_t> tokens, std::vector<size_t> pieces) {
    const auto cache = language_model->NewCache();
    std::vector<float> logits(static_cast<size_t>(language_model->vocab_size()));
    size_t at = 0;
    for (const size_t piece : pieces) {
      language_model->Prefill(*cache, tokens.subspan(at, piece), static_cast<int>(at));
      at += piece;
    }
    for (; at < tokens.size(); ++at) {
      language_model->Decode(*cache, tokens[at], static_cast<int>(at), logits);
    }
    return logits;
  }

  TestModel data;
  TfliteModel model;
  std::unique_ptr<LanguageModel> language_model;
};

struct Variant {
  const char* name;
  TinyDecoderOptions options;

  friend void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }
};

class Variants : public testing::TestWithParam<Variant> {};

TEST_P(Variants, RowsTogetherEqualRowsOneByOne) {
  Compiled compiled(GetParam().options);
  for (const size_t count : {2, 4, 5, 8, 9, 13, 20, 30, 31, 32}) {
    SCOPED_TRACE(count);
    const std::vector<int32_t> tokens = Tokens(count);
    const std::vector<float> one_by_one = compiled.Logits(tokens, {});
    EXPECT_THAT(compiled.Logits(tokens, {count - 1}),
                testing::Pointwise(testing::FloatNear(1e-5f), one_by_one));
    EXPECT_THAT(compiled.Logits(tokens, {1, (count - 1) / 2}),
                testing::Pointwise(testing::FloatNear(1e-5f), one_by_one));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Exporters, Variants,
    testing::Values(Variant{"Usual", {}}, Variant{"NoMask", {.mask = false}},
                    Variant{"NotTransposed", {.transposed = false}},
                    Variant{"NoMaskNotTransposed", {.mask = false, .transposed = false}},
                    Variant{"CacheIsOneTensor", {.same_tensor = true}},
                    Variant{"NoPrefill", {.prefill_rows = {}}},
                    Variant{"PrefillOfOne", {.prefill_rows = {1}}},
                    Variant{"PrefillOfAll", {.prefill_rows = {32}}},
                    Variant{"FixedRows", {.fixed_rows = true}},
                    Variant{"FixedRowsOfThree", {.prefill_rows = {3, 5, 16}, .fixed_rows = true}}),
    [](const auto& test) { return test.param.name; });

TEST(LanguageModel, ReadsContextAndVocabularyFromShapes) {
  for (const bool mask : {true, false}) {
    for (const bool transposed : {true, false}) {
      const Compiled compiled({.context = 24, .mask = mask, .transposed = transposed});
      EXPECT_EQ(compiled.language_model->context_length(), 24);
      EXPECT_EQ(compiled.language_model->vocab_size(), 11);
    }
  }
}

TEST(LanguageModel, LaterEntriesAreForgotten) {
  Compiled compiled({});
  const std::vector<int32_t> tokens = Tokens(6);
  const std::vector<float> expected = compiled.Logits(tokens, {5});
  const auto cache = compiled.language_model->NewCache();
  const std::vector<int32_t> other(20, 7);
  std::vector<float> logits(11);
  compiled.language_model->Prefill(*cache, other, 0);
  compiled.language_model->Prefill(*cache, std::span(tokens).first(5), 0);
  compiled.language_model->Decode(*cache, tokens[5], 5, logits);
  EXPECT_THAT(logits, testing::Pointwise(testing::FloatNear(1e-5f), expected));
}

TEST(LanguageModel, CachesAreIndependent) {
  Compiled compiled({});
  const auto a = compiled.language_model->NewCache();
  const auto b = compiled.language_model->NewCache();
  const std::vector<int32_t> tokens = Tokens(9);
  std::vector<float> logits(11);
  compiled.language_model->Prefill(*a, std::span(tokens).first(8), 0);
  compiled.language_model->Prefill(*b, std::vector<int32_t>(8, 3), 0);
  compiled.language_model->Decode(*a, tokens[8], 8, logits);
  EXPECT_THAT(logits, testing::Pointwise(testing::FloatNear(1e-5f), compiled.Logits(tokens, {8})));
}

TEST(LanguageModel, ThreadsDoNotChangeResults) {
  Compiled one({.prefill_rows = {8}, .context = 700});
  Compiled three({.prefill_rows = {8}, .context = 700}, 3);
  const std::vector<int32_t> tokens = Tokens(600);  // More than one chunk.
  EXPECT_EQ(one.Logits(tokens, {599}), three.Logits(tokens, {599}));
}

ptrdiff_t ThreadsOfThisProcess() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST(LanguageModel, PromptsMayHaveOtherThreads) {
  const TinyDecoderOptions options{.prefill_rows = {8}, .context = 700};
  const ptrdiff_t before = ThreadsOfThisProcess();
  Compiled one(options);
  EXPECT_EQ(ThreadsOfThisProcess(), before);
  Compiled three_for_prompts(options, 1, 3);
  EXPECT_EQ(ThreadsOfThisProcess(), before + 2);
  const std::vector<int32_t> tokens = Tokens(600);
  EXPECT_EQ(one.Logits(tokens, {599}), three_for_prompts.Logits(tokens, {599}));
  Compiled two_for_both(options, 2, 2);
  EXPECT_EQ(ThreadsOfThisProcess(), before + 3);
}

template <typename F>
ErrorCode CodeOf(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

TEST(LanguageModel, RefusesWhatDoesNotFit) {
  Compiled compiled({});
  const auto cache = compiled.language_model->NewCache();
  std::vector<float> logits(11);
  LanguageModel& model = *compiled.language_model;
  EXPECT_EQ(CodeOf([&] { model.Prefill(*cache, Tokens(33), 0); }), ErrorCode::kContextFull);
  EXPECT_EQ(CodeOf([&] { model.Decode(*cache, 1, 32, logits); }), ErrorCode::kContextFull);
  EXPECT_EQ(CodeOf([&] { model.Decode(*cache, 1, -1, logits); }), ErrorCode::kContextFull);
  EXPECT_EQ(CodeOf([&] { model.Decode(*cache, 11, 0, logits); }), ErrorCode::kUsage);
  EXPECT_EQ(CodeOf([&] { model.Prefill(*cache, std::vector{2, -1}, 0); }), ErrorCode::kUsage);
}

// Rows are really dynamic where nothing in the graph forbids it, and are refused where it does.
TEST(DecoderProgram, SaysWhetherRowsCanBeDynamic) {
  Workers workers(1);
  for (const bool fixed : {false, true}) {
    const TestModel data = TinyDecoder({.fixed_rows = fixed}).Write();
    const TfliteModel model = data.Parse();
    const Graph graph = ImportSignature(model, "prefill_8");
    const auto compile = [&] { DecoderProgram(graph, {.any_rows = true}, workers); };
    if (fixed) {
      EXPECT_NE(CodeOf(compile), ErrorCode::kInternal);
    } else {
      EXPECT_NO_THROW(compile());
    }
  }
}

}  // namespace
}  // namespace litertlm
