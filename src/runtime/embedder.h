// A table of embeddings, where a file keeps it in a model of its own.
#ifndef LITERTLM_RUNTIME_EMBEDDER_H_
#define LITERTLM_RUNTIME_EMBEDDER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "format/tflite.h"
#include "runtime/program.h"

namespace litertlm {

class Embedder {
 public:
  /// Uses the signature that takes one token, whatever its name: looking rows up one by one costs
  /// nothing beside what a decoder then does with them. The bytes of `model` must outlive the
  /// embedder. Throws kUnsupported where there is no such signature.
  Embedder(const TfliteModel& model, Workers& workers);

  int64_t width() const { return width_; }  ///< Numbers for one token, of all layers together.
  /// Writes the embeddings [tokens.size(), width()].
  void Embed(std::span<const int32_t> tokens, std::span<float> embeddings);

 private:
  Workers& workers_;
  int64_t width_ = 0;
  Arena arena_;
  std::unique_ptr<Program> program_;
};

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_EMBEDDER_H_
