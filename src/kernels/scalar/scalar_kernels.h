// The plain definitions that every faster kernel is tested against, and falls back to for rare
// shapes.
#ifndef LITERTLM_KERNELS_SCALAR_SCALAR_KERNELS_H_
#define LITERTLM_KERNELS_SCALAR_SCALAR_KERNELS_H_

#include "kernels/kernel_table.h"

namespace litertlm {

/// How values between `low` (at most 0) and `high` (at least 0) are coded.
struct RowRange {
  float inverse;  ///< Codes per unit.
  int32_t zero_point;
};
RowRange CodeRange(float low, float high);

/// How a row of a cache is coded whose numbers are `largest` at most.
struct CacheScale {
  float inverse;  ///< Codes per unit.
  float scale;    ///< Units per code.
};
CacheScale ScaleUpTo(float largest);

void QuantizeRowScalar(const float* x, size_t columns, uint8_t* codes, RowCoding* coding);
void DynamicScalar(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory);
void FloatingScalar(const FloatArgs& args, Range rows, Range outputs, PanelMemory memory);

/// How a row of a sketch is coded.
struct SketchUnit {
  float unit;     ///< Of levels.
  float inverse;  ///< Deviations per unit of weight.
  float largest_weight;
};
/// For weights of which the sum of squares and the largest |q| are known.
SketchUnit UnitOf(float squares, float largest, size_t columns);
/// Sets the signs of kSketchColumns weights of a band's row, in a line that has none of it as yet.
void PackSketchSigns(const int8_t* weights, size_t row, uint8_t* signs);
/// All but the level_sum of a row. `squares` and `largest` are those of its errors.
void DescribeRow(const SketchUnit& unit, float scale, float squares, float largest, size_t columns,
                 size_t row, SketchFacts* facts);
void SketchRowScalar(const int8_t* weights, size_t columns, float scale, size_t row, uint8_t* band);
size_t SketchBoundsScalar(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds);

void AddScalar(const float* a, const float* b, float* y, size_t count);
void SiluMulScalar(const float* gate, const float* up, float* y, size_t count);
void GeluTanhMulScalar(const float* gate, const float* up, float* y, size_t count);
void RopeScalar(const Rotation& rotation, size_t row, const float* x, float* y, size_t size);
void ToF16Scalar(const float* x, uint16_t* y, size_t count);
void ToI8Scalar(const float* x, int8_t* y, size_t count);
void AttentionScalar(const AttentionArgs& task, float* scratch);
size_t AttentionScalarScratchBytes(const AttentionArgs& args);

const KernelTable& ScalarKernels();

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SCALAR_SCALAR_KERNELS_H_
