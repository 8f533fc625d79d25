// Checks that a verified TFLite FlatBuffer means something: what `TfliteModel` promises beyond the
// FlatBuffer's own consistency.
#ifndef LITERTLM_FORMAT_TFLITE_CHECKER_H_
#define LITERTLM_FORMAT_TFLITE_CHECKER_H_

#include <schema/tflite_generated.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/file.h"
#include "litertlm/error.h"

namespace litertlm {

/// What a check is about; put into words only when it fails, because a model has tens of thousands.
struct TflitePlace {
  const char* kind;  ///< "tensor" or "operator".
  uint32_t index;
  uint32_t subgraph;
  const flatbuffers::String* name = nullptr;

  std::string Words() const;
};

/// Every check throws kBadInput or kUnsupported naming the model and the place. The work is bounded
/// by the tables the FlatBuffer verifier has counted, also where tables share their vectors.
class TfliteChecker {
 public:
  /// The data of `model`'s buffers by index, and of its external buffers by id.
  TfliteChecker(const tflite::Model& model, const std::string& name,
                const std::vector<Bytes>& buffers,
                const std::unordered_map<uint32_t, Bytes>& external)
      : model_(model), name_(name), buffers_(buffers), external_(external) {}

  void CheckAll();

 private:
  [[noreturn]] void Throw(const std::string& what, ErrorCode code = ErrorCode::kBadInput) const;
  void CheckSubgraph(const tflite::SubGraph& subgraph, uint32_t index);
  void CheckTensor(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                   const TflitePlace& place);
  void CheckData(const tflite::Tensor& tensor, const TflitePlace& place) const;
  void CheckScales(const tflite::Tensor& tensor, const TflitePlace& place);
  void CheckBlocks(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor,
                   const tflite::BlockwiseQuantization& blocks, const TflitePlace& place) const;
  void CheckOperator(const tflite::SubGraph& subgraph, const tflite::Operator& op,
                     const TflitePlace& place) const;
  void CheckSignature(const tflite::SignatureDef& signature) const;
  Bytes Data(const tflite::Tensor& tensor, const TflitePlace& place) const;
  uint64_t Elements(const tflite::Tensor& tensor, const TflitePlace& place) const;

  const tflite::Model& model_;
  const std::string& name_;
  const std::vector<Bytes>& buffers_;
  const std::unordered_map<uint32_t, Bytes>& external_;
  std::unordered_set<const void*> checked_scales_;  // Signatures share a weight's scales.
};

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_TFLITE_CHECKER_H_
