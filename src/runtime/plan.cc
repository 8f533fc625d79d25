#include "runtime/plan.h"

#include <algorithm>
#include <limits>

#include "runtime/arena_layout.h"
#include "runtime/tensor.h"

namespace litertlm {
namespace {

using Place = Location::Place;
constexpr size_t kNever = std::numeric_limits<size_t>::max();

/// A piece of memory that holds one value after another, or several views of one.
struct Storage {
  Place place;
  uint64_t index = 0;  ///< As in Location.
  uint64_t bytes = 0;
  bool writable = false;  ///< Nodes may write over what it holds.
  size_t first = 0;       ///< The node that first writes it.
  size_t last = 0;        ///< The last node that reads it.
};

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<StatePair>& states, int64_t rows,
          const Interleaving& interleaving)
      : graph_(graph),
        states_(states),
        interleaving_(interleaving),
        storage_of_(graph.values.size(), kNever) {
    plan_.rows = rows;
    plan_.shapes.resize(graph.values.size());
    plan_.locations.resize(graph.values.size());
  }

  Plan Make() {
    FindLastUses();
    PlaceInputs();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) PlaceNode(i);
    PlaceOutputs();
    LayOutArena();
    for (size_t value = 0; value < storage_of_.size(); ++value) {
      if (storage_of_[value] == kNever) continue;
      const Storage& storage = storages_[storage_of_[value]];
      plan_.locations[value] = {storage.place, storage.index};
    }
    return std::move(plan_);
  }

 private:
  // A reshape reads its input for as long as its own result is read.
  void FindLastUses() {
    last_use_.assign(graph_.values.size(), 0);
    for (const Binding& output : graph_.outputs) last_use_[output.value] = graph_.nodes.size();
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      for (const ValueId input : node.inputs) {
        if (input == kNoValue) continue;
        size_t& last = last_use_[input];
        last = std::max(last, i);
        if (node.op == Op::kReshape) last = std::max(last, last_use_[node.outputs[0]]);
      }
    }
  }

  void PlaceInputs() {
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      const ValueId value = graph_.inputs[i].value;
      Storage storage{Place::kInput, i};
      storage.writable = std::any_of(states_.begin(), states_.end(),
                                     [i](const StatePair& state) { return state.input == i; });
      storage.last = last_use_[value];
      Assign(value, storage);
    }
  }

  void PlaceNode(size_t i) {
    const Node& node = graph_.nodes[i];
    for (const ValueId input : node.inputs) {
      const bool placed = input == kNoValue || storage_of_[input] != kNever || IsPassing(input);
      if (!placed) PlaceConstant(input);
    }
    if (IsPassing(node.outputs.front())) return SetShape(node.outputs.front());
    if (const size_t shared = SharedStorage(i); shared != kNever) {
      const ValueId output = node.outputs.front();
      SetShape(output);
      storage_of_[output] = shared;
      storages_[shared].last = std::max(storages_[shared].last, last_use_[output]);
      return;
    }
    for (const ValueId output : node.outputs) {
      Storage storage{Place::kArena};
      storage.writable = true;
      storage.first = i;
      storage.last = std::max(i, last_use_[output]);
      Assign(output, storage);
    }
  }

  void PlaceConstant(ValueId value) {
    Storage storage{Place::kConstant, static_cast<uint64_t>(value)};
    storage.last = kNever;
    Assign(value, storage);
  }

  /// The storage of an input that node `i` may or must write its output to.
  size_t SharedStorage(size_t i) {
    const Node& node = graph_.nodes[i];
    if (node.outputs.size() != 1) return kNever;
    if (node.op == Op::kReshape) return storage_of_[node.inputs[0]];
    if (node.op == Op::kDynamicUpdateSlice || node.op == Op::kCacheUpdate) {
      const size_t operand = storage_of_[node.inputs[0]];
      const bool separate =
          storage_of_[node.inputs[1]] != operand && storage_of_[node.inputs[2]] != operand;
      return separate && DiesAt(operand, i) ? operand : kNever;
    }
    const uint64_t bytes = BytesOf(node.outputs.front());
    const int bits = BitsOf(node.outputs.front());
    for (size_t j = 0; j < std::min(node.inputs.size(), InputsToWriteOver(node.op)); ++j) {
      const size_t candidate = storage_of_[node.inputs[j]];
      // Of as many elements, too: one that is repeated must stay for all of them.
      const bool same = BytesOf(node.inputs[j]) == bytes && BitsOf(node.inputs[j]) == bits;
      const bool fits = storages_[candidate].place == Place::kArena &&
                        storages_[candidate].bytes == bytes && same;
      if (fits && DiesAt(candidate, i)) return candidate;
    }
    return kNever;
  }

  bool DiesAt(size_t storage, size_t node) const {
    return storages_[storage].writable && storages_[storage].last <= node;
  }

  void PlaceOutputs() {
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const ValueId value = graph_.outputs[i].value;
      if (storage_of_[value] == kNever) PlaceConstant(value);
      Storage& storage = storages_[storage_of_[value]];
      const auto state = std::find_if(states_.begin(), states_.end(),
                                      [i](const StatePair& pair) { return pair.output == i; });
      if (state != states_.end()) {
        const bool in_place = storage.place == Place::kInput && storage.index == state->input;
        if (!in_place) plan_.copied_outputs.push_back(i);
      } else if (storage.place == Place::kArena && storage.bytes == BytesOf(value)) {
        storage.place = Place::kOutput;
        storage.index = i;
      } else {
        plan_.copied_outputs.push_back(i);
      }
    }
  }

  // Blocks are handed out in the order of the nodes, so that memory is free again as soon as the
  // last reader has run.
  void LayOutArena() {
    std::vector<std::vector<size_t>> begins(graph_.nodes.size());
    std::vector<std::vector<size_t>> ends(graph_.nodes.size() + 1);
    for (size_t i = 0; i < storages_.size(); ++i) {
      if (storages_[i].place != Place::kArena) continue;
      begins[storages_[i].first].push_back(i);
      ends[EndOfRun(storages_[i].last)].push_back(i);
    }
    ArenaLayout layout;
    for (size_t node = 0; node < graph_.nodes.size(); ++node) {
      for (const size_t i : begins[node]) {
        storages_[i].index = layout.Allocate(Aligned(storages_[i].bytes));
      }
      for (const size_t i : ends[node]) {
        layout.Release(storages_[i].index, Aligned(storages_[i].bytes));
      }
    }
    plan_.arena_bytes = layout.size();
  }

  bool IsPassing(ValueId value) const {
    return !interleaving_.passing.empty() && interleaving_.passing[value];
  }

  /// The last node that runs together with `node`.
  size_t EndOfRun(size_t node) const {
    return node < interleaving_.last.size() ? interleaving_.last[node] : node;
  }

  static uint64_t Aligned(uint64_t bytes) {
    return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
  }

  void SetShape(ValueId value) {
    plan_.shapes[value] = Concrete(graph_.value(value).shape, plan_.rows);
  }

  int BitsOf(ValueId value) const { return Info(graph_.value(value).dtype).bits; }
  uint64_t BytesOf(ValueId value) {
    SetShape(value);
    return BytesFor(graph_.value(value).dtype, static_cast<uint64_t>(plan_.shapes[value].count()));
  }

  void Assign(ValueId value, Storage storage) {
    storage.bytes = BytesOf(value);
    storage_of_[value] = storages_.size();
    storages_.push_back(storage);
  }

  const Graph& graph_;
  const std::vector<StatePair>& states_;
  const Interleaving& interleaving_;
  Plan plan_;
  std::vector<Storage> storages_;
  std::vector<size_t> storage_of_;  ///< By value.
  std::vector<size_t> last_use_;    ///< By value; nodes.size() for outputs.
};

}  // namespace

Plan MakePlan(const Graph& graph, const std::vector<StatePair>& states, int64_t rows,
              const Interleaving& interleaving) {
  return Planner(graph, states, rows, interleaving).Make();
}

}  // namespace litertlm
