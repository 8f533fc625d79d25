// Why a model cannot be run: everything that can be found out at once.
#ifndef LITERTLM_RUNTIME_DECODER_FAULTS_H_
#define LITERTLM_RUNTIME_DECODER_FAULTS_H_

#include <vector>

#include "format/tflite.h"
#include "litertlm/error.h"
#include "runtime/language_model.h"

namespace litertlm {

/// What stands against compiling a language model from `model` and its companions: operators,
/// signatures, inputs, shapes, each once. Empty if CompileLanguageModel succeeds, and never
/// otherwise.
std::vector<Error> FindDecoderFaults(const TfliteModel& model, const CompanionModels& companions);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_DECODER_FAULTS_H_
