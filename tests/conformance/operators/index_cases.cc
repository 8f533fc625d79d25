// Operators that read or write by index, or find indices.
#include <fmt/format.h>

#include "tests/conformance/operators/operator_case.h"

namespace litertlm {
namespace {

constexpr Agreement kExact = Agreement::kExact;

void Append(Extents& shape, Extents::const_iterator first, Extents::const_iterator last) {
  shape.insert(shape.end(), first, last);
}

void AddGathers(OperatorCases& cases) {
  for (int i = 0; i < 12; ++i) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    const DType index = random.Coin() ? DType::kI32 : DType::kI64;
    const Extents table = random.Shape(random.Int(1, 4));
    const auto rank = static_cast<int>(table.size());
    const int axis = random.Int(0, rank - 1);
    const int batch_dims = i % 3 == 0 ? random.Int(0, axis) : 0;
    Extents indices(table.begin(), table.begin() + batch_dims);
    const Extents own = random.Shape(random.Int(batch_dims == 0 ? 0 : 1, 2));
    Append(indices, own.begin(), own.end());
    Extents to(table.begin(), table.begin() + axis);
    Append(to, own.begin(), own.end());
    Append(to, table.begin() + axis + 1, table.end());
    tflite::GatherOptionsT options;
    options.axis = random.Coin() ? axis : axis - rank;
    options.batch_dims = batch_dims;
    cases.Add("GATHER",
              fmt::format("{} by {} axis {} batch_dims {}", Info(dtype).name, Info(index).name,
                          options.axis, batch_dims),
              kExact, [&](OperatorCase& c) {
                const TensorId x = c.Operand(dtype, table);
                const auto highest = static_cast<float>(table[static_cast<size_t>(axis)] - 1);
                const TensorId ids = c.Input(index, indices, 0, highest);
                c.Output(c.Op(Builtin::GATHER, {x, ids}, dtype, to, options), dtype, to);
              });
  }
}

/// Vectors of indices into the first axes of `shape`, all different if there are enough.
struct IndexVectors {
  Extents indices;
  std::vector<int32_t> values;
  Extents selected;  ///< What the vectors name, all together.

  IndexVectors(Random& random, const Extents& shape, bool different) {
    const int depth = random.Int(1, static_cast<int>(shape.size()));
    const Extents named(shape.begin(), shape.begin() + depth);
    const int32_t places = CountOf(named);
    indices = different ? Extents{random.Int(1, places)} : random.Shape(random.Int(0, 2));
    const std::vector<int32_t> order = random.Permutation(places);
    for (int32_t i = 0; i < CountOf(indices); ++i) {
      int32_t place = different ? order[static_cast<size_t>(i)] : random.Int(0, places - 1);
      std::vector<int32_t> vector(static_cast<size_t>(depth));
      for (int axis = depth - 1; axis >= 0; --axis) {
        vector[static_cast<size_t>(axis)] = place % shape[static_cast<size_t>(axis)];
        place /= shape[static_cast<size_t>(axis)];
      }
      values.insert(values.end(), vector.begin(), vector.end());
    }
    selected = indices;
    Append(selected, shape.begin() + depth, shape.end());
    indices.push_back(depth);
  }
};

void AddNdOperators(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    const DType dtype = random.Of<DType>({DType::kF32, DType::kI32, DType::kI64});
    const DType index = i % 2 == 0 ? DType::kI32 : DType::kI64;
    const Extents shape = random.Shape(random.Int(1, 4));
    const IndexVectors read(random, shape, false);
    const std::string options = fmt::format("{} by {}", Info(dtype).name, Info(index).name);
    cases.Add("GATHER_ND", options, kExact, [&](OperatorCase& c) {
      const TensorId x = c.Operand(dtype, shape);
      const TensorId ids = c.InputOf(read.indices, read.values, index);
      c.Output(c.Op(Builtin::GATHER_ND, {x, ids}, dtype, read.selected, tflite::GatherNdOptionsT{}),
               dtype, read.selected);
    });
    // Whole numbers, so that the order in which repeated indices are added does not matter.
    const IndexVectors written(random, shape, i < 4);
    cases.Add("SCATTER_ND", options + (i < 4 ? "" : " repeated"), kExact, [&](OperatorCase& c) {
      const DType stored = dtype == DType::kF32 ? DType::kI32 : dtype;
      const TensorId numbers = c.Input(stored, written.selected);
      const TensorId updates = c.Cast(numbers, stored, dtype, written.selected);
      const TensorId ids = c.InputOf(written.indices, written.values);
      c.Output(c.Op(Builtin::SCATTER_ND, {ids, updates, c.writer().Ints(shape)}, dtype, shape,
                    tflite::ScatterNdOptionsT{}),
               dtype, shape);
    });
  }
}

void AddLargest(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    // Few different integers, so that there are equal ones.
    const DType dtype = i % 2 == 0 ? DType::kF32 : random.Of<DType>({DType::kI32, DType::kI64});
    Extents shape = random.Shape(random.Int(1, 4), 1, 7);
    const auto rank = static_cast<int>(shape.size());
    const int axis = random.Int(0, rank - 1);
    const int named = random.Coin() ? axis : axis - rank;
    const DType index = random.Coin() ? DType::kI32 : DType::kI64;
    cases.Add("ARG_MAX",
              fmt::format("{} axis {} gives {}", Info(dtype).name, named, Info(index).name), kExact,
              [&](OperatorCase& c) {
                Extents to = shape;
                to.erase(to.begin() + axis);
                tflite::ArgMaxOptionsT options;
                options.output_type = static_cast<tflite::TensorType>(Info(index).tflite);
                const TensorId x = c.Input(dtype, shape);
                c.Output(c.Op(Builtin::ARG_MAX, {x, c.writer().Int(named)}, index, to, options),
                         index, to);
              });
    cases.Add("TOPK_V2", std::string(Info(dtype).name), kExact, [&](OperatorCase& c) {
      const TensorId x = c.Input(dtype, shape);
      shape.back() = random.Int(1, shape.back());
      OperatorSpec spec{.code = Builtin::TOPK_V2, .inputs = {x, c.writer().Int(shape.back())}};
      spec.options.Set(tflite::TopKV2OptionsT{});
      const TensorId values = c.writer().Tensor(shape, dtype);
      const TensorId indices = c.writer().Tensor(shape, DType::kI32);
      spec.outputs = {values, indices};
      c.writer().AddOperator(std::move(spec));
      c.Output(values, dtype, shape);
      c.Output(indices, DType::kI32, shape);
    });
  }
}

// Starts may lie so far out that they have to be moved back.
void AddUpdates(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    const DType dtype =
        random.Of<DType>({DType::kF32, DType::kF32, DType::kI32, DType::kI64, DType::kBool});
    const Extents shape = random.Shape(random.Int(1, 5));
    const auto rank = static_cast<int32_t>(shape.size());
    cases.Add("DYNAMIC_UPDATE_SLICE", std::string(Info(dtype).name), kExact, [&](OperatorCase& c) {
      Extents update;
      for (const int32_t extent : shape) update.push_back(random.Int(1, extent));
      const TensorId x = c.Operand(dtype, shape);
      const TensorId part = c.Input(dtype, update);
      const TensorId start = c.Input(DType::kI32, {rank}, -1, 5);
      c.Output(c.Op(Builtin::DYNAMIC_UPDATE_SLICE, {x, part, start}, dtype, shape,
                    tflite::DynamicUpdateSliceOptionsT{}),
               dtype, shape);
    });
  }
}

}  // namespace

void AddIndexCases(OperatorCases& cases) {
  AddGathers(cases);
  AddNdOperators(cases);
  AddLargest(cases);
  AddUpdates(cases);
}

}  // namespace litertlm
