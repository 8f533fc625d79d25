#include "engine/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "litertlm/error.h"

namespace litertlm {
namespace {

// A prompt is computed in pieces of at most this many tokens, so that it can be cancelled and other
// conversations get their turn. Larger pieces use the weights better, though hardly so beyond this.
constexpr int kPieceTokens = 512;

[[noreturn]] void ThrowContextFull(int before, size_t added, int context_length) {
  const auto needed = static_cast<uint64_t>(before) + added;
  const std::string message =
      before == 0
          ? fmt::format("The prompt has {} tokens, but the model's context holds {}.", added,
                        context_length)
          : fmt::format(
                "The conversation has {} tokens and the message adds {}, but the model's context "
                "holds {}.",
                before, added, context_length);
  throw Error(ErrorCode::kContextFull, message,
              fmt::format("{}onvert the model again with a longer context: "
                          "--kv-cache-max-len {} --force.",
                          before == 0 ? "Shorten it, or c" : "Start a new conversation, or c",
                          std::bit_ceil(needed + needed / 8)));
}

}  // namespace

Session::Session(LanguageModel& model, std::mutex& compute, int context_length)
    : model_(model), compute_(compute), context_length_(context_length), cache_(model.NewCache()) {}

void Session::Append(std::span<const TokenId> ids) {
  if (ids.size() > static_cast<size_t>(context_length_ - size())) {
    ThrowContextFull(size(), ids.size(), context_length_);
  }
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
}

size_t Session::SharedPrefix(std::span<const TokenId> ids) const {
  const auto end = std::mismatch(ids.begin(), ids.end(), tokens_.begin(), tokens_.end()).first;
  return static_cast<size_t>(end - ids.begin());
}

void Session::Truncate(int size) {
  tokens_.resize(static_cast<size_t>(size));
  computed_ = std::min(computed_, size);
}

bool Session::ComputeLogits(std::span<float> logits, const LogitsWanted& wanted,
                            const std::atomic<bool>* cancel) {
  const int last = size() - 1;
  computed_ = std::min(computed_, last);
  // Pieces of equal length: a short last one would cost nearly as much as a long one.
  const int pieces = (last - computed_ + kPieceTokens - 1) / kPieceTokens;
  for (int left = pieces; left > 0; --left) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return false;
    const int length = (last - computed_ + left - 1) / left;
    const std::lock_guard lock(compute_);
    model_.Prefill(
        *cache_,
        std::span(tokens_).subspan(static_cast<size_t>(computed_), static_cast<size_t>(length)),
        computed_);
    computed_ += length;
  }
  if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(compute_);
  model_.Decode(*cache_, tokens_.back(), last, logits, wanted);
  computed_ = last + 1;
  return true;
}

}  // namespace litertlm
