#include "engine/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr float kStruckOut = -std::numeric_limits<float>::infinity();

void CheckRange(bool inside, std::string_view name, float value, std::string_view range) {
  if (inside) return;
  throw Error(ErrorCode::kUsage, fmt::format("The {} is {}, but must be {}.", name, value, range));
}

uint64_t RandomSeed() {
  std::random_device device;
  // 32 bits: a seed that people can read aloud and type again.
  return device();
}

bool Contains(const std::vector<TokenId>& sorted, TokenId id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

void Insert(std::vector<TokenId>& sorted, TokenId id) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), id);
  if (at == sorted.end() || *at != id) sorted.insert(at, id);
}

std::vector<TokenId> SortedUnique(std::span<const TokenId> ids) {
  std::vector<TokenId> result(ids.begin(), ids.end());
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

// The first of the largest; NaN never is.
TokenId FirstMaximum(std::span<const float> logits) {
  size_t best = 0;
  float largest = kStruckOut;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > largest) {
      largest = logits[i];
      best = i;
    }
  }
  if (!std::isfinite(largest)) {
    throw Error(ErrorCode::kBadInput, "The model's output holds no finite number.",
                "Its weights are damaged; fetch or convert the model again.");
  }
  return static_cast<TokenId>(best);
}

}  // namespace

void CheckSamplerOptions(const SamplerOptions& o) {
  CheckRange(o.temperature >= 0 && std::isfinite(o.temperature), "temperature", o.temperature,
             "0 or more");
  CheckRange(o.top_k >= 0, "top-k", static_cast<float>(o.top_k), "0 or more");
  CheckRange(o.top_p > 0 && o.top_p <= 1, "top-p", o.top_p, "above 0 and at most 1");
  CheckRange(o.min_p >= 0 && o.min_p < 1, "min-p", o.min_p, "at least 0 and below 1");
  CheckRange(o.repetition_penalty > 0 && std::isfinite(o.repetition_penalty), "repetition penalty",
             o.repetition_penalty, "above 0");
  CheckRange(std::isfinite(o.presence_penalty), "presence penalty", o.presence_penalty, "finite");
}

Sampler::Sampler(const SamplerOptions& options, std::span<const TokenId> suppressed,
                 std::span<const TokenId> spared, std::span<const TokenId> context)
    : options_(options),
      suppressed_(suppressed.begin(), suppressed.end()),
      spared_(SortedUnique(spared)),
      seed_(options.seed ? *options.seed : RandomSeed()),
      state_(seed_) {
  if (options.repetition_penalty != 1.0f) present_ = SortedUnique(context);
}

TokenId Sampler::Sample(std::span<float> logits) {
  for (const TokenId id : suppressed_) {
    if (static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] = kStruckOut;
  }
  Penalize(logits);
  TokenId chosen = FirstMaximum(logits);
  if (options_.temperature > 0 && options_.top_k != 1) {
    const std::vector<Candidate> nucleus = Nucleus(logits, chosen);
    double total = 0;
    for (const Candidate& candidate : nucleus) total += candidate.weight;
    double rest = Uniform() * total;
    chosen = nucleus.back().id;
    for (const Candidate& candidate : nucleus) {
      rest -= candidate.weight;
      if (rest < 0) {
        chosen = candidate.id;
        break;
      }
    }
  }
  if (options_.repetition_penalty != 1.0f) Insert(present_, chosen);
  if (options_.presence_penalty != 0.0f) Insert(replied_, chosen);
  return chosen;
}

void Sampler::Penalize(std::span<float> logits) const {
  const auto for_each = [&](const std::vector<TokenId>& ids, auto change) {
    for (const TokenId id : ids) {
      if (static_cast<size_t>(id) >= logits.size() || Contains(spared_, id)) continue;
      change(logits[static_cast<size_t>(id)]);
    }
  };
  for_each(present_, [&](float& logit) {
    logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
  });
  for_each(replied_, [&](float& logit) { logit -= options_.presence_penalty; });
}

// The `count` best, best first; of equals the first. A pass with a threshold that rises keeps this
// near the cost of reading the row, where sorting 262,144 logits would cost more than a layer.
std::vector<Sampler::Candidate> Sampler::Best(std::span<const float> logits, size_t count) const {
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  };
  std::vector<Candidate> kept;
  const size_t room = std::min(logits.size(), 2 * count);
  kept.reserve(room);
  float threshold = kStruckOut;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] > threshold)) continue;
    kept.push_back({static_cast<TokenId>(i), logits[i], 0});
    if (kept.size() < room || room <= count) continue;
    const auto end = kept.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(kept.begin(), end - 1, kept.end(), better);
    kept.erase(end, kept.end());
    // Later ones that are equal to the worst kept one lose against it.
    threshold = kept.back().logit;
  }
  std::sort(kept.begin(), kept.end(), better);
  if (kept.size() > count) kept.resize(count);
  return kept;
}

std::vector<Sampler::Candidate> Sampler::Nucleus(std::span<const float> logits,
                                                 TokenId best) const {
  const float top = logits[static_cast<size_t>(best)];
  const auto weight = [&](float logit) {
    return std::exp((static_cast<double>(logit) - top) / options_.temperature);
  };
  const auto weigh = [&](std::vector<Candidate>& candidates) {
    double sum = 0;
    for (Candidate& candidate : candidates) sum += candidate.weight = weight(candidate.logit);
    return sum;
  };
  // Without top-k, few tokens usually reach top-p: take some of the best, and all if they do not.
  constexpr size_t kFirstTry = 256;
  const size_t count = options_.top_k > 0 ? static_cast<size_t>(options_.top_k) : kFirstTry;
  std::vector<Candidate> nucleus = Best(logits, count);
  double total = weigh(nucleus);
  if (options_.top_k == 0) {
    const double sum = total;
    total = 0;
    for (const float logit : logits) {
      if (logit > kStruckOut) total += weight(logit);
    }
    if (sum < options_.top_p * total && nucleus.back().weight >= options_.min_p) {
      nucleus = Best(logits, logits.size());
      weigh(nucleus);
    }
  }
  double reached = 0;
  size_t keep = 0;
  while (keep < nucleus.size() && reached < options_.top_p * total &&
         nucleus[keep].weight >= options_.min_p) {
    reached += nucleus[keep++].weight;
  }
  nucleus.resize(std::max<size_t>(keep, 1));
  return nucleus;
}

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014); the
// upper 53 bits become a number in [0, 1).
double Sampler::Uniform() {
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

}  // namespace litertlm
