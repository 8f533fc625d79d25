#include <algorithm>
#include <cstdlib>

#include "graph/importer.h"

namespace litertlm {
namespace {

struct Bounds {
  int64_t begin;
  int64_t size;
};

// NumPy's x[begin:end:stride] on an axis of that extent.
Bounds Resolve(int64_t begin, bool open_begin, int64_t end, bool open_end, int64_t stride,
               int64_t extent) {
  const int64_t lowest = stride > 0 ? 0 : -1;
  const int64_t highest = stride > 0 ? extent : extent - 1;
  const auto clamp = [&](int64_t index) {
    return std::clamp(index < 0 ? index + extent : index, lowest, std::max(highest, lowest));
  };
  begin = open_begin ? (stride > 0 ? lowest : highest) : clamp(begin);
  end = open_end ? (stride > 0 ? highest : lowest) : clamp(end);
  const int64_t span = stride > 0 ? end - begin : begin - end;
  const int64_t step = std::abs(stride);
  return {begin, span <= 0 ? 0 : (span + step - 1) / step};
}

/// The operator's bounds: one entry for each axis that they name, in the order of the axes.
struct SliceSpec {
  std::vector<int64_t> begins, ends, strides;
  uint32_t open_begin, open_end, ellipsis, new_axis, shrink;
  bool ends_are_sizes;
};

bool Has(uint32_t mask, size_t entry) { return (mask >> entry & 1) != 0; }

SliceSpec ReadSpec(OperatorImporter& op) {
  SliceSpec spec{op.Numbers(1), op.Numbers(2), op.Numbers(3), 0, 0, 0, 0, 0, false};
  op.Check(spec.begins.size() <= 2 * kMaxRank && spec.ends.size() == spec.begins.size() &&
               spec.strides.size() == spec.begins.size(),
           "its bounds do not fit its input's rank");
  if (const auto* options = op.op().builtin_options_as_StridedSliceOptions()) {
    spec.open_begin = static_cast<uint32_t>(options->begin_mask());
    spec.open_end = static_cast<uint32_t>(options->end_mask());
    spec.ellipsis = static_cast<uint32_t>(options->ellipsis_mask());
    spec.new_axis = static_cast<uint32_t>(options->new_axis_mask()) & ~spec.ellipsis;
    spec.shrink = static_cast<uint32_t>(options->shrink_axis_mask());
    spec.ends_are_sizes = options->offset();
  }
  op.Check((spec.ellipsis & (spec.ellipsis - 1)) == 0, "it has two ellipses");
  return spec;
}

/// The slice, axis by axis, and the shape of what is left of it.
struct Cuts {
  SliceAttributes slice;
  Shape target;
  bool reshaped = false;

  void Take(Bounds bounds, int64_t stride) {
    slice.begin.push_back(bounds.begin);
    slice.size.push_back(bounds.size);
    slice.stride.push_back(stride);
  }
  void TakeWhole(const Shape& from, int count) {
    for (int i = 0; i < count; ++i) {
      const int64_t extent = from[slice.begin.rank()];
      target.push_back(extent);
      Take({0, extent}, 1);
    }
  }
};

// Cuts the next axis as entry `i` says.
void CutAxis(OperatorImporter& op, const SliceSpec& spec, size_t i, int64_t extent, Cuts& cuts) {
  const int64_t stride = spec.strides[i];
  op.Check(stride != 0, "a stride is zero");
  if (Has(spec.shrink, i)) {
    const int64_t begin = Has(spec.open_begin, i) ? 0 : spec.begins[i];
    cuts.Take({begin < 0 ? begin + extent : begin, 1}, 1);
    cuts.reshaped = true;
    return;
  }
  const int64_t end = spec.ends_are_sizes ? spec.begins[i] + spec.ends[i] : spec.ends[i];
  const Bounds bounds =
      Resolve(spec.begins[i], Has(spec.open_begin, i), end, Has(spec.open_end, i), stride, extent);
  cuts.target.push_back(bounds.size);
  cuts.Take(bounds, stride);
}

}  // namespace

// A slice, then a reshape that drops the axes of which one index was taken and adds new ones. What
// entries mean is TensorFlow's tf.strided_slice: those behind an ellipsis name the last axes, and
// an ellipsis stands for no axis where the others name all. There LiteRT's kernel lets it stand for
// one and drops the last entry, which no exporter writes.
void ImportStridedSlice(OperatorImporter& op) {
  const Shape from = op.shape(0);
  const SliceSpec spec = ReadSpec(op);
  int named = 0;  // Axes that have an entry.
  for (size_t i = 0; i < spec.begins.size(); ++i) {
    named += Has(spec.ellipsis, i) || Has(spec.new_axis, i) ? 0 : 1;
  }
  const int others = from.rank() - named;
  op.Check(others >= 0, "its bounds do not fit its input's rank");
  op.Check(static_cast<size_t>(from.rank()) + spec.begins.size() - static_cast<size_t>(named) <=
               kMaxRank,
           "its rank is too high");
  Cuts cuts;
  for (size_t i = 0; i < spec.begins.size(); ++i) {
    if (Has(spec.ellipsis, i)) {
      cuts.TakeWhole(from, others);
    } else if (Has(spec.new_axis, i)) {
      cuts.target.push_back(1);
      cuts.reshaped = true;
    } else {
      CutAxis(op, spec, i, from[cuts.slice.begin.rank()], cuts);
    }
  }
  cuts.TakeWhole(from, from.rank() - cuts.slice.begin.rank());
  const ValueId slice = op.Emit(Op::kSlice, {op.in(0)}, cuts.slice);
  op.Bind(0, cuts.reshaped ? op.EmitReshape(slice, cuts.target) : slice);
}

}  // namespace litertlm
