#include "tests/styles/operator_counts.h"

#include "runtime/decoder_program.h"
#include "runtime/split_cache.h"

namespace litertlm {

namespace {

constexpr int64_t kContext = 96;  // Of StyledModelOptions, where the file leaves it open.

Graph Compile(const TfliteModel& model, const TfliteModel* auxiliary, std::string_view key,
              const Fusions& fusions) {
  Workers workers(1);
  const bool decode = key == "decode";
  const DecoderProgram program(ImportDecoder(model, key, auxiliary, kContext, workers),
                               {.need_logits = decode, .any_rows = !decode, .fusions = fusions},
                               workers);
  return program.graph();
}

/// The input that holds cosines; sines follow it.
size_t FirstTable(Op op) {
  switch (op) {
    case Op::kAttention:
      return 4;
    case Op::kCacheUpdate:
      return 3;
    case Op::kRope:
      return 1;
    default:
      return ~size_t{0} - 1;  // None.
  }
}

std::string TypeOf(const Value& value) {
  SymbolicShape shape = value.shape;
  std::erase_if(shape, [](const Dim& dim) { return dim.Is(1); });
  return std::string(Info(value.dtype).name) + ToString(shape);
}

}  // namespace

std::vector<std::string> ProgramSteps(const TfliteModel& model, const TfliteModel* auxiliary,
                                      std::string_view key) {
  const Graph graph = Compile(model, auxiliary, key, {});
  std::vector<std::string> steps;
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kReshape) continue;
    std::string step(OpName(node.op));
    const auto* product = std::get_if<FullyConnectedAttributes>(&node.attributes);
    if (product != nullptr && product->output_head) step += " (output head)";
    const size_t first = FirstTable(node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const bool table = i == first || i == first + 1;
      if (node.inputs[i] != kNoValue && !table) step += " " + TypeOf(graph.value(node.inputs[i]));
    }
    steps.push_back(step + " -> " + TypeOf(graph.value(node.outputs[0])));
  }
  return steps;
}

std::map<Op, int> OperatorCounts(const TfliteModel& model, const TfliteModel* auxiliary,
                                 std::string_view key, const Fusions& fusions) {
  std::map<Op, int> counts;
  for (const Node& node : Compile(model, auxiliary, key, fusions).nodes) ++counts[node.op];
  return counts;
}

}  // namespace litertlm
