// Sketches of matrices (kernels/sketch.h): coding rows, and bounds of products.
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
  static constexpr size_t kStep = 4 * V::kLanes;
  static_assert(kSketchLine % V::kBytes == 0 && kSketchColumns % kStep == 0);

 public:
  static void CodeRow(const int8_t* weights, size_t columns, float scale, size_t row,
                      uint8_t* band) {
    const size_t parts = SketchParts(columns);
    Extent extent;
    ForParts(weights, columns, [&](const int8_t* part, size_t) {
      for (size_t i = 0; i < kSketchColumns; i += V::kLanes) extent.Add(V::WidenI8(part + i));
    });
    const SketchUnit unit =
        UnitOf(V::ReduceAdd(extent.squares), V::ReduceMax(extent.largest), columns);
    Extent errors;
    I level_sum = V::Zero();
    uint8_t* to = band + row * parts * kSketchLine;
    uint8_t* signs = SketchSigns(band, parts);
    ForParts(weights, columns, [&](const int8_t* part, size_t column) {
      alignas(V::kBytes) uint8_t numbers[kSketchColumns];
      NumberLevels(part, unit, numbers);
      PackSketchSigns(part, row, signs);
      for (size_t i = columns - column; i < kSketchColumns; ++i) numbers[i] = 0;
      AddErrors(part, unit, numbers, signs, row, errors, level_sum);
      PackNumbers(numbers, to);
      to += kSketchLine;
      signs += kSketchLine;
    });
    DescribeRow(unit, scale, V::ReduceAdd(errors.squares), V::ReduceMax(errors.largest), columns,
                row, SketchFactsOf(band, parts));
    SketchFactsOf(band, parts)->level_sum[row] = Sum(level_sum);
  }

  static size_t Bounds(const SketchView& sketch, const SketchInput& input, Range rows,
                       float* bounds) {
    return kReadsPastSecondLevel ? BoundRows<true>(sketch, input, rows, bounds)
                                 : BoundRows<false>(sketch, input, rows, bounds);
  }

 private:
  /// Calls `use(part, column)` for each kSketchColumns weights, the last ones filled up with what
  /// has the signs of the levels there, in turn.
  template <typename Use>
  static void ForParts(const int8_t* weights, size_t columns, const Use& use) {
    size_t column = 0;
    for (; column + kSketchColumns <= columns; column += kSketchColumns) {
      use(weights + column, column);
    }
    if (column == columns) return;
    int8_t last[kSketchColumns];
    for (size_t i = 0; i < kSketchColumns; ++i) last[i] = i % 2 == 0 ? 0 : -1;
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

  static void NumberLevels(const int8_t* part, const SketchUnit& unit, uint8_t* numbers) {
    const F inverse = V::SetF(unit.inverse);
    const F reach = V::SetF(kSketchReach);
    for (size_t i = 0; i < kSketchColumns; i += kStep) {
      I number[4];
#pragma GCC unroll 4
      for (size_t k = 0; k < 4; ++k) {
        const F q = V::Mul(V::WidenI8(part + i + k * V::kLanes), inverse);
        const F x = V::Min(V::Max(q, V::Sub(V::ZeroF(), q)), reach);
        const F square = V::Mul(x, x);
        F slope = V::MulAdd(square, V::SetF(SketchCurve::c), V::SetF(SketchCurve::b));
        slope = V::MulAdd(square, slope, V::SetF(SketchCurve::a));
        number[k] = V::Round(V::MulAdd(x, slope, V::SetF(-0.5f)));
      }
      V::Store8(numbers + i, number[0], number[1], number[2], number[3]);
    }
  }

  static void AddErrors(const int8_t* part, const SketchUnit& unit, const uint8_t* numbers,
                        const uint8_t* signs, size_t row, Extent& errors, I& level_sum) {
    alignas(V::kBytes) int8_t levels[kSketchColumns];
    const I table = V::Load(kSketchLevel);
    for (size_t half = 0; half < 2; ++half) {
      for (size_t i = 0; i < kSketchLine; i += V::kBytes) {
        const I level = V::LookUp(table, V::Load(numbers + half * kSketchLine + i));
        const I signed_level = V::NegateWhere(V::Load(signs + i), SignBit(row, half), level);
        level_sum = V::SumBytes(level_sum, signed_level);
        V::Store(levels + half * kSketchLine + i, signed_level);
      }
    }
    const F length = V::SetF(unit.unit);
    for (size_t i = 0; i < kSketchColumns; i += V::kLanes) {
      errors.Add(V::NegMulAdd(V::WidenI8(levels + i), length, V::WidenI8(part + i)));
    }
  }

  static void PackNumbers(const uint8_t* numbers, uint8_t* codes) {
    for (size_t i = 0; i < kSketchLine; i += V::kBytes) {
      const I high = V::ShiftLeft32(V::Load(numbers + kSketchLine + i), 4);
      V::Store(codes + i, V::Add32(V::Load(numbers + i), high));
    }
  }

  [[gnu::always_inline]] static int32_t Sum(I v) {
    const I lanes[4] = {v, V::Zero(), V::Zero(), V::Zero()};
    int32_t sums[4];
    V::Sum4(lanes, sums);
    return sums[0];
  }

  static int SignBit(size_t row, size_t half) { return static_cast<int>(2 * row + half); }

  template <bool kPast>
  static size_t BoundRows(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds) {
    SketchInput x = input;
    x.coding.zero_point -= V::kCodeOffset;
    const size_t parts = sketch.parts;
    const uint8_t* band = sketch.bands + rows.begin / kSketchRows * SketchBandBytes(parts);
    size_t highest = rows.begin;
    float highest_bound = -__builtin_inff();
    for (size_t n = rows.begin; n < rows.end; n += kSketchRows, band += SketchBandBytes(parts)) {
      int32_t sums[kSketchRows];
      float all[kSketchRows];
      MultiplyBand<kPast>(band, parts, x.codes, sums);
      const SketchFacts* facts = SketchFactsOf(band, parts);
      BoundsOf(x, *facts, sums, all);
      for (size_t row = 0; row < kSketchRows && n + row < rows.end; ++row) {
        bounds[n + row] = all[row];
        if (all[row] > highest_bound) {
          highest_bound = all[row];
          highest = n + row;
        }
      }
    }
    return highest;
  }

  /// Bounds of a band's rows. Not inlined: where there are 16 registers, what it needs would be
  /// kept in them and the loop of products would store its sums, a tenth of its time with AVX2.
  [[gnu::noinline]] static void BoundsOf(const SketchInput& x, const SketchFacts& facts,
                                         const int32_t* sums, float* bounds) {
    for (size_t row = 0; row < kSketchRows; ++row) bounds[row] = BoundOf(x, facts, row, sums[row]);
  }

  /// Sums of the products of a band's rows with codes.
  template <bool kPast>
  [[gnu::always_inline]] static void MultiplyBand(const uint8_t* band, size_t parts,
                                                  const uint8_t* codes, int32_t* sums) {
    const size_t others = SketchOtherLines(parts);
    const uint8_t* signs = SketchSigns(band, parts);
    // Lines are asked for in their order in memory, some more for each row than it has numbers:
    // signs by themselves, at once or in a stream beside, cost up to a fifth of the speed.
    const uint8_t* next = band;
    I products[kSketchRows];
    for (size_t row = 0; row < kSketchRows; ++row, band += parts * kSketchLine) {
      for (size_t i = row * others / kSketchRows; i < (row + 1) * others / kSketchRows; ++i) {
        ReadAhead<kPast>(next);
        next += kSketchLine;
      }
      products[row] = Multiply<kPast>(band, signs, row, parts, codes, next);
    }
    V::Sum4(products, sums);
  }

  template <bool kPast>
  [[gnu::always_inline]] static I Multiply(const uint8_t* numbers, const uint8_t* signs, size_t row,
                                           size_t parts, const uint8_t* codes,
                                           const uint8_t*& next) {
    using Products = NibbleProducts<V>;
    const I table = V::Load(kSketchLevel);
    const I nibble = V::Set8(0x0f);
    I sum = V::Zero();
    for (size_t part = 0; part < parts; ++part) {
      ReadAhead<kPast>(next);
#pragma GCC unroll 4
      for (size_t i = 0; i < kSketchLine; i += V::kBytes) {
        const I both = InRegister(V::Load(numbers + i));
        const I sign = InRegister(V::Load(signs + i));
        const I low = V::LookUp(table, V::And(both, nibble));
        const I high = V::LookUp(table, V::UpperNibbles(both));
        sum = Products::Dot(sum, V::Load(codes + i), V::NegateWhere(sign, SignBit(row, 0), low));
        sum = Products::Dot(sum, V::Load(codes + kSketchLine + i),
                            V::NegateWhere(sign, SignBit(row, 1), high));
      }
      numbers += kSketchLine;
      signs += kSketchLine;
      codes += kSketchColumns;
      next += kSketchLine;
    }
    return sum;
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_SKETCH_H_
