// A sequence of tokens and the part of it that the cache holds.
#ifndef LITERTLM_ENGINE_SESSION_H_
#define LITERTLM_ENGINE_SESSION_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/language_model.h"
#include "text/tokenizer.h"

namespace litertlm {

/// Tokens are appended freely and computed when logits are asked for, each once. The last token
/// stays out of the cache until then, because its row gives the logits. One thread; sessions that
/// share a model may run in several, their steps take turns through `compute`.
class Session {
 public:
  /// `model` and `compute` must outlive the session.
  Session(LanguageModel& model, std::mutex& compute, int context_length);

  const std::vector<TokenId>& tokens() const { return tokens_; }
  int size() const { return static_cast<int>(tokens_.size()); }
  bool full() const { return size() >= context_length_; }

  /// Throws kContextFull if they do not fit; nothing has changed then.
  void Append(std::span<const TokenId> ids);
  /// How many of the first of `ids` are the session's first tokens.
  size_t SharedPrefix(std::span<const TokenId> ids) const;
  /// Forgets all tokens but the first `size`.
  void Truncate(int size);
  /// The wanted logits of what follows the last token; there must be one. False if `cancel` (may be
  /// null) became true, which is looked at between pieces of a long prompt.
  bool ComputeLogits(std::span<float> logits, const LogitsWanted& wanted,
                     const std::atomic<bool>* cancel);

 private:
  LanguageModel& model_;
  std::mutex& compute_;
  int context_length_;
  std::unique_ptr<KvCache> cache_;
  std::vector<TokenId> tokens_;
  int computed_ = 0;  ///< The cache holds this many of them.
};

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_SESSION_H_
