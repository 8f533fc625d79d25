#include "runtime/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "base/pages.h"
#include "litertlm/error.h"
#include "runtime/row_chain.h"

namespace litertlm {
namespace {

constexpr size_t kKeptPlans = 4;
// What a damaged or absurd graph may ask for at most.
constexpr uint64_t kMaxArenaBytes = uint64_t{16} << 30;

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
  interleaving_.last.resize(graph_.nodes.size());
  interleaving_.passing.resize(graph_.values.size(), false);
  for (size_t i = 0; i < graph_.nodes.size();) {
    const Step step = MakeStep(i);
    for (size_t node = i; node < step.end(); ++node) interleaving_.last[node] = node;
    for (size_t k = 0; k < step.chain; ++k) interleaving_.last[i + k] = i + step.chain - 1;
    if (step.chain > 0 && step.behind > 0) FindPassing(step);
    // A reshape shares the memory of its input: nothing is left to do.
    if (graph_.nodes[i].op != Op::kReshape) steps_.push_back(step);
    i = step.end();
  }
  FindNextProducts();
}

Program::Step Program::MakeStep(size_t first) const {
  Step step;
  step.first = first;
  step.chain = RowChainLength(graph_, first);
  const std::vector<Node>& nodes = graph_.nodes;
  const size_t next = first + step.chain;
  if (step.chain > 0) {
    const ValueId rows = nodes[next - 1].outputs[0];
    const bool coded =
        next < nodes.size() && nodes[next].op == Op::kFullyConnected &&
        nodes[next].inputs[0] == rows && QuantizesInput(graph_, nodes[next]) &&
        graph_.value(nodes[next].inputs[1]).shape[1] == graph_.value(rows).shape.back();
    if (!coded) return step;
  }
  step.behind = 1;
  if (nodes[next].op != Op::kFullyConnected) step.function = FunctionOf(nodes[next].op);
  while (step.end() < nodes.size() && step.behind < kMaxProducts &&
         AreProductsOfOneInput(graph_, nodes[step.end() - 1], nodes[step.end()])) {
    ++step.behind;
  }
  return step;
}

void Program::FindNextProducts() {
  const auto first = std::find_if(steps_.begin(), steps_.end(),
                                  [](const Step& step) { return step.HasProducts(); });
  size_t next = first == steps_.end() ? 0 : static_cast<size_t>(first - steps_.begin());
  for (size_t i = steps_.size(); i-- > 0;) {
    steps_[i].next_products = next;
    if (steps_[i].HasProducts()) next = i;
  }
}

// Rows that only the products behind them read are coded at once and never stored.
void Program::FindPassing(const Step& step) {
  const ValueId rows = graph_.nodes[step.first + step.chain - 1].outputs[0];
  size_t readers = 0;
  for (const Node& node : graph_.nodes) {
    readers += static_cast<size_t>(std::count(node.inputs.begin(), node.inputs.end(), rows));
  }
  for (const Binding& output : graph_.outputs) readers += output.value == rows ? 1 : 0;
  interleaving_.passing[rows] = readers == step.behind;
}

const Plan& Program::PlanFor(int64_t rows) {
  const auto it = std::find_if(plans_.begin(), plans_.end(),
                               [rows](const Plan& plan) { return plan.rows == rows; });
  if (it != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, it);
  } else {
    plans_.push_front(MakePlan(graph_, states_, rows, interleaving_));
    if (plans_.size() > kKeptPlans) plans_.pop_back();
  }
  return plans_.front();
}

void Program::Run(int64_t rows, std::span<std::byte* const> inputs,
                  std::span<std::byte* const> outputs, Arena& arena, Workers& workers) {
  const Plan& plan = PlanFor(rows);
  Resolve(plan, {arena.Reserve(plan.arena_bytes),
                 {inputs.begin(), inputs.end()},
                 {outputs.begin(), outputs.end()}});
  for (const Step& step : steps_) RunStep(step, workers);
  for (const size_t output : plan.copied_outputs) {
    const Tensor& tensor = tensors_[graph_.outputs[output].value];
    const uint64_t bytes = BytesFor(tensor.dtype(), static_cast<uint64_t>(tensor.count()));
    if (bytes > 0) std::memmove(outputs[output], tensor.data, bytes);
  }
}

// One token after the other finds everything where it was: thousands of values are resolved once.
void Program::Resolve(const Plan& plan, const Memory& memory) {
  if (resolved_rows_ == plan.rows && resolved_ == memory) return;
  resolved_rows_ = plan.rows;
  resolved_ = memory;
  tensors_.resize(graph_.values.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i] = {&graph_.values[i], plan.shapes[i], Address(plan.locations[i])};
  }
}

std::byte* Program::Address(const Location& location) const {
  switch (location.place) {
    case Location::Place::kUnused:
      return nullptr;
    case Location::Place::kConstant:
      // Nobody writes there: kernels write outputs only, and those are never constants.
      return const_cast<std::byte*>(graph_.values[location.index].data.data());
    case Location::Place::kArena:
      return resolved_.arena + location.index;
    case Location::Place::kInput:
      return resolved_.inputs[location.index];
    case Location::Place::kOutput:
      return resolved_.outputs[location.index];
  }
  return nullptr;
}

void Program::RunStep(const Step& step, Workers& workers) {
  contexts_.clear();
  for (size_t i = step.first; i < step.end(); ++i) {
    contexts_.push_back({graph_.nodes[i], tensors_, workers});
  }
  if (step.HasProducts()) {
    const Step& next = steps_[step.next_products];
    for (size_t i = next.first + next.chain; i < next.end(); ++i) {
      contexts_.push_back({graph_.nodes[i], tensors_, workers});
    }
  }
  const std::span<const OpContext> contexts(contexts_);
  if (step.chain > 0) RunRowChain(contexts.first(step.chain), step.behind > 0);
  if (step.behind == 0) return;
  const auto begin = std::chrono::steady_clock::now();
  const std::span<const OpContext> behind = contexts.subspan(step.chain, step.behind);
  if (step.HasProducts()) {
    RunProducts(behind, step.chain > 0, contexts.subspan(step.chain + step.behind));
  } else {
    step.function(behind.front());
  }
  if (workers.op_times != nullptr) {
    workers.op_times->Add(behind.front().node.op, std::chrono::steady_clock::now() - begin);
  }
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
