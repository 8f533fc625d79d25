#include "runtime/embedder.h"

#include <fmt/format.h>

#include "graph/import.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

/// True if the graph has one input, one token, and one output, its numbers.
bool TakesOneToken(const Graph& graph) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1) return false;
  const Value& token = graph.value(graph.inputs[0].value);
  const Value& row = graph.value(graph.outputs[0].value);
  return token.dtype == DType::kI32 && Count(token.shape).Is(1) && row.dtype == DType::kF32;
}

}  // namespace

Embedder::Embedder(const TfliteModel& model, Workers& workers) : workers_(workers) {
  for (const std::string& key : SignatureKeys(model)) {
    const auto one_token = [](std::string_view, int, int) { return 1; };
    Graph graph = ImportSignature(model, key, {one_token, MakeEvaluator(workers)});
    if (!TakesOneToken(graph)) continue;
    FoldDequantize(graph);
    width_ = Count(graph.value(graph.outputs[0].value).shape).outer();
    program_ = std::make_unique<Program>(std::move(graph), std::vector<StatePair>());
    return;
  }
  throw Error(ErrorCode::kUnsupported,
              fmt::format("{}: its embedder has no signature from one token, i32, to its "
                          "embedding, f32.",
                          model.name()));
}

void Embedder::Embed(std::span<const int32_t> tokens, std::span<float> embeddings) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    int32_t token = tokens[i];
    auto* input = reinterpret_cast<std::byte*>(&token);
    auto* output = reinterpret_cast<std::byte*>(&embeddings[i * static_cast<size_t>(width_)]);
    program_->Run(1, {&input, 1}, {&output, 1}, arena_, workers_);
  }
}

}  // namespace litertlm
