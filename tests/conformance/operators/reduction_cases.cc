// Operators that combine elements along axes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/conformance/operators/operator_case.h"

namespace litertlm {
namespace {

void AddReductions(OperatorCases& cases, Builtin code, DType dtype, int count) {
  for (int i = 0; i < count; ++i) {
    Random& random = cases.random();
    const Extents from = random.Shape(random.Int(1, 5));
    const auto rank = static_cast<int>(from.size());
    std::vector<int32_t> axes = random.Subset(rank);
    const bool keep = random.Coin();
    Extents to;
    for (int axis = 0; axis < rank; ++axis) {
      const bool reduced = std::count(axes.begin(), axes.end(), axis) > 0;
      if (!reduced) to.push_back(from[static_cast<size_t>(axis)]);
      if (reduced && keep) to.push_back(1);
    }
    if (random.Coin()) axes.front() -= rank;
    const std::string options =
        fmt::format("{} axes {}{}", Info(dtype).name, fmt::join(axes, ","), keep ? " kept" : "");
    const Agreement agreement = dtype == DType::kF32 && code != Builtin::REDUCE_MAX
                                    ? Agreement::kFloats
                                    : Agreement::kExact;
    cases.Add(tflite::EnumNameBuiltinOperator(code), options, agreement, [&](OperatorCase& c) {
      tflite::ReducerOptionsT reducer;
      reducer.keep_dims = keep;
      const TensorId x = c.Input(dtype, from, -50, 50);
      c.Output(c.Op(code, {x, c.writer().Ints(axes)}, dtype, to, reducer), dtype, to);
    });
  }
}

void AddSoftmax(OperatorCases& cases) {
  for (int rank = 1; rank <= 4; ++rank) {
    for (const float beta : {1.0f, 1.0f, 0.5f}) {
      const Extents shape = cases.random().Shape(rank, 1, 9);
      cases.Add("SOFTMAX", fmt::format("beta {}", beta), Agreement::kFloats, [&](OperatorCase& c) {
        tflite::SoftmaxOptionsT options;
        options.beta = beta;
        c.Output(c.Op(Builtin::SOFTMAX, {c.Input(DType::kF32, shape, -9, 9)}, DType::kF32, shape,
                      options),
                 DType::kF32, shape);
      });
    }
  }
}

void AddCumsum(OperatorCases& cases) {
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kI64}) {
    for (int form = 0; form < 4; ++form) {
      Random& random = cases.random();
      const Extents shape = random.Shape(random.Int(1, 4));
      const auto rank = static_cast<int>(shape.size());
      const int axis = random.Int(-rank, rank - 1);
      tflite::CumsumOptionsT options;
      options.exclusive = (form & 1) != 0;
      options.reverse = (form & 2) != 0;
      cases.Add(
          "CUMSUM",
          fmt::format("{} axis {}{}{}", Info(dtype).name, axis,
                      options.exclusive ? " exclusive" : "", options.reverse ? " reverse" : ""),
          dtype == DType::kF32 ? Agreement::kFloats : Agreement::kExact, [&](OperatorCase& c) {
            const TensorId x = c.Input(dtype, shape);
            c.Output(c.Op(Builtin::CUMSUM, {x, c.writer().Int(axis)}, dtype, shape, options), dtype,
                     shape);
          });
    }
  }
}

}  // namespace

void AddReductionCases(OperatorCases& cases) {
  AddReductions(cases, Builtin::SUM, DType::kF32, 6);
  AddReductions(cases, Builtin::SUM, DType::kI32, 3);
  AddReductions(cases, Builtin::SUM, DType::kI64, 3);
  AddReductions(cases, Builtin::MEAN, DType::kF32, 6);
  AddReductions(cases, Builtin::MEAN, DType::kI32, 4);
  AddReductions(cases, Builtin::MEAN, DType::kI64, 4);
  AddReductions(cases, Builtin::REDUCE_MAX, DType::kF32, 4);
  AddReductions(cases, Builtin::REDUCE_MAX, DType::kI32, 3);
  AddReductions(cases, Builtin::REDUCE_MAX, DType::kI64, 3);
  AddSoftmax(cases);
  AddCumsum(cases);
}

}  // namespace litertlm
