// Qwen3, dense: 0.6B, 1.7B, 4B and every other size by its configuration.
#ifndef LITERTLM_CONVERT_FAMILIES_QWEN3_H_
#define LITERTLM_CONVERT_FAMILIES_QWEN3_H_

#include "convert/families/family.h"

namespace litertlm {

const Family& Qwen3Family();

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_FAMILIES_QWEN3_H_
