#include "tests/styles/styled_rotation.h"

namespace litertlm {

TensorId StyledRotation::Rotate(TensorId x, size_t rope, const std::string& name) {
  const Tables& tables = TablesOf(rope);
  const auto turn = [&](TensorId part) {
    return classic() ? RotateHalves(part, tables, name) : RotateWhole(part, tables, name);
  };
  const int32_t size = ops_.ShapeOf(x).back();
  const auto turning = 2 * static_cast<int32_t>(spec_.ropes[rope].inverse_frequencies.size());
  if (turning == size) return turn(x);
  const TensorId turned = turn(Part(x, 0, turning, name + "_turning"));
  const TensorId rest = Part(x, turning, size - turning, name + "_rest");
  return ops_.Concatenate({turned, rest}, 3, name + "_whole");
}

TensorId StyledRotation::Part(TensorId x, int32_t begin, int32_t size, const std::string& name) {
  Shape shape = ops_.ShapeOf(x);
  shape.back() = size;
  return ops_.Slice(x, {0, 0, 0, begin}, shape, name);
}

// concat(a cos - b sin, b cos + a sin), with tables of half the size.
TensorId StyledRotation::RotateHalves(TensorId x, const Tables& tables, const std::string& name) {
  const int32_t half = ops_.ShapeOf(x).back() / 2;
  const TensorId a = Part(x, 0, half, name + "_low");
  const TensorId b = Part(x, half, half, name + "_high");
  const TensorId low =
      ops_.Subtract(ops_.Multiply(a, tables.cos, name + "_a_cos"),
                    ops_.Multiply(b, tables.sin, name + "_b_sin"), name + "_a_turned");
  const TensorId high = ops_.Add(ops_.Multiply(b, tables.cos, name + "_b_cos"),
                                 ops_.Multiply(a, tables.sin, name + "_a_sin"), name + "_b_turned");
  return ops_.Concatenate({low, high}, 3, name + "_turned");
}

// x cos + concat(-b, a) sin, with tables that repeat themselves.
TensorId StyledRotation::RotateWhole(TensorId x, const Tables& tables, const std::string& name) {
  const int32_t half = ops_.ShapeOf(x).back() / 2;
  const TensorId minus_b = ops_.Negate(Part(x, half, half, name + "_high"), name + "_minus_high");
  const TensorId quarter_turn =
      ops_.Concatenate({minus_b, Part(x, 0, half, name + "_low")}, 3, name + "_quarter_turn");
  return ops_.Add(ops_.Multiply(x, tables.cos, name + "_cos"),
                  ops_.Multiply(quarter_turn, tables.sin, name + "_sin"), name + "_turned");
}

const StyledRotation::Tables& StyledRotation::TablesOf(size_t rope) {
  const auto [it, added] = tables_.try_emplace(rope);
  if (!added) return it->second;
  const std::vector<float>& frequencies = spec_.ropes[rope].inverse_frequencies;
  const TensorId positions = ops_.IntsToFloats(positions_, "positions");
  it->second = classic() ? HalfTables(frequencies, positions) : WholeTables(frequencies, positions);
  return it->second;
}

StyledRotation::Tables StyledRotation::HalfTables(std::vector<float> frequencies,
                                                  TensorId positions) {
  if (style_.old) {
    for (float& frequency : frequencies) frequency = 1 / frequency;
  }
  const TensorId column =
      ops_.Reshape(positions, {1, ops_.ShapeOf(positions)[0], 1}, "position_column");
  const TensorId row =
      ops_.Floats(frequencies, {1, 1, static_cast<int32_t>(frequencies.size())}, "frequencies");
  const TensorId angles =
      style_.old ? ops_.Divide(column, row, "angles") : ops_.Multiply(column, row, "angles");
  return {ops_.Cos(angles, "cos"), ops_.Sin(angles, "sin")};
}

StyledRotation::Tables StyledRotation::WholeTables(const std::vector<float>& frequencies,
                                                   TensorId positions) {
  const int32_t rows = ops_.ShapeOf(positions)[0];
  const auto half = static_cast<int32_t>(frequencies.size());
  const TensorId column = ops_.Floats(frequencies, {1, half, 1}, "frequencies");
  const TensorId row = ops_.Reshape(positions, {1, 1, rows}, "position_row");
  const TensorId angles =
      ops_.Transpose(ops_.BatchMatMul(column, row, "angles"), {0, 2, 1}, "angles_by_row");
  const TensorId twice = ops_.Concatenate({angles, angles}, 2, "angles_twice");
  const Shape shape = {1, 1, rows, 2 * half};
  return {ops_.Reshape(ops_.Cos(twice, "cos"), shape, "cos_of_heads"),
          ops_.Reshape(ops_.Sin(twice, "sin"), shape, "sin_of_heads")};
}

}  // namespace litertlm
