#include "runtime/decoder_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cstdlib>

#include "base/half.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// What LiteRT-LM writes into masks; graphs may add further terms without reaching infinity.
constexpr float kMasked = -0.7f * FLT_MAX;
constexpr float kMaskedF16 = -45824.0f;

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

template <typename T>
void FillRows(std::byte* mask, int64_t real_rows, int64_t rows, int64_t columns, int64_t position,
              T masked, T visible) {
  T* row = reinterpret_cast<T*>(mask);
  for (int64_t i = 0; i < rows; ++i, row += columns) {
    const int64_t filled = i < real_rows ? position + i + 1 : 0;
    std::fill_n(row, filled, visible);
    std::fill(row + filled, row + columns, masked);
  }
}

}  // namespace

void StateCache::Free::operator()(std::byte* memory) const { std::free(memory); }

StateCache::StateCache(const std::vector<StateLayout>& layouts) {
  uint64_t total = kArenaAlignment;
  for (const StateLayout& layout : layouts) total += BytesOf(layout);
  // The system hands out zeroed pages when they are first written, so that a cache costs as much
  // as is filled.
  memory_.reset(static_cast<std::byte*>(std::calloc(total, 1)));
  if (memory_ == nullptr) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("the caches need {} MiB, which this machine does not have", total >> 20),
        "convert the model with a smaller --kv-cache-max-len");
  }
  const auto address = reinterpret_cast<uintptr_t>(memory_.get());
  std::byte* next = memory_.get() + (kArenaAlignment - address % kArenaAlignment) % kArenaAlignment;
  for (const StateLayout& layout : layouts) {
    buffers_.push_back(next);
    next += BytesOf(layout);
  }
}

DecoderProgram::DecoderProgram(const Graph& imported, bool need_logits, Rows rows,
                               Workers& workers) {
  Graph graph = imported;
  SelectOutputs(graph, need_logits);
  signature_ = ReadDecoderSignature(graph);
  if (need_logits) {
    if (signature_.logits == kNoBinding) {
      throw Error(ErrorCode::kUnsupported, graph.name + ": it has no output 'logits'");
    }
    const SymbolicShape& logits = graph.value(graph.outputs[signature_.logits].value).shape;
    vocab_size_ = logits.back().outer();
    if (!Count(logits).Is(vocab_size_)) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: logits of shape {} are not those of one token", graph.name,
                              ToString(logits)));
    }
  }
  RemoveDeadNodes(graph);
  FoldDequantize(graph);
  FoldConstants(graph, MakeEvaluator(workers));
  MergeCommonSubexpressions(graph);
  RemoveDeadNodes(graph);
  if (rows == Rows::kAny) {
    graph = WithSymbolicRows(std::move(graph), RowAxesOf(graph, signature_), signature_.rows);
  }
  program_ = std::make_unique<Program>(std::move(graph), signature_.states);
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
  return program_->WorkingBytes(rows) + (signature_.mask == kNoBinding ? 0 : mask);
}

void DecoderProgram::FillMask(int64_t real_rows, int64_t rows, int64_t position) {
  const Graph& graph = program_->graph();
  const DType dtype = graph.value(graph.inputs[signature_.mask].value).dtype;
  mask_.resize(BytesFor(dtype, static_cast<uint64_t>(rows) * static_cast<uint64_t>(context())));
  if (dtype == DType::kF32) {
    FillRows<float>(mask_.data(), real_rows, rows, context(), position, kMasked, 0.0f);
  } else if (dtype == DType::kF16) {
    FillRows<uint16_t>(mask_.data(), real_rows, rows, context(), position, FloatToF16(kMaskedF16),
                       FloatToF16(0.0f));
  } else {
    FillRows<uint8_t>(mask_.data(), real_rows, rows, context(), position, 0, 1);
  }
}

void DecoderProgram::Run(StateCache& cache, std::span<const int32_t> tokens, int64_t position,
                         int64_t rows, std::span<float> logits, RunResources& resources) {
  const Graph& graph = program_->graph();
  tokens_.assign(static_cast<size_t>(rows), 0);
  positions_.assign(static_cast<size_t>(rows), 0);
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens_[i] = tokens[i];
    positions_[i] = static_cast<int32_t>(position + static_cast<int64_t>(i));
  }
  std::vector<std::byte*> inputs(graph.inputs.size());
  std::vector<std::byte*> outputs(graph.outputs.size());
  inputs[signature_.tokens] = reinterpret_cast<std::byte*>(tokens_.data());
  inputs[signature_.positions] = reinterpret_cast<std::byte*>(positions_.data());
  if (signature_.mask != kNoBinding) {
    FillMask(static_cast<int64_t>(tokens.size()), rows, position);
    inputs[signature_.mask] = mask_.data();
  }
  for (size_t i = 0; i < signature_.states.size(); ++i) {
    inputs[signature_.states[i].input] = cache.buffers()[i];
    outputs[signature_.states[i].output] = cache.buffers()[i];
  }
  if (signature_.logits != kNoBinding) {
    logits_.resize(logits.empty() ? static_cast<size_t>(vocab_size_) : 0);
    float* target = logits.empty() ? logits_.data() : logits.data();
    outputs[signature_.logits] = reinterpret_cast<std::byte*>(target);
  }
  program_->Run(rows, inputs, outputs, resources.arena, resources.workers);
}

}  // namespace litertlm
