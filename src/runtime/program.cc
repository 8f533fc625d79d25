#include "runtime/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "base/huge_pages.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr size_t kKeptPlans = 4;
// What a damaged or absurd graph may ask for at most.
constexpr uint64_t kMaxArenaBytes = uint64_t{16} << 30;

std::byte* Resolve(const Location& location, const Graph& graph, std::byte* arena,
                   std::span<std::byte* const> inputs, std::span<std::byte* const> outputs) {
  switch (location.place) {
    case Location::Place::kUnused:
      return nullptr;
    case Location::Place::kConstant:
      // Nobody writes there: kernels write outputs only, and those are never constants.
      return const_cast<std::byte*>(graph.values[location.index].data.data());
    case Location::Place::kArena:
      return arena + location.index;
    case Location::Place::kInput:
      return inputs[location.index];
    case Location::Place::kOutput:
      return outputs[location.index];
  }
  return nullptr;
}

}  // namespace

void Arena::Free::operator()(std::byte* memory) const {
  ::operator delete[](memory, std::align_val_t{kArenaAlignment});
}

std::byte* Arena::Reserve(uint64_t bytes) {
  if (bytes > size_) {
    memory_.reset();
    size_ = 0;
    if (bytes <= kMaxArenaBytes) {
      memory_.reset(new (std::align_val_t{kArenaAlignment}, std::nothrow) std::byte[bytes]);
    }
    if (memory_ == nullptr) {
      throw Error(
          ErrorCode::kUnsupported,
          fmt::format("the model needs {} MiB of working memory, which is more than there is.",
                      bytes >> 20));
    }
    size_ = bytes;
    PreferHugePages(memory_.get(), size_);
  }
  return memory_.get();
}

Program::Program(Graph graph, std::vector<StatePair> states)
    : graph_(std::move(graph)), states_(std::move(states)) {
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const bool joins = !steps_.empty() && steps_.back().count < kMaxProducts &&
                       AreProductsOfOneInput(graph_, graph_.nodes[i - 1], graph_.nodes[i]);
    if (joins) {
      ++steps_.back().count;
    } else {
      steps_.push_back({FunctionOf(graph_.nodes[i].op), i, 1});
    }
  }
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
                  Resolve(plan.locations[i], graph_, memory, inputs, outputs)};
  }
  for (const Step& step : steps_) {
    if (workers.op_times == nullptr) {
      RunStep(step, tensors, workers);
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    RunStep(step, tensors, workers);
    workers.op_times->Add(graph_.nodes[step.first].op, std::chrono::steady_clock::now() - begin);
  }
  for (const size_t output : plan.copied_outputs) {
    const Tensor& tensor = tensors[graph_.outputs[output].value];
    const uint64_t bytes = BytesFor(tensor.dtype(), static_cast<uint64_t>(tensor.count()));
    if (bytes > 0) std::memmove(outputs[output], tensor.data, bytes);
  }
}

void Program::RunStep(const Step& step, std::span<const Tensor> tensors, Workers& workers) {
  if (step.count == 1) {
    step.function({graph_.nodes[step.first], tensors, workers});
    return;
  }
  products_.clear();
  for (size_t i = 0; i < step.count; ++i) {
    products_.push_back({graph_.nodes[step.first + i], tensors, workers});
  }
  RunProducts(products_);
}

NodeEvaluator MakeEvaluator(Workers& workers) {
  return [&workers](const Graph& graph, const Node& node) {
    // A node of its own, whose values are numbered from 0.
    Node local = node;
    std::vector<Tensor> tensors;
    const auto add = [&](ValueId& id, std::byte* data) {
      if (id == kNoValue) return;
      const Value& value = graph.value(id);
      tensors.push_back({&value, Concrete(value.shape, graph.file_rows), data});
      id = static_cast<ValueId>(tensors.size() - 1);
    };
    for (ValueId& input : local.inputs) {
      add(input,
          input == kNoValue ? nullptr : const_cast<std::byte*>(graph.value(input).data.data()));
    }
    add(local.outputs.front(), nullptr);
    Tensor& output = tensors.back();
    std::vector<std::byte> data(BytesFor(output.dtype(), static_cast<uint64_t>(output.count())));
    output.data = data.data();
    FunctionOf(node.op)({local, tensors, workers});
    return data;
  };
}

}  // namespace litertlm
