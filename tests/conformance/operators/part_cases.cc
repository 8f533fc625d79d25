// Operators that cut tensors into parts and put parts together.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "tests/conformance/operators/operator_case.h"

namespace litertlm {
namespace {

constexpr Agreement kExact = Agreement::kExact;

/// A tensor and one of its axes, which may be counted from the end.
struct Drawn {
  DType dtype;
  Extents shape;
  int rank;
  int axis;
  int named_axis;

  explicit Drawn(Random& random, int max_rank = 5)
      : dtype(random.OfMovable()),
        shape(random.Shape(random.Int(1, max_rank))),
        rank(static_cast<int>(shape.size())),
        axis(random.Int(0, rank - 1)),
        named_axis(random.Coin() ? axis : axis - rank) {}
  int32_t& extent() { return shape[static_cast<size_t>(axis)]; }
  std::string Words() const { return fmt::format("{} axis {}", Info(dtype).name, named_axis); }
};

// Without activations: the reference ignores what the format allows and no converter writes.
void AddConcatenations(OperatorCases& cases) {
  for (int i = 0; i < 10; ++i) {
    Random& random = cases.random();
    Drawn drawn(random);
    tflite::ConcatenationOptionsT options;
    options.axis = drawn.named_axis;
    cases.Add("CONCATENATION", drawn.Words(), kExact, [&](OperatorCase& c) {
      std::vector<TensorId> parts;
      Extents shape = drawn.shape;
      int32_t total = 0;
      for (int count = random.Int(1, 4); count > 0; --count) {
        drawn.extent() = random.Int(1, 4);
        total += drawn.extent();
        parts.push_back(parts.empty() ? c.Input(drawn.dtype, drawn.shape)
                                      : c.Operand(drawn.dtype, drawn.shape));
      }
      drawn.extent() = total;
      c.Output(c.Op(Builtin::CONCATENATION, parts, drawn.dtype, drawn.shape, options), drawn.dtype,
               drawn.shape);
    });
  }
}

void AddPacks(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    const DType dtype = random.OfMovable();
    const Extents part = random.Shape(random.Int(0, 4));
    const auto rank = static_cast<int>(part.size()) + 1;
    const int axis = random.Int(-rank, rank - 1);
    const int count = random.Int(1, 4);
    Extents whole = part;
    whole.insert(whole.begin() + (axis < 0 ? axis + rank : axis), count);
    const std::string options = fmt::format("{} axis {}", Info(dtype).name, axis);
    cases.Add("PACK", options, kExact, [&](OperatorCase& c) {
      tflite::PackOptionsT pack;
      pack.axis = axis;
      pack.values_count = count;
      std::vector<TensorId> parts;
      for (int j = 0; j < count; ++j) parts.push_back(c.Input(dtype, part));
      c.Output(c.Op(Builtin::PACK, parts, dtype, whole, pack), dtype, whole);
    });
    cases.Add("UNPACK", options, kExact, [&](OperatorCase& c) {
      OperatorSpec spec{.code = Builtin::UNPACK, .inputs = {c.Input(dtype, whole)}};
      tflite::UnpackOptionsT unpack;
      unpack.axis = axis;
      unpack.num = count;
      spec.options.Set(std::move(unpack));
      for (const TensorId id :
           c.Ops(std::move(spec), dtype, std::vector<Extents>(static_cast<size_t>(count), part))) {
        c.Output(id, dtype, part);
      }
    });
  }
}

void AddSplits(OperatorCases& cases) {
  for (int i = 0; i < 6; ++i) {
    Random& random = cases.random();
    Drawn drawn(random);
    const int count = random.Int(1, 3);
    const int32_t each = random.Int(1, 3);
    cases.Add("SPLIT", drawn.Words(), kExact, [&](OperatorCase& c) {
      drawn.extent() = each * count;
      const TensorId axis = c.writer().Int(drawn.named_axis);
      OperatorSpec spec{.code = Builtin::SPLIT,
                        .inputs = {axis, c.Input(drawn.dtype, drawn.shape)}};
      tflite::SplitOptionsT options;
      options.num_splits = count;
      spec.options.Set(std::move(options));
      drawn.extent() = each;
      const std::vector<Extents> parts(static_cast<size_t>(count), drawn.shape);
      for (const TensorId id : c.Ops(std::move(spec), drawn.dtype, parts)) {
        c.Output(id, drawn.dtype, drawn.shape);
      }
    });
    const std::string form = i % 2 == 0 ? " one open" : "";
    cases.Add("SPLIT_V", drawn.Words() + form, kExact, [&](OperatorCase& c) {
      std::vector<int32_t> sizes;
      std::vector<Extents> parts;
      int32_t total = 0;
      for (int j = 0; j < count; ++j) {
        drawn.extent() = random.Int(1, 3);
        total += drawn.extent();
        sizes.push_back(drawn.extent());
        parts.push_back(drawn.shape);
      }
      if (i % 2 == 0) sizes[static_cast<size_t>(random.Int(0, count - 1))] = -1;
      drawn.extent() = total;
      const TensorId x = c.Input(drawn.dtype, drawn.shape);
      OperatorSpec spec{.code = Builtin::SPLIT_V,
                        .inputs = {x, c.writer().Ints(sizes), c.writer().Int(drawn.named_axis)}};
      tflite::SplitVOptionsT options;
      options.num_splits = count;
      spec.options.Set(std::move(options));
      const std::vector<TensorId> ids = c.Ops(std::move(spec), drawn.dtype, parts);
      for (size_t j = 0; j < ids.size(); ++j) c.Output(ids[j], drawn.dtype, parts[j]);
    });
  }
}

void AddSlices(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    const Drawn drawn(random);
    cases.Add("SLICE", std::string(Info(drawn.dtype).name), kExact, [&](OperatorCase& c) {
      std::vector<int32_t> begin;
      std::vector<int32_t> size;
      Extents to;
      for (const int32_t extent : drawn.shape) {
        begin.push_back(random.Int(0, extent - 1));
        to.push_back(random.Int(1, extent - begin.back()));
        const bool to_the_end = begin.back() + to.back() == extent;
        size.push_back(to_the_end && random.Coin() ? -1 : to.back());
      }
      const TensorId x = c.Input(drawn.dtype, drawn.shape);
      c.Output(c.Op(Builtin::SLICE, {x, c.writer().Ints(begin), c.writer().Ints(size)}, drawn.dtype,
                    to, tflite::SliceOptionsT{}),
               drawn.dtype, to);
    });
  }
}

/// The bounds of a STRIDED_SLICE and the shape that they leave.
struct StridedBounds {
  std::vector<int32_t> begin, end, stride;
  tflite::StridedSliceOptionsT options;
  Extents to;

  void Add(int32_t b, int32_t e, int32_t s) {
    begin.push_back(b);
    end.push_back(e);
    stride.push_back(s);
  }
  int bit() const { return 1 << begin.size(); }

  void Cut(Random& random, int32_t extent) {
    const int32_t step = random.Of<int32_t>({1, 1, 2, -1, -2});
    const int32_t first = random.Int(0, extent - 1);
    const int32_t others = random.Int(0, step > 0 ? extent - 1 - first : first) / std::abs(step);
    const int32_t last = first + others * step;
    const int choice = random.Int(0, 4);
    if (choice == 0) {
      options.shrink_axis_mask |= bit();
      return Add(random.Coin() ? first : first - extent, first + 1, 1);
    }
    int32_t size = others + 1;
    int32_t begins = first;
    if (choice == 1) {
      options.begin_mask |= bit();
      size = step > 0 ? last / step + 1 : (extent - 1 - last) / -step + 1;
    } else if (choice == 2) {
      begins -= extent;
    }
    // One past the last, or, going down to the first element, only a mask can say so.
    int32_t ends = last + (step > 0 ? 1 : -1);
    if (ends < 0 || random.Int(0, 4) == 0) {
      const int32_t from = options.begin_mask & bit() ? (step > 0 ? 0 : extent - 1) : first;
      options.end_mask |= bit();
      size = step > 0 ? (extent - 1 - from) / step + 1 : from / -step + 1;
      ends = 0;
    }
    to.push_back(size);
    Add(begins, ends, step);
  }
};

void AddStridedSlices(OperatorCases& cases) {
  for (int i = 0; i < 24; ++i) {
    Random& random = cases.random();
    const std::string form = i < 12       ? ""
                             : i % 3 == 0 ? " ellipsis"
                             : i % 3 == 1 ? " new axis"
                                          : " some";
    const Drawn drawn(random, 4);
    cases.Add("STRIDED_SLICE", fmt::format("{}{}", Info(drawn.dtype).name, form), kExact,
              [&](OperatorCase& c) {
                StridedBounds bounds;
                const int skipped = form == " ellipsis" ? random.Int(0, drawn.rank) : 0;
                const int at = random.Int(0, drawn.rank - skipped);
                const int named = form == " some" ? random.Int(1, drawn.rank) : drawn.rank;
                for (int axis = 0; axis <= drawn.rank; ++axis) {
                  if (form == " new axis" && axis == at) {
                    bounds.options.new_axis_mask |= bounds.bit();
                    bounds.to.push_back(1);
                    bounds.Add(0, 0, 1);
                  }
                  if (form == " ellipsis" && axis == at) {
                    bounds.options.ellipsis_mask |= bounds.bit();
                    bounds.Add(0, 0, 1);
                    for (int j = 0; j < skipped; ++j, ++axis) {
                      bounds.to.push_back(drawn.shape[static_cast<size_t>(axis)]);
                    }
                  }
                  if (axis == drawn.rank) break;
                  const int32_t extent = drawn.shape[static_cast<size_t>(axis)];
                  if (axis < named) {
                    bounds.Cut(random, extent);
                  } else {
                    bounds.to.push_back(extent);
                  }
                }
                c.Note(fmt::format("{}:{}:{} masks {} {} shrink {}", fmt::join(bounds.begin, ","),
                                   fmt::join(bounds.end, ","), fmt::join(bounds.stride, ","),
                                   bounds.options.begin_mask, bounds.options.end_mask,
                                   bounds.options.shrink_axis_mask));
                const TensorId x = c.Input(drawn.dtype, drawn.shape);
                c.Output(c.Op(Builtin::STRIDED_SLICE,
                              {x, c.writer().Ints(bounds.begin), c.writer().Ints(bounds.end),
                               c.writer().Ints(bounds.stride)},
                              drawn.dtype, bounds.to, bounds.options),
                         drawn.dtype, bounds.to);
              });
  }
}

void AddPads(OperatorCases& cases) {
  for (int i = 0; i < 8; ++i) {
    Random& random = cases.random();
    const bool has_value = i % 2 == 1;
    const Extents from = random.Shape(random.Int(1, 5), 1, 4);
    const auto rank = static_cast<int32_t>(from.size());
    const DType dtype = i < 4 ? DType::kF32 : random.Of<DType>({DType::kI32, DType::kI64});
    cases.Add(
        has_value ? "PADV2" : "PAD", std::string(Info(dtype).name), kExact, [&](OperatorCase& c) {
          const auto paddings = random.Numbers<int32_t>({rank, 2}, 0, 2);
          Extents to = from;
          for (size_t j = 0; j < paddings.size(); ++j) to[j / 2] += paddings[j];
          std::vector<TensorId> inputs = {c.Input(dtype, from),
                                          c.writer().Constant({rank, 2}, paddings, DType::kI32)};
          if (has_value) {
            inputs.push_back(c.Constant(dtype, {}));
            c.Output(c.Op(Builtin::PADV2, inputs, dtype, to, tflite::PadV2OptionsT{}), dtype, to);
          } else {
            c.Output(c.Op(Builtin::PAD, inputs, dtype, to, tflite::PadOptionsT{}), dtype, to);
          }
        });
  }
}

void AddTiles(OperatorCases& cases) {
  for (int i = 0; i < 6; ++i) {
    Random& random = cases.random();
    const Drawn drawn(random);
    cases.Add("TILE", std::string(Info(drawn.dtype).name), kExact, [&](OperatorCase& c) {
      const auto multiples = random.Numbers<int32_t>({drawn.rank}, 1, 3);
      Extents to = drawn.shape;
      for (size_t j = 0; j < to.size(); ++j) to[j] *= multiples[j];
      const TensorId x = c.Input(drawn.dtype, drawn.shape);
      c.Output(c.Op(Builtin::TILE, {x, c.writer().Ints(multiples)}, drawn.dtype, to,
                    tflite::TileOptionsT{}),
               drawn.dtype, to);
    });
  }
}

}  // namespace

void AddPartCases(OperatorCases& cases) {
  AddConcatenations(cases);
  AddPacks(cases);
  AddSplits(cases);
  AddSlices(cases);
  AddStridedSlices(cases);
  AddPads(cases);
  AddTiles(cases);
}

}  // namespace litertlm
