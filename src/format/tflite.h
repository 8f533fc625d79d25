// TFLite models: a verified view for reading. Writing is in format/tflite_builder.h.
#ifndef LITERTLM_FORMAT_TFLITE_H_
#define LITERTLM_FORMAT_TFLITE_H_

#include <schema/tflite_generated.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"

namespace litertlm {

/// A TFLite model whose FlatBuffer was verified and whose buffers and indices were checked to lie
/// inside it. A view: the bytes must outlive it. Immutable; any thread may read.
///
/// After `Parse` these hold, so that readers need not check again:
///   - there is at least one subgraph; every offset of the FlatBuffer lies inside it;
///   - tensor, buffer, operator-code and subgraph indices are in range (-1 only where an optional
///     operator input is); a composite's decomposition exists, but may be cyclic;
///   - every tensor's dtype is known, its rank at most 8, and no dimension is negative; a shape
///     signature has the same rank;
///   - a constant's buffer lies inside the model or the weights and has exactly the bytes its shape
///     needs; its address need not be aligned;
///   - scales are finite and not negative, and there is one, or one per index of the quantized
///     dimension; zero points likewise; block scales are f16 constants, one per whole block of the
///     last dimension;
///   - signatures have a key, and their tensors exist and are named.
class TfliteModel {
 public:
  /// `bytes` is the whole model, buffers behind the FlatBuffer included. `weights` is the
  /// TFLiteWeights section for external buffers, or empty. `name` is used in messages.
  static TfliteModel Parse(Bytes bytes, Bytes weights, std::string name);

  const tflite::Model& model() const { return *model_; }
  const std::string& name() const { return name_; }
  /// Bytes of a constant tensor: inline, behind the FlatBuffer, or external. Empty if the tensor
  /// is not a constant.
  Bytes Data(const tflite::Tensor& tensor) const;

 private:
  std::string name_;
  const tflite::Model* model_ = nullptr;
  std::shared_ptr<const std::vector<uint64_t>> copy_;  // Of a model that was not aligned.
  std::vector<Bytes> buffers_;                         // As Model.buffers.
  std::unordered_map<uint32_t, Bytes> external_;       // By ExternalBuffer.id.
};

/// The operator's code, wherever the file's age put it.
int32_t BuiltinCode(const tflite::OperatorCode& code);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_TFLITE_H_
