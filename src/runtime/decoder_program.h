// One signature of a decoder, compiled: runs rows of tokens through the caches.
#ifndef LITERTLM_RUNTIME_DECODER_PROGRAM_H_
#define LITERTLM_RUNTIME_DECODER_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "format/tflite.h"
#include "runtime/decoder_signature.h"
#include "runtime/embedder.h"
#include "runtime/language_model.h"
#include "runtime/output_head.h"
#include "runtime/program.h"

namespace litertlm {

/// The layout of one cache; two programs that share caches agree on all of them.
struct StateLayout {
  std::string name;
  DType dtype;
  Shape shape;

  bool operator==(const StateLayout&) const = default;
};

/// Cache memory of one conversation: one zeroed buffer for each state, in the order of the layouts.
class StateCache : public KvCache {
 public:
  /// Throws kUnsupported if the system has not that much memory.
  explicit StateCache(const std::vector<StateLayout>& layouts);
  ~StateCache() override;
  StateCache(const StateCache&) = delete;
  StateCache& operator=(const StateCache&) = delete;
  std::span<std::byte* const> buffers() const { return buffers_; }
  /// Tells that `positions` of all `context` positions are about to be filled.
  void Fill(int64_t positions, int64_t context);

 private:
  /// Makes the pages of positions [first, end) in each head.
  void MakePagesOf(int64_t first, int64_t end, int64_t context);

  std::vector<StateLayout> layouts_;
  uint64_t bytes_ = 0;
  int64_t made_ = 0;  ///< Positions whose pages have been made.
  bool huge_pages_ = false;
  std::byte* memory_ = nullptr;
  std::vector<std::byte*> buffers_;
};

/// What the programs of a model use in turn.
struct RunResources {
  Arena& arena;
  Workers& workers;
  Embedder* embedder;        ///< Of models that take embeddings in the place of tokens, else null.
  Embedder* layer_embedder;  ///< Of those that take embeddings for each layer.
};

/// Where logits go, and which.
struct LogitsRequest {
  std::span<float> row;
  LogitsWanted wanted;
};

struct DecoderOptions {
  bool need_logits = false;  ///< False leaves out what only logits depend on.
  bool any_rows = false;     ///< True: for any number of rows; false: for as many as in the file.
  Fusions fusions = {};
  DType cache_type = DType::kF32;                  ///< Where attention is fused: kF32, kF16 or kI8.
  std::optional<size_t> sketched_head_bytes = {};  ///< As in RuntimeOptions.
};

class DecoderProgram {
 public:
  /// Throws kUnsupported, for `any_rows` also where the graph only works for the rows of the file.
  DecoderProgram(Graph graph, const DecoderOptions& options, Workers& workers);

  int64_t file_rows() const { return signature_.rows; }
  int64_t context() const { return signature_.context; }
  int64_t vocab_size() const { return vocab_size_; }
  /// Numbers of an embedding, 0 where the inputs are tokens.
  int64_t embedding_width() const;
  /// Numbers that all layers together take for a token beside its embedding; 0 if none.
  int64_t layer_embedding_width() const;
  const Graph& graph() const { return program_->graph(); }
  std::vector<StateLayout> StateLayouts() const;
  /// Bytes of weights that runs did not have to read so far.
  uint64_t unread_bytes() const { return output_head_.unread_bytes(); }
  /// What a run of so many rows needs besides weights and caches.
  uint64_t WorkingBytes(int64_t rows);

  /// Runs `rows` rows, the first tokens.size() of them real, at `position` and following; the rest
  /// is padding. `logits.row` may be empty; else it receives those of the last row.
  void Run(StateCache& cache, std::span<const int32_t> tokens, int64_t position, int64_t rows,
           const LogitsRequest& logits, const RunResources& resources);

 private:
  /// How many numbers of an input belong to a row; dimensions from `axis` on count.
  int64_t NumbersOfRow(size_t input, size_t axis) const;

  DecoderSignature signature_;
  int64_t vocab_size_ = 0;
  bool needs_mask_ = false;
  std::unique_ptr<Program> program_;
  std::vector<int32_t> tokens_;
  std::vector<float> embeddings_;
  std::vector<float> layer_embeddings_;
  std::vector<int32_t> positions_;
  std::vector<std::byte> mask_;
  std::vector<int32_t> parameters_;
  std::vector<float> logits_;
  OutputHead output_head_{0};
};

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_DECODER_PROGRAM_H_
