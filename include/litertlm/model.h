// A language model in a file: `.litertlm`, a `.task` bundle, or a TFLite model with its tokenizer.
//
//   litertlm::Model model = litertlm::Model::Open("model.litertlm");
//   litertlm::Conversation chat(model);
//   chat.Send("What is the capital of France?", {},
//             [](const litertlm::TextChunk& chunk) { std::cout << chunk.text << std::flush; });
//
// All functions that fail throw litertlm::Error (litertlm/error.h).
#ifndef LITERTLM_MODEL_H_
#define LITERTLM_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "litertlm/generation.h"

namespace litertlm {

class ModelState;

/// How keys and values are kept. With kF16 they take half the memory and time of kF32, and results
/// differ in about the fourth digit; with kInt8, where each vector has a scale, they take a quarter
/// of the memory, and results differ in about the third. Without `fusion`, and where the graph's
/// attention is not one that is known, they are kept as the file has them.
enum class CacheType : uint8_t { kF32, kF16, kInt8 };

struct ModelOptions {
  int threads = 0;  ///< 0: one for each physical core that the process may use.
  int prefill_threads =
      0;               ///< For prompts, which gain more from many than replies do; 0: `threads`.
  bool fusion = true;  ///< False: every operator by itself, slowly: the definition of the result.
  CacheType cache_type = CacheType::kF16;
  /// Replies compute every logit, where else those are left out that their tokens do not depend on:
  /// slower, with less memory, which is what knowing the others in advance takes.
  bool all_logits = false;
  /// Tokens of a conversation, for files that leave that open; 0: as many as their metadata allow,
  /// or 4096 where they say nothing.
  int context = 0;
  /// A tokenizer.json or a SentencePiece model, for files that have none (TFLite models alone); the
  /// file's own, if there is one, is left aside.
  std::filesystem::path tokenizer{};
};

/// A handle: copies share one model, which lives as long as any handle or conversation does. Any
/// thread may call any function; the arithmetic of several replies at once takes turns, token by
/// token.
class Model {
 public:
  /// Maps the file, whose kind is told by its content, and checks its table of sections. Tokenizer
  /// and graph are loaded when they are first needed, so errors in them come later. Throws
  /// kNotFound, kDenied, kIo, kBadInput.
  static Model Open(const std::filesystem::path& file, const ModelOptions& options = {});

  explicit Model(std::shared_ptr<ModelState> state);  ///< For the library itself.

  int context_length() const;  ///< Tokens of prompts and replies that a conversation can hold.
  int vocab_size() const;      ///< Length of a row of logits.
  bool supports_thinking() const;
  SamplerOptions default_sampler() const;  ///< What the file recommends; greedy if nothing.

  /// The ids of `text`, without a start token. With `control`, names of control tokens in it (such
  /// as "<|im_end|>") stand for those tokens; never pass text of strangers so.
  std::vector<int32_t> Tokenize(std::string_view text, bool control = false) const;
  /// Control tokens are spelled out. Throws kUsage for an id outside the vocabulary.
  std::string Detokenize(std::span<const int32_t> ids) const;
  /// What the file wants in front of every prompt; may be empty.
  std::vector<int32_t> start_tokens() const;

  /// Continues `prompt` (at least one token), to which nothing is added: no template and no start
  /// token. Thoughts are not told from the text. `on_chunk` may be null.
  /// Throws kContextFull if the prompt does not fit, kUsage for an id outside the vocabulary.
  Completion Generate(std::span<const int32_t> prompt, const GenerationOptions& options = {},
                      const ChunkCallback& on_chunk = nullptr) const;

  /// Calls `on_row` with the logits [vocab_size()] that follow each of `ids`, in order.
  void Logits(std::span<const int32_t> ids,
              const std::function<void(std::span<const float>)>& on_row) const;

 private:
  friend class Conversation;
  std::shared_ptr<ModelState> state_;
};

}  // namespace litertlm

#endif  // LITERTLM_MODEL_H_
