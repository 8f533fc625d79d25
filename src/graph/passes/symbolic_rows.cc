#include <fmt/format.h>

#include "graph/passes/passes.h"
#include "graph/types.h"

namespace litertlm {

Graph WithSymbolicRows(Graph graph, std::span<const RowAxis> row_axes, int64_t file_rows) {
  // With one row every dimension of 1 might be the one that grows.
  if (file_rows < 2) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: its shapes do not show which dimensions are rows.", graph.name));
  }
  for (const auto& [input, axis] : row_axes) {
    Dim& dim = graph.value(input).shape.at(axis);
    if (!dim.Is(file_rows)) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: dimension {} of input '{}' is not {}.", graph.name, axis,
                              graph.value(input).name, file_rows));
    }
    dim = Dim::Rows();
  }
  graph.file_rows = file_rows;
  InferTypes(graph);
  return graph;
}

}  // namespace litertlm
