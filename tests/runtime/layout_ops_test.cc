// Operators that move data, on values worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "litertlm/error.h"
#include "tests/runtime/run_model.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;
using Write = std::function<TensorId(SignatureWriter&, TensorId x)>;

/// 0, 1, 2, … in the given shape, through what `write` builds.
Floats Compute(const Extents& shape, const Write& write) {
  size_t count = 1;
  for (const int32_t extent : shape) count *= static_cast<size_t>(extent);
  Floats x(count);
  for (size_t i = 0; i < count; ++i) x[i] = static_cast<float>(i);
  return RunModel([&](SignatureWriter& w) { w.Output("y", write(w, w.Input("x", shape))); },
                  {Array::Of(x)})
      .As<float>();
}

TEST(LayoutOps, ReshapeResolvesWhatIsLeftOpen) {
  EXPECT_THAT(Compute({2, 3},
                      [](auto& w, TensorId x) {
                        return w.Op(Builtin::RESHAPE, {x, w.Ints({-1})}, {6});
                      }),
              ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(LayoutOps, TransposePermutes) {
  EXPECT_THAT(Compute({2, 3},
                      [](auto& w, TensorId x) {
                        return w.Op(Builtin::TRANSPOSE, {x, w.Ints({1, 0})}, {3, 2});
                      }),
              ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(Compute({2, 1, 2, 2},
                      [](auto& w, TensorId x) {
                        return w.Op(Builtin::TRANSPOSE, {x, w.Ints({2, 3, 1, 0})}, {2, 2, 1, 2});
                      }),
              ElementsAre(0, 4, 1, 5, 2, 6, 3, 7));
}

TEST(LayoutOps, SliceTakesABlock) {
  EXPECT_THAT(Compute({3, 4},
                      [](auto& w, TensorId x) {
                        return w.Op(Builtin::SLICE, {x, w.Ints({1, 1}), w.Ints({-1, 2})}, {2, 2});
                      }),
              ElementsAre(5, 6, 9, 10));
}

TEST(LayoutOps, StridedSliceFollowsNumPy) {
  const auto run = [](const Ints& begin, const Ints& end, const Ints& stride, const Extents& result,
                      int begin_mask = 0, int end_mask = 0, int shrink = 0) {
    return Compute({3, 4}, [&](auto& w, TensorId x) {
      tflite::StridedSliceOptionsT options;
      options.begin_mask = begin_mask;
      options.end_mask = end_mask;
      options.shrink_axis_mask = shrink;
      return w.OpWith(Builtin::STRIDED_SLICE, {x, w.Ints(begin), w.Ints(end), w.Ints(stride)},
                      result, options);
    });
  };
  EXPECT_THAT(run({0, 1}, {2, 4}, {1, 2}, {2, 2}), ElementsAre(1, 3, 5, 7));  // x[0:2, 1:4:2]
  EXPECT_THAT(run({-1, -1}, {0, 0}, {-1, -2}, {2, 2}),
              ElementsAre(11, 9, 7, 5));                                      // x[-1:0:-1, -1:0:-2]
  EXPECT_THAT(run({1, 0}, {2, 2}, {1, 1}, {2}, 0, 0, 1), ElementsAre(4, 5));  // x[1, 0:2]
  EXPECT_THAT(run({9, 9}, {-1, 99}, {1, 1}, {2, 4}, 3, 2),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));                            // x[:-1, :]
  EXPECT_THAT(run({-1}, {99}, {1}, {4}, 0, 0, 1), ElementsAre(8, 9, 10, 11));  // x[-1]
}

// TensorFlow's tf.strided_slice: entries behind an ellipsis name the last axes, and drop these
// where they shrink; the ellipsis may stand for none.
TEST(LayoutOps, StridedSliceShrinksBehindAnEllipsis) {
  const auto run = [](const Ints& begin, int ellipsis, int shrink, int new_axis,
                      const Extents& result) {
    return Compute({2, 2, 3}, [&](auto& w, TensorId x) {
      tflite::StridedSliceOptionsT options;
      options.ellipsis_mask = ellipsis;
      options.shrink_axis_mask = shrink;
      options.new_axis_mask = new_axis;
      Ints end = begin;
      for (int32_t& number : end) ++number;
      return w.OpWith(Builtin::STRIDED_SLICE,
                      {x, w.Ints(begin), w.Ints(end), w.Ints(Ints(begin.size(), 1))}, result,
                      options);
    });
  };
  EXPECT_THAT(run({0, 2}, 1, 2, 0, {2, 2}), ElementsAre(2, 5, 8, 11));        // x[..., 2]
  EXPECT_THAT(run({1, 0, 1}, 2, 5, 0, {2}), ElementsAre(7, 10));              // x[1, ..., 1]
  EXPECT_THAT(run({0, 1, 0}, 1, 6, 0, {2}), ElementsAre(3, 9));               // x[..., 1, 0]
  EXPECT_THAT(run({1, 0, 1, 2}, 2, 13, 0, {}), ElementsAre(11));              // x[1, ..., 1, 2]
  EXPECT_THAT(run({0, 0, 2}, 1, 4, 2, {2, 2, 1}), ElementsAre(2, 5, 8, 11));  // x[..., None, 2]
}

TEST(LayoutOps, ConcatenationAndPackJoin) {
  EXPECT_THAT(Compute({2, 2},
                      [](auto& w, TensorId x) {
                        tflite::ConcatenationOptionsT options;
                        options.axis = -1;
                        return w.OpWith(Builtin::CONCATENATION, {x, w.Floats({2, 1}, {8, 9}), x},
                                        {2, 5}, options);
                      }),
              ElementsAre(0, 1, 8, 0, 1, 2, 3, 9, 2, 3));
  EXPECT_THAT(Compute({2},
                      [](auto& w, TensorId x) {
                        tflite::PackOptionsT options;
                        options.axis = 1;
                        options.values_count = 2;
                        return w.OpWith(Builtin::PACK, {x, w.Floats({2}, {8, 9})}, {2, 2}, options);
                      }),
              ElementsAre(0, 8, 1, 9));
}

/// The outputs of an operator that cuts its input, joined one behind the other.
Floats Cut(Builtin code, const Extents& from, const Extents& part, int parts,
           const std::function<void(SignatureWriter&, TensorId, OperatorSpec&)>& set) {
  return Compute(from, [&](auto& w, TensorId x) {
    OperatorSpec spec{.code = code};
    set(w, x, spec);
    std::vector<TensorId> flat;
    int32_t count = 1;
    for (const int32_t extent : part) count *= extent;
    for (int i = 0; i < parts; ++i) spec.outputs.push_back(w.Tensor(part));
    const std::vector<TensorId> outputs = spec.outputs;
    w.AddOperator(std::move(spec));
    for (const TensorId output : outputs) {
      flat.push_back(w.Op(Builtin::RESHAPE, {output, w.Ints({count})}, {count}));
    }
    tflite::ConcatenationOptionsT options;
    options.axis = 0;
    return w.OpWith(Builtin::CONCATENATION, flat, {count * parts}, options);
  });
}

TEST(LayoutOps, SplitAndUnpackCut) {
  EXPECT_THAT(Cut(Builtin::SPLIT, {2, 4}, {2, 2}, 2,
                  [](auto& w, TensorId x, OperatorSpec& spec) {
                    spec.inputs = {w.Int(-1), x};
                  }),
              ElementsAre(0, 1, 4, 5, 2, 3, 6, 7));
  EXPECT_THAT(Cut(Builtin::SPLIT_V, {4, 2}, {2, 2}, 2,
                  [](auto& w, TensorId x, OperatorSpec& spec) {
                    spec.inputs = {x, w.Ints({2, -1}), w.Int(0)};
                  }),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(Cut(Builtin::UNPACK, {2, 3}, {2}, 3,
                  [](auto&, TensorId x, OperatorSpec& spec) {
                    spec.inputs = {x};
                    tflite::UnpackOptionsT options;
                    options.axis = 1;
                    options.num = 3;
                    spec.options.Set(std::move(options));
                  }),
              ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(LayoutOps, RepeatAndPad) {
  EXPECT_THAT(Compute({2, 1},
                      [](auto& w, TensorId x) {
                        return w.Op(Builtin::BROADCAST_TO, {x, w.Ints({2, 2, 2})}, {2, 2, 2});
                      }),
              ElementsAre(0, 0, 1, 1, 0, 0, 1, 1));
  EXPECT_THAT(Compute({2, 2},
                      [](auto& w, TensorId x) {
                        return w.Op(Builtin::TILE, {x, w.Ints({2, 2})}, {4, 4});
                      }),
              ElementsAre(0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3));
  EXPECT_THAT(Compute({1, 2},
                      [](auto& w, TensorId x) {
                        const TensorId paddings =
                            w.template Constant<int32_t>({2, 2}, {0, 1, 1, 0}, DType::kI32);
                        return w.Op(Builtin::PAD, {x, paddings}, {2, 3});
                      }),
              ElementsAre(0, 0, 1, 0, 0, 0));
  EXPECT_THAT(Compute({1, 2},
                      [](auto& w, TensorId x) {
                        const TensorId paddings =
                            w.template Constant<int32_t>({2, 2}, {0, 1, 1, 0}, DType::kI32);
                        return w.Op(Builtin::PADV2, {x, paddings, w.Floats({}, {7})}, {2, 3});
                      }),
              ElementsAre(7, 0, 1, 7, 7, 7));
  EXPECT_THAT(
      Compute({1},
              [](auto& w, TensorId x) {
                const TensorId filled = w.Op(Builtin::FILL, {w.Ints({3}), w.Floats({}, {4})}, {3});
                return w.Op(Builtin::ADD, {filled, x}, {3});
              }),
      ElementsAre(4, 4, 4));
  EXPECT_THAT(Compute({1},
                      [](auto& w, TensorId) {
                        const TensorId range = w.Op(
                            Builtin::RANGE, {w.Int(5), w.Int(-2), w.Int(-3)}, {3}, DType::kI32);
                        return w.Op(Builtin::CAST, {range}, {3});
                      }),
              ElementsAre(5, 2, -1));
}

TEST(LayoutOps, SqueezeAndExpandDims) {
  EXPECT_THAT(Compute({1, 2, 1},
                      [](auto& w, TensorId x) {
                        tflite::SqueezeOptionsT options;
                        options.squeeze_dims = {-1};
                        const TensorId squeezed = w.OpWith(Builtin::SQUEEZE, {x}, {1, 2}, options);
                        return w.Op(Builtin::EXPAND_DIMS, {squeezed, w.Int(-2)}, {1, 1, 2});
                      }),
              ElementsAre(0, 1));
}

TEST(Gather, ReadsRowsColumnsAndBatches) {
  const auto run = [](int axis, int batch_dims, const Extents& index_shape, const Ints& indices,
                      const Extents& result) {
    return Compute({2, 3}, [&](auto& w, TensorId x) {
      tflite::GatherOptionsT options;
      options.axis = axis;
      options.batch_dims = batch_dims;
      const TensorId ids = w.template Constant<int32_t>(index_shape, indices, DType::kI32);
      return w.OpWith(Builtin::GATHER, {x, ids}, result, options);
    });
  };
  EXPECT_THAT(run(0, 0, {3}, {1, 0, 1}, {3, 3}), ElementsAre(3, 4, 5, 0, 1, 2, 3, 4, 5));
  EXPECT_THAT(run(-1, 0, {2}, {2, 0}, {2, 2}), ElementsAre(2, 0, 5, 3));
  EXPECT_THAT(run(1, 1, {2, 1}, {2, 0}, {2, 1}), ElementsAre(2, 3));
  EXPECT_THROW(run(0, 0, {1}, {2}, {1, 3}), Error);
  EXPECT_THROW(run(0, 0, {1}, {-1}, {1, 3}), Error);
}

TEST(DynamicUpdateSlice, MovesTheStartSoThatTheUpdateFits) {
  const auto run = [](const Ints& start) {
    return Compute({3, 3}, [&](auto& w, TensorId x) {
      return w.Op(Builtin::DYNAMIC_UPDATE_SLICE, {x, w.Floats({2, 1}, {50, 60}), w.Ints(start)},
                  {3, 3});
    });
  };
  EXPECT_THAT(run({0, 1}), ElementsAre(0, 50, 2, 3, 60, 5, 6, 7, 8));
  EXPECT_THAT(run({9, 9}), ElementsAre(0, 1, 2, 3, 4, 50, 6, 7, 60));
  EXPECT_THAT(run({-4, 0}), ElementsAre(50, 1, 2, 60, 4, 5, 6, 7, 8));
}

}  // namespace
}  // namespace litertlm
