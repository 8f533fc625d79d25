// Every exporter's way to draw a decoder: what is recognised in it, and that it makes no
// difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "litertlm/error.h"
#include "litertlm/model.h"
#include "tests/error_of.h"
#include "tests/scratch_path.h"
#include "tests/styles/operator_counts.h"
#include "tests/styles/styled_file.h"
#include "tests/styles/test_family.h"

namespace litertlm {
namespace {

using Ids = std::vector<int32_t>;

constexpr float kTolerance = 1e-4f;  ///< Between logits, which lie in about -20 … 20.

/// Fusions of which one is on.
std::vector<std::pair<std::string, Fusions>> SingleFusions() {
  std::vector<std::pair<std::string, Fusions>> singles;
  for (const auto& [name, member] : {std::pair{"split_products", &Fusions::split_products},
                                     {"gather_products", &Fusions::gather_products},
                                     {"norms", &Fusions::norms},
                                     {"gates", &Fusions::gates},
                                     {"ropes", &Fusions::ropes},
                                     {"attention", &Fusions::attention}}) {
    Fusions fusions = Fusions::None();
    fusions.*member = true;
    singles.emplace_back(name, fusions);
  }
  return singles;
}

/// Tokens that look like a text of the fixtures: different ones, some of them repeated.
Ids SomeIds(size_t count) {
  Ids ids(count);
  for (size_t i = 0; i < count; ++i)
    ids[i] = static_cast<int32_t>((i * i * 7 + 31 * i + 40) % 1500);
  return ids;
}

/// A model in memory, which must not move: its parts view each other.
struct OpenModel {
  OpenModel(const OpenModel&) = delete;
  OpenModel& operator=(const OpenModel&) = delete;
  explicit OpenModel(StyledModel model) : bytes(std::move(model)), decoder(bytes.decoder.Parse()) {
    if (bytes.embedder) embedder = bytes.embedder->Parse();
    if (bytes.layer_embedder) layer_embedder = bytes.layer_embedder->Parse();
    if (bytes.auxiliary) auxiliary = bytes.auxiliary->Parse();
  }
  CompanionModels companions() const {
    return {.embedder = embedder ? &*embedder : nullptr,
            .layer_embedder = layer_embedder ? &*layer_embedder : nullptr,
            .auxiliary = auxiliary ? &*auxiliary : nullptr};
  }
  StyledModel bytes;
  TfliteModel decoder;
  std::optional<TfliteModel> embedder;
  std::optional<TfliteModel> layer_embedder;
  std::optional<TfliteModel> auxiliary;
};

class Runner {
 public:
  Runner(const OpenModel& model, const Fusions& fusions)
      : model_(CompileLanguageModel(model.decoder,
                                    {.threads = 1,
                                     .fusions = fusions,
                                     .cache_type = DType::kF32,
                                     .open_context = StyledModelOptions().cache_length},
                                    model.companions())) {}

  /// Logits after the last token, all others having been computed in `pieces`, the rest one by one.
  std::vector<float> Logits(const Ids& ids, const std::vector<size_t>& pieces) {
    const auto cache = model_->NewCache();
    std::vector<float> logits(static_cast<size_t>(model_->vocab_size()));
    size_t at = 0;
    for (const size_t piece : pieces) {
      model_->Prefill(*cache, std::span(ids).subspan(at, piece), static_cast<int>(at));
      at += piece;
    }
    for (; at < ids.size(); ++at) model_->Decode(*cache, ids[at], static_cast<int>(at), logits);
    return logits;
  }

  /// The likeliest tokens that follow.
  Ids Continue(const Ids& ids, size_t count) {
    const auto cache = model_->NewCache();
    std::vector<float> logits(static_cast<size_t>(model_->vocab_size()));
    const size_t last = ids.size() - 1;
    model_->Prefill(*cache, std::span(ids).first(last), 0);
    Ids answer = {ids[last]};
    for (size_t i = 0; i < count; ++i) {
      model_->Decode(*cache, answer.back(), static_cast<int>(last + i), logits);
      answer.push_back(static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()));
    }
    return answer;
  }

 private:
  std::unique_ptr<LanguageModel> model_;
};

float LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::fabs(a[i] - b[i]));
  }
  return largest;
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

OpenModel Write(const TestFamily& family, const ExporterStyle& style,
                Quantization quantization = Quantization::kNone) {
  return OpenModel(WriteStyledModel(CheckpointOf(family), style,
                                    OptionsFor(family, {.quantization = quantization})));
}

/// How often operators stand in the program of a decoder that was recognised as a whole.
class ExpectedCounts {
 public:
  /// Prefill ends with the last layer's caches.
  ExpectedCounts(const TestFamily& family, bool decode)
      : family_(family), decode_(decode), whole_(decode ? family.layers : family.layers - 1) {}

  int attentions() const { return whole_; }
  int cache_updates() const { return 2 * family_.layers; }
  int rotations() const { return family_.layers + whole_; }
  /// Those that attention and caches do not take in: of heads that are cut and joined again.
  int rotations_left() const { return family_.half_turned ? rotations() : 0; }
  int silu_gates() const { return family_.gelu ? 0 : whole_; }
  int gelu_gates() const { return family_.gelu ? whole_ : 0; }
  int norms() const { return family_.norms * whole_ + 1; }
  int norms_of_heads() const { return family_.head_norms ? rotations() : 0; }
  int residuals() const { return 2 * whole_; }
  int products() const { return 7 * whole_ + (decode_ ? 1 : 2); }

 private:
  const TestFamily& family_;
  bool decode_;
  int whole_;
};

bool IsDecode(const char* key) { return std::string_view(key) == "decode"; }
std::vector<const char*> SignaturesOf(const ExporterStyle& style) {
  return {style.open_shapes ? "prefill" : "prefill_32", "decode"};
}

class Styles : public testing::TestWithParam<std::tuple<TestFamily, ExporterStyle>> {
 protected:
  void SetUp() override {
    if (family().half_turned && style().exporter == ExporterStyle::Exporter::kOurs) {
      GTEST_SKIP() << "Our converter turns whole heads.";
    }
  }
  const TestFamily& family() const { return std::get<0>(GetParam()); }
  const ExporterStyle& style() const { return std::get<1>(GetParam()); }
};

TEST_P(Styles, AreRecognisedAsTheSameProgram) {
  for (const Quantization quantization :
       {Quantization::kNone, Quantization::kFp16, Quantization::kDynamicInt8,
        Quantization::kDynamicInt4Block32}) {
    SCOPED_TRACE(QuantizationName(quantization));
    const OpenModel model = Write(family(), style(), quantization);
    for (const char* key : SignaturesOf(style())) {
      SCOPED_TRACE(key);
      const ExpectedCounts expected(family(), IsDecode(key));
      std::map<Op, int> counts =
          OperatorCounts(model.decoder, model.companions().auxiliary, key, {});
      EXPECT_EQ(counts[Op::kAttention], expected.attentions());
      EXPECT_EQ(counts[Op::kCacheUpdate], expected.cache_updates());
      EXPECT_EQ(counts[Op::kRope], expected.rotations_left());
      EXPECT_EQ(counts[Op::kSiluMul], expected.silu_gates());
      EXPECT_EQ(counts[Op::kGeluTanhMul], expected.gelu_gates());
      EXPECT_EQ(counts[Op::kRmsNorm], expected.norms());
      EXPECT_EQ(counts[Op::kFullyConnected], expected.products());
      EXPECT_EQ(counts[Op::kAdd], expected.residuals());
      // What is left looks embeddings up and makes tables of angles; reshapes cost nothing.
      for (const Op fused :
           {Op::kAttention, Op::kCacheUpdate, Op::kRope, Op::kSiluMul, Op::kGeluTanhMul,
            Op::kRmsNorm, Op::kFullyConnected, Op::kAdd, Op::kReshape}) {
        counts.erase(fused);
      }
      if (family().half_turned) continue;  // Heads are cut and joined again.
      int rest = 0;
      for (const auto& [op, count] : counts) rest += count;
      EXPECT_LE(rest, 13);
    }
  }
}

TEST_P(Styles, EachFusionFindsItsOwnWithoutTheOthers) {
  const OpenModel model = Write(family(), style());
  const auto counts_with = [&](const char* key, bool Fusions::*fusion) {
    Fusions fusions = Fusions::None();
    fusions.*fusion = true;
    return OperatorCounts(model.decoder, model.companions().auxiliary, key, fusions);
  };
  for (const char* key : SignaturesOf(style())) {
    SCOPED_TRACE(key);
    const ExpectedCounts expected(family(), IsDecode(key));
    EXPECT_EQ(counts_with(key, &Fusions::split_products)[Op::kFullyConnected], expected.products());
    EXPECT_EQ(counts_with(key, &Fusions::norms)[Op::kRmsNorm],
              expected.norms() + expected.norms_of_heads());
    EXPECT_EQ(counts_with(key, &Fusions::gates)[Op::kSiluMul], expected.silu_gates());
    EXPECT_EQ(counts_with(key, &Fusions::gates)[Op::kGeluTanhMul], expected.gelu_gates());
    EXPECT_EQ(counts_with(key, &Fusions::ropes)[Op::kRope], expected.rotations());
    EXPECT_EQ(counts_with(key, &Fusions::attention)[Op::kAttention], expected.attentions());
    EXPECT_EQ(counts_with(key, &Fusions::attention)[Op::kCacheUpdate], expected.cache_updates());
  }
}

TEST_P(Styles, FusionsChangeNothing) {
  const OpenModel model = Write(family(), style());
  Runner plain(model, Fusions::None());
  const Ids ids = SomeIds(70);
  const std::vector<std::vector<size_t>> ways = {{}, {5}, {8, 31}, {69}, {1, 33, 30}};
  std::vector<std::vector<float>> expected;
  for (const auto& pieces : ways) expected.push_back(plain.Logits(ids, pieces));
  const Ids answer = plain.Continue(ids, 20);
  auto executions = SingleFusions();
  executions.emplace_back("all", Fusions());
  for (const auto& [name, fusions] : executions) {
    SCOPED_TRACE(name);
    Runner fused(model, fusions);
    for (size_t i = 0; i < ways.size(); ++i) {
      EXPECT_LE(LargestDifference(fused.Logits(ids, ways[i]), expected[i]), kTolerance);
    }
    EXPECT_EQ(fused.Continue(ids, 20), answer);
  }
}

// Ours is compared with the training framework's logits in other tests; it cannot turn half heads.
ExporterStyle Reference(const TestFamily& family) {
  return ExporterStyles()[family.half_turned ? 1 : 0];
}

TEST_P(Styles, ComputeWhatOurConverterWrites) {
  const Ids ids = SomeIds(70);
  for (const Quantization quantization :
       {Quantization::kNone, Quantization::kFp16, Quantization::kInt8, Quantization::kDynamicInt8,
        Quantization::kDynamicInt4Block32}) {
    SCOPED_TRACE(QuantizationName(quantization));
    const OpenModel ours = Write(family(), Reference(family()), quantization);
    const OpenModel theirs = Write(family(), style(), quantization);
    const std::vector<float> expected = Runner(ours, Fusions::None()).Logits(ids, {});
    const bool dynamic = quantization == Quantization::kDynamicInt8 ||
                         quantization == Quantization::kDynamicInt4Block32;
    for (const Fusions& fusions : {Fusions::None(), Fusions()}) {
      for (const std::vector<size_t>& pieces : {std::vector<size_t>{}, {8, 61}}) {
        const std::vector<float> logits = Runner(theirs, fusions).Logits(ids, pieces);
        if (dynamic) {
          // An activation in the middle between two codes goes one way or the other by the last bit
          // of a float sum, and later tokens pass that on.
          EXPECT_GE(Cosine(logits, expected), 0.999);
        } else {
          EXPECT_LE(LargestDifference(logits, expected), kTolerance);
        }
      }
    }
  }
}

// So that they are as fast: the same operators with operands of the same types and sizes, but for
// the look-up of an embedding and small tables of angles. Independent ones may change places.
TEST_P(Styles, DecodeInTheSameSteps) {
  const auto steps_of = [&](const OpenModel& model) {
    std::vector<std::string> steps =
        ProgramSteps(model.decoder, model.companions().auxiliary, "decode");
    constexpr std::string_view kSteps[] = {"odml.rms_norm", "FULLY_CONNECTED",
                                           "rotation",      "cache update",
                                           "attention",     "silu",
                                           "gelu",          "ADD"};
    const auto is_table = [&](const std::string& step) {
      return std::ranges::none_of(kSteps,
                                  [&](std::string_view name) { return step.starts_with(name); });
    };
    std::erase_if(steps, is_table);
    std::ranges::sort(steps);
    return steps;
  };
  for (const Quantization quantization : {Quantization::kDynamicInt8, Quantization::kFp16}) {
    const OpenModel ours = Write(family(), Reference(family()), quantization);
    const std::vector<std::string> steps = steps_of(ours);
    EXPECT_GT(steps.size(), 60u);
    EXPECT_EQ(steps_of(Write(family(), style(), quantization)), steps);
  }
}

INSTANTIATE_TEST_SUITE_P(Exporters, Styles,
                         testing::Combine(testing::ValuesIn(kFamilies),
                                          testing::ValuesIn(ExporterStyles())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::get<1>(test.param).name;
                         });

const ExporterStyle& StyleNamed(std::string_view name) {
  static const std::vector<ExporterStyle> styles = ExporterStyles();
  return *std::ranges::find(styles, name, &ExporterStyle::name);
}

/// The message with which compiling fails.
std::string Failure(const TfliteModel& decoder, const CompanionModels& companions = {}) {
  try {
    CompileLanguageModel(decoder, {.threads = 1}, companions);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(ExternalEmbedder, IsMissedWithASentence) {
  const OpenModel model = Write(kFamilies[0], StyleNamed("export_hf_embedder_all_lengths"));
  ASSERT_TRUE(model.embedder.has_value());
  EXPECT_THAT(Failure(model.decoder),
              testing::HasSubstr("it takes embeddings in the place of tokens"));
  EXPECT_THAT(Failure(model.decoder, {.embedder = &model.decoder}),
              testing::HasSubstr("no signature from one token"));
}

TEST(LayerEmbedder, IsMissedWithASentence) {
  const OpenModel model = Write(kFamilies[0], StyleNamed("export_hf_layer_embedder"));
  EXPECT_THAT(Failure(model.decoder, {.embedder = &*model.embedder}),
              testing::HasSubstr("it takes embeddings for each layer, but there is no model"));
  EXPECT_THAT(ErrorOf([&] {
                CompileLanguageModel(
                    model.decoder, {.threads = 1},
                    {.embedder = &*model.embedder, .layer_embedder = &*model.embedder});
              }).message(),
              testing::HasSubstr("512 numbers for a token, but test.tflite makes 128"));
}

TEST(SplitCache, IsMissedWithASentence) {
  const OpenModel model = Write(kFamilies[0], StyleNamed("export_hf_split_cache"));
  EXPECT_THAT(Failure(model.decoder, {.embedder = &*model.embedder}),
              testing::HasSubstr("there is no auxiliary model that updates them"));
  EXPECT_THROW(CompileLanguageModel(model.decoder, {.threads = 1},
                                    {.embedder = &*model.embedder, .auxiliary = &*model.embedder}),
               Error);
  const StyledModel shorter = WriteStyledModel(
      CheckpointOf(kFamilies[0]), StyleNamed("export_hf_split_cache"), {.cache_length = 64});
  const TfliteModel auxiliary = shorter.auxiliary->Parse();
  try {
    CompileLanguageModel(model.decoder, {.threads = 1},
                         {.embedder = &*model.embedder, .auxiliary = &auxiliary});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("input 'kv_cache_k_0' is f32 [1, 2, 64, 64]"));
  }
}

// Of which local layers keep only what their window shows, and a local mask has fewer columns.
TEST(SplitCache, MustNotBeARingBuffer) {
  TfliteBuilder builder;
  SignatureWriter w(builder, "decode");
  w.Input("embeddings", {1, 1, 4});
  w.Input("mask_global", {1, 1, 1, 9});
  const TensorId local = w.Input("mask_local", {1, 1, 1, 5});
  w.Output("kv_slice_k_0", w.Input("pos_emb_cos", {1, 1, 1, 4}));
  w.Output("logits", local);
  w.Finish();
  const TestModel data = FinishModel(builder);
  const TfliteModel model = data.Parse();
  EXPECT_THAT(Failure(model, {.auxiliary = &model}),
              testing::HasSubstr("input 'mask_local' has another shape than 'mask_global': caches "
                                 "that are ring buffers are not supported"));
}

// Whatever a file leaves open gets the length that is asked for.
TEST(OpenShapes, HoldAsManyTokensAsAskedFor) {
  const OpenModel model = Write(kFamilies[0], StyleNamed("export_hf_open_shapes"));
  const OpenModel fixed = Write(kFamilies[0], StyleNamed("export_hf"));
  for (const int64_t context : {2, 40, 96, 1000}) {
    SCOPED_TRACE(context);
    const RuntimeOptions options = {.threads = 1, .open_context = context};
    EXPECT_EQ(CompileLanguageModel(model.decoder, options)->context_length(), context);
    EXPECT_EQ(CompileLanguageModel(fixed.decoder, options)->context_length(), 96);
  }
  EXPECT_THROW(CompileLanguageModel(model.decoder, {.open_context = int64_t{1} << 40}), Error);
}

TEST(OpenShapes, OfOtherInputsAreRefused) {
  TfliteBuilder builder;
  SignatureWriter w(builder, "decode");
  w.Input("tokens", {1, 1}, DType::kI32);
  w.Output("logits", w.Input("kv_cache_k_0", {1, 1}));
  w.Finish();
  std::unique_ptr<tflite::ModelT> changed(
      tflite::GetModel(FinishModel(builder).bytes().data())->UnPack());
  changed->subgraphs[0]->tensors[0]->shape_signature = {-1, 1};
  flatbuffers::FlatBufferBuilder out;
  tflite::FinishModelBuffer(out, tflite::Model::Pack(out, changed.get()));
  const TestModel data(AsText(std::as_bytes(std::span(out.GetBufferPointer(), out.GetSize()))));
  EXPECT_THAT(Failure(data.Parse()),
              testing::HasSubstr("dimension 0 of input 'tokens' is open, and this program does not "
                                 "know its length"));
}

TEST(Signatures, ThatCannotBeFilledSaySo) {
  for (const auto& [input, reason] : {std::pair("local_mask", "how many tokens such a mask shows"),
                                      {"mask_local", "how many tokens such a mask shows"},
                                      {"param_tensor", "not a few numbers of i32"},
                                      {"per_layer_embeddings", "not f32 [1, rows, layers"},
                                      {"query_w_prime_left_0", "LoRA"},
                                      {"attention_mask", "is not one that this program fills."}}) {
    TfliteBuilder builder;
    SignatureWriter w(builder, "decode");
    w.Input("tokens", {1, 1}, DType::kI32);
    w.Input("input_pos", {1}, DType::kI32);
    w.Output("logits", w.Input(input, {1, 4}));
    w.Finish();
    const TestModel data = FinishModel(builder);
    const std::string message = Failure(data.Parse());
    EXPECT_THAT(message, testing::HasSubstr("'" + std::string(input) + "'"));
    EXPECT_THAT(message, testing::HasSubstr(reason));
  }
}

Ids Answer(const Model& model) {
  const auto ids = model.Tokenize("The capital of Italy is");
  return model.Generate(ids, {.sampler = SamplerOptions(), .max_tokens = 12, .stop_texts = {}}).ids;
}

/// What the whole way gives: container, engine, tokens.
Ids AnswerOf(const TestFamily& family, const ExporterStyle& style, const std::string& extension) {
  const std::filesystem::path path = ScratchPath(style.name + extension);
  WriteStyledFile(CheckpointOf(family), style, OptionsFor(family), path);
  const Model model = Model::Open(path);
  std::filesystem::remove(path);  // It stays mapped.
  return Answer(model);
}

TEST(StyledFile, IsRunLikeOurs) {
  const Ids ours = AnswerOf(kFamilies[0], ExporterStyles().front(), ".litertlm");
  EXPECT_FALSE(ours.empty());
  for (const ExporterStyle& style : ExporterStyles()) {
    EXPECT_EQ(AnswerOf(kFamilies[0], style, ".litertlm"), ours) << style;
  }
}

TEST_P(Styles, GiveTheSameTokensAsATaskBundle) {
  const Ids tokens = AnswerOf(family(), style(), ".litertlm");
  EXPECT_FALSE(tokens.empty());
  EXPECT_EQ(AnswerOf(family(), style(), ".task"), tokens);
}

TEST(StyledFile, ModelsApartFindEachOther) {
  const Ids ours = AnswerOf(kFamilies[0], ExporterStyles().front(), ".litertlm");
  const std::filesystem::path folder = ScratchPathOfTest();
  for (const char* name :
       {"export_hf", "export_hf_embedder", "export_hf_layer_embedder", "export_hf_split_cache"}) {
    SCOPED_TRACE(name);
    std::filesystem::create_directories(folder);
    const std::filesystem::path path = folder / "model.tflite";
    WriteStyledFile(CheckpointOf(kFamilies[0]), StyleNamed(name), OptionsFor(kFamilies[0]), path);
    const std::filesystem::path tokenizer = CheckpointOf(kFamilies[0]) / "tokenizer.json";
    const Model model = Model::Open(path, {.tokenizer = tokenizer});
    std::filesystem::remove_all(folder);  // They stay mapped.
    EXPECT_EQ(Answer(model), ours);
  }
}

}  // namespace
}  // namespace litertlm
