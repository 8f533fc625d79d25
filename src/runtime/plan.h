// Where each value of a program lies while it runs with a given number of rows.
#ifndef LITERTLM_RUNTIME_PLAN_H_
#define LITERTLM_RUNTIME_PLAN_H_

#include <cstdint>
#include <vector>

#include "graph/ir.h"

namespace litertlm {

/// An input whose new content is an output, such as a cache: the caller gives one buffer for both.
struct StatePair {
  size_t input;   ///< Index into Graph::inputs.
  size_t output;  ///< Index into Graph::outputs.
};

struct Location {
  enum class Place : uint8_t {
    kUnused,
    kConstant,  ///< `index` is the value that holds the bytes.
    kArena,     ///< `index` is an offset in bytes.
    kInput,     ///< `index` is one of Graph::inputs.
    kOutput,    ///< `index` is one of Graph::outputs.
  };
  Place place = Place::kUnused;
  uint64_t index = 0;

  bool operator==(const Location&) const = default;
};

struct Plan {
  int64_t rows = 0;
  std::vector<Shape> shapes;        ///< By value; of those that are used.
  std::vector<Location> locations;  ///< By value.
  uint64_t arena_bytes = 0;
  /// Outputs whose value lies elsewhere when all nodes have run: it is copied then.
  std::vector<size_t> copied_outputs;
};

/// What runs together, row by row.
struct Interleaving {
  /// By node: the last of those that run together with it; itself, if none does. What one of them
  /// reads stays until all have ended. Empty: no nodes run together.
  std::vector<size_t> last;
  /// By value: true if it has no memory, because it is used only on the way. Empty: all have.
  std::vector<bool> passing;
};

/// Alignment of everything in the arena, in bytes: that of the widest vectors.
inline constexpr uint64_t kArenaAlignment = 64;

/// Lays out the values of `graph`. Reshapes share the memory of their input. Element-wise nodes
/// write over an input that nobody reads afterwards, and so do updates of a slice, so that caches
/// are updated in place. Everything else gets memory that is free at that time.
/// Throws kUnsupported if a single value is beyond all reason.
Plan MakePlan(const Graph& graph, const std::vector<StatePair>& states, int64_t rows,
              const Interleaving& interleaving = {});

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_PLAN_H_
