// A whole kernel table made from a vector type.
#ifndef LITERTLM_KERNELS_SIMD_KERNELS_H_
#define LITERTLM_KERNELS_SIMD_KERNELS_H_

#include "kernels/kernel_table.h"
#include "kernels/scalar/scalar_kernels.h"
#include "kernels/simd/attention.h"
#include "kernels/simd/blockwise_panel.h"
#include "kernels/simd/blockwise_stream.h"
#include "kernels/simd/dynamic_panel.h"
#include "kernels/simd/dynamic_stream.h"
#include "kernels/simd/float_panel.h"
#include "kernels/simd/float_stream.h"
#include "kernels/simd/quantize.h"
#include "kernels/simd/rows.h"
#include "kernels/simd/sketch.h"
#include "kernels/simd/word_products.h"

namespace litertlm {

/// The functions of a table; they choose a kernel by type and number of rows.
template <typename V>
class Kernels {
  /// Rows that a streaming kernel takes at once, and up to which streaming pays: packing a panel
  /// costs about as much as going over it with so many rows.
  static constexpr size_t kStreamedTogether = 4;
  static constexpr size_t kStreamingRows = 12;

 public:
  static constexpr KernelTable Table(const char* name) {
    return {
        .name = name,
        .quantize_row = QuantizeRow<V>,
        .dynamic = Dynamic,
        .floating = Floating,
        .dynamic_panel = PanelOfDynamic,
        .floating_panel = PanelOfFloating,
        .add = RowKernels<V>::Add,
        .rms_norm = RowKernels<V>::RmsNorm,
        .softmax = RowKernels<V>::Softmax,
        .silu_mul = RowKernels<V>::SiluMul,
        .gelu_tanh_mul = RowKernels<V>::GeluTanhMul,
        .rope = RowKernels<V>::Rope,
        .to_f16 = RowKernels<V>::ToF16,
        .to_i8 = ToI8<V>,
        .sketch_row = SketchKernels<V>::CodeRow,
        .sketch_bounds = SketchKernels<V>::Bounds,
        .sketch_pays = V::kLanes >= 8,
        .attention = Attention,
        .attention_scratch_bytes = AttentionScratchBytes,
        .attention_queries = PromptAttention<V, float>::kQueries,
        .streaming_rows = kStreamingRows,
    };
  }

 private:
  static bool Few(Range rows) { return rows.end - rows.begin <= kStreamingRows; }
  /// Calls `stream` for groups of rows, and with several groups for so few outputs at a time that
  /// their weights stay in the first-level cache from one group to the next.
  template <typename F>
  static void InGroups(const WeightMatrix& w, Range rows, Range outputs, F stream) {
    if (rows.end - rows.begin <= kStreamedTogether) return stream(rows, outputs);
    constexpr size_t kCachedColumns = 16384;
    const size_t step = w.columns * 8 > kCachedColumns ? 8 : kCachedColumns / w.columns / 8 * 8;
    for (size_t n = outputs.begin; n < outputs.end; n += step) {
      const size_t some_end = n + step < outputs.end ? n + step : outputs.end;
      for (size_t row = rows.begin; row < rows.end; row += kStreamedTogether) {
        const size_t end = row + kStreamedTogether;
        stream(Range{row, end < rows.end ? end : rows.end}, Range{n, some_end});
      }
    }
  }
  /// Rows of an odd number of nibbles do not start at bytes.
  static bool InBytes(const WeightMatrix& w) {
    return w.dtype != DType::kI2 && (w.dtype != DType::kI4 || w.columns % 2 == 0);
  }

  static void Dynamic(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    const WeightMatrix& w = args.w;
    if (!InBytes(w) || (w.block != 0 && w.dtype != DType::kI4)) {
      DynamicScalar(args, rows, outputs, memory);
    } else if (w.block != 0) {
      Blocks(args, rows, outputs, memory);
    } else if (w.dtype == DType::kI4) {
      PerChannel<Int4Weights<V>>(args, rows, outputs, memory);
    } else if constexpr (V::kHasDot) {
      PerChannel<Int8Weights<V>>(args, rows, outputs, memory);
    } else {
      Words(args, rows, outputs, memory);
    }
  }

  template <typename Weights>
  static void PerChannel(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    if (Few(rows)) {
      InGroups(args.w, rows, outputs, [&](Range some_rows, Range some_outputs) {
        StreamRows<V, Weights>(args, some_rows, some_outputs);
      });
    } else {
      DynamicPanel<V, Weights>::Run(args, rows, outputs, memory);
    }
  }

  static void Blocks(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    if (Few(rows) && BlockwiseStream<V, 1, false>::CanRun(args.w)) {
      StreamPrepared(args, rows, outputs, reinterpret_cast<uint8_t*>(memory.bytes),
                     SplitStride<V>(args.w.columns), SplitRow<V>, StreamBlockwiseRows<V>);
    } else {
      BlockwisePanel<V>::Run(args, rows, outputs, memory);
    }
  }

  static void Words(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory) {
    if (Few(rows)) {
      StreamPrepared(args, rows, outputs, reinterpret_cast<int16_t*>(memory.bytes),
                     CenteredStride<V>(args.w.columns), CenterRow<V>, StreamWordRows<V>);
    } else {
      WordPanel<V>::Run(args, rows, outputs, memory);
    }
  }

  /// Streams rows whose codes the kernel wants in another form: `prepare` writes each row's into
  /// `codes`, `stride` apart, once for all outputs.
  template <typename Code>
  static void StreamPrepared(const DynamicArgs& args, Range rows, Range outputs, Code* codes,
                             size_t stride,
                             void (*prepare)(const DynamicArgs& args, size_t row, Code* to),
                             void (*stream)(const DynamicArgs& args, const Code* codes, Range rows,
                                            Range outputs)) {
    for (size_t row = rows.begin; row < rows.end; ++row) {
      prepare(args, row, codes + (row - rows.begin) * stride);
    }
    InGroups(args.w, rows, outputs, [&](Range some_rows, Range some_outputs) {
      stream(args, codes + (some_rows.begin - rows.begin) * stride, some_rows, some_outputs);
    });
  }

  /// A panel is many times what DynamicScalar needs.
  static Panel PanelOfDynamic(const WeightMatrix& w) {
    if (w.block != 0) {
      using Blockwise = BlockwisePanel<V>;
      const size_t rows = kStreamingRows * SplitStride<V>(w.columns);
      return {Blockwise::kOutputs, Larger(Blockwise::MemoryBytes(w), rows), true};
    }
    using PerOutput = DynamicPanel<V, Int4Weights<V>>;
    static_assert(PerOutput::kOutputs == WordPanel<V>::kOutputs);
    size_t bytes = PerOutput::MemoryBytes(w);
    if (!V::kHasDot) {
      const size_t rows = kStreamingRows * CenteredStride<V>(w.columns) * sizeof(int16_t);
      bytes = Larger(Larger(bytes, WordPanel<V>::MemoryBytes(w)), rows);
    }
    return {PerOutput::kOutputs, bytes, true};
  }
  static constexpr size_t Larger(size_t a, size_t b) { return a > b ? a : b; }

  static void Floating(const FloatArgs& args, Range rows, Range outputs, PanelMemory memory) {
    if (!InBytes(args.w)) return FloatingScalar(args, rows, outputs, memory);
    switch (args.w.dtype) {
      case DType::kF32:
        return FloatingOf<DType::kF32>(args, rows, outputs, memory);
      case DType::kF16:
        return FloatingOf<DType::kF16>(args, rows, outputs, memory);
      case DType::kBF16:
        return FloatingOf<DType::kBF16>(args, rows, outputs, memory);
      case DType::kI8:
        return FloatingOf<DType::kI8>(args, rows, outputs, memory);
      case DType::kI4:
        return FloatingOf<DType::kI4>(args, rows, outputs, memory);
      default:
        return FloatingScalar(args, rows, outputs, memory);
    }
  }

  template <DType kType>
  static void FloatingOf(const FloatArgs& args, Range rows, Range outputs, PanelMemory memory) {
    if (Few(rows)) {
      InGroups(args.w, rows, outputs, [&](Range some_rows, Range some_outputs) {
        StreamFloatRows<V, kType>(args, some_rows, some_outputs);
      });
    } else {
      FloatPanel<V, kType>::Run(args, rows, outputs, memory.bytes);
    }
  }

  static void Attention(const AttentionArgs& task, float* scratch) {
    if (task.head_size % V::kLanes != 0) {
      AttentionScalar(task, scratch);
    } else if (task.cache_type == DType::kF16) {
      RunAttention<V, uint16_t>(task, scratch);
    } else if (task.cache_type == DType::kI8) {
      RunAttention<V, int8_t>(task, scratch);
    } else {
      RunAttention<V, float>(task, scratch);
    }
  }

  static size_t AttentionScratchBytes(const AttentionArgs& args) {
    return args.head_size % V::kLanes != 0 ? AttentionScalarScratchBytes(args)
                                           : litertlm::AttentionScratchBytes<V>(args);
  }

  static Panel PanelOfFloating(const WeightMatrix&) {
    using AnyType = FloatPanel<V, DType::kF32>;
    return {AnyType::kOutputs, AnyType::kMemoryBytes, false};
  }
};

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_KERNELS_H_
