#include "convert/decoder_spec.h"

namespace litertlm {

void ForEachTensor(
    const DecoderSpec& spec,
    const std::function<void(const std::string&, const std::vector<int64_t>&)>& visit) {
  const auto norm = [&](const NormSpec& n) { visit(n.gain, {n.size}); };
  const auto optional_norm = [&](const std::optional<NormSpec>& n) {
    if (n) norm(*n);
  };
  const auto linear = [&](const LinearSpec& l) {
    visit(l.weight, {l.outputs, l.inputs});
    if (!l.bias.empty()) visit(l.bias, {l.outputs});
  };
  visit(spec.embedding, {spec.vocabulary, spec.hidden});
  for (const LayerSpec& layer : spec.layers) {
    norm(layer.before_attention);
    linear(layer.attention.query);
    linear(layer.attention.key);
    linear(layer.attention.value);
    optional_norm(layer.attention.query_norm);
    optional_norm(layer.attention.key_norm);
    linear(layer.attention.output);
    optional_norm(layer.after_attention);
    norm(layer.before_mlp);
    linear(layer.mlp.gate);
    linear(layer.mlp.up);
    linear(layer.mlp.down);
    optional_norm(layer.after_mlp);
  }
  norm(spec.final_norm);
  if (spec.head != spec.embedding) visit(spec.head, {spec.vocabulary, spec.hidden});
}

}  // namespace litertlm
