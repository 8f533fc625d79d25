#include "graph/symbolic_shape.h"

#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "graph/types.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

TEST(Dim, CountsRows) {
  EXPECT_EQ(Dim(7).At(100), 7);
  EXPECT_EQ(Dim::Rows().At(100), 100);
  EXPECT_EQ(Dim::Rows(4, 2).At(100), 800);
  EXPECT_NE(Dim::Rows(4, 1), Dim::Rows(1, 4)) << "rows lie in another order";
  EXPECT_EQ(ToString(SymbolicShape{1, Dim::Rows(), Dim::Rows(2, 3)}), "[1, rows, 6 x rows]");
}

TEST(SymbolicShape, RefusesSizesBeyondReason) {
  EXPECT_EQ(Concrete(SymbolicShape{3, Dim::Rows(2)}, 5), (Shape{3, 10}));
  EXPECT_THROW(Concrete(SymbolicShape{1 << 30, 1 << 30}, 1), Error);
  EXPECT_THROW(Concrete(SymbolicShape{0, int64_t{1} << 62, 8}, 1), Error) << "zero hides nothing";
  EXPECT_THROW(Concrete(SymbolicShape{Dim::Rows(int64_t{1} << 40, 4)}, int64_t{1} << 40), Error);
}

/// One reshape from `from`, written for 6 rows, to `target`.
SymbolicShape Reshaped(const SymbolicShape& from, const Shape& target) {
  Graph graph;
  graph.name = "test";
  graph.file_rows = 6;
  Value value;
  value.shape = from;
  const ValueId input = graph.AddValue(value);
  const ValueId output = graph.AddValue({});
  graph.nodes.push_back({Op::kReshape, {input}, {output}, TargetAttributes{target}});
  InferTypes(graph);
  return graph.value(output).shape;
}

TEST(Reshape, KeepsRowsWhereTheyLieInMemory) {
  const Dim rows = Dim::Rows();
  // Tokens, and heads split from a projection.
  EXPECT_EQ(Reshaped({1, rows}, {6}), (SymbolicShape{rows}));
  EXPECT_EQ(Reshaped({1, rows, 32}, {1, 6, 4, 8}), (SymbolicShape{1, rows, 4, 8}));
  EXPECT_EQ(Reshaped({1, rows, 4, 8}, {1, 6, 32}), (SymbolicShape{1, rows, 32}));
  // Query heads stacked on the rows, and taken apart again.
  EXPECT_EQ(Reshaped({1, 4, rows, 8}, {1, 2, 12, 8}), (SymbolicShape{1, 2, Dim::Rows(2, 1), 8}));
  EXPECT_EQ(Reshaped({1, 2, Dim::Rows(2, 1), 9}, {2, 2, 6, 9}), (SymbolicShape{2, 2, rows, 9}));
  // Rows merged with what lies inside of them.
  EXPECT_EQ(Reshaped({rows, 4, 8}, {192}), (SymbolicShape{Dim::Rows(1, 32)}));
  EXPECT_EQ(Reshaped({Dim::Rows(1, 32)}, {6, 32}), (SymbolicShape{rows, 32}));
  // Extents that equal the number of rows by chance are told apart.
  EXPECT_EQ(Reshaped({6, rows, 6}, {1, 6, 6, 6}), (SymbolicShape{1, 6, rows, 6}));
  EXPECT_EQ(Reshaped({rows, 36}, {6, 6, 6}), (SymbolicShape{rows, 6, 6}));
}

TEST(Reshape, RefusesTargetsThatCutTheRows) {
  EXPECT_THROW(Reshaped({Dim::Rows(), 4}, {2, 12}), Error);
  EXPECT_THROW(Reshaped({Dim::Rows(), 4}, {3, 2, 4}), Error);
}

}  // namespace
}  // namespace litertlm
