// A decoder of one layer with random weights, in the variants that exporters write.
#ifndef LITERTLM_TESTS_RUNTIME_TINY_DECODER_H_
#define LITERTLM_TESTS_RUNTIME_TINY_DECODER_H_

#include <random>
#include <vector>

#include "tests/graph/model_writer.h"

namespace litertlm {

struct TinyDecoderOptions {
  std::vector<int32_t> prefill_rows = {4, 8};
  int32_t context = 32;
  bool mask = true;          ///< Else the graph gathers rows of a table by position.
  bool transposed = true;    ///< Caches [1,K,C,h] and [1,K,h,C], else both [1,C,K,h].
  bool same_tensor = false;  ///< The output of a cache is the tensor of its input.
  /// Adds a constant that only fits the rows of the file, so that rows cannot be dynamic.
  bool fixed_rows = false;
};

/// tokens -> embedding -> attention with 2 heads over 1 cache head -> logits of 11 tokens.
class TinyDecoder {
 public:
  static constexpr int32_t kVocab = 11, kWidth = 8, kHeads = 2, kHeadSize = 4;

  explicit TinyDecoder(TinyDecoderOptions options) : options_(std::move(options)) {
    std::mt19937 random(7);
    const auto weights = [&](size_t count) {
      std::vector<float> values(count);
      for (float& value : values) value = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
      return values;
    };
    table_ = weights(kVocab * kWidth);
    positions_ = weights(static_cast<size_t>(options_.context) * kWidth);
    query_ = weights(kHeads * kHeadSize * kWidth);
    key_ = weights(kHeadSize * kWidth);
    value_ = weights(kHeadSize * kWidth);
    out_ = weights(kWidth * kHeads * kHeadSize);
  }

  TestModel Write() {
    TfliteBuilder builder;
    for (const int32_t rows : options_.prefill_rows) {
      AddSignature(builder, "prefill_" + std::to_string(rows), rows, false);
    }
    AddSignature(builder, "decode", 1, true);
    return FinishModel(builder);
  }

 private:
  void AddSignature(TfliteBuilder& builder, const std::string& key, int32_t rows, bool logits) {
    SignatureWriter w(builder, key);
    const int32_t context = options_.context;
    const TensorId tokens = w.Input("tokens", {1, rows}, DType::kI32);
    const TensorId positions = w.Input("input_pos", {rows}, DType::kI32);
    const TensorId mask =
        options_.mask ? w.Input("mask", {1, 1, rows, context}) : MaskFromTable(w, positions, rows);
    const Extents key_shape =
        options_.transposed ? Extents{1, 1, context, kHeadSize} : Extents{1, context, 1, kHeadSize};
    const Extents value_shape = options_.transposed ? Extents{1, 1, kHeadSize, context} : key_shape;
    const TensorId key_cache = w.Input("kv_cache_k_0", key_shape);
    const TensorId value_cache = w.Input("kv_cache_v_0", value_shape);

    const TensorId ids = Reshape(w, tokens, {rows}, DType::kI32);
    TensorId x =
        w.Op(Builtin::EMBEDDING_LOOKUP, {ids, w.Floats({kVocab, kWidth}, table_)}, {rows, kWidth});
    const TensorId at =
        w.Op(Builtin::GATHER, {w.Floats({context, kWidth}, positions_), positions}, {rows, kWidth});
    x = Reshape(w, w.Op(Builtin::ADD, {x, at}, {rows, kWidth}), {1, rows, kWidth});
    if (options_.fixed_rows) {
      const std::vector<float> zeros(static_cast<size_t>(rows));
      x = w.Op(Builtin::ADD, {x, w.Floats({1, rows, 1}, zeros)}, {1, rows, kWidth});
    }

    const TensorId q = Project(w, x, query_, rows, kHeads);
    const TensorId k = Project(w, x, key_, rows, 1);
    const TensorId v = Project(w, x, value_, rows, 1);
    const TensorId begin = w.OpWith(Builtin::SLICE, {positions, w.Ints({0}), w.Ints({1})}, {1},
                                    tflite::SliceOptionsT{}, DType::kI32);
    const TensorId zero = w.Ints({0});
    const auto update = [&](TensorId cache, TensorId rows_of, const Extents& shape, int axis) {
      std::vector<TensorId> starts(4, zero);
      starts[static_cast<size_t>(axis)] = begin;
      tflite::ConcatenationOptionsT concatenation;
      concatenation.axis = 0;
      const TensorId start =
          w.OpWith(Builtin::CONCATENATION, starts, {4}, concatenation, DType::kI32);
      OperatorSpec spec{.code = Builtin::DYNAMIC_UPDATE_SLICE};
      spec.inputs = {cache, rows_of, start};
      spec.outputs = {options_.same_tensor ? cache : w.Tensor(shape)};
      const TensorId result = spec.outputs.front();
      w.AddOperator(std::move(spec));
      return result;
    };
    const TensorId new_keys =
        options_.transposed ? Transpose(w, k, {0, 2, 1, 3}, {1, 1, rows, kHeadSize}) : k;
    const TensorId new_values =
        options_.transposed ? Transpose(w, v, {0, 2, 3, 1}, {1, 1, kHeadSize, rows}) : v;
    const TensorId keys = update(key_cache, new_keys, key_shape, options_.transposed ? 2 : 1);
    const TensorId values =
        update(value_cache, new_values, value_shape, options_.transposed ? 3 : 1);
    w.Output("kv_cache_k_0", keys);
    w.Output("kv_cache_v_0", values);
    if (logits) w.Output("logits", Attend(w, q, keys, values, mask, rows));
    w.Finish();
  }

  TensorId Attend(SignatureWriter& w, TensorId q, TensorId keys, TensorId values, TensorId mask,
                  int32_t rows) {
    const int32_t context = options_.context;
    if (!options_.transposed) {
      keys = Transpose(w, keys, {0, 2, 1, 3}, {1, 1, context, kHeadSize});
      values = Transpose(w, values, {0, 2, 3, 1}, {1, 1, kHeadSize, context});
    }
    q = Transpose(w, q, {0, 2, 1, 3}, {1, kHeads, rows, kHeadSize});
    q = Reshape(w, q, {1, 1, kHeads * rows, kHeadSize});
    tflite::BatchMatMulOptionsT product;
    product.adj_y = true;
    TensorId s =
        w.OpWith(Builtin::BATCH_MATMUL, {q, keys}, {1, 1, kHeads * rows, context}, product);
    s = Reshape(w, s, {1, kHeads, rows, context});
    s = w.Op(Builtin::ADD, {s, mask}, {1, kHeads, rows, context});
    s = Reshape(w, s, {1, 1, kHeads * rows, context});
    tflite::SoftmaxOptionsT softmax;
    softmax.beta = 1;
    s = w.OpWith(Builtin::SOFTMAX, {s}, {1, 1, kHeads * rows, context}, softmax);
    TensorId o =
        w.OpWith(Builtin::BATCH_MATMUL, {s, values}, {1, 1, kHeads * rows, kHeadSize}, product);
    o = Reshape(w, o, {1, kHeads, rows, kHeadSize});
    o = Transpose(w, o, {0, 2, 1, 3}, {1, rows, kHeads, kHeadSize});
    o = Reshape(w, o, {1, rows, kHeads * kHeadSize});
    o = FullyConnected(w, o, out_, kWidth, kHeads * kHeadSize, rows);
    return FullyConnected(w, o, table_, kVocab, kWidth, rows);
  }

  // Row `position` of a table [1, 1, context, context] that hides what follows.
  TensorId MaskFromTable(SignatureWriter& w, TensorId positions, int32_t rows) {
    const auto context = static_cast<size_t>(options_.context);
    std::vector<float> table(context * context, -1e9f);
    for (size_t row = 0; row < context; ++row) {
      std::fill_n(table.begin() + static_cast<long>(row * context), row + 1, 0.0f);
    }
    tflite::GatherOptionsT options;
    options.axis = 2;
    return w.OpWith(Builtin::GATHER,
                    {w.Floats({1, 1, options_.context, options_.context}, table), positions},
                    {1, 1, rows, options_.context}, options);
  }

  static TensorId Reshape(SignatureWriter& w, TensorId x, Extents shape,
                          DType dtype = DType::kF32) {
    return w.Op(Builtin::RESHAPE, {x, w.Ints(shape)}, shape, dtype);
  }
  static TensorId Transpose(SignatureWriter& w, TensorId x, const std::vector<int32_t>& permutation,
                            Extents shape) {
    return w.Op(Builtin::TRANSPOSE, {x, w.Ints(permutation)}, std::move(shape));
  }
  static TensorId FullyConnected(SignatureWriter& w, TensorId x, const std::vector<float>& weights,
                                 int32_t n, int32_t k, int32_t rows) {
    tflite::FullyConnectedOptionsT options;
    options.keep_num_dims = true;
    return w.OpWith(Builtin::FULLY_CONNECTED, {x, w.Floats({n, k}, weights), -1}, {1, rows, n},
                    options);
  }
  static TensorId Project(SignatureWriter& w, TensorId x, const std::vector<float>& weights,
                          int32_t rows, int32_t heads) {
    const TensorId y = FullyConnected(w, x, weights, heads * kHeadSize, kWidth, rows);
    return Reshape(w, y, {1, rows, heads, kHeadSize});
  }

  TinyDecoderOptions options_;
  std::vector<float> table_, positions_, query_, key_, value_, out_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_RUNTIME_TINY_DECODER_H_
