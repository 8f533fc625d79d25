// Chooses the next token from a row of logits.
#ifndef LITERTLM_ENGINE_SAMPLER_H_
#define LITERTLM_ENGINE_SAMPLER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "litertlm/generation.h"
#include "runtime/language_model.h"
#include "text/tokenizer.h"

namespace litertlm {

/// Throws kUsage naming the value that is out of its range.
void CheckSamplerOptions(const SamplerOptions& options);

/// The steps and their order are described at SamplerOptions. For one reply; one thread.
class Sampler {
 public:
  /// `options` were checked. `suppressed` tokens are never chosen; `spared` ones are never
  /// penalized. `context` is what stands before the reply, for the repetition penalty.
  Sampler(const SamplerOptions& options, std::span<const TokenId> suppressed,
          std::span<const TokenId> spared, std::span<const TokenId> context);

  /// What Sample looks at if `choosable` tokens can be chosen.
  LogitsWanted Wanted(size_t choosable) const;

  /// Overwrites `logits`. Throws kBadInput if no logit is a finite number.
  TokenId Sample(std::span<float> logits);

  uint64_t seed() const { return seed_; }

 private:
  struct Candidate {
    TokenId id;
    float logit;
    double weight;  ///< Its probability times a constant.
  };

  void Penalize(std::span<float> logits) const;
  std::vector<Candidate> Best(std::span<const float> logits, size_t count) const;
  /// With top-k, and without. `best` is the first of the best tokens.
  TokenId DrawFromBest(std::span<const float> logits, TokenId best);
  TokenId DrawFromAll(std::span<float> logits, TokenId best);
  size_t Kept(std::span<const Candidate> candidates, double total) const;
  TokenId Draw(std::span<const Candidate> candidates);
  template <typename Weight>
  size_t DrawIndex(size_t count, const Weight& weight);
  double Uniform();

  SamplerOptions options_;
  std::vector<TokenId> suppressed_;
  std::vector<TokenId> spared_;       ///< Sorted, as the next two are.
  std::vector<TokenId> present_;      ///< In context or reply.
  std::vector<TokenId> replied_;      ///< In the reply.
  std::vector<float> probabilities_;  ///< Of all tokens; memory that is used again.
  uint64_t seed_;
  uint64_t state_;
};

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_SAMPLER_H_
