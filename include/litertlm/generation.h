// What steers a reply, and what is known about it afterwards.
#ifndef LITERTLM_GENERATION_H_
#define LITERTLM_GENERATION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace litertlm {

/// How the next token is chosen. The steps, in this order: tokens that the file suppresses are
/// struck out; penalties; temperature; then of the tokens left, the `top_k` best, of those the
/// fewest that together reach `top_p`, of those the ones with at least `min_p` times the
/// probability of the best; one of them is drawn by its probability. The same numbers and the same
/// seed give the same tokens on every machine. As constructed: greedy.
struct SamplerOptions {
  float temperature = 0.0f;  ///< 0: greedy, the first of the best tokens is taken.
  int top_k = 0;             ///< 0: no limit; 1: greedy.
  float top_p = 1.0f;        ///< In (0, 1].
  float min_p = 0.0f;        ///< In [0, 1).
  /// Divides the logits above zero, and multiplies those below, of every token that the prompt or
  /// the reply holds. 1: off. Stop tokens are spared, so that a reply can end.
  float repetition_penalty = 1.0f;
  /// Is subtracted from the logits of the tokens that the reply holds. 0: off.
  float presence_penalty = 0.0f;
  std::optional<uint64_t> seed{};  ///< Absent: another one each time.
};

struct GenerationOptions {
  std::optional<SamplerOptions> sampler{};  ///< Absent: what the file recommends.
  int max_tokens = 0;                       ///< Of the reply; 0: as many as the context holds.
  std::vector<std::string> stop_texts{};    ///< The reply ends before the first of these.
  bool ignore_stop_tokens = false;          ///< Go on after the tokens that end a reply.
  /// The reply ends soon after this has become true. May be set by any thread or by a signal
  /// handler; must outlive the call. May be null.
  const std::atomic<bool>* cancel = nullptr;
};

/// Why a reply ended.
enum class StopReason {
  kStop,       ///< The model ended it, or a stop text was met.
  kLength,     ///< `max_tokens` are there.
  kContext,    ///< The context is full.
  kCancelled,  ///< The caller cancelled it.
};

/// "stop", "length", "context", "cancelled".
std::string_view StopReasonName(StopReason reason) noexcept;

/// Counts and times of one reply.
struct GenerationStats {
  int prompt_tokens =
      0;  ///< New in this prompt; what earlier turns left in the cache is not counted.
  int context_tokens = 0;     ///< In the context afterwards.
  int generated_tokens = 0;   ///< Sampled ones, the stop token included.
  double prompt_seconds = 0;  ///< From the call to the first token.
  double reply_seconds = 0;   ///< From the first token to the last.
  uint64_t seed = 0;          ///< The one that was used.

  double prompt_rate() const { return prompt_seconds > 0 ? prompt_tokens / prompt_seconds : 0; }
  double reply_rate() const {
    return reply_seconds > 0 ? (generated_tokens - 1) / reply_seconds : 0;
  }
};

struct Completion {
  std::string text;          ///< The reply, without thought and stop text.
  std::string thought;       ///< What the model thought before replying; empty if it did not.
  std::vector<int32_t> ids;  ///< All tokens of thought and reply, without stop tokens.
  StopReason stop = StopReason::kStop;
  GenerationStats stats;
};

/// A piece of a reply as it comes into being: whole UTF-8 characters.
struct TextChunk {
  std::string_view text;
  bool thought = false;
};

/// Called from the thread that asked for the reply. What it throws ends the reply and reaches the
/// caller.
using ChunkCallback = std::function<void(const TextChunk&)>;

}  // namespace litertlm

#endif  // LITERTLM_GENERATION_H_
