#include "engine/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "kernels/kernel_table.h"
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

// Rows are read in blocks, and these in lanes, of which compilers make vectors: sampling must not
// cost what a layer costs.
constexpr size_t kBlock = 1024;
constexpr size_t kLanes = 32;

// NaN never is.
float LargestOf(std::span<const float> block) {
  std::array<float, kLanes> largest;
  largest.fill(kStruckOut);
  size_t i = 0;
  for (; i + kLanes <= block.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float x = block[i + lane];
      largest[lane] = x > largest[lane] ? x : largest[lane];
    }
  }
  for (; i < block.size(); ++i) largest[0] = block[i] > largest[0] ? block[i] : largest[0];
  return *std::max_element(largest.begin(), largest.end());
}

// The first of the largest.
TokenId FirstMaximum(std::span<const float> logits) {
  float largest = kStruckOut;
  size_t from = 0;
  for (size_t i = 0; i < logits.size(); i += kBlock) {
    const float here = LargestOf(logits.subspan(i, std::min(kBlock, logits.size() - i)));
    if (here > largest) {
      largest = here;
      from = i;
    }
  }
  if (!std::isfinite(largest)) {
    throw Error(ErrorCode::kBadInput, "The model's output holds no finite number.",
                "Its weights are damaged; fetch or convert the model again.");
  }
  const auto first =
      std::find(logits.begin() + static_cast<std::ptrdiff_t>(from), logits.end(), largest);
  return static_cast<TokenId>(first - logits.begin());
}

double SumOfAtLeast(std::span<const float> probabilities, float least) {
  double sum = 0;
  for (size_t i = 0; i < probabilities.size(); i += kBlock) {
    const auto block = probabilities.subspan(i, std::min(kBlock, probabilities.size() - i));
    std::array<float, kLanes> sums = {};
    size_t j = 0;
    for (; j + kLanes <= block.size(); j += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const float p = block[j + lane];
        sums[lane] += p >= least ? p : 0.0f;
      }
    }
    for (; j < block.size(); ++j) sums[0] += block[j] >= least ? block[j] : 0.0f;
    sum += std::accumulate(sums.begin(), sums.end(), 0.0);
  }
  return sum;
}

// Sets to 0 what does not belong to the fewest, best first and of equals the first, that reach
// `share`. The least of those is found by bisection: floats above 0 are in the order of their bits,
// so that some thirty sums tell which it is, where sorting 262,144 would take as long as several
// tokens.
void KeepNucleus(std::span<float> probabilities, double share) {
  uint32_t low = 0;
  uint32_t high = std::bit_cast<uint32_t>(2.0f);
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const bool reached = SumOfAtLeast(probabilities, std::bit_cast<float>(middle)) >= share;
    (reached ? low : high) = middle;
  }
  const auto least = std::bit_cast<float>(low);
  double missing = share - SumOfAtLeast(probabilities, std::bit_cast<float>(low + 1));
  for (float& p : probabilities) {
    if (p < least || (p == least && missing <= 0)) {
      p = 0;
    } else if (p == least) {
      missing -= p;
    }
  }
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

LogitsWanted Sampler::Wanted(size_t choosable) const {
  LogitsWanted wanted{.first = choosable};
  const bool greedy = options_.temperature == 0 || options_.top_k == 1;
  const bool penalized = options_.repetition_penalty != 1.0f || options_.presence_penalty != 0.0f;
  if (penalized || (!greedy && options_.top_k == 0)) return wanted;
  // Suppressed tokens may be the highest.
  wanted.best = (greedy ? 1 : static_cast<size_t>(options_.top_k)) + suppressed_.size();
  return wanted;
}

TokenId Sampler::Sample(std::span<float> logits) {
  for (const TokenId id : suppressed_) {
    if (static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] = kStruckOut;
  }
  Penalize(logits);
  TokenId chosen = FirstMaximum(logits);
  if (options_.temperature > 0 && options_.top_k != 1) {
    chosen = options_.top_k > 0 ? DrawFromBest(logits, chosen) : DrawFromAll(logits, chosen);
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

TokenId Sampler::DrawFromBest(std::span<const float> logits, TokenId best) {
  const float top = logits[static_cast<size_t>(best)];
  std::vector<Candidate> candidates = Best(logits, static_cast<size_t>(options_.top_k));
  double total = 0;
  for (Candidate& candidate : candidates) {
    candidate.weight =
        std::exp((static_cast<double>(candidate.logit) - top) / options_.temperature);
    total += candidate.weight;
  }
  return Draw(std::span(candidates).first(Kept(candidates, total)));
}

TokenId Sampler::DrawFromAll(std::span<float> logits, TokenId best) {
  constexpr float kLargestFactor = 1e30f;  // Times 0 it is 0 still.
  for (float& logit : logits) logit = logit > kStruckOut ? logit : kStruckOut;  // No NaN.
  probabilities_.resize(logits.size());
  ActiveKernels().softmax(logits.data(), probabilities_.data(), logits.size(),
                          std::min(1 / options_.temperature, kLargestFactor));
  if (options_.top_p < 1) {
    // Few tokens usually reach top-p.
    constexpr size_t kFew = 256;
    std::vector<Candidate> candidates = Best(logits, kFew);
    for (Candidate& candidate : candidates) {
      candidate.weight = probabilities_[static_cast<size_t>(candidate.id)];
    }
    const size_t kept = Kept(candidates, 1);
    if (kept < candidates.size()) return Draw(std::span(candidates).first(kept));
    KeepNucleus(probabilities_, options_.top_p);
  }
  const float least = options_.min_p * probabilities_[static_cast<size_t>(best)];
  for (float& probability : probabilities_) {
    if (probability < least) probability = 0;
  }
  return static_cast<TokenId>(
      DrawIndex(probabilities_.size(), [&](size_t i) { return probabilities_[i]; }));
}

// Of candidates, best first, whose weights are parts of `total`.
size_t Sampler::Kept(std::span<const Candidate> candidates, double total) const {
  const double least = options_.min_p * candidates[0].weight;
  double reached = 0;
  size_t kept = 0;
  while (kept < candidates.size() && reached < options_.top_p * total &&
         candidates[kept].weight >= least) {
    reached += candidates[kept++].weight;
  }
  return std::max<size_t>(kept, 1);
}

TokenId Sampler::Draw(std::span<const Candidate> candidates) {
  return candidates[DrawIndex(candidates.size(), [&](size_t i) { return candidates[i].weight; })]
      .id;
}

// One of `count` by their weights, of which one at least is above 0.
template <typename Weight>
size_t Sampler::DrawIndex(size_t count, const Weight& weight) {
  double total = 0;
  for (size_t i = 0; i < count; ++i) total += weight(i);
  double rest = Uniform() * total;
  size_t drawn = 0;  // The last one if rounding leaves a rest.
  for (size_t i = 0; i < count && rest >= 0; ++i) {
    if (weight(i) > 0) drawn = i;
    rest -= weight(i);
  }
  return drawn;
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
