// What the handles of one model share. Each part is loaded when it is first asked for.
#ifndef LITERTLM_ENGINE_MODEL_STATE_H_
#define LITERTLM_ENGINE_MODEL_STATE_H_

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "base/pages.h"
#include "engine/companions.h"
#include "engine/generator.h"
#include "engine/prompt_settings.h"
#include "format/llm_metadata.h"
#include "format/model_file.h"
#include "format/tflite.h"
#include "litertlm/model.h"
#include "runtime/language_model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace litertlm {

/// Any thread may call any function.
class ModelState {
 public:
  ModelState(const std::filesystem::path& file, const ModelOptions& options);
  /// From parts that exist already.
  ModelState(proto::LlmMetadata metadata, std::unique_ptr<Tokenizer> tokenizer,
             std::unique_ptr<LanguageModel> language_model);

  const proto::LlmMetadata& metadata();
  const Tokenizer& tokenizer();
  const PromptSettings& settings();
  LanguageModel& language_model();
  /// Loads the tokenizer and the language model at the same time. Throws where the latter fails;
  /// whoever asks for the former hears of its errors.
  void LoadAll();
  /// Throws where the file has none, or a broken one.
  const ChatTemplate& chat_template();

  /// The smaller of what the cache holds and what the file allows.
  int context_length();
  /// Loads all.
  Session NewSession();
  /// `tell_thoughts`: thoughts are told from the text.
  GenerationContext generation_context(bool tell_thoughts);

 private:
  /// As the file has it: the metadata, which may come from it, say what else is a control token.
  Tokenizer& unmarked_tokenizer();
  void MarkControlTokens(Tokenizer& tokenizer);
  /// Maps what every token reads: the graph with its weights.
  void MapGraph();
  /// Tokens of the caches, where the graph leaves that open.
  int OpenContext();

  std::optional<ModelFile> file_;
  ModelOptions options_;

  std::once_flag metadata_once_;
  std::once_flag tokenizer_once_;
  std::once_flag marks_once_;
  std::once_flag settings_once_;
  std::once_flag chat_template_once_;
  std::once_flag language_model_once_;
  std::once_flag all_once_;
  std::optional<proto::LlmMetadata> metadata_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::optional<PromptSettings> settings_;
  std::optional<ChatTemplate> chat_template_;
  std::optional<TfliteModel> graph_;
  std::optional<PageMapper> pages_;  ///< Of the graph.
  std::optional<Companions> companions_;
  std::unique_ptr<LanguageModel> language_model_;
  std::mutex compute_;
};

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_MODEL_STATE_H_
