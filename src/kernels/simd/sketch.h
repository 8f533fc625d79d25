// Sketches of matrices (kernels/sketch.h): coding a row, and bounds of products.
#ifndef LITERTLM_KERNELS_SIMD_SKETCH_H_
#define LITERTLM_KERNELS_SIMD_SKETCH_H_

#include "kernels/kernel_table.h"
#include "kernels/scalar/scalar_kernels.h"
#include "kernels/scalar/sketch_bound.h"
#include "kernels/simd/in_register.h"
#include "kernels/simd/nibble_products.h"
#include "kernels/simd/read_ahead.h"

namespace litertlm {

template <typename V>
class SketchKernels {
  using I = typename V::I;
  using F = typename V::F;
  static constexpr size_t kHalf = kSketchColumns / 2;
  static constexpr size_t kStep = 4 * V::kLanes;
  static_assert(kHalf % V::kBytes == 0 && kSketchColumns % kStep == 0);

 public:
  static void CodeRow(const int8_t* weights, size_t columns, float scale, uint8_t* codes,
                      SketchRow* row) {
    Extent extent;
    ForParts(weights, columns, [&](const int8_t* part, size_t) {
      for (size_t i = 0; i < kSketchColumns; i += V::kLanes) extent.Add(V::WidenI8(part + i));
    });
    const SketchStep step =
        StepOf(V::ReduceAdd(extent.squares), V::ReduceMax(extent.largest), columns);
    Extent errors;
    I code_sum = V::Zero();
    ForParts(weights, columns, [&](const int8_t* part, size_t column) {
      CodePart(part, step, codes + column / 2, errors, code_sum);
    });
    *row = DescribeRow(step, scale, V::ReduceAdd(errors.squares), V::ReduceMax(errors.largest),
                       columns);
    row->code_sum = Sum(code_sum);
  }

  static size_t Bounds(const SketchView& sketch, const SketchInput& input, Range rows,
                       float* bounds) {
    return kReadsPastSecondLevel ? BoundRows<true>(sketch, input, rows, bounds)
                                 : BoundRows<false>(sketch, input, rows, bounds);
  }

 private:
  /// Calls `use(part, column)` for each kSketchColumns weights, the last ones filled up with zeros.
  template <typename Use>
  static void ForParts(const int8_t* weights, size_t columns, const Use& use) {
    size_t column = 0;
    for (; column + kSketchColumns <= columns; column += kSketchColumns) {
      use(weights + column, column);
    }
    if (column == columns) return;
    int8_t last[kSketchColumns] = {};
    __builtin_memcpy(last, weights + column, columns - column);
    use(last, column);
  }

  /// Of a row's weights or errors, lane by lane.
  struct Extent {
    F squares = V::ZeroF();  ///< Their sum.
    F largest = V::ZeroF();  ///< max|v|

    [[gnu::always_inline]] void Add(F v) {
      squares = V::MulAdd(v, v, squares);
      largest = V::Max(V::Max(v, V::Sub(V::ZeroF(), v)), largest);
    }
  };

  static void CodePart(const int8_t* part, const SketchStep& step, uint8_t* codes, Extent& errors,
                       I& code_sum) {
    const F length = V::SetF(step.length);
    const F inverse = V::SetF(step.inverse);
    const F least = V::SetF(kLeastSketchCode);
    const F most = V::SetF(kMostSketchCode);
    alignas(V::kBytes) uint8_t bytes[kSketchColumns];
    for (size_t i = 0; i < kSketchColumns; i += kStep) {
      I c[4];
#pragma GCC unroll 4
      for (size_t k = 0; k < 4; ++k) {
        const F q = V::WidenI8(part + i + k * V::kLanes);
        c[k] = V::Round(V::Min(V::Max(V::Mul(q, inverse), least), most));
        errors.Add(V::NegMulAdd(V::ToFloat(c[k]), length, q));
        code_sum = V::Add32(code_sum, c[k]);
      }
      V::Store8(bytes + i, c[0], c[1], c[2], c[3]);
    }
    const I nibble = V::Set8(0x0f);
    for (size_t i = 0; i < kHalf; i += V::kBytes) {
      const I low = V::And(V::Load(bytes + i), nibble);
      const I high = V::And(V::Load(bytes + kHalf + i), nibble);
      V::Store(codes + i, V::Add32(low, V::ShiftLeft32(high, 4)));
    }
  }

  [[gnu::always_inline]] static int32_t Sum(I v) {
    const I lanes[4] = {v, V::Zero(), V::Zero(), V::Zero()};
    int32_t sums[4];
    V::Sum4(lanes, sums);
    return sums[0];
  }

  template <bool kPast>
  static size_t BoundRows(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds) {
    constexpr size_t kRowsAhead = 32;
    const SketchInput x = input;  // Copies, as in StreamOutputs.
    const SketchRow* row = sketch.rows + rows.begin;
    const uint8_t* codes = sketch.codes + rows.begin * sketch.row_bytes;
    const size_t row_bytes = sketch.row_bytes;
    size_t highest = rows.begin;
    float highest_bound = -__builtin_inff();
    for (size_t n = rows.begin; n < rows.end; ++n, ++row, codes += row_bytes) {
      __builtin_prefetch(row + kRowsAhead);
      const int32_t zero_points = (x.coding.zero_point - V::kCodeOffset) * row->code_sum;
      const int32_t sum = Sum(Multiply<kPast>(codes, row_bytes, x.codes)) / V::kNibbleUnit;
      const float bound = BoundOf(x, *row, sum - zero_points);
      bounds[n] = bound;
      if (bound > highest_bound) {
        highest_bound = bound;
        highest = n;
      }
    }
    return highest;
  }

  template <bool kPast>
  [[gnu::always_inline]] static I Multiply(const uint8_t* row, size_t row_bytes,
                                           const uint8_t* codes) {
    using Products = NibbleProducts<V>;
    static_assert(kSketchColumns / V::kBytes <= Products::kSteps);
    I all = V::Zero();
    for (size_t at = 0; at < row_bytes; at += kHalf, codes += kSketchColumns) {
      I sum = Products::Start(all);
#pragma GCC unroll 4
      for (size_t i = 0; i < kHalf; i += V::kBytes) {
        ReadAhead<kPast>(row + at, i);
        const I nibbles = InRegister(V::Load(row + at + i));
        sum = Products::Add(sum, V::Load(codes + i), V::NibblesLow(nibbles));
        sum = Products::Add(sum, V::Load(codes + kHalf + i), V::NibblesHigh(nibbles));
      }
      all = Products::Total(sum, all);
    }
    return all;
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_SKETCH_H_
