// Constants that hold weights: their view as a matrix, and single rows widened.
#ifndef LITERTLM_RUNTIME_CODED_MATRIX_H_
#define LITERTLM_RUNTIME_CODED_MATRIX_H_

#include "kernels/matmul.h"
#include "runtime/tensor.h"

namespace litertlm {

/// `tensor` of any rank as rows along its first axis.
WeightMatrix MatrixOf(const Tensor& tensor);

/// Writes row `row` as floats. Block scales are used as they are, in f16.
void WidenRow(const WeightMatrix& matrix, int64_t row, float* y);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_CODED_MATRIX_H_
