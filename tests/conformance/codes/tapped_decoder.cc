#include "tests/conformance/codes/tapped_decoder.h"

#include <algorithm>
#include <numeric>

#include "graph/import.h"
#include "runtime/causal_mask.h"
#include "tests/conformance/codes/taps.h"

namespace litertlm {
namespace {

Floats Transposed(const Floats& matrices, size_t rows, size_t columns) {
  Floats result(matrices.size());
  for (size_t begin = 0; begin < matrices.size(); begin += rows * columns) {
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < columns; ++j) {
        result[begin + j * rows + i] = matrices[begin + i * columns + j];
      }
    }
  }
  return result;
}

template <typename T>
std::byte* AddressOf(std::vector<T>& values) {
  return reinterpret_cast<std::byte*>(values.data());
}

}  // namespace

Floats TappedDecoder::CacheLayout::ToProgram(const Floats& cache) const {
  return transposed ? Transposed(cache, rows, columns) : cache;
}

Floats TappedDecoder::CacheLayout::ToFile(const Floats& cache) const {
  return transposed ? Transposed(cache, columns, rows) : cache;
}

TappedDecoder::TappedDecoder(const TfliteModel& model, std::string_view key,
                             const DecoderOptions& options, Workers& workers)
    : workers_(workers) {
  const Graph file = ImportSignature(model, key);
  signature_ = ReadDecoderSignature(file);
  Graph graph = DecoderProgram(file, options, workers).graph();
  for (const StatePair& state : signature_.states) {
    const Shape shape = Concrete(file.value(file.inputs[state.input].value).shape, 1);
    const Shape compiled = Concrete(graph.value(graph.inputs[state.input].value).shape, 1);
    layouts_.push_back({static_cast<size_t>(shape[shape.rank() - 2]),
                        static_cast<size_t>(shape.back()), compiled.back() != shape.back()});
  }
  AddTaps(TapsOf(model, key), graph);
  program_ = std::make_unique<Program>(std::move(graph), signature_.states);
}

std::vector<size_t> TappedDecoder::CacheSizes() const {
  const Graph& graph = program_->graph();
  std::vector<size_t> sizes;
  for (const StatePair& state : signature_.states) {
    const SymbolicShape& shape = graph.value(graph.inputs[state.input].value).shape;
    sizes.push_back(static_cast<size_t>(Concrete(shape, 1).count()));
  }
  return sizes;
}

std::vector<Floats> TappedDecoder::Run(std::span<const int32_t> tokens, int32_t position,
                                       std::span<const Floats> caches) {
  const Graph& graph = program_->graph();
  const auto rows = static_cast<int64_t>(tokens.size());
  std::vector<int32_t> ids(tokens.begin(), tokens.end());
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), position);
  std::vector<std::byte> mask;
  FillCausalMask(DType::kF32, {rows, rows, signature_.context, position}, mask);

  std::vector<std::byte*> inputs(graph.inputs.size());
  inputs[signature_.tokens] = AddressOf(ids);
  inputs[signature_.positions] = AddressOf(positions);
  inputs[signature_.mask] = mask.data();
  std::vector<Floats> results(graph.outputs.size());
  for (size_t i = 0; i < signature_.states.size(); ++i) {
    Floats& cache = results[signature_.states[i].output];
    cache = layouts_[i].ToProgram(caches[i]);
    inputs[signature_.states[i].input] = AddressOf(cache);
  }
  std::vector<std::byte*> outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    const Shape shape = Concrete(graph.value(graph.outputs[i].value).shape, rows);
    results[i].resize(static_cast<size_t>(shape.count()));
    outputs.push_back(AddressOf(results[i]));
  }
  program_->Run(rows, inputs, outputs, arena_, workers_);
  for (size_t i = 0; i < signature_.states.size(); ++i) {
    Floats& cache = results[signature_.states[i].output];
    cache = layouts_[i].ToFile(cache);
  }
  return results;
}

}  // namespace litertlm
