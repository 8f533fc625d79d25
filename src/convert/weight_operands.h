// The decoder's weights as operands of the operators of one subgraph.
#ifndef LITERTLM_CONVERT_WEIGHT_OPERANDS_H_
#define LITERTLM_CONVERT_WEIGHT_OPERANDS_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "convert/decoder_spec.h"
#include "convert/op_emitter.h"
#include "convert/weight_store.h"

namespace litertlm {

/// Each weight is one tensor of the subgraph, however often it is used.
class WeightOperands {
 public:
  /// References must outlive the object. `dynamic`: products take quantized weights as they are;
  /// else they are widened.
  WeightOperands(const WeightStore& weights, bool dynamic, OpEmitter& ops)
      : weights_(weights), dynamic_(dynamic), ops_(ops) {}

  /// A matrix, and the type that it has as an operand.
  std::pair<TensorId, DType> Matrix(const std::string& name) {
    return Matrix(name, weights_.Matrix(name));
  }
  /// The same for one that is not in the store.
  std::pair<TensorId, DType> Matrix(const std::string& name, const StoredMatrix& stored);
  TensorId Vector(const std::string& name);
  /// W x + b.
  TensorId Linear(TensorId x, const LinearSpec& linear, std::string_view name);

 private:
  const WeightStore& weights_;
  const bool dynamic_;
  OpEmitter& ops_;
  std::map<std::string, std::pair<TensorId, DType>> matrices_;
  std::map<std::string, TensorId> vectors_;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_WEIGHT_OPERANDS_H_
