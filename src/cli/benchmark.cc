#include "cli/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <span>

#include "base/memory_bandwidth.h"
#include "cli/interrupt.h"
#include "cli/process_memory.h"
#include "engine/model_state.h"
#include "format/model_file.h"
#include "format/tflite.h"
#include "kernels/isa.h"
#include "litertlm/error.h"
#include "litertlm/model.h"

namespace litertlm {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void StopIfInterrupted() {
  if (InterruptGuard::requested()) throw Error(ErrorCode::kInterrupted, "Interrupted.");
}

// Bytes of all constants that the operators of the signature "decode" work with. Of a table that
// only lookups use a token needs one row, which is not worth counting.
uint64_t CountTokenBytes(const TfliteModel& graph) {
  std::set<const std::byte*> seen;  // A tied embedding is one constant of two operators.
  uint64_t bytes = 0;
  const auto add = [&](const tflite::Tensor& tensor) {
    const Bytes data = graph.Data(tensor);
    if (!data.empty() && seen.insert(data.data()).second) bytes += data.size();
  };
  const auto add_all = [&](const tflite::SubGraph& subgraph) {
    for (const tflite::Operator* op : *subgraph.operators()) {
      const int32_t code = BuiltinCode(*graph.model().operator_codes()->Get(op->opcode_index()));
      if (code == static_cast<int32_t>(tflite::BuiltinOperator::GATHER) ||
          code == static_cast<int32_t>(tflite::BuiltinOperator::EMBEDDING_LOOKUP)) {
        continue;
      }
      for (const int32_t index : *op->inputs()) {
        if (index < 0) continue;
        const tflite::Tensor& tensor = *subgraph.tensors()->Get(static_cast<uint32_t>(index));
        add(tensor);
        const auto* coding = tensor.quantization();
        const auto* blocks =
            coding != nullptr ? coding->details_as_BlockwiseQuantization() : nullptr;
        if (blocks != nullptr) {
          add(*subgraph.tensors()->Get(static_cast<uint32_t>(blocks->scales())));
        }
      }
    }
  };
  for (const tflite::SignatureDef* signature : *graph.model().signature_defs()) {
    if (signature->signature_key()->string_view() == "decode") {
      add_all(*graph.model().subgraphs()->Get(signature->subgraph_index()));
    }
  }
  return bytes;
}

uint64_t CountTokenBytes(const ModelFile& file) {
  const auto model = file.ReadModel(kPrefillDecodeModel);
  return model ? CountTokenBytes(*model) : 0;
}

// As a user meets a model: from opening the file to the first token of a reply.
struct Start {
  std::shared_ptr<ModelState> state;
  double load_seconds;
  double first_token_seconds;
};

Start StartModel(const std::filesystem::path& file, const BenchmarkOptions& options, int threads) {
  const Clock::time_point begin = Clock::now();
  auto state = std::make_shared<ModelState>(file, ModelOptions{.threads = threads,
                                                               .cache_type = options.cache_type,
                                                               .all_logits = options.all_logits,
                                                               .tokenizer = options.tokenizer});
  state->LoadAll();
  const double load_seconds = SecondsSince(begin);
  const Model model(state);
  std::vector<int32_t> prompt;
  while (prompt.size() < kFirstTokenPrompt) {
    const auto ids = model.Tokenize("Every morning the old gardener walks to the river and back. ");
    prompt.insert(prompt.end(), ids.begin(), ids.end());
  }
  prompt.resize(kFirstTokenPrompt);
  model.Generate(prompt, {.sampler = SamplerOptions(), .max_tokens = 1, .stop_texts = {}});
  return {std::move(state), load_seconds, SecondsSince(begin)};
}

std::vector<OpShare> Shares(const OpTimes& times) {
  std::vector<OpShare> shares;
  double total = 0;
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    const double seconds = std::chrono::duration<double>(times.of(op)).count();
    if (seconds == 0) continue;
    shares.push_back({.name = OpName(op), .seconds = seconds});
    total += seconds;
  }
  for (OpShare& share : shares) share.share = share.seconds / total;
  std::ranges::sort(shares, std::greater(), &OpShare::seconds);
  return shares;
}

class RunMeasurement {
 public:
  RunMeasurement(const std::filesystem::path& file, const BenchmarkOptions& options, int threads,
                 uint64_t token_bytes, const std::function<void(const std::string& step)>& on_step)
      : file_(file), options_(options), token_bytes_(token_bytes), on_step_(on_step) {
    run_.threads = threads;
  }

  BenchmarkRun Measure() {
    Step("memory");
    {
      ThreadPool pool(run_.threads);
      run_.read_bandwidth = MeasureReadBandwidth(pool);
    }
    Step("start");
    MeasureStart();
    for (const int depth : options_.depths) {
      for (const int tokens : options_.prompt_lengths) MeasureTest(true, tokens, depth);
      for (const int tokens : options_.reply_lengths) MeasureTest(false, tokens, depth);
    }
    return std::move(run_);
  }

 private:
  void Step(const std::string& what) {
    StopIfInterrupted();
    on_step_(fmt::format("{}, {} threads", what, run_.threads));
  }

  void NoteMemory() {
    const ProcessMemory memory = ReadProcessMemory();
    run_.private_bytes = std::max(run_.private_bytes, memory.private_bytes);
    run_.resident_bytes = std::max(run_.resident_bytes, memory.resident_bytes);
  }

  void MeasureStart() {
    for (int i = 0; i <= options_.repetitions; ++i) {
      state_.reset();
      Start start = StartModel(file_, options_, run_.threads);
      state_ = std::move(start.state);
      NoteMemory();
      StopIfInterrupted();
      if (i == 0) continue;
      run_.load_seconds.values.push_back(start.load_seconds);
      run_.first_token_seconds.values.push_back(start.first_token_seconds);
    }
  }

  void MeasureTest(bool prompt, int tokens, int depth) {
    TestResult test{.prompt = prompt, .tokens = tokens, .depth = depth, .rates = {}, .ops = {}};
    Step(test.name());
    CheckContext(test);
    LanguageModel& model = state_->language_model();
    const std::unique_ptr<KvCache> cache = model.NewCache();
    if (depth > 0) model.Prefill(*cache, RandomTokens(depth), 0);
    uint64_t unread = 0;
    for (int i = 0; i <= options_.repetitions; ++i) {
      const double seconds = RunTest(test, *cache);
      NoteMemory();
      if (i == 0) {
        unread = model.unread_bytes();
      } else {
        test.rates.values.push_back(tokens / seconds);
      }
    }
    unread = model.unread_bytes() - unread;
    test.token_bytes = static_cast<double>(token_bytes_) -
                       static_cast<double>(unread) / options_.repetitions / tokens;
    if (options_.op_times) {
      OpTimes times;
      model.Observe(&times);
      RunTest(test, *cache);
      model.Observe(nullptr);
      test.ops = Shares(times);
    }
    run_.tests.push_back(std::move(test));
  }

  // Returns the seconds that it took.
  double RunTest(const TestResult& test, KvCache& cache) {
    StopIfInterrupted();
    const std::vector<int32_t> ids = RandomTokens(test.tokens);
    const Clock::time_point begin = Clock::now();
    if (test.prompt) {
      state_->language_model().Prefill(cache, ids, test.depth);
    } else {
      Decode(cache, ids, test.depth);
    }
    return SecondsSince(begin);
  }

  void Decode(KvCache& cache, std::span<const int32_t> ids, int position) {
    logits_.resize(static_cast<size_t>(state_->language_model().vocab_size()));
    for (const int32_t id : ids) {
      StopIfInterrupted();
      state_->language_model().Decode(cache, id, position++, logits_, {.best = 1});
    }
  }

  void CheckContext(const TestResult& test) const {
    const int context = state_->language_model().context_length();
    if (test.tokens <= context - test.depth) return;
    throw Error(
        ErrorCode::kContextFull,
        fmt::format("{} at depth {} needs a context of {} tokens, but the model's holds {}.",
                    test.name(), test.depth, static_cast<int64_t>(test.tokens) + test.depth,
                    context),
        "Choose fewer tokens with -p, -n and -d, or a model converted with a larger "
        "--kv-cache-max-len.");
  }

  std::vector<int32_t> RandomTokens(int count) {
    std::uniform_int_distribution<int32_t> id(0, state_->language_model().vocab_size() - 1);
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& token : ids) token = id(random_);
    return ids;
  }

  const std::filesystem::path& file_;
  const BenchmarkOptions& options_;
  const uint64_t token_bytes_;  ///< Of all weights that decoding a token works with.
  const std::function<void(const std::string& step)>& on_step_;
  BenchmarkRun run_;
  std::shared_ptr<ModelState> state_;
  std::vector<float> logits_;
  std::mt19937 random_{1};
};

}  // namespace

double Samples::Mean() const {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Samples::Deviation() const {
  if (values.size() < 2) return 0;
  const double mean = Mean();
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::string TestResult::name() const { return fmt::format("{}{}", prompt ? "pp" : "tg", tokens); }

BenchmarkResult RunBenchmark(const std::filesystem::path& file, const BenchmarkOptions& options,
                             const std::function<void(const std::string& step)>& on_step) {
  BenchmarkResult result{.model = file.string(),
                         .kernels = ActiveIsaName(),
                         .cache_type = options.cache_type,
                         .runs = {}};
  uint64_t token_bytes = 0;
  {
    const ModelFile container = ModelFile::Open(file);
    result.model_bytes = container.size();
    token_bytes = CountTokenBytes(container);
  }
  for (const int threads : options.threads) {
    result.runs.push_back(RunMeasurement(file, options, threads, token_bytes, on_step).Measure());
  }
  return result;
}

}  // namespace litertlm
