#include "tests/styles/styled_model.h"

#include "convert/checkpoint_layout.h"
#include "convert/config.h"
#include "convert/families/registry.h"
#include "tests/styles/styled_auxiliary.h"
#include "tests/styles/styled_embedder.h"
#include "tests/styles/styled_graph.h"
#include "tests/styles/styled_shapes.h"

namespace litertlm {
namespace {

DecoderSpec Describe(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                     const StyledModelOptions& options) {
  const Config config = Config::Read(folder / "config.json");
  const TensorNames names = FindTensorNames(checkpoint, folder.string());
  DecoderSpec spec =
      FindFamily(config.String("model_type"), config.where()).describe(config, names);
  ResolveHead(checkpoint, names, spec);
  for (LayerSpec& layer : spec.layers) {
    if (options.head_norms) continue;
    layer.attention.query_norm.reset();
    layer.attention.key_norm.reset();
  }
  for (RopeTable& rope : spec.ropes) {
    auto& frequencies = rope.inverse_frequencies;
    if (options.half_turned) frequencies.resize(frequencies.size() / 2);
  }
  return spec;
}

}  // namespace

StyledModel WriteStyledModel(const std::filesystem::path& folder, const ExporterStyle& style,
                             const StyledModelOptions& options) {
  const Checkpoint checkpoint = Checkpoint::Open(folder);
  const DecoderSpec spec = Describe(folder, checkpoint, options);
  GraphOptions graph = {.prefill_lengths = options.prefill_lengths,
                        .cache_length = options.cache_length,
                        .dynamic = options.quantization != Quantization::kInt8};
  if (style.open_shapes) {
    static constexpr int kLengths[] = {kOpenRows};
    graph.prefill_lengths = kLengths;
    graph.cache_length = kOpenPositions;
  }
  ThreadPool pool(1);
  ProgressReporter nobody(nullptr);
  const auto write = [&](const DecoderSpec& part, const auto& emit) {
    TfliteBuilder model;
    const WeightStore weights(part, checkpoint, options.quantization, pool, nobody, model);
    std::optional<FusedProjections> fused;
    if (style.exporter == ExporterStyle::Exporter::kClassic) {
      fused.emplace(part, weights, checkpoint, pool, model);
    }
    emit(weights, fused ? &*fused : nullptr, model);
    return FinishModel(model);
  };
  StyledModel result{
      write(spec,
            [&](const WeightStore& weights, const FusedProjections* fused, TfliteBuilder& model) {
              if (style.exporter == ExporterStyle::Exporter::kOurs) {
                EmitGraph(spec, weights, graph, model);
              } else {
                EmitStyledGraph(spec, weights, fused, style, graph, model);
              }
            }),
      std::nullopt, std::nullopt, std::nullopt};
  if (style.open_shapes) result.decoder = WithOpenShapes(result.decoder);
  DecoderSpec table = spec;
  table.layers.clear();
  if (style.embedder != ExporterStyle::Embedder::kInside) {
    result.embedder = write(
        table, [&](const WeightStore& weights, const FusedProjections*, TfliteBuilder& model) {
          EmitEmbedder(table, weights, style, graph, model);
        });
  }
  if (style.layer_embedder) {
    result.layer_embedder = write(
        table, [&](const WeightStore& weights, const FusedProjections*, TfliteBuilder& model) {
          EmitLayerEmbedder(table, spec.layers.size(), weights, style, graph, model);
        });
  }
  if (style.split_cache) {
    TfliteBuilder model;
    EmitAuxiliary(spec, style, graph, model);
    result.auxiliary = FinishModel(model);
  }
  return result;
}

}  // namespace litertlm
