// Why a model cannot be run: everything that can be found out at once.
#ifndef LITERTLM_RUNTIME_DECODER_FAULTS_H_
#define LITERTLM_RUNTIME_DECODER_FAULTS_H_

#include <vector>

#include "format/tflite.h"
#include "litertlm/error.h"

namespace litertlm {

/// What stands against compiling a language model from `model` and, where embeddings are looked up
/// outside of it, `embedder`: operators, signatures, inputs, shapes, each once. Empty if
/// CompileLanguageModel succeeds, and never otherwise.
std::vector<Error> FindDecoderFaults(const TfliteModel& model, const TfliteModel* embedder);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_DECODER_FAULTS_H_
