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

}  // namespace

// A slice, then a reshape that drops the axes of which one index was taken.
void ImportStridedSlice(OperatorImporter& op) {
  const auto* options = op.op().builtin_options_as_StridedSliceOptions();
  const auto mask = [&](auto getter) { return options == nullptr ? 0 : (options->*getter)(); };
  using Options = tflite::StridedSliceOptions;
  if (mask(&Options::ellipsis_mask) != 0 || mask(&Options::new_axis_mask) != 0 ||
      (options != nullptr && options->offset())) {
    op.Fail(ErrorCode::kUnsupported, "ellipses, new axes and offsets are not supported");
  }
  const Shape from = op.shape(0);
  const std::vector<int64_t> begins = op.Numbers(1);
  const std::vector<int64_t> ends = op.Numbers(2);
  const std::vector<int64_t> strides = op.Numbers(3);
  op.Check(begins.size() <= static_cast<size_t>(from.rank()) && ends.size() == begins.size() &&
               strides.size() == begins.size(),
           "its bounds do not fit its input's rank");

  SliceAttributes attributes;
  Shape target;
  bool shrinks = false;
  for (int axis = 0; axis < from.rank(); ++axis) {
    const auto bit = [&](auto getter) { return (mask(getter) >> axis & 1) != 0; };
    Bounds bounds{0, from[axis]};
    int64_t stride = 1;
    bool shrink = false;
    if (static_cast<size_t>(axis) < begins.size()) {
      stride = strides[axis];
      shrink = bit(&Options::shrink_axis_mask);
      op.Check(stride != 0, "a stride is zero");
      if (shrink) {
        bounds = {begins[axis] < 0 ? begins[axis] + from[axis] : begins[axis], 1};
        stride = 1;
      } else {
        bounds = Resolve(begins[axis], bit(&Options::begin_mask), ends[axis],
                         bit(&Options::end_mask), stride, from[axis]);
      }
    }
    attributes.begin.push_back(bounds.begin);
    attributes.size.push_back(bounds.size);
    attributes.stride.push_back(stride);
    shrinks |= shrink;
    if (!shrink) target.push_back(bounds.size);
  }
  const ValueId slice = op.Emit(Op::kSlice, {op.in(0)}, attributes);
  op.Bind(0, shrinks ? op.EmitReshape(slice, target) : slice);
}

}  // namespace litertlm
