// A graph made ready to run.
#ifndef LITERTLM_RUNTIME_PROGRAM_H_
#define LITERTLM_RUNTIME_PROGRAM_H_

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "graph/ir.h"
#include "graph/passes/passes.h"
#include "runtime/plan.h"
#include "runtime/tensor.h"

namespace litertlm {

/// Memory that programs use in turn; grows to what the largest needs.
class Arena {
 public:
  /// Throws kUnsupported if that is beyond all reason, or more than the system has.
  std::byte* Reserve(uint64_t bytes);
  uint64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte[], Free> memory_;
  uint64_t size_ = 0;
};

/// Runs a graph node by node. Not thread-safe.
class Program {
 public:
  /// `states` are inputs that are updated in place. Throws kInternal for an operator without
  /// a kernel.
  Program(Graph graph, std::vector<StatePair> states);
  Program(Program&&) = default;  // Its tensors point into its graph.
  Program& operator=(Program&&) = default;

  const Graph& graph() const { return graph_; }

  /// `inputs` and `outputs` are in the graph's order and as large as the shapes for `rows` rows
  /// say; a state pair's are the same.
  void Run(int64_t rows, std::span<std::byte* const> inputs, std::span<std::byte* const> outputs,
           Arena& arena, Workers& workers);

  /// Bytes of the arena that a run of so many rows needs.
  uint64_t WorkingBytes(int64_t rows) { return PlanFor(rows).arena_bytes; }

 private:
  /// Nodes that are computed together: those of a chain of rows, then those behind it, which are
  /// products of one input (coded by the chain, if there is one), or one of any other kind.
  struct Step {
    size_t first = 0;
    size_t chain = 0;
    size_t behind = 0;
    OpFunction function = nullptr;  ///< Of the one of another kind.
    size_t next_products = 0;       ///< The step with products after this one, or the first.
    size_t end() const { return first + chain + behind; }
    bool HasProducts() const { return behind > 0 && function == nullptr; }
  };

  /// What the addresses of values follow from.
  struct Memory {
    std::byte* arena = nullptr;
    std::vector<std::byte*> inputs;
    std::vector<std::byte*> outputs;
    bool operator==(const Memory&) const = default;
  };

  Step MakeStep(size_t first) const;
  void FindPassing(const Step& step);
  const Plan& PlanFor(int64_t rows);
  void Resolve(const Plan& plan, const Memory& memory);
  std::byte* Address(const Location& location) const;
  void FindNextProducts();
  void RunStep(const Step& step, Workers& workers);

  Graph graph_;
  std::vector<StatePair> states_;
  std::vector<Step> steps_;
  Interleaving interleaving_;
  Memory resolved_;                  ///< Where `tensors_` lie,
  int64_t resolved_rows_ = -1;       ///< and how many rows they have.
  std::vector<Tensor> tensors_;      ///< By value.
  std::vector<OpContext> contexts_;  ///< Of the step under way.
  std::list<Plan> plans_;            ///< Of the last numbers of rows, latest first.
};

/// Computes nodes for constant folding.
NodeEvaluator MakeEvaluator(Workers& workers);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_PROGRAM_H_
