// Measures how fast a model is: what `bench` runs.
#ifndef LITERTLM_CLI_BENCHMARK_H_
#define LITERTLM_CLI_BENCHMARK_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "litertlm/model.h"

namespace litertlm {

/// Every test is done with every number of threads and at every depth.
struct BenchmarkOptions {
  std::vector<int> prompt_lengths;  ///< Tokens of a prompt that is computed at once ("pp").
  std::vector<int> reply_lengths;   ///< Tokens that are decoded one by one ("tg").
  std::vector<int> depths;          ///< Tokens that are in the cache before.
  std::vector<int> threads;
  int repetitions = 1;
  bool op_times = false;  ///< Also tell where the time goes: in one more repetition.
  // As in ModelOptions. Replies look at the highest logit.
  CacheType cache_type = CacheType::kF16;
  bool all_logits = false;
  std::filesystem::path tokenizer{};
};

/// The values of all repetitions; one more was done before them and is not counted.
struct Samples {
  std::vector<double> values;

  double Mean() const;
  double Deviation() const;  ///< Of a sample (n - 1); 0 for a single value.
};

/// What the nodes of one operator take.
struct OpShare {
  std::string_view name;
  double seconds = 0;  ///< Of one repetition.
  double share = 0;    ///< Of the time of all operators.
};

struct TestResult {
  bool prompt = false;
  int tokens = 0;
  int depth = 0;
  Samples rates;             ///< Tokens per second.
  double token_bytes = 0;    ///< Of a reply: weights that were read for one token.
  std::vector<OpShare> ops;  ///< Largest first; empty if not asked for.

  std::string name() const;  ///< "pp512", "tg128".
};

/// With one number of threads.
struct BenchmarkRun {
  int threads = 0;
  double read_bandwidth = 0;  ///< Bytes per second that so many threads read from memory.
  Samples load_seconds;       ///< Opening the file, loading tokenizer and graph.
  /// From before the file is opened, the tokenizer included, to the first token that follows a text
  /// of `kFirstTokenPrompt` tokens.
  Samples first_token_seconds;
  std::vector<TestResult> tests;
  // The most that was seen after any repetition.
  uint64_t private_bytes = 0;   ///< The process's own memory.
  uint64_t resident_bytes = 0;  ///< With mapped files.
};

inline constexpr int kFirstTokenPrompt = 16;

struct BenchmarkResult {
  std::string model;
  uint64_t model_bytes = 0;
  std::string kernels;  ///< The instruction set in use.
  CacheType cache_type = CacheType::kF16;
  std::vector<BenchmarkRun> runs;
};

/// Calls `on_step` with what is measured next. Throws kContextFull if a test does not fit into the
/// model's context, kInterrupted if the user stops it, and what opening and running a model throws.
BenchmarkResult RunBenchmark(const std::filesystem::path& file, const BenchmarkOptions& options,
                             const std::function<void(const std::string& step)>& on_step);

}  // namespace litertlm

#endif  // LITERTLM_CLI_BENCHMARK_H_
