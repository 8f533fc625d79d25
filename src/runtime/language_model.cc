#include "runtime/language_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "litertlm/error.h"
#include "runtime/decoder_program.h"
#include "runtime/decoder_signature.h"
#include "runtime/split_cache.h"

namespace litertlm {
namespace {

// A long prompt is computed in pieces of at most so many rows, fewer where a piece would need more
// than so much working memory: attention scores grow with rows times context.
constexpr int64_t kMaxChunkRows = 512;
constexpr int64_t kMinChunkRows = 16;
constexpr uint64_t kMaxChunkBytes = uint64_t{256} << 20;

class CompiledLanguageModel : public LanguageModel {
 public:
  CompiledLanguageModel(const TfliteModel& model, const RuntimeOptions& options,
                        const CompanionModels& companions)
      : auxiliary_(companions.auxiliary),
        open_context_(options.open_context),
        workers_(options.threads > 0 ? options.threads : DefaultThreadCount()) {
    if (options.prefill_threads > 0 && options.prefill_threads != workers_.pool.threads()) {
      prefill_workers_.emplace(options.prefill_threads);
    }
    CompileAll(model, options);
    embedder_ = OpenEmbedder(model, "embeddings in the place of tokens", decode_->embedding_width(),
                             companions.embedder);
    layer_embedder_ = OpenEmbedder(model, "embeddings for each layer",
                                   decode_->layer_embedding_width(), companions.layer_embedder);
  }

  int context_length() const override { return static_cast<int>(decode_->context()); }
  int vocab_size() const override { return static_cast<int>(decode_->vocab_size()); }

  std::unique_ptr<KvCache> NewCache() const override {
    return std::make_unique<StateCache>(decode_->StateLayouts());
  }

  void Prefill(KvCache& cache, std::span<const int32_t> tokens, int position) override {
    Check(tokens, position);
    auto& states = static_cast<StateCache&>(cache);
    int64_t at = position;
    while (!tokens.empty()) {
      DecoderProgram& program = PrefillProgramFor(static_cast<int64_t>(tokens.size()), at);
      const bool any_rows = any_rows_.has_value();
      const int64_t rows = any_rows ? ChunkRows() : program.file_rows();
      const auto count = std::min(static_cast<size_t>(rows), tokens.size());
      program.Run(states, tokens.first(count), at, any_rows ? static_cast<int64_t>(count) : rows,
                  {}, With(prefill_workers_ ? *prefill_workers_ : workers_));
      tokens = tokens.subspan(count);
      at += static_cast<int64_t>(count);
    }
  }

  void Decode(KvCache& cache, int32_t token, int position, std::span<float> logits,
              const LogitsWanted& wanted) override {
    Check({&token, 1}, position);
    if (logits.size() != static_cast<size_t>(vocab_size())) {
      throw Error(ErrorCode::kInternal, "the logits have another length than the vocabulary.");
    }
    decode_->Run(static_cast<StateCache&>(cache), {&token, 1}, position, 1, {logits, wanted},
                 With(workers_));
  }

  uint64_t unread_bytes() const override { return decode_->unread_bytes(); }

  void Observe(OpTimes* times) override {
    workers_.op_times = times;
    if (prefill_workers_) prefill_workers_->op_times = times;
  }

 private:
  RunResources With(Workers& workers) {
    return {arena_, workers, embedder_.get(), layer_embedder_.get()};
  }

  void CompileAll(const TfliteModel& model, const RuntimeOptions& options) {
    if (Compile(model, options)) return;
    // Attention was recognised in one signature only, and so its caches look different there.
    RuntimeOptions plain = options;
    plain.fusions.attention = false;
    if (options.fusions.attention && Compile(model, plain)) return;
    throw Error(ErrorCode::kBadInput, std::string(model.name()) +
                                          ": the caches of its signatures for prefill differ from "
                                          "those of signature 'decode'.");
  }

  /// Null where the decoder takes no such embeddings, 0 numbers for a token.
  std::unique_ptr<Embedder> OpenEmbedder(const TfliteModel& model, std::string_view what,
                                         int64_t width, const TfliteModel* embedder) {
    if (width == 0) return nullptr;
    if (embedder == nullptr) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: it takes {}, but there is no model that looks them up.",
                              model.name(), what),
                  "A TFLite model alone needs the embedder.tflite, and for layers the "
                  "per_layer_embedder.tflite, that was exported with it, in the same folder.");
    }
    auto opened = std::make_unique<Embedder>(*embedder, workers_);
    if (opened->width() != width) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: it takes {}, {} numbers for a token, but {} makes {}.",
                              model.name(), what, width, embedder->name(), opened->width()));
    }
    return opened;
  }

  Graph Import(const TfliteModel& model, std::string_view key) {
    return ImportDecoder(model, key, auxiliary_, open_context_, workers_);
  }

  /// False if the signatures do not agree on their caches and embeddings.
  bool Compile(const TfliteModel& model, const RuntimeOptions& options) {
    DecoderOptions decode{.fusions = options.fusions, .cache_type = options.cache_type};
    decode.sketched_head_bytes = options.sketched_head_bytes;
    decode.need_logits = true;
    decode_.emplace(Import(model, kDecodeKey), decode, workers_);
    if (decode_->file_rows() != 1) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: signature 'decode' takes {} tokens at once.", model.name(),
                              decode_->file_rows()));
    }
    CompilePrefill(model, options);
    const auto agrees = [&](const DecoderProgram& program) {
      return program.StateLayouts() == decode_->StateLayouts() &&
             program.context() == decode_->context() &&
             program.embedding_width() == decode_->embedding_width() &&
             program.layer_embedding_width() == decode_->layer_embedding_width();
    };
    return (!any_rows_ || agrees(*any_rows_)) &&
           std::all_of(fixed_rows_.begin(), fixed_rows_.end(), agrees);
  }

  // The longest prefill signature serves every number of rows; where its graph does not allow that,
  // all are kept as they are.
  void CompilePrefill(const TfliteModel& model, const RuntimeOptions& options) {
    any_rows_.reset();
    fixed_rows_.clear();
    std::vector<std::string> keys = PrefillKeys(model);
    if (keys.empty()) return;
    std::stable_sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
      return RowsOf(model, a) > RowsOf(model, b);
    });
    DecoderOptions prefill{.fusions = options.fusions, .cache_type = options.cache_type};
    try {
      prefill.any_rows = true;
      any_rows_.emplace(Import(model, keys.front()), prefill, workers_);
      return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported && error.code() != ErrorCode::kBadInput) throw;
    }
    prefill.any_rows = false;
    for (const std::string& key : keys) {
      fixed_rows_.emplace_back(Import(model, key), prefill, workers_);
    }
  }

  void Check(std::span<const int32_t> tokens, int position) const {
    const auto end = static_cast<int64_t>(position) + static_cast<int64_t>(tokens.size());
    if (position < 0 || end > decode_->context()) {
      throw Error(ErrorCode::kContextFull,
                  fmt::format("{} tokens at position {} do not fit into a context of {}.",
                              tokens.size(), position, decode_->context()),
                  "convert the model with a larger --kv-cache-max-len");
    }
    for (const int32_t token : tokens) {
      if (token < 0 || token >= vocab_size()) {
        throw Error(ErrorCode::kUsage,
                    fmt::format("token {} is not in the vocabulary of {}.", token, vocab_size()));
      }
    }
  }

  int64_t ChunkRows() {
    if (chunk_rows_ == 0) {
      chunk_rows_ = kMaxChunkRows;
      while (chunk_rows_ > kMinChunkRows && any_rows_->WorkingBytes(chunk_rows_) > kMaxChunkBytes) {
        chunk_rows_ /= 2;
      }
    }
    return chunk_rows_;
  }

  // Of the programs with fixed rows, the shortest that takes all the rest, else the longest. It
  // must end within the context even with its padding, because an update that does not fit is moved
  // back and would overwrite earlier entries. A decode step always fits.
  DecoderProgram& PrefillProgramFor(int64_t remaining, int64_t position) {
    if (any_rows_.has_value()) return *any_rows_;
    DecoderProgram* best = nullptr;
    for (DecoderProgram& program : fixed_rows_) {  // Longest first.
      if (position + program.file_rows() > decode_->context()) continue;
      if (best == nullptr || program.file_rows() >= remaining) best = &program;
    }
    return best == nullptr ? *decode_ : *best;
  }

  const TfliteModel* const auxiliary_;
  const int64_t open_context_;
  Workers workers_;
  std::optional<Workers> prefill_workers_;  ///< Where Prefill has another number of threads.
  Arena arena_;
  std::unique_ptr<Embedder> embedder_;
  std::unique_ptr<Embedder> layer_embedder_;
  std::optional<DecoderProgram> decode_;
  std::optional<DecoderProgram> any_rows_;
  std::vector<DecoderProgram> fixed_rows_;  ///< Longest first.
  int64_t chunk_rows_ = 0;
};

}  // namespace

std::unique_ptr<LanguageModel> CompileLanguageModel(const TfliteModel& model,
                                                    const RuntimeOptions& options,
                                                    const CompanionModels& companions) {
  return std::make_unique<CompiledLanguageModel>(model, options, companions);
}

}  // namespace litertlm
