#include "engine/model_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "litertlm/error.h"
#include "text/byte_unicode_tokenizer.h"
#include "text/prompt_family.h"

namespace litertlm {
namespace {

constexpr char kInspect[] = "See what it holds: litert-lm-cli inspect FILE.";

DType TypeOf(CacheType type) {
  if (type == CacheType::kF32) return DType::kF32;
  return type == CacheType::kF16 ? DType::kF16 : DType::kI8;
}

std::unique_ptr<Tokenizer> LoadTokenizer(const ModelFile& file) {
  const Section* section = file.FindTokenizer();
  if (section == nullptr) {
    if (file.kind() == ContainerKind::kTflite) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is a TFLite model alone, without a tokenizer.", file.name()),
                  "Add --tokenizer FILE: a tokenizer.json or a SentencePiece model.");
    }
    throw Error(ErrorCode::kBadInput, fmt::format("{} has no tokenizer section.", file.name()),
                kInspect);
  }
  const std::string where = file.NameOf(*section);
  if (section->type == SectionType::kHfTokenizerZlib) {
    return LoadHfTokenizerZlib(section->bytes, where);
  }
  if (section->type == SectionType::kHfTokenizerJson) return LoadHfTokenizer(section->bytes, where);
  std::unique_ptr<Tokenizer> tokenizer = LoadSentencePiece(section->bytes, where);
  if (file.spells_bytes_as_unicode()) return SpellBytesAsUnicode(std::move(tokenizer));
  return tokenizer;
}

Fusions FusionsFor(const ModelOptions& options) {
  Fusions fusions = options.fusion ? Fusions() : Fusions::None();
  if (options.all_logits) fusions.output_head = false;
  return fusions;
}

}  // namespace

ModelState::ModelState(const std::filesystem::path& file, const ModelOptions& options)
    : file_(ModelFile::Open(file, options.tokenizer)), options_(options) {}

ModelState::ModelState(proto::LlmMetadata metadata, std::unique_ptr<Tokenizer> tokenizer,
                       std::unique_ptr<LanguageModel> language_model)
    : metadata_(std::move(metadata)),
      tokenizer_(std::move(tokenizer)),
      language_model_(std::move(language_model)) {}

const proto::LlmMetadata& ModelState::metadata() {
  std::call_once(metadata_once_, [&] {
    if (metadata_) return;
    metadata_ = file_->ReadMetadata();
    if (metadata_) return;
    // The other kinds of files may do without; a .litertlm file without is not whole.
    if (file_->kind() == ContainerKind::kLitertlm) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{} has no {} section.", file_->name(),
                              SectionTypeName(SectionType::kLlmMetadata)),
                  kInspect);
    }
    metadata_ = MetadataFromTokenizer(unmarked_tokenizer());
  });
  return *metadata_;
}

Tokenizer& ModelState::unmarked_tokenizer() {
  std::call_once(tokenizer_once_, [&] {
    if (tokenizer_ == nullptr) tokenizer_ = LoadTokenizer(*file_);
  });
  return *tokenizer_;
}

const Tokenizer& ModelState::tokenizer() {
  // A tokenizer that was handed over is as it should be.
  std::call_once(marks_once_, [&] {
    if (file_) MarkControlTokens(unmarked_tokenizer());
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

int ModelState::OpenContext() {
  if (options_.context > 0) return options_.context;
  // Not metadata(), which may have to wait for the tokenizer.
  const std::optional<proto::LlmMetadata> metadata = file_->ReadMetadata();
  const int allowed = metadata ? metadata->max_num_tokens() : 0;
  return allowed > 0 ? allowed : static_cast<int>(RuntimeOptions().open_context);
}

void ModelState::MapGraph() {
  std::vector<Bytes> parts;
  for (const SectionType type : {SectionType::kTfliteModel, SectionType::kTfliteWeights}) {
    if (const Section* section = file_->Find(type, kPrefillDecodeModel)) {
      parts.push_back(section->bytes);
    }
  }
  pages_.emplace(std::move(parts));
}

LanguageModel& ModelState::language_model() {
  std::call_once(language_model_once_, [&] {
    if (language_model_ != nullptr) return;
    graph_ = file_->ReadModel(kPrefillDecodeModel);
    MapGraph();
    companions_.emplace(*file_);
    if (!graph_) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{} has no {} model.", file_->name(), kPrefillDecodeModel), kInspect);
    }
    language_model_ =
        CompileLanguageModel(*graph_,
                             RuntimeOptions{.threads = options_.threads,
                                            .prefill_threads = options_.prefill_threads,
                                            .fusions = FusionsFor(options_),
                                            .cache_type = TypeOf(options_.cache_type),
                                            .open_context = OpenContext()},
                             companions_->models());
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

void ModelState::LoadAll() {
  std::call_once(all_once_, [&] {
    // Waited for at the end, whatever happens; without a second thread it is left for later.
    const std::future<void> other = std::async([&] {
      try {
        tokenizer();
      } catch (...) {
        // It will be tried again.
      }
    });
    language_model();
  });
}

Session ModelState::NewSession() {
  LoadAll();
  return Session(language_model(), compute_, context_length());
}

GenerationContext ModelState::generation_context(bool tell_thoughts) {
  return {.tokenizer = tokenizer(),
          .settings = settings(),
          .default_sampler = ReadSamplerOptions(metadata()),
          .thought = tell_thoughts ? ReadThoughtMarkers(metadata()) : ThoughtMarkers(),
          .vocab_size = language_model().vocab_size()};
}

}  // namespace litertlm
