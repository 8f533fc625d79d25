// The decoder's weights as buffers of a TFLite model, which all its signatures share.
#ifndef LITERTLM_CONVERT_WEIGHT_STORE_H_
#define LITERTLM_CONVERT_WEIGHT_STORE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "convert/convert.h"
#include "convert/decoder_spec.h"
#include "convert/progress_reporter.h"
#include "convert/quantizer.h"
#include "format/safetensors.h"
#include "format/tflite_builder.h"

namespace litertlm {

struct StoredMatrix {
  WeightMatrix source;
  WeightCoding coding;
  BufferId buffer = 0;
  std::vector<float> row_scales;  ///< For kI8.
  BufferId block_scales = 0;      ///< For kI4: f16 [rows, columns / block_size].
};

struct StoredVector {
  BufferId buffer = 0;  ///< f32.
  int32_t size = 0;
};

/// The coding of a matrix with `columns` columns. int4 blocks have to divide a row: where the
/// wanted ones do not, the largest smaller ones do (64 or 32), and where none does, int8 it is.
WeightCoding ChooseCoding(Quantization quantization, int64_t columns);

class WeightStore {
 public:
  /// Adds all of `spec`'s tensors, which `CheckTensors` has accepted, to `model`. Reads the
  /// checkpoint once where int8 scales are needed (reported as a phase of its own); the codes are
  /// made when `model` is written, and then advance `progress` by the bytes written. All
  /// references must outlive that.
  WeightStore(const DecoderSpec& spec, const Checkpoint& checkpoint, Quantization quantization,
              ThreadPool& pool, ProgressReporter& progress, TfliteBuilder& model);

  const StoredMatrix& Matrix(const std::string& name) const { return matrices_.at(name); }
  const StoredVector& Vector(const std::string& name) const { return vectors_.at(name); }
  size_t size() const { return matrices_.size() + vectors_.size(); }

 private:
  void AddMatrix(const DecoderSpec& spec, const CheckpointTensor& tensor,
                 Quantization quantization);
  void AddVector(const DecoderSpec& spec, const CheckpointTensor& tensor);
  void AddBuffers(StoredMatrix& matrix);

  ThreadPool& pool_;
  ProgressReporter& progress_;
  TfliteBuilder& model_;
  std::map<std::string, StoredMatrix> matrices_;
  std::map<std::string, StoredVector> vectors_;
};

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_WEIGHT_STORE_H_
