// The models that a file has beside its decoder.
#ifndef LITERTLM_ENGINE_COMPANIONS_H_
#define LITERTLM_ENGINE_COMPANIONS_H_

#include <optional>

#include "format/model_file.h"
#include "runtime/language_model.h"

namespace litertlm {

/// Must not move while `models()` is in use. Throws as ModelFile::ReadModel does.
class Companions {
 public:
  explicit Companions(const ModelFile& file)
      : embedder_(file.ReadModel(kEmbedderModel)),
        layer_embedder_(file.ReadModel(kLayerEmbedderModel)),
        auxiliary_(file.ReadModel(kAuxiliaryModel)) {}

  CompanionModels models() const {
    return {.embedder = embedder_ ? &*embedder_ : nullptr,
            .layer_embedder = layer_embedder_ ? &*layer_embedder_ : nullptr,
            .auxiliary = auxiliary_ ? &*auxiliary_ : nullptr};
  }

 private:
  std::optional<TfliteModel> embedder_;
  std::optional<TfliteModel> layer_embedder_;
  std::optional<TfliteModel> auxiliary_;
};

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_COMPANIONS_H_
