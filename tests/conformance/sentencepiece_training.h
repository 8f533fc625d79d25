// Small SentencePiece models, trained by the library.
#ifndef LITERTLM_TESTS_CONFORMANCE_SENTENCEPIECE_TRAINING_H_
#define LITERTLM_TESTS_CONFORMANCE_SENTENCEPIECE_TRAINING_H_

#include <string>

namespace litertlm {

/// A ModelProto, trained on this project's documents and on made-up texts of many scripts.
/// `options` are those of spm_train; the model's type is unigram if they name no other. <s> and
/// </s> are control pieces; the unknown piece is decoded as ours is.
std::string TrainSentencePiece(const std::string& options);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_SENTENCEPIECE_TRAINING_H_
