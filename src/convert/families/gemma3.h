// Gemma 3, text: 270m, 1b and every other size by its configuration, the decoders of multimodal
// checkpoints included.
#ifndef LITERTLM_CONVERT_FAMILIES_GEMMA3_H_
#define LITERTLM_CONVERT_FAMILIES_GEMMA3_H_

#include "convert/families/family.h"

namespace litertlm {

const Family& Gemma3Family();

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_FAMILIES_GEMMA3_H_
