#include "runtime/decoder_program.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <limits>

#include "base/pages.h"
#include "kernels/kernel_table.h"
#include "litertlm/error.h"
#include "runtime/causal_mask.h"
#include "runtime/running_probe.h"

namespace litertlm {
namespace {

uint64_t BytesOf(const StateLayout& layout) {
  const uint64_t bytes = BytesFor(layout.dtype, static_cast<uint64_t>(layout.shape.count()));
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

// Keeps the caches, and the logits if they are wanted.
void SelectOutputs(Graph& graph, bool need_logits) {
  std::erase_if(graph.outputs, [&](const Binding& output) {
    const bool is_state = graph.FindInput(output.name) != kNoValue;
    return !is_state && !(need_logits && output.name == "logits");
  });
}

bool Reads(const Graph& graph, ValueId value) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [value](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end();
  });
}

void Fuse(Graph& graph, const DecoderSignature& signature, const DecoderOptions& options,
          Workers& workers) {
  const Fusions& fusions = options.fusions;
  SimplifyLayout(graph);
  if (fusions.split_products) SplitProducts(graph);
  if (fusions.norms) FuseRmsNorms(graph);
  if (fusions.gates) FuseGatedProducts(graph);
  if (fusions.ropes) FuseRopes(graph);
  if (fusions.attention) {
    RunningProbe probe(graph, signature, workers);
    const ValueId positions = graph.inputs[signature.positions].value;
    FuseAttention(graph, {positions, options.cache_type, probe});
  }
  if (fusions.gather_products) GatherProducts(graph);
}

/// A sketch of an output head pays if that does not stay in the caches, and is a fifth or more of
/// what is read for a token, which then is 7 % less.
size_t LeastSketchedBytes(const Graph& graph) {
  if (!ActiveKernels().sketch_pays) return std::numeric_limits<size_t>::max();
  constexpr size_t kCached = size_t{32} << 20;
  size_t read = 0;
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kFullyConnected) read += graph.value(node.inputs[1]).data.size();
  }
  return std::max(kCached, read / 5);
}

}  // namespace

StateCache::StateCache(const std::vector<StateLayout>& layouts) : layouts_(layouts) {
  for (const StateLayout& layout : layouts) bytes_ += BytesOf(layout);
  if (bytes_ == 0) return;
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("the caches need {} MiB, which this machine does not have.", bytes_ >> 20),
        "convert the model with a smaller --kv-cache-max-len");
  }
  // The system hands out zeroed pages when they are first written, so that a cache costs as much
  // as is filled: but only with small pages, because each head fills a place of its own.
  madvise(memory, bytes_, MADV_NOHUGEPAGE);
  memory_ = static_cast<std::byte*>(memory);
  std::byte* next = memory_;
  for (const StateLayout& layout : layouts) {
    buffers_.push_back(next);
    next += BytesOf(layout);
  }
}

void StateCache::Fill(int64_t positions, int64_t context) {
  if (huge_pages_) return;
  // When most of it is filled, huge pages take little more memory, and attention reads them faster.
  if (positions >= context / 4 * 3) {
    huge_pages_ = true;
    MoveIntoHugePages(memory_, bytes_);
  } else if (positions > made_) {
    constexpr int64_t kAhead = 64;  // Of a reply: some pages in each head and layer.
    const int64_t end = std::min(context, positions + kAhead);
    MakePagesOf(made_, end, context);
    made_ = end;
  }
}

void StateCache::MakePagesOf(int64_t first, int64_t end, int64_t context) {
  for (size_t i = 0; i < layouts_.size(); ++i) {
    const Shape& shape = layouts_[i].shape;
    // [heads, positions, size]: in caches that are not fused a position may be anywhere.
    if (shape.rank() < 2 || shape[shape.rank() - 2] != context) continue;
    const uint64_t row = BytesFor(layouts_[i].dtype, static_cast<uint64_t>(shape.back()));
    const uint64_t head = row * static_cast<uint64_t>(context);
    for (uint64_t at = 0; head != 0 && at + head <= BytesOf(layouts_[i]); at += head) {
      MakePages(buffers_[i] + at + static_cast<uint64_t>(first) * row,
                static_cast<uint64_t>(end - first) * row);
    }
  }
}

StateCache::~StateCache() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

DecoderProgram::DecoderProgram(Graph graph, const DecoderOptions& options, Workers& workers) {
  SelectOutputs(graph, options.need_logits);
  signature_ = ReadDecoderSignature(graph);
  if (options.need_logits) {
    if (signature_.logits == kNoBinding) {
      throw Error(ErrorCode::kUnsupported, graph.name + ": it has no output 'logits'.");
    }
    const SymbolicShape& logits = graph.value(graph.outputs[signature_.logits].value).shape;
    vocab_size_ = logits.back().outer();
    if (!Count(logits).Is(vocab_size_)) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: logits of shape {} are not those of one token.", graph.name,
                              ToString(logits)));
    }
  }
  RemoveDeadNodes(graph);
  FoldDequantize(graph);
  FoldConstants(graph, MakeEvaluator(workers));
  MergeCommonSubexpressions(graph);
  RemoveDeadNodes(graph);
  if (options.any_rows) {
    const auto axes = RowAxesOf(graph, signature_);  // Arguments have no order of evaluation.
    graph = WithSymbolicRows(std::move(graph), axes, signature_.rows);
  }
  Fuse(graph, signature_, options, workers);
  if (options.need_logits && options.fusions.output_head) {
    MarkOutputHead(graph, graph.outputs[signature_.logits].value);
    output_head_ = OutputHead(options.sketched_head_bytes.value_or(LeastSketchedBytes(graph)));
  }
  needs_mask_ = signature_.mask != kNoBinding && Reads(graph, graph.inputs[signature_.mask].value);
  program_ = std::make_unique<Program>(std::move(graph), signature_.states);
}

int64_t DecoderProgram::NumbersOfRow(size_t input, size_t axis) const {
  const Graph& graph = program_->graph();
  return Count(std::span(graph.value(graph.inputs[input].value).shape).subspan(axis)).outer();
}

int64_t DecoderProgram::embedding_width() const {
  if (signature_.tokens != kNoBinding) return 0;
  const Graph& graph = program_->graph();
  const size_t rank = graph.value(graph.inputs[signature_.embeddings].value).shape.size();
  return NumbersOfRow(signature_.embeddings, rank - 1);
}

int64_t DecoderProgram::layer_embedding_width() const {
  constexpr size_t kAxisAfterRows = 2;
  return signature_.layer_embeddings == kNoBinding
             ? 0
             : NumbersOfRow(signature_.layer_embeddings, kAxisAfterRows);
}

std::vector<StateLayout> DecoderProgram::StateLayouts() const {
  const Graph& graph = program_->graph();
  std::vector<StateLayout> layouts;
  for (const StatePair& state : signature_.states) {
    const Value& value = graph.value(graph.inputs[state.input].value);
    layouts.push_back({graph.inputs[state.input].name, value.dtype, Concrete(value.shape, 1)});
  }
  return layouts;
}

uint64_t DecoderProgram::WorkingBytes(int64_t rows) {
  const uint64_t mask = static_cast<uint64_t>(rows) * static_cast<uint64_t>(context()) * 4;
  return program_->WorkingBytes(rows) + (needs_mask_ ? mask : 0);
}

void DecoderProgram::Run(StateCache& cache, std::span<const int32_t> tokens, int64_t position,
                         int64_t rows, const LogitsRequest& logits, const RunResources& resources) {
  const Graph& graph = program_->graph();
  cache.Fill(position + static_cast<int64_t>(tokens.size()), context());
  tokens_.assign(static_cast<size_t>(rows), 0);
  positions_.assign(static_cast<size_t>(rows), 0);
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens_[i] = tokens[i];
    positions_[i] = static_cast<int32_t>(position + static_cast<int64_t>(i));
  }
  std::vector<std::byte*> inputs(graph.inputs.size());
  std::vector<std::byte*> outputs(graph.outputs.size());
  const auto embed = [&](size_t input, Embedder& embedder, std::vector<float>& rows_of) {
    rows_of.resize(static_cast<size_t>(rows * embedder.width()));
    embedder.Embed(tokens_, rows_of);
    inputs[input] = reinterpret_cast<std::byte*>(rows_of.data());
  };
  if (signature_.tokens != kNoBinding) {
    inputs[signature_.tokens] = reinterpret_cast<std::byte*>(tokens_.data());
  } else {
    embed(signature_.embeddings, *resources.embedder, embeddings_);
  }
  if (signature_.layer_embeddings != kNoBinding) {
    embed(signature_.layer_embeddings, *resources.layer_embedder, layer_embeddings_);
  }
  inputs[signature_.positions] = reinterpret_cast<std::byte*>(positions_.data());
  if (needs_mask_) {
    FillCausalMask(graph.value(graph.inputs[signature_.mask].value).dtype,
                   {static_cast<int64_t>(tokens.size()), rows, context(), position}, mask_);
    inputs[signature_.mask] = mask_.data();
  }
  if (signature_.parameters != kNoBinding) {
    // Where the rows begin and end, how far attention looks, and how many rows there are.
    const auto first = static_cast<int32_t>(position);
    const auto count = static_cast<int32_t>(tokens.size());
    parameters_ = {first, first + count, first + count, count};
    const Value& value = graph.value(graph.inputs[signature_.parameters].value);
    parameters_.resize(static_cast<size_t>(Concrete(value.shape, 1).count()), 0);
    inputs[signature_.parameters] = reinterpret_cast<std::byte*>(parameters_.data());
  }
  for (size_t i = 0; i < signature_.states.size(); ++i) {
    inputs[signature_.states[i].input] = cache.buffers()[i];
    outputs[signature_.states[i].output] = cache.buffers()[i];
  }
  if (signature_.logits != kNoBinding) {
    logits_.resize(logits.row.empty() ? static_cast<size_t>(vocab_size_) : 0);
    float* target = logits.row.empty() ? logits_.data() : logits.row.data();
    outputs[signature_.logits] = reinterpret_cast<std::byte*>(target);
  }
  output_head_.Want(logits.wanted);
  resources.workers.output_head = &output_head_;
  program_->Run(rows, inputs, outputs, resources.arena, resources.workers);
}

}  // namespace litertlm
