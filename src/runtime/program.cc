#include "runtime/program.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace litertlm {
namespace {

constexpr size_t kKeptPlans = 4;

std::byte* Resolve(const Location& location, const Value& value, std::byte* arena,
                   std::span<std::byte* const> inputs, std::span<std::byte* const> outputs) {
  switch (location.place) {
    case Location::Place::kUnused:
      return nullptr;
    case Location::Place::kConstant:
      // Nobody writes there: kernels write outputs only, and those are never constants.
      return const_cast<std::byte*>(value.data.data());
    case Location::Place::kArena:
      return arena + location.index;
    case Location::Place::kInput:
      return inputs[location.index];
    case Location::Place::kOutput:
      return outputs[location.index];
  }
  return nullptr;
}

void Gather(const std::vector<Tensor>& tensors, const std::vector<ValueId>& ids,
            std::vector<Tensor>& result) {
  result.clear();
  for (const ValueId id : ids) result.push_back(id == kNoValue ? Tensor{} : tensors[id]);
}

}  // namespace

void Arena::Free::operator()(std::byte* memory) const {
  ::operator delete[](memory, std::align_val_t{kArenaAlignment});
}

std::byte* Arena::Reserve(uint64_t bytes) {
  if (bytes > size_) {
    memory_.reset();
    size_ = 0;
    memory_.reset(new (std::align_val_t{kArenaAlignment}) std::byte[bytes]);
    size_ = bytes;
  }
  return memory_.get();
}

Program::Program(Graph graph, std::vector<StatePair> states)
    : graph_(std::move(graph)), states_(std::move(states)) {
  for (const Node& node : graph_.nodes) functions_.push_back(FunctionOf(node.op));
}

const Plan& Program::PlanFor(int64_t rows) {
  const auto it = std::find_if(plans_.begin(), plans_.end(),
                               [rows](const Plan& plan) { return plan.rows == rows; });
  if (it != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, it);
  } else {
    plans_.push_front(MakePlan(graph_, states_, rows));
    if (plans_.size() > kKeptPlans) plans_.pop_back();
  }
  return plans_.front();
}

void Program::Run(int64_t rows, std::span<std::byte* const> inputs,
                  std::span<std::byte* const> outputs, Arena& arena, Workers& workers) {
  const Plan& plan = PlanFor(rows);
  std::byte* memory = arena.Reserve(plan.arena_bytes);
  std::vector<Tensor> tensors(graph_.values.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Value& value = graph_.values[i];
    tensors[i] = {&value, plan.shapes[i],
                  Resolve(plan.locations[i], value, memory, inputs, outputs)};
  }
  std::vector<Tensor> node_inputs;
  std::vector<Tensor> node_outputs;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    Gather(tensors, node.inputs, node_inputs);
    Gather(tensors, node.outputs, node_outputs);
    functions_[i]({node, node_inputs, node_outputs, workers});
  }
  for (const size_t output : plan.copied_outputs) {
    const Tensor& tensor = tensors[graph_.outputs[output].value];
    const uint64_t bytes = BytesFor(tensor.dtype(), static_cast<uint64_t>(tensor.count()));
    if (bytes > 0) std::memmove(outputs[output], tensor.data, bytes);
  }
}

NodeEvaluator MakeEvaluator(Workers& workers) {
  return [&workers](const Graph& graph, const Node& node) {
    const auto tensor = [&](ValueId id, std::byte* data) {
      const Value& value = graph.value(id);
      return Tensor{&value, Concrete(value.shape, graph.file_rows), data};
    };
    std::vector<Tensor> inputs;
    for (const ValueId id : node.inputs) {
      inputs.push_back(id == kNoValue
                           ? Tensor{}
                           : tensor(id, const_cast<std::byte*>(graph.value(id).data.data())));
    }
    Tensor output = tensor(node.outputs.front(), nullptr);
    std::vector<std::byte> data(BytesFor(output.dtype(), static_cast<uint64_t>(output.count())));
    output.data = data.data();
    FunctionOf(node.op)({node, inputs, std::span(&output, 1), workers});
    return data;
  };
}

}  // namespace litertlm
