// Operators that change a shape, or make a tensor from one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/conformance/operators/operator_case.h"

namespace litertlm {
namespace {

constexpr Agreement kExact = Agreement::kExact;

void AddReshapes(OperatorCases& cases) {
  for (const std::string form : {"constant", "constant", "open", "options", "both"}) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    const Extents from = random.Shape(random.Int(1, 5));
    // The same factors in another order and grouping.
    Extents to = {1};
    for (const int32_t axis : random.Permutation(static_cast<int>(from.size()))) {
      if (random.Coin()) to.push_back(1);
      to.back() *= from[static_cast<size_t>(axis)];
    }
    cases.Add(
        "RESHAPE", fmt::format("{} {}", Info(dtype).name, form), kExact, [&](OperatorCase& c) {
          std::vector<TensorId> inputs = {c.Input(dtype, from)};
          tflite::ReshapeOptionsT options;
          std::vector<int32_t> target = to;
          if (form == "open")
            target[static_cast<size_t>(c.random().Int(0, static_cast<int>(to.size()) - 1))] = -1;
          if (form != "options") inputs.push_back(c.writer().Ints(target));
          if (form == "options" || form == "both") options.new_shape = target;
          c.Output(c.Op(Builtin::RESHAPE, inputs, dtype, to, options), dtype, to);
        });
  }
}

void AddSqueezes(OperatorCases& cases) {
  for (int i = 0; i < 6; ++i) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    Extents from = random.Shape(random.Int(2, 5), 2);
    const auto rank = static_cast<int>(from.size());
    std::vector<int32_t> axes = random.Subset(rank - 1);
    for (const int32_t axis : axes) from[static_cast<size_t>(axis)] = 1;
    Extents to;
    for (const int32_t extent : from) {
      if (extent != 1) to.push_back(extent);
    }
    if (i % 2 == 0) axes.clear();
    if (i % 3 == 1) axes.front() -= rank;
    cases.Add("SQUEEZE", fmt::format("{} axes {}", Info(dtype).name, fmt::join(axes, ",")), kExact,
              [&](OperatorCase& c) {
                tflite::SqueezeOptionsT options;
                options.squeeze_dims = axes;
                c.Output(c.Op(Builtin::SQUEEZE, {c.Input(dtype, from)}, dtype, to, options), dtype,
                         to);
              });
  }
}

void AddExpandDims(OperatorCases& cases) {
  for (int i = 0; i < 4; ++i) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    const Extents from = random.Shape(random.Int(0, 4));
    const auto rank = static_cast<int>(from.size());
    const int axis = random.Int(-rank - 1, rank);
    Extents to = from;
    to.insert(to.begin() + (axis < 0 ? axis + rank + 1 : axis), 1);
    cases.Add("EXPAND_DIMS", fmt::format("{} axis {}", Info(dtype).name, axis), kExact,
              [&](OperatorCase& c) {
                const TensorId x = c.Input(dtype, from);
                c.Output(c.Op(Builtin::EXPAND_DIMS, {x, c.writer().Int(axis)}, dtype, to,
                              tflite::ExpandDimsOptionsT{}),
                         dtype, to);
              });
  }
}

void AddTransposes(OperatorCases& cases) {
  for (int i = 0; i < 10; ++i) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    const int rank = 1 + i % 6;
    const Extents from = random.Shape(rank);
    const std::vector<int32_t> permutation = random.Permutation(rank);
    Extents to;
    for (const int32_t axis : permutation) to.push_back(from[static_cast<size_t>(axis)]);
    cases.Add("TRANSPOSE", fmt::format("{} by {}", Info(dtype).name, fmt::join(permutation, ",")),
              kExact, [&](OperatorCase& c) {
                const TensorId x = c.Input(dtype, from);
                c.Output(c.Op(Builtin::TRANSPOSE, {x, c.writer().Ints(permutation)}, dtype, to,
                              tflite::TransposeOptionsT{}),
                         dtype, to);
              });
  }
}

void AddBroadcasts(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    const Extents to = random.Shape(random.Int(1, 5));
    Extents from(to.begin() + random.Int(0, static_cast<int>(to.size())), to.end());
    for (int32_t& extent : from) extent = random.Coin() ? 1 : extent;
    cases.Add("BROADCAST_TO", std::string(Info(dtype).name), kExact, [&](OperatorCase& c) {
      const TensorId x = c.Input(dtype, from);
      c.Output(c.Op(Builtin::BROADCAST_TO, {x, c.writer().Ints(to)}, dtype, to,
                    tflite::BroadcastToOptionsT{}, 2),
               dtype, to);
    });
  }
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kI64, DType::kBool}) {
    const Extents to = cases.random().Shape(cases.random().Int(1, 5));
    cases.Add("FILL", std::string(Info(dtype).name), kExact, [&](OperatorCase& c) {
      const TensorId x = c.Input(dtype, {});
      c.Output(c.Op(Builtin::FILL, {c.writer().Ints(to), x}, dtype, to, tflite::FillOptionsT{}),
               dtype, to);
    });
  }
}

// The result is added to an input: a model must have one.
void AddRanges(OperatorCases& cases) {
  struct Bounds {
    float start, limit, delta;
  };
  for (const auto& [start, limit, delta] :
       {Bounds{0, 7, 1}, Bounds{-3, 9, 2}, Bounds{5, -6, -3}, Bounds{4, 4, 1}}) {
    const auto count = static_cast<int32_t>(std::max(0.0f, std::ceil((limit - start) / delta)));
    const auto add = [&, start = start, limit = limit, delta = delta]<typename T>(DType dtype, T) {
      cases.Add("RANGE", fmt::format("{} {}:{}:{}", Info(dtype).name, start, limit, delta),
                dtype == DType::kF32 ? Agreement::kFloats : kExact, [&](OperatorCase& c) {
                  std::vector<TensorId> bounds;
                  for (const float bound : {start, limit, delta}) {
                    bounds.push_back(c.writer().Constant<T>({}, {static_cast<T>(bound)}, dtype));
                  }
                  const TensorId range =
                      c.Op(Builtin::RANGE, bounds, dtype, {count}, tflite::RangeOptionsT{});
                  const TensorId sum = c.Op(Builtin::ADD, {c.Input(dtype, {2, 1}), range}, dtype,
                                            {2, count}, tflite::AddOptionsT{});
                  c.Output(sum, dtype, {2, count});
                });
    };
    add(DType::kI32, int32_t{});
    add(DType::kI64, int64_t{});
    add(DType::kF32, float{});
  }
}

void AddShapes(OperatorCases& cases) {
  for (const DType dtype : {DType::kI32, DType::kI64}) {
    for (int rank = 1; rank <= 4; ++rank) {
      const Extents from = cases.random().Shape(rank);
      cases.Add("SHAPE", std::string(Info(dtype).name), kExact, [&](OperatorCase& c) {
        tflite::ShapeOptionsT options;
        options.out_type = static_cast<tflite::TensorType>(Info(dtype).tflite);
        const TensorId x = c.Input(DType::kF32, from);
        const TensorId shape = c.Op(Builtin::SHAPE, {x}, dtype, {rank}, options);
        const TensorId sum = c.Op(Builtin::ADD, {c.Input(dtype, {rank}), shape}, dtype, {rank},
                                  tflite::AddOptionsT{});
        c.Output(sum, dtype, {rank});
      });
    }
  }
}

}  // namespace

void AddShapeCases(OperatorCases& cases) {
  AddReshapes(cases);
  AddSqueezes(cases);
  AddExpandDims(cases);
  AddTransposes(cases);
  AddBroadcasts(cases);
  AddRanges(cases);
  AddShapes(cases);
}

}  // namespace litertlm
