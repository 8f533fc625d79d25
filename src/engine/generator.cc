#include "engine/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/sampler.h"
#include "engine/stop_matcher.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsBetween(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::vector<TokenId> SingleTokenStops(const PromptSettings& settings) {
  std::vector<TokenId> ids;
  for (const std::vector<TokenId>& stop : settings.stops) {
    if (stop.size() == 1) ids.push_back(stop.front());
  }
  return ids;
}

// The way of a sampled token to the caller: stop tokens, text, stop texts, thought or reply. Each
// station may hold back what it cannot decide on yet.
class ReplyText {
 public:
  ReplyText(const GenerationContext& context, const GenerationOptions& options,
            const ChunkCallback& on_chunk, Completion& completion)
      : stop_tokens_(options.ignore_stop_tokens ? std::vector<std::vector<TokenId>>()
                                                : context.settings.stops),
        decoder_(context.tokenizer),
        stop_texts_(options.stop_texts),
        completion_(completion),
        splitter_(context.thought, [this, &on_chunk](const TextChunk& chunk) {
          (chunk.thought ? completion_.thought : completion_.text) += chunk.text;
          if (on_chunk) on_chunk(chunk);
        }) {
    if (context.in_thought) splitter_.Push(context.thought.begin);
  }

  /// True if the reply ends with this token.
  bool Push(TokenId id) {
    Accept(stop_tokens_.Push({id}));
    return stop_tokens_.stopped() || stop_texts_.stopped();
  }

  void Flush() {
    Accept(stop_tokens_.Flush());
    splitter_.Push(stop_texts_.Push(decoder_.Flush()));
    splitter_.Push(stop_texts_.Flush());
    splitter_.Flush();
  }

  /// How many of the tokens pushed last ended the reply and do not belong to it.
  size_t stop_token_count() const { return stop_tokens_.matched(); }

 private:
  void Accept(const std::vector<TokenId>& ids) {
    for (const TokenId id : ids) {
      if (stop_texts_.stopped()) return;
      completion_.ids.push_back(id);
      splitter_.Push(stop_texts_.Push(decoder_.Push(id)));
    }
  }

  StopMatcher<std::vector<TokenId>> stop_tokens_;
  StreamDecoder decoder_;
  StopMatcher<std::string> stop_texts_;
  Completion& completion_;
  ThoughtSplitter splitter_;
};

void CheckPrompt(const GenerationContext& context, const Session& session,
                 std::span<const TokenId> prompt) {
  if (prompt.empty() && session.size() == 0) {
    throw Error(ErrorCode::kUsage, "The prompt has no tokens.");
  }
  for (const TokenId id : prompt) {
    if (id >= 0 && id < context.vocab_size) continue;
    throw Error(ErrorCode::kUsage, fmt::format("Token {} is outside the vocabulary of {} tokens.",
                                               id, context.vocab_size));
  }
}

}  // namespace

Completion Generate(const GenerationContext& context, Session& session,
                    std::span<const TokenId> prompt, const GenerationOptions& options,
                    const ChunkCallback& on_chunk) {
  const Clock::time_point start = Clock::now();
  const SamplerOptions sampling = options.sampler.value_or(context.default_sampler);
  CheckSamplerOptions(sampling);
  CheckPrompt(context, session, prompt);
  const int before = session.size();
  session.Append(prompt);

  Completion completion;
  Sampler sampler(sampling, context.settings.suppressed, SingleTokenStops(context.settings),
                  session.tokens());
  ReplyText reply(context, options, on_chunk, completion);
  GenerationStats& stats = completion.stats;
  stats.prompt_tokens = static_cast<int>(prompt.size());
  stats.seed = sampler.seed();

  std::vector<float> logits(static_cast<size_t>(context.vocab_size));
  // Rows beyond the tokenizer's last token stand for no text.
  const size_t choosable = std::min(logits.size(), static_cast<size_t>(context.tokenizer.size()));
  Clock::time_point first = start;
  Clock::time_point last = start;
  for (;;) {
    if (!session.ComputeLogits(logits, sampler.Wanted(choosable), options.cancel)) {
      completion.stop = StopReason::kCancelled;
      break;
    }
    const TokenId token = sampler.Sample(std::span(logits).first(choosable));
    last = Clock::now();
    if (stats.generated_tokens++ == 0) first = last;
    const bool full = session.full();
    if (!full) session.Append({&token, 1});
    if (reply.Push(token)) {
      completion.stop = StopReason::kStop;
      break;
    }
    if (full || stats.generated_tokens == options.max_tokens) {
      completion.stop = full ? StopReason::kContext : StopReason::kLength;
      break;
    }
  }
  reply.Flush();
  if (stats.generated_tokens == 0) {
    session.Truncate(before);
  } else {
    session.Truncate(std::min(session.size(), before + stats.prompt_tokens +
                                                  stats.generated_tokens -
                                                  static_cast<int>(reply.stop_token_count())));
  }
  stats.context_tokens = session.size();
  stats.prompt_seconds = SecondsBetween(start, first);
  stats.reply_seconds = SecondsBetween(first, last);
  return completion;
}

}  // namespace litertlm
