#include "tests/styles/styled_auxiliary.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/styles/styled_rotation.h"
#include "tests/styles/styled_signature.h"

namespace litertlm {
namespace {

class AuxiliaryWriter {
 public:
  AuxiliaryWriter(const DecoderSpec& spec, const ExporterStyle& style, int cache_length,
                  TfliteBuilder& model)
      : spec_(spec), style_(style), c_(cache_length), model_(model) {}

  void Write(const std::string& phase, int32_t tokens, const std::string& suffix) {
    WriteAngles(phase + "_rope" + suffix, tokens);
    WriteMasks(phase + "_mask" + suffix, tokens);
    WriteUpdates(phase + "_cache_update" + suffix, tokens);
  }

 private:
  void WriteAngles(const std::string& key, int32_t t) {
    Signature s(key, model_);
    StyledRotation rotation(spec_, style_, s.ops(), s.Input("input_pos", DType::kI32, {t}));
    for (size_t rope = 0; rope < spec_.ropes.size(); ++rope) {
      const StyledRotation::Tables& tables = rotation.TablesOf(rope);
      const Shape shape = {1, t, s.ops().ShapeOf(tables.cos).back()};
      s.Output(AnglesName(spec_, rope, "cos"), s.ops().Reshape(tables.cos, shape, "cos"));
      s.Output(AnglesName(spec_, rope, "sin"), s.ops().Reshape(tables.sin, shape, "sin"));
    }
    s.Finish();
  }

  // 0 where a token sees a place of the cache or another of the new tokens, else -100.
  void WriteMasks(const std::string& key, int32_t t) {
    Signature s(key, model_);
    StyleOps& ops = s.ops();
    const TensorId tokens = s.Input("input_tokens", DType::kI32, {1, t});
    const TensorId step = s.Input("time_step", DType::kI32, {});
    const TensorId valid =
        style_.valid_mask
            ? s.Input("valid_mask", DType::kBool, {1, t})
            : ops.GreaterInts(tokens, ops.Ints(std::vector<int32_t>{0}, {}, "pad"), "valid");
    for (const int64_t window : {int64_t{0}, LocalWindow(spec_)}) {
      const std::string name = window == 0 ? "mask_global" : "mask_local";
      ops.SetScope(name + "/");
      const TensorId rows = Numbers(ops, t, {t, 1}, "rows");
      const TensorId queries = ops.AddInts(rows, step, "queries");
      const TensorId keys = Numbers(ops, c_, {1, c_}, "keys");
      TensorId old_keys = ops.LessInts(keys, step, "filled");
      const TensorId columns = Numbers(ops, t, {1, t}, "columns");
      TensorId new_keys = ops.LessInts(
          columns, ops.AddInts(rows, ops.Ints(std::vector<int32_t>{1}, {}, "one"), "next"),
          "not_later");
      if (window > 0) {
        const auto size = static_cast<int32_t>(window);
        const TensorId width = ops.Ints({&size, 1}, {}, "window");
        old_keys =
            ops.And(old_keys,
                    ops.GreaterInts(keys, ops.SubtractInts(queries, width, "begin"), "after_begin"),
                    "old_in_window");
        new_keys = ops.And(
            new_keys,
            ops.GreaterInts(columns, ops.SubtractInts(rows, width, "new_begin"), "new_after_begin"),
            "new_in_window");
      }
      new_keys = ops.And(new_keys, valid, "shown_new");
      const TensorId old_mask = Hide(ops, old_keys, {1, 1, t, c_}, "old");
      const TensorId new_mask = Hide(ops, new_keys, {1, 1, t, t}, "new");
      s.Output(name, ops.Concatenate({old_mask, new_mask}, 3, "whole"));
      ops.SetScope("");
      if (LocalWindow(spec_) == 0) break;
    }
    s.Finish();
  }

  static TensorId Numbers(StyleOps& ops, int32_t count, Shape shape, const char* name) {
    std::vector<int32_t> numbers(static_cast<size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return ops.Ints(numbers, std::move(shape), name);
  }

  static TensorId Hide(StyleOps& ops, TensorId shown, Shape shape, const std::string& name) {
    const TensorId mask =
        ops.Select(shown, ops.Scalar(0, "zero"), ops.Scalar(-100, "hidden"), name + "_mask");
    const Shape rows = ops.ShapeOf(mask);  // Without a window one row of old keys serves for all.
    const TensorId whole = ops.Reshape(mask, {1, 1, rows[0], rows[1]}, name + "_rank_4");
    return ops.BroadcastTo(whole, std::move(shape), name + "_rows");
  }

  void WriteUpdates(const std::string& key, int32_t t) {
    Signature s(key, model_);
    StyleOps& ops = s.ops();
    const auto k = static_cast<int32_t>(spec_.kv_heads);
    const auto h = static_cast<int32_t>(spec_.head_dim);
    const TensorId positions = s.Input("input_pos", DType::kI32, {t});
    if (style_.valid_mask) s.Input("valid_mask", DType::kBool, {1, t});
    const TensorId first = ops.SliceInts(positions, {0}, {1}, "first_position");
    const TensorId zero = ops.Ints(std::vector<int32_t>{0}, {1}, "zero");
    const TensorId key_start = ops.ConcatenateInts({zero, zero, first, zero}, 0, "key_start");
    const TensorId value_start = ops.ConcatenateInts({zero, zero, zero, first}, 0, "value_start");
    for (size_t layer = 0; layer < spec_.layers.size(); ++layer) {
      const auto update = [&](char what, Shape cache, Shape rows, TensorId start) {
        const std::string name = fmt::format("{}_{}", what, layer);
        const TensorId before = s.Input("kv_cache_" + name, DType::kF32, std::move(cache));
        const TensorId added = s.Input("kv_slice_" + name, DType::kF32, std::move(rows));
        s.Output("kv_cache_" + name, ops.DynamicUpdateSlice(before, added, start, name));
      };
      update('k', {1, k, c_, h}, {1, k, t, h}, key_start);
      update('v', {1, k, h, c_}, {1, k, h, t}, value_start);
    }
    s.Finish();
  }

  const DecoderSpec& spec_;
  const ExporterStyle& style_;
  const int32_t c_;
  TfliteBuilder& model_;
};

}  // namespace

int64_t LocalWindow(const DecoderSpec& spec) {
  int64_t window = 0;
  for (const LayerSpec& layer : spec.layers) window = std::max(window, layer.attention.window);
  return window;
}

std::string AnglesName(const DecoderSpec& spec, size_t rope, const std::string& function) {
  bool local = false;
  for (const LayerSpec& layer : spec.layers) {
    local = local || (layer.attention.rope == rope && layer.attention.window > 0);
  }
  return (local && spec.ropes.size() > 1 ? "pos_emb_local_" : "pos_emb_") + function;
}

void EmitAuxiliary(const DecoderSpec& spec, const ExporterStyle& style, const GraphOptions& options,
                   TfliteBuilder& model) {
  AuxiliaryWriter writer(spec, style, options.cache_length, model);
  for (const int length : options.prefill_lengths) {
    writer.Write("prefill", length, fmt::format("_{}", length));
  }
  writer.Write("decode", 1, "");
}

}  // namespace litertlm
