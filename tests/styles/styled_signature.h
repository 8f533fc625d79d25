// One signature of a model under construction, with its subgraph.
#ifndef LITERTLM_TESTS_STYLES_STYLED_SIGNATURE_H_
#define LITERTLM_TESTS_STYLES_STYLED_SIGNATURE_H_

#include <string>
#include <utility>
#include <vector>

#include "tests/styles/style_ops.h"

namespace litertlm {

class Signature {
 public:
  /// `model` must outlive the object.
  Signature(std::string key, TfliteBuilder& model)
      : key_(std::move(key)), model_(model), ops_(model, model.AddSubgraph(key_)) {}

  StyleOps& ops() { return ops_; }

  TensorId Input(const std::string& name, DType dtype, Shape shape) {
    const TensorId tensor = ops_.graph().AddTensor(key_ + "_" + name, dtype, std::move(shape));
    inputs_.emplace_back(name, tensor);
    return tensor;
  }
  void Output(const std::string& name, TensorId tensor) { outputs_.emplace_back(name, tensor); }

  void Finish() { model_.AddSignature(key_, ops_.graph(), inputs_, outputs_); }

 private:
  using Named = std::vector<std::pair<std::string, TensorId>>;

  const std::string key_;
  TfliteBuilder& model_;
  StyleOps ops_;
  Named inputs_;
  Named outputs_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_SIGNATURE_H_
