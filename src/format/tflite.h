// TFLite models: a verified view for reading. Writing is in format/tflite_builder.h.
#ifndef LITERTLM_FORMAT_TFLITE_H_
#define LITERTLM_FORMAT_TFLITE_H_

#include <schema/tflite_generated.h>

#include <cstdint>
#include <string>

#include "base/dtype.h"
#include "base/file.h"

namespace litertlm {

/// A TFLite model whose FlatBuffer was verified and whose buffers and indices were checked to lie
/// inside it. A view: the bytes must outlive it. Immutable.
///
/// After `Parse` these hold, so that readers need not check again: every buffer lies inside its
/// bytes; tensor, buffer, operator-code and subgraph indices are in range (-1 only where an
/// optional operator input is); every tensor's dtype is known; a constant tensor's buffer has
/// exactly the bytes its shape needs; signature tensors exist.
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
  Bytes bytes_;
  Bytes weights_;
  std::string name_;
  const tflite::Model* model_ = nullptr;
};

/// The operator's code, wherever the file's age put it.
int32_t BuiltinCode(const tflite::OperatorCode& code);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_TFLITE_H_
