// A decoder-only language model, compiled from the signatures of a TFLite file.
#ifndef LITERTLM_RUNTIME_LANGUAGE_MODEL_H_
#define LITERTLM_RUNTIME_LANGUAGE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/dtype.h"
#include "base/thread_pool.h"
#include "format/tflite.h"
#include "runtime/op_times.h"

namespace litertlm {

/// Which passes over the graph make it faster; graph/passes/passes.h says what each does.
struct Fusions {
  bool split_products = true;
  bool gather_products = true;
  bool norms = true;
  bool gates = true;
  bool ropes = true;
  bool attention = true;
  bool output_head = true;

  static constexpr Fusions None() { return {false, false, false, false, false, false, false}; }
};

struct RuntimeOptions {
  int threads = 0;          ///< 0: DefaultThreadCount().
  int prefill_threads = 0;  ///< Of Prefill; 0: as many as `threads`.
  /// With none, every operator of the file is executed by itself; together with the scalar kernels
  /// that is the definition that everything faster is tested against.
  Fusions fusions = {};
  DType cache_type = DType::kF16;  ///< Of keys and values, where attention is fused.
  /// Of an output head of so many bytes or more a sketch is made (kernels/sketch.h). Nothing: where
  /// that pays.
  std::optional<size_t> sketched_head_bytes = {};
  int64_t open_context = 4096;  ///< Tokens of a cache, where the file leaves that open.
};

/// Models beside a decoder that compute a part of it; null where the file has none.
struct CompanionModels {
  const TfliteModel* embedder = nullptr;  ///< Looks up embeddings, which a decoder may take.
  /// The same for what a decoder takes beside them for each of its layers, as Gemma3n does.
  const TfliteModel* layer_embedder = nullptr;
  const TfliteModel* auxiliary = nullptr;  ///< Updates split caches: runtime/split_cache.h.
};

/// What a caller is going to look at of a row of logits.
struct LogitsWanted {
  static constexpr size_t kAll = std::numeric_limits<size_t>::max();
  /// The so many highest, with all that equal the last of them: the others may be minus infinity.
  size_t best = kAll;
  size_t first = kAll;  ///< Among so many at the beginning; what follows does not count.
};

/// The keys and values of the tokens seen so far: one for each conversation. Not thread-safe.
class KvCache {
 public:
  virtual ~KvCache() = default;
};

/// Abstract, so that the conversation layer can be tested without a model.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  virtual int context_length() const = 0;  ///< Tokens that a cache holds.
  virtual int vocab_size() const = 0;      ///< Length of a row of logits.

  virtual std::unique_ptr<KvCache> NewCache() const = 0;

  /// Computes the cache entries of `tokens` at positions [position, position + tokens.size()).
  /// Positions before must be filled; later entries are forgotten. Costs exactly that many rows.
  /// Throws kContextFull if they do not fit, kUsage for a token outside the vocabulary.
  virtual void Prefill(KvCache& cache, std::span<const int32_t> tokens, int position) = 0;
  /// The same for one token, and writes the logits of the next into `logits` [vocab_size()], or
  /// those that are wanted.
  virtual void Decode(KvCache& cache, int32_t token, int position, std::span<float> logits,
                      const LogitsWanted& wanted) = 0;
  void Decode(KvCache& cache, int32_t token, int position, std::span<float> logits) {
    Decode(cache, token, position, logits, LogitsWanted());
  }

  /// Bytes of weights that all calls of Decode so far could leave unread, because not all logits
  /// were wanted.
  virtual uint64_t unread_bytes() const = 0;

  /// From now on adds what every operator takes to `times`; null: no longer.
  virtual void Observe(OpTimes* times) = 0;
};

/// Compiles `model`, whose bytes must outlive the result, as must those of its companions. Prefill
/// and Decode must not be called at the same time from two threads (they share the thread pool and
/// the working memory), but caches may be used in turn. Throws kUnsupported naming the operator,
/// tensor or signature.
std::unique_ptr<LanguageModel> CompileLanguageModel(const TfliteModel& model,
                                                    const RuntimeOptions& options,
                                                    const CompanionModels& companions = {});

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_LANGUAGE_MODEL_H_
