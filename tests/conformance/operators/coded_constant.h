// Constants in every coding of weights, with random codes and scales.
#ifndef LITERTLM_TESTS_CONFORMANCE_OPERATORS_CODED_CONSTANT_H_
#define LITERTLM_TESTS_CONFORMANCE_OPERATORS_CODED_CONSTANT_H_

#include <string>

#include "tests/conformance/operators/operator_case.h"

namespace litertlm {

struct WeightCoding {
  std::string name;
  DType dtype = DType::kF32;
  bool per_channel = false;
  int block_size = 0;        ///< Of blockwise scales; else 0.
  bool weight_only = false;  ///< A DEQUANTIZE stands behind the constant.
};

/// A constant of `shape`, scaled along `axis` where its scales are not one or blockwise. Where it
/// is `weight_only`, this is what it was widened to.
TensorId CodedConstant(OperatorCase& c, const Extents& shape, const WeightCoding& coding,
                       int axis = 0);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_OPERATORS_CODED_CONSTANT_H_
