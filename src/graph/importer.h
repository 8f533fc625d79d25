// Shared by the files that implement import.h.
#ifndef LITERTLM_GRAPH_IMPORTER_H_
#define LITERTLM_GRAPH_IMPORTER_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/tflite.h"
#include "graph/import.h"
#include "graph/ir.h"
#include "litertlm/error.h"

namespace litertlm {

/// The beginning of a tensor's name, for messages. Composites are written once and may be used
/// often, and would multiply a long one.
std::string ShortName(const tflite::Tensor& tensor);

/// Whether the file leaves a dimension of the tensor open.
bool IsOpen(const tflite::Tensor& tensor);

/// Builds the graph of one signature.
class Importer {
 public:
  /// `open` must outlive the importer.
  Importer(const TfliteModel& model, std::string_view key, const OpenShapes& open);
  Graph Import();

  const tflite::SignatureDef* signature() const { return signature_; }
  /// The declared shape; throws if it is beyond reason.
  Shape TensorShape(const tflite::Tensor& tensor) const;

 private:
  friend class OperatorImporter;

  /// The tensors of one subgraph that have a value so far.
  struct Scope {
    const tflite::SubGraph* subgraph;
    int depth;  ///< Of composites within composites.
    std::unordered_map<int32_t, ValueId> values;
  };

  ValueId AddInput(Scope& scope, std::string_view name, int32_t tensor);
  ValueId Lookup(Scope& scope, int32_t tensor);
  ValueId AddConstant(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor);
  Quantization ReadQuantization(const tflite::SubGraph& subgraph, const tflite::Tensor& tensor);
  void ImportOperators(Scope& scope);
  /// Makes the result of `node` a constant, if it is an index or size that follows from constants.
  bool Fold(const Node& node);
  [[noreturn]] void Fail(ErrorCode code, const std::string& detail) const;

  const TfliteModel& model_;
  const OpenShapes& open_;
  const tflite::SignatureDef* signature_ = nullptr;
  Graph graph_;
  int64_t operators_ = 0;      ///< Imported so far, those of inlined composites included.
  uint64_t copied_bytes_ = 0;  ///< Of constants that were not aligned.
  uint64_t transposed_bytes_ = 0;
};

/// One operator of the file: reads its inputs and options, emits nodes, binds its outputs.
class OperatorImporter {
 public:
  OperatorImporter(Importer& importer, Importer::Scope& scope, const tflite::Operator& op,
                   int32_t code);

  void Import();

  const tflite::Operator& op() const { return op_; }
  /// Of a custom operator.
  std::string_view custom_name() const;
  size_t inputs() const { return op_.inputs() == nullptr ? 0 : op_.inputs()->size(); }
  size_t outputs() const { return op_.outputs() == nullptr ? 0 : op_.outputs()->size(); }
  /// The value of input `i`, or kNoValue where it is left out.
  ValueId in(size_t i);
  /// The value of input `i`, which must be there.
  const Value& value(size_t i);
  int rank(size_t i) { return static_cast<int>(value(i).shape.size()); }
  Shape shape(size_t i) { return Concrete(value(i).shape, 1); }
  /// All inputs, in order.
  std::vector<ValueId> all_inputs();

  /// The numbers of a constant int32 or int64 input, held within +-2^31.
  std::vector<int64_t> Numbers(size_t i);
  /// The one number of such an input.
  int64_t Number(size_t i);
  /// `axis` counted from the front. Throws if it is outside of `rank`.
  int Axis(int64_t axis, int rank) const;
  /// Dtype and shape that the file declares for an output.
  DType OutputDType(size_t i) const;
  Shape OutputShape(size_t i) const;
  /// The file's tensors, which say how codes are to be read. Input `i` must be there.
  const tflite::Tensor& InputTensor(size_t i) const;
  const tflite::Tensor& OutputTensor(size_t i) const;

  /// `target` is the dtype of what kCast and kQuantize make; that of others follows from inputs.
  ValueId Emit(Op op, std::vector<ValueId> inputs, Attributes attributes = {},
               DType target = DType::kF32);
  ValueId EmitReshape(ValueId input, const Shape& target);
  /// Applies an operator's fused activation.
  ValueId EmitActivation(ValueId input, tflite::ActivationFunctionType activation);
  /// `input` as `dtype`: itself where it is.
  ValueId EmitCast(ValueId input, DType dtype);
  /// Integers below 32 bits and booleans as int32; everything else as it is.
  ValueId EmitLargeInteger(ValueId input);
  template <typename T>
  ValueId EmitConstant(DType dtype, const Shape& shape, const std::vector<T>& values) {
    std::vector<std::byte> data(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
    return EmitBytes(dtype, shape, std::move(data));
  }
  /// A constant of f32, int32 or int64.
  ValueId EmitNumbers(DType dtype, const Shape& shape, const std::vector<int64_t>& numbers);
  ValueId AddConstant(Value value) { return importer_.graph_.AddValue(std::move(value)); }
  /// Memory for a constant that is laid out anew. Throws kUnsupported for too much of it.
  std::vector<std::byte> AllocateTransposed(size_t bytes);
  const Value& ValueOf(ValueId id) const { return importer_.graph_.value(id); }
  void Bind(size_t output, ValueId value);
  /// Runs the subgraph of a composite in the place of the operator.
  void Inline(int32_t subgraph_index);

  /// Throws kBadInput or kUnsupported; the message names signature, operator and tensor.
  void Check(bool condition, const char* detail) const {
    if (!condition) Fail(ErrorCode::kBadInput, detail);
  }
  [[noreturn]] void Fail(ErrorCode code, const std::string& detail) const;

 private:
  ValueId EmitBytes(DType dtype, const Shape& shape, std::vector<std::byte> data);
  ValueId EmitIntegerActivation(ValueId input, tflite::ActivationFunctionType activation);
  [[noreturn]] void FailActivation(tflite::ActivationFunctionType activation) const;
  std::string OutputName() const;

  Importer& importer_;
  Importer::Scope& scope_;
  const tflite::Operator& op_;
  int32_t code_;
};

using OperatorHandler = void (*)(OperatorImporter&);
/// Null where this program does not have the operator.
OperatorHandler FindHandler(int32_t builtin_code);

/// "PAD" or "operator 77".
std::string TfliteOperatorName(int32_t builtin_code);

/// The fused activation that `options` name; none where the file leaves them out.
template <typename Options>
tflite::ActivationFunctionType ActivationOf(const Options* options) {
  return options == nullptr ? tflite::ActivationFunctionType::NONE
                            : options->fused_activation_function();
}
/// Throws if there are more numbers than a shape can hold.
Shape ToShape(const OperatorImporter& op, const std::vector<int64_t>& numbers);
/// The same for extents, none of which may be negative, and which may not be too large together.
Shape TargetShape(const OperatorImporter& op, const std::vector<int64_t>& numbers);
/// `shape` with a new dimension of extent 1 at `axis`.
Shape WithDimension(const OperatorImporter& op, const Shape& shape, int axis);
/// Indices [begin, begin + size) of `whole` along `axis`.
ValueId EmitPart(OperatorImporter& op, ValueId whole, int axis, int64_t begin, int64_t size);

// Handlers, one group for each file import_*.cc.
void ImportDequantize(OperatorImporter& op);
void ImportQuantize(OperatorImporter& op);

void ImportComposite(OperatorImporter& op);
void ImportCustom(OperatorImporter& op);

void ImportArgMax(OperatorImporter& op);
void ImportGather(OperatorImporter& op);
void ImportGatherNd(OperatorImporter& op);
void ImportScatterNd(OperatorImporter& op);
void ImportTopK(OperatorImporter& op);

void ImportBatchMatMul(OperatorImporter& op);
void ImportEmbeddingLookup(OperatorImporter& op);
void ImportFullyConnected(OperatorImporter& op);

void ImportConcatenation(OperatorImporter& op);
void ImportPack(OperatorImporter& op);
void ImportPad(OperatorImporter& op);
void ImportSlice(OperatorImporter& op);
void ImportSplit(OperatorImporter& op);
void ImportSplitV(OperatorImporter& op);
void ImportTile(OperatorImporter& op);
void ImportUnpack(OperatorImporter& op);

void ImportBroadcastTo(OperatorImporter& op);
void ImportExpandDims(OperatorImporter& op);
void ImportFill(OperatorImporter& op);
void ImportRange(OperatorImporter& op);
void ImportReshape(OperatorImporter& op);
void ImportShape(OperatorImporter& op);
void ImportSqueeze(OperatorImporter& op);
void ImportTranspose(OperatorImporter& op);

void ImportStridedSlice(OperatorImporter& op);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_IMPORTER_H_
