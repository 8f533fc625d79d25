#include "engine/model_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "litertlm/error.h"

namespace litertlm {
namespace {

const Section& Require(const LitertlmFile& file, SectionType type) {
  if (const Section* section = file.Find(type)) return *section;
  throw Error(ErrorCode::kBadInput,
              fmt::format("{} has no {} section.", file.name(), SectionTypeName(type)),
              "See what it holds: litert-lm-cli inspect FILE.");
}

std::unique_ptr<Tokenizer> LoadTokenizer(const LitertlmFile& file) {
  if (const Section* section = file.Find(SectionType::kSentencePiece)) {
    return LoadSentencePiece(section->bytes, file.name());
  }
  if (const Section* section = file.Find(SectionType::kHfTokenizerZlib)) {
    return LoadHfTokenizerZlib(section->bytes, file.name());
  }
  throw Error(ErrorCode::kBadInput, fmt::format("{} has no tokenizer section.", file.name()),
              "See what it holds: litert-lm-cli inspect FILE.");
}

/// The model in the role `model_type`, with its weights; nothing where the file has none.
std::optional<TfliteModel> ParseGraph(const LitertlmFile& file, std::string_view model_type) {
  const Section* model = file.Find(SectionType::kTfliteModel, model_type);
  if (model == nullptr) return std::nullopt;
  const Section* weights = file.Find(SectionType::kTfliteWeights, model_type);
  return TfliteModel::Parse(model->bytes, weights != nullptr ? weights->bytes : Bytes(),
                            file.name());
}

}  // namespace

ModelState::ModelState(const std::filesystem::path& file, const ModelOptions& options)
    : file_(LitertlmFile::Open(file)), options_(options) {}

ModelState::ModelState(proto::LlmMetadata metadata, std::unique_ptr<Tokenizer> tokenizer,
                       std::unique_ptr<LanguageModel> language_model)
    : metadata_(std::move(metadata)),
      tokenizer_(std::move(tokenizer)),
      language_model_(std::move(language_model)) {}

const proto::LlmMetadata& ModelState::metadata() {
  std::call_once(metadata_once_, [&] {
    if (metadata_) return;
    metadata_ = ParseLlmMetadata(Require(*file_, SectionType::kLlmMetadata).bytes, file_->name());
  });
  return *metadata_;
}

const Tokenizer& ModelState::tokenizer() {
  std::call_once(tokenizer_once_, [&] {
    if (tokenizer_ != nullptr) return;
    std::unique_ptr<Tokenizer> tokenizer = LoadTokenizer(*file_);
    MarkControlTokens(*tokenizer);
    tokenizer_ = std::move(tokenizer);
  });
  return *tokenizer_;
}

void ModelState::MarkControlTokens(Tokenizer& tokenizer) {
  try {
    chat_template().MarkControlTokens(tokenizer);
  } catch (const Error&) {
    // Without a template there are no turns that a text could end; who needs one will hear of it.
  }
}

const PromptSettings& ModelState::settings() {
  std::call_once(settings_once_, [&] { settings_ = ReadPromptSettings(metadata(), tokenizer()); });
  return *settings_;
}

LanguageModel& ModelState::language_model() {
  std::call_once(language_model_once_, [&] {
    if (language_model_ != nullptr) return;
    graph_ = ParseGraph(*file_, kPrefillDecodeModel);
    embedder_ = ParseGraph(*file_, kEmbedderModel);
    if (!graph_) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{} has no {} model.", file_->name(), kPrefillDecodeModel),
                  "See what it holds: litert-lm-cli inspect FILE.");
    }
    language_model_ = CompileLanguageModel(
        *graph_,
        RuntimeOptions{
            .threads = options_.threads,
            .prefill_threads = options_.prefill_threads,
            .fusions = options_.fusion ? Fusions() : Fusions::None(),
            .cache_type = options_.cache_type == CacheType::kF16 ? DType::kF16 : DType::kF32},
        embedder_ ? &*embedder_ : nullptr);
  });
  return *language_model_;
}

const ChatTemplate& ModelState::chat_template() {
  std::call_once(chat_template_once_, [&] {
    chat_template_ = ChatTemplate::FromMetadata(metadata(), file_ ? file_->name() : "the model");
  });
  return *chat_template_;
}

int ModelState::context_length() {
  const int cache = language_model().context_length();
  const int allowed = metadata().max_num_tokens();
  return allowed > 0 ? std::min(cache, allowed) : cache;
}

Session ModelState::NewSession() { return Session(language_model(), compute_, context_length()); }

GenerationContext ModelState::generation_context(bool tell_thoughts) {
  return {.tokenizer = tokenizer(),
          .settings = settings(),
          .default_sampler = ReadSamplerOptions(metadata()),
          .thought = tell_thoughts ? ReadThoughtMarkers(metadata()) : ThoughtMarkers(),
          .vocab_size = language_model().vocab_size()};
}

}  // namespace litertlm
