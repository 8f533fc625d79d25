// The functions that each instruction set provides, and the choice among them.
//
// A table's functions run on the calling thread and allocate nothing. Files compiled for an
// instruction set see only plain structs and pointers: an inline function of the standard library
// that is compiled there might be the copy that the linker keeps for the whole program, and would
// then fault on an older processor.
#ifndef LITERTLM_KERNELS_KERNEL_TABLE_H_
#define LITERTLM_KERNELS_KERNEL_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/matmul.h"
#include "kernels/rotation.h"
#include "kernels/sketch_view.h"

namespace litertlm {

struct Range {
  size_t begin;
  size_t end;
};

/// One dynamic product as kernels see it; fields as in QuantizedRows and Product.
struct DynamicArgs {
  size_t rows;
  const uint8_t* codes;
  size_t code_stride;
  const RowCoding* codings;
  WeightMatrix w;
  const float* bias;
  float* y;
  size_t y_stride;
};

struct FloatArgs {
  const float* x;
  size_t x_stride;
  WeightMatrix w;
  const float* bias;
  float* y;
  size_t y_stride;
};

/// What a kernel computes at once when it has many rows: it repacks so many rows of weights into
/// memory of its own, and goes over all rows of activations with them.
struct Panel {
  size_t outputs;  ///< Ranges of outputs should start at multiples of it.
  size_t bytes;    ///< Of its memory, also with few rows.
  bool stays;      ///< The memory holds the whole panel until the next call.
};

/// Memory that a thread will write after the products. Its core has to own each line by then, and
/// another core, which has read what was there, to give it up: kernels ask for a line every now and
/// then, so that nobody waits.
struct LinesToWrite {
  std::byte* next = nullptr;
  std::byte* end = nullptr;
};

struct PanelMemory {
  std::byte* bytes;  ///< As many as the kernel's Panel says, aligned to 64.
  /// The outputs are one panel, which the call before has packed here for other rows.
  bool packed = false;
  LinesToWrite* lines = nullptr;  ///< Of the calling thread.
};

struct KernelTable {
  const char* name;

  /// Codes one row; writes `columns` codes.
  void (*quantize_row)(const float* x, size_t columns, uint8_t* codes, RowCoding* coding);

  /// Computes y[rows, outputs].
  void (*dynamic)(const DynamicArgs& args, Range rows, Range outputs, PanelMemory memory);
  void (*floating)(const FloatArgs& args, Range rows, Range outputs, PanelMemory memory);
  Panel (*dynamic_panel)(const WeightMatrix& w);
  Panel (*floating_panel)(const WeightMatrix& w);
  // One row; x, y and gains have `count` numbers, and y may be one of the inputs.
  void (*add)(const float* a, const float* b, float* y, size_t count);
  /// y = x * (1 / sqrt(mean(x²) + epsilon)) * gains
  void (*rms_norm)(const float* x, const float* gains, float* y, size_t count, float epsilon);
  /// y = exp(beta * (x - max x)), divided by its sum.
  void (*softmax)(const float* x, float* y, size_t count, float beta);
  /// y = gate * logistic(gate) * up
  void (*silu_mul)(const float* gate, const float* up, float* y, size_t count);
  /// y = gelu(gate) * up, with the tanh form of GELU.
  void (*gelu_tanh_mul)(const float* gate, const float* up, float* y, size_t count);
  /// y = one head of `size` numbers in row `row`, normed and turned.
  void (*rope)(const Rotation& rotation, size_t row, const float* x, float* y, size_t size);
  /// Rounded to the nearest f16, ties to even.
  void (*to_f16)(const float* x, uint16_t* y, size_t count);
  /// A row of a cache: codes from -127 to 127, then the bytes of their scale, max |x| / 127.
  void (*to_i8)(const float* x, int8_t* y, size_t count);

  /// Codes row `row` (0 to 3) of a band of a sketch, which holds only zeros before its first row.
  /// `scale` is that of the weights.
  void (*sketch_row)(const int8_t* weights, size_t columns, float scale, size_t row, uint8_t* band);
  /// Writes bounds[n] for the rows, which the products are not above; or NaN. Returns the row of
  /// the highest. The rows begin with a band.
  size_t (*sketch_bounds)(const SketchView& sketch, const SketchInput& input, Range rows,
                          float* bounds);

  /// Bounds take less time than products: measured where vectors have eight lanes or more.
  bool sketch_pays;

  /// Attention with one head of keys and values, to queries that have been turned.
  void (*attention)(const AttentionArgs& task, float* scratch);
  /// For any head and rows of `args`.
  size_t (*attention_scratch_bytes)(const AttentionArgs& args);
  /// Query vectors (rows * heads) that a call may take at most, one row apart.
  size_t attention_queries;

  /// Up to this many rows the kernels stream the weights past the activations; with more they
  /// work in panels.
  size_t streaming_rows;
};

/// Whether kernels ask for what they read once past the second-level cache: on AMD's processors,
/// where Zen 5 gains by it. Two threads of an Intel Xeon read 13 GB/s so instead of 26 to 31, and
/// on Arm it was not tried.
extern const bool kReadsPastSecondLevel;

/// The table in use: the best that the processor supports, or the one LITERTLM_ISA names. Chosen
/// at the first call; throws kUsage if LITERTLM_ISA names none that can run here.
const KernelTable& ActiveKernels();

/// The named table. Throws kUsage, listing the possible names, if it cannot run here.
const KernelTable& KernelsNamed(const char* name);

/// All tables that can run here, best first; the last is "scalar". Null-terminated.
const KernelTable* const* AvailableKernels();

/// `Attention` with the kernels of a table.
void AttentionWith(const KernelTable& kernels, const AttentionArgs& args, ThreadPool& pool);

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_KERNEL_TABLE_H_
