#include "convert/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/json.h"
#include "tests/convert/checkpoint_editor.h"
#include "tests/convert/converted.h"
#include "tests/error_of.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ConvertTest, TheSameInputGivesTheSameBytes) {
  ConvertOptions options =
      Converted::Options(Fixture("tiny-gemma3"), Quantization::kDynamicInt8, {8});
  options.threads = 1;
  const std::string first = Converted(options).bytes();
  options.threads = 3;
  EXPECT_EQ(Converted(options).bytes(), first);
}

TEST(ConvertTest, ShardsAndARepeatedHeadChangeNothing) {
  const std::string whole = Converted(Fixture("tiny-qwen3"), Quantization::kDynamicInt8).bytes();
  EXPECT_EQ(Converted(Fixture("tiny-qwen3-sharded"), Quantization::kDynamicInt8).bytes(), whole);
}

TEST(ConvertTest, AMultimodalCheckpointGivesItsDecoder) {
  const std::string plain = Converted(Fixture("tiny-gemma3"), Quantization::kDynamicInt8).bytes();
  for (const char* prefix : {"language_model.model.", "model.language_model."}) {
    CheckpointEditor editor("tiny-gemma3");
    editor.RenamePrefix("model.", prefix);
    editor.tensors["vision_tower.embed.weight"] = {DType::kF32, {1}, std::string(4, '\0')};
    Json whole = {{"model_type", "gemma3"}, {"text_config", editor.config}};
    editor.config = whole;
    const Converted c(editor.Save(), Quantization::kDynamicInt8);
    EXPECT_EQ(c.result.tensors, 80);
    EXPECT_THAT(StopIds(c.metadata), ElementsAre(1, 17));
    EXPECT_EQ(Shape(*c.Tensor("decode", std::string(prefix) + "embed_tokens.weight")),
              std::vector<int>({1600, 128}));
  }
}

// What `Convert` throws for a changed tiny-qwen3; nothing may be left of the output.
Error ConvertError(
    const std::function<void(CheckpointEditor&)>& change,
    const std::function<void(ConvertOptions&)>& choose = [](ConvertOptions&) {}) {
  CheckpointEditor editor("tiny-qwen3");
  ConvertOptions options = Converted::Options(editor.Save(), Quantization::kDynamicInt8, {8});
  options.output = editor.file("out") / "model.litertlm";
  change(editor);
  choose(options);
  const Error error = ErrorOf([&] { Convert(options); });
  EXPECT_TRUE(!fs::exists(editor.file("out")) || fs::is_empty(editor.file("out")));
  return error;
}

TEST(ConvertErrorTest, NamesTheTensorThatIsMissing) {
  const Error error = ConvertError([](CheckpointEditor& e) {
    e.tensors.erase("model.layers.2.mlp.up_proj.weight");
    e.Save();
  });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("no tensor model.layers.2.mlp.up_proj.weight"));
}

TEST(ConvertErrorTest, NamesTheTensorWithAnotherShape) {
  const Error error = ConvertError([](CheckpointEditor& e) {
    e.tensors["model.layers.0.self_attn.k_proj.weight"].shape = {64, 256};
    e.Save();
  });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("self_attn.k_proj.weight"),
                    HasSubstr("[64, 256]"), HasSubstr("[128, 128]")));
}

TEST(ConvertErrorTest, NamesWeightsThatAreNoNumbers) {
  for (const auto q : {Quantization::kNone, Quantization::kDynamicInt8}) {
    const Error error = ConvertError(
        [](CheckpointEditor& e) {
          auto& bytes = e.tensors["model.layers.3.mlp.gate_proj.weight"].bytes;
          bytes[2 * 77] = bytes[2 * 77 + 1] = '\xff';
          e.Save();
        },
        [&](ConvertOptions& o) { o.quantization = q; });
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("model.safetensors: model.layers.3.mlp.gate_proj"),
                                       HasSubstr("element 77")));
  }
  const Error error = ConvertError([](CheckpointEditor& e) {
    e.tensors["model.norm.weight"].bytes[1] = '\x7f';
    e.tensors["model.norm.weight"].bytes[0] = '\x80';
    e.Save();
  });
  EXPECT_THAT(error.message(), HasSubstr("model.norm.weight holds NaN or infinity at element 0"));
}

TEST(ConvertErrorTest, NamesFilesThatAreMissing) {
  const auto without = [](const char* name) {
    return ConvertError([&](CheckpointEditor& e) { fs::remove(e.file(name)); });
  };
  EXPECT_EQ(without("config.json").code(), ErrorCode::kNotFound);
  EXPECT_THAT(without("config.json").message(), HasSubstr("config.json"));
  EXPECT_EQ(without("tokenizer.json").code(), ErrorCode::kNotFound);
  EXPECT_THAT(without("tokenizer.json").message(), HasSubstr("tokenizer.json"));
  EXPECT_EQ(without("model.safetensors").code(), ErrorCode::kNotFound);
}

TEST(ConvertErrorTest, NamesTensorsThatHaveNoPlace) {
  const Error error = ConvertError([](CheckpointEditor& e) {
    e.tensors["model.layers.1.self_attn.q_proj.bias"] = {DType::kF32, {1}, std::string(4, '\0')};
    e.Save();
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("model.layers.1.self_attn.q_proj.bias"));
}

TEST(ConvertErrorTest, ATiedHeadMustNotDiffer) {
  const Error error = ConvertError([](CheckpointEditor& e) {
    e.tensors["lm_head.weight"] = e.tensors["model.embed_tokens.weight"];
    e.tensors["lm_head.weight"].bytes[5] ^= 1;
    e.Save();
  });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.message(), HasSubstr("lm_head.weight differs"));
}

TEST(ConvertErrorTest, NamesFamiliesAndLimits) {
  EXPECT_THAT(ConvertError([](CheckpointEditor& e) {
                e.config["model_type"] = "llama";
                e.Save();
              }).message(),
              HasSubstr("\"llama\""));
  const auto nothing = [](CheckpointEditor&) {};
  EXPECT_THAT(ConvertError(nothing, [](ConvertOptions& o) { o.kv_cache_max_len = 4104; }).message(),
              HasSubstr("--kv-cache-max-len 4104 does not lie between 1 and 4096"));
  EXPECT_EQ(ConvertError(nothing, [](ConvertOptions& o) { o.prefill_seq_lens = {7}; }).code(),
            ErrorCode::kUsage);
}

// Stops the work when a phase has come some way.
class Stopper : public Progress {
 public:
  explicit Stopper(std::string phase) : phase_(std::move(phase)) {}
  void Begin(std::string_view phase, uint64_t) override { now_ = phase == phase_; }
  void Update(uint64_t, std::string_view) override { seen_ += now_; }
  void End() override {}
  bool Cancelled() const override { return seen_ >= 3; }

 private:
  std::string phase_;
  bool now_ = false;
  int seen_ = 0;
};

TEST(ConvertErrorTest, StopsWhenAskedAndLeavesNothing) {
  for (const char* phase : {"Reading weights", "Writing weights"}) {
    Stopper stopper(phase);
    const Error error =
        ConvertError([](CheckpointEditor&) {}, [&](ConvertOptions& o) { o.progress = &stopper; });
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted) << phase;
  }
}

TEST(ConvertErrorTest, AnExistingFileSurvivesAFailure) {
  CheckpointEditor editor("tiny-qwen3");
  ConvertOptions options = Converted::Options(editor.Save(), Quantization::kNone, {8});
  options.output = editor.file("model.litertlm");
  editor.WriteText("model.litertlm", "old");
  Stopper stopper("Writing weights");
  options.progress = &stopper;
  EXPECT_EQ(ErrorOf([&] { Convert(options); }).code(), ErrorCode::kInterrupted);
  EXPECT_EQ(ReadFile(options.output), "old");
}

uint64_t PrivateBytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "RssAnon:") {
      uint64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes << 10;
    }
  }
  return 0;
}

// Notes the most private memory there is while the work goes on.
class MemoryWatch : public Progress {
 public:
  void Begin(std::string_view, uint64_t) override {}
  void Update(uint64_t, std::string_view) override { peak = std::max(peak, PrivateBytes()); }
  void End() override {}
  uint64_t peak = 0;
};

TEST(ConvertTest, MemoryDoesNotGrowWithTheModel) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "The address sanitizer keeps freed memory.";
#endif
  CheckpointEditor editor("tiny-qwen3");
  constexpr int64_t kWide = 40000;  // Makes 61 million weights, 123 MB.
  editor.config["intermediate_size"] = kWide;
  for (auto& [name, tensor] : editor.tensors) {
    if (name.find(".mlp.") == std::string::npos) continue;
    for (int64_t& n : tensor.shape) n = n == 320 ? kWide : n;
    tensor.bytes.resize(kWide * 128 * 2, '\x3c');
  }
  const fs::path folder = editor.Save();
  editor.tensors.clear();
  MemoryWatch watch;
  ConvertOptions options = Converted::Options(folder, Quantization::kDynamicInt8, {8});
  options.progress = &watch;
  const uint64_t before = PrivateBytes();
  const Converted c(options);
  EXPECT_GT(c.result.bytes, 60'000'000u);
  EXPECT_LT(watch.peak - std::min(before, watch.peak), 32u << 20);
}

}  // namespace
}  // namespace litertlm
