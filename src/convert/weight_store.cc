#include "convert/weight_store.h"

#include <span>

namespace litertlm {
namespace {

constexpr int64_t kSmallestBlock = 32;  // LiteRT knows no smaller one.

WeightCoding BlockCoding(int64_t block_size, int64_t columns) {
  for (; block_size >= kSmallestBlock; block_size /= 2) {
    if (columns % block_size == 0) return {DType::kI4, block_size};
  }
  return {DType::kI8};
}

uint64_t SourceBytes(const StoredMatrix& matrix) { return matrix.source.tensor->bytes.size(); }

}  // namespace

WeightCoding ChooseCoding(Quantization quantization, int64_t columns) {
  switch (quantization) {
    case Quantization::kNone:
      return {DType::kF32};
    case Quantization::kFp16:
      return {DType::kF16};
    case Quantization::kInt8:
    case Quantization::kDynamicInt8:
      return {DType::kI8};
    case Quantization::kDynamicInt4Block32:
      return BlockCoding(32, columns);
    case Quantization::kDynamicInt4Block128:
      return BlockCoding(128, columns);
  }
  return {};
}

WeightStore::WeightStore(const DecoderSpec& spec, const Checkpoint& checkpoint,
                         Quantization quantization, ThreadPool& pool, ProgressReporter& progress,
                         TfliteBuilder& model)
    : pool_(pool), progress_(progress), model_(model) {
  std::vector<std::string> order;
  ForEachTensor(spec, [&](const std::string& name, const std::vector<int64_t>& shape) {
    const CheckpointTensor& tensor = *checkpoint.Find(name);
    // Biases are matrices' companions and norms' gains: both are vectors.
    if (shape.size() == 2) {
      AddMatrix(spec, tensor, quantization);
      order.push_back(name);
    } else {
      AddVector(spec, tensor);
    }
  });

  uint64_t to_read = 0;
  for (const auto& [name, matrix] : matrices_) {
    if (matrix.coding.dtype == DType::kI8) to_read += SourceBytes(matrix);
  }
  if (to_read > 0) progress_.Begin("Reading weights", to_read);
  for (const std::string& name : order) {
    StoredMatrix& matrix = matrices_.at(name);
    if (matrix.coding.dtype == DType::kI8) {
      const int bits = Info(matrix.source.tensor->dtype).bits;
      matrix.row_scales = RowScales(matrix.source, pool_, [&](uint64_t elements) {
        progress_.Advance(BytesFor(bits, elements), name);
      });
    }
    AddBuffers(matrix);
  }
  if (to_read > 0) progress_.End();
}

void WeightStore::AddMatrix(const DecoderSpec& spec, const CheckpointTensor& tensor,
                            Quantization quantization) {
  const bool vocabulary = tensor.name == spec.embedding || tensor.name == spec.head;
  StoredMatrix matrix;
  matrix.source = {&tensor, vocabulary ? spec.padded_vocabulary : tensor.shape[0], tensor.shape[1]};
  matrix.coding = ChooseCoding(quantization, tensor.shape[1]);
  matrices_.emplace(tensor.name, std::move(matrix));
}

void WeightStore::AddVector(const DecoderSpec& spec, const CheckpointTensor& tensor) {
  const bool gain = !tensor.name.ends_with(".bias");
  const float offset = gain ? static_cast<float>(spec.norm_gain_offset) : 0.0f;
  const std::vector<float> values = ReadVector(tensor, offset);
  vectors_[tensor.name] = {model_.AddBuffer(std::as_bytes(std::span(values))),
                           static_cast<int32_t>(values.size())};
}

void WeightStore::AddBuffers(StoredMatrix& matrix) {
  const auto done = [this, &matrix](int bits) {
    return [this, &matrix, bits](uint64_t elements) {
      progress_.Advance(BytesFor(bits, elements), matrix.source.tensor->name);
    };
  };
  const uint64_t elements = matrix.source.elements();
  matrix.buffer = model_.AddStreamedBuffer(
      BytesFor(matrix.coding.dtype, elements), [this, &matrix, done](ByteSink& sink) {
        WriteWeights(matrix.source, matrix.coding, matrix.row_scales, pool_, sink,
                     done(Info(matrix.coding.dtype).bits));
      });
  if (matrix.coding.dtype != DType::kI4) return;
  const auto block = static_cast<uint64_t>(matrix.coding.block_size);
  matrix.block_scales = model_.AddStreamedBuffer(
      BytesFor(DType::kF16, elements / block), [this, &matrix](ByteSink& sink) {
        WriteBlockScales(matrix.source, matrix.coding.block_size, pool_, sink, [&](uint64_t n) {
          const auto size = static_cast<uint64_t>(matrix.coding.block_size);
          progress_.Advance(BytesFor(DType::kF16, n / size), matrix.source.tensor->name);
        });
      });
}

}  // namespace litertlm
