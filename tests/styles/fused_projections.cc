#include "tests/styles/fused_projections.h"

#include <array>
#include <span>

namespace litertlm {
namespace {

const ChunkDone kNobodyWaits = [](uint64_t) {};

}  // namespace

FusedProjections::FusedProjections(const DecoderSpec& spec, const WeightStore& weights,
                                   const Checkpoint& checkpoint, ThreadPool& pool,
                                   TfliteBuilder& model) {
  for (const LayerSpec& layer : spec.layers) {
    const std::array<const LinearSpec*, 3> linears = {&layer.attention.query, &layer.attention.key,
                                                      &layer.attention.value};
    std::vector<const StoredMatrix*> parts;
    std::vector<float> bias;
    for (const LinearSpec* linear : linears) {
      parts.push_back(&weights.Matrix(linear->weight));
      if (linear->bias.empty()) continue;
      const std::vector<float> values = ReadVector(*checkpoint.Find(linear->bias), 0);
      bias.insert(bias.end(), values.begin(), values.end());
    }
    StoredMatrix whole = *parts.front();
    whole.source = {nullptr, 0, parts.front()->source.columns};
    whole.row_scales.clear();
    for (const StoredMatrix* part : parts) {
      whole.source.rows += part->source.rows;
      whole.row_scales.insert(whole.row_scales.end(), part->row_scales.begin(),
                              part->row_scales.end());
    }
    const uint64_t elements = whole.source.elements();
    whole.buffer = model.AddStreamedBuffer(
        BytesFor(whole.coding.dtype, elements), [parts, &pool](ByteSink& sink) {
          for (const StoredMatrix* part : parts) {
            WriteWeights(part->source, part->coding, part->row_scales, pool, sink, kNobodyWaits);
          }
        });
    if (const auto block = static_cast<uint64_t>(whole.coding.block_size); block > 0) {
      whole.block_scales = model.AddStreamedBuffer(
          BytesFor(DType::kF16, elements / block), [parts, &pool](ByteSink& sink) {
            for (const StoredMatrix* part : parts) {
              WriteBlockScales(part->source, part->coding.block_size, pool, sink, kNobodyWaits);
            }
          });
    }
    const BufferId bias_buffer = bias.empty() ? 0 : model.AddBuffer(std::as_bytes(std::span(bias)));
    layers_.push_back({std::move(whole), bias_buffer});
  }
}

}  // namespace litertlm
