// Which tensors of a checkpoint belong to the decoder, and whether they are what its
// configuration announces.
#ifndef LITERTLM_CONVERT_CHECKPOINT_LAYOUT_H_
#define LITERTLM_CONVERT_CHECKPOINT_LAYOUT_H_

#include <string_view>

#include "convert/decoder_spec.h"
#include "convert/families/family.h"
#include "format/safetensors.h"

namespace litertlm {

/// Finds the decoder by its embedding. Throws kNotFound naming `where` if there is none.
TensorNames FindTensorNames(const Checkpoint& checkpoint, std::string_view where);

/// A head that only repeats the embedding becomes tied: `spec.head` then names the embedding.
/// Throws kBadInput where the configuration ties them, but a head is there that differs.
void ResolveHead(const Checkpoint& checkpoint, const TensorNames& names, DecoderSpec& spec);

/// Throws kNotFound for a tensor that is missing, kBadInput for a wrong shape, and kUnsupported for
/// a tensor of a layer that `spec` does not use: leaving it out would change what the model says.
void CheckTensors(const Checkpoint& checkpoint, const TensorNames& names, const DecoderSpec& spec,
                  std::string_view where);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_CHECKPOINT_LAYOUT_H_
