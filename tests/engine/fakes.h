// A tokenizer of bytes and a model that says what a function tells it to.
#ifndef LITERTLM_TESTS_ENGINE_FAKES_H_
#define LITERTLM_TESTS_ENGINE_FAKES_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model_state.h"
#include "litertlm/error.h"
#include "runtime/language_model.h"
#include "text/tokenizer.h"

namespace litertlm {

/// Ids 0 to 255 are bytes; then come "<s>", "<end>" and "<turn>".
class FakeTokenizer : public Tokenizer {
 public:
  static constexpr TokenId kStart = 256;
  static constexpr TokenId kEnd = 257;
  static constexpr TokenId kTurn = 258;

  using Tokenizer::Encode;
  void Encode(std::string_view text, ControlTokens control,
              std::vector<TokenId>& ids) const override {
    for (size_t i = 0; i < text.size();) {
      const auto name = std::find_if(std::begin(kNames), std::end(kNames), [&](auto candidate) {
        return control == ControlTokens::kParse && text.substr(i).starts_with(candidate);
      });
      if (name == std::end(kNames)) {
        ids.push_back(static_cast<unsigned char>(text[i++]));
      } else {
        ids.push_back(kStart + static_cast<TokenId>(name - std::begin(kNames)));
        i += name->size();
      }
    }
  }
  std::string TokenBytes(TokenId id) const override {
    if (id >= kStart) return std::string(kNames[id - kStart]);
    return std::string(1, static_cast<char>(id));
  }
  std::optional<TokenId> Find(std::string_view piece) const override {
    for (TokenId id = 0; id < size(); ++id) {
      if (TokenBytes(id) == piece) return id;
    }
    return std::nullopt;
  }
  bool IsControl(TokenId id) const override { return id >= kStart; }
  void MarkControl(TokenId) override {}
  int size() const override { return kStart + 3; }

 private:
  static constexpr std::string_view kNames[] = {"<s>", "<end>", "<turn>"};
};

struct FakeCache : KvCache {
  std::vector<TokenId> tokens;
};

/// Refuses every call that a real cache could not serve, and counts the rows it computes.
class FakeLanguageModel : public LanguageModel {
 public:
  using Script = std::function<TokenId(const std::vector<TokenId>& seen)>;

  FakeLanguageModel(int context, Script script) : context_(context), script_(std::move(script)) {}

  int context_length() const override { return context_; }
  int vocab_size() const override { return 264; }
  std::unique_ptr<KvCache> NewCache() const override { return std::make_unique<FakeCache>(); }

  void Prefill(KvCache& cache, std::span<const int32_t> tokens, int position) override {
    Fill(cache, tokens, position);
    prefill_lengths.push_back(static_cast<int>(tokens.size()));
    if (on_prefill) on_prefill();
  }
  void Decode(KvCache& cache, int32_t token, int position, std::span<float> logits,
              const LogitsWanted&) override {
    Fill(cache, {&token, 1}, position);
    std::fill(logits.begin(), logits.end(), 0.0f);
    // Rows beyond the tokenizer must never be chosen.
    logits[263] = 100.0f;
    logits[static_cast<size_t>(script_(static_cast<FakeCache&>(cache).tokens))] = 10.0f;
  }

  uint64_t unread_bytes() const override { return 0; }
  void Observe(OpTimes*) override {}

  int rows = 0;
  std::vector<int> prefill_lengths;
  std::function<void()> on_prefill;

 private:
  void Fill(KvCache& cache, std::span<const int32_t> tokens, int position) {
    std::vector<TokenId>& filled = static_cast<FakeCache&>(cache).tokens;
    const auto begin = static_cast<size_t>(position);
    if (begin > filled.size()) throw Error(ErrorCode::kInternal, "a gap in the cache");
    if (begin + tokens.size() > static_cast<size_t>(context_)) {
      throw Error(ErrorCode::kInternal, "beyond the cache");
    }
    filled.resize(begin);
    filled.insert(filled.end(), tokens.begin(), tokens.end());
    rows += static_cast<int>(tokens.size());
  }

  int context_;
  Script script_;
};

/// The text of tokens, control tokens by name.
inline std::string Spell(const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) text += FakeTokenizer().TokenBytes(id);
  return text;
}

/// A prompt looks like "<s><turn>U:hello<end><turn>M:".
inline proto::LlmMetadata FakeMetadata() {
  proto::LlmMetadata metadata;
  metadata.mutable_start_token()->set_token_str("<s>");
  metadata.add_stop_tokens()->mutable_token_ids()->add_ids(FakeTokenizer::kEnd);
  auto* templates = metadata.mutable_prompt_templates();
  templates->mutable_user()->set_prefix("<turn>U:");
  templates->mutable_user()->set_suffix("<end>");
  templates->mutable_model()->set_prefix("<turn>M:");
  templates->mutable_model()->set_suffix("<end>");
  templates->mutable_system()->set_prefix("<turn>S:");
  templates->mutable_system()->set_suffix("<end>");
  return metadata;
}

/// Says `reply` after the last "M:" it sees, then <end>.
inline FakeLanguageModel::Script Says(std::function<std::string(const std::string& seen)> reply) {
  return [reply](const std::vector<TokenId>& seen) -> TokenId {
    const std::string text = Spell(seen);
    const size_t begin = text.rfind("<turn>M:");
    const size_t said = begin == std::string::npos ? text.size() : text.size() - begin - 8;
    const std::string whole = reply(text.substr(0, begin));
    return said < whole.size() ? static_cast<unsigned char>(whole[said]) : FakeTokenizer::kEnd;
  };
}

struct FakeModel {
  FakeLanguageModel* language_model;  ///< Owned by `model`.
  Model model;
};

inline FakeModel MakeFakeModel(int context, FakeLanguageModel::Script script,
                               proto::LlmMetadata metadata = FakeMetadata()) {
  auto language_model = std::make_unique<FakeLanguageModel>(context, std::move(script));
  FakeLanguageModel* const borrowed = language_model.get();
  return {borrowed,
          Model(std::make_shared<ModelState>(std::move(metadata), std::make_unique<FakeTokenizer>(),
                                             std::move(language_model)))};
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_ENGINE_FAKES_H_
