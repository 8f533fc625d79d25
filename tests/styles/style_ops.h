// Operators that exporters write and our converter does not.
#ifndef LITERTLM_TESTS_STYLES_STYLE_OPS_H_
#define LITERTLM_TESTS_STYLES_STYLE_OPS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "convert/op_emitter.h"

namespace litertlm {

class StyleOps : public OpEmitter {
 public:
  using OpEmitter::OpEmitter;

  TensorId Divide(TensorId a, TensorId b, std::string_view name);
  TensorId Minimum(TensorId a, TensorId b, std::string_view name);
  TensorId AddInts(TensorId a, TensorId b, std::string_view name);
  TensorId MaximumInts(TensorId a, TensorId b, std::string_view name);
  TensorId LessInts(TensorId a, TensorId b, std::string_view name);  ///< Gives bool.
  TensorId And(TensorId a, TensorId b, std::string_view name);       ///< Of bools.
  TensorId Equal(TensorId a, TensorId b, std::string_view name);     ///< Gives bool.
  TensorId NotEqual(TensorId a, TensorId b, std::string_view name);  ///< Gives bool.
  TensorId Negate(TensorId x, std::string_view name);
  TensorId HalvesToFloats(TensorId x, std::string_view name);
  TensorId BoolsToFloats(TensorId x, std::string_view name);
  TensorId ReshapeBools(TensorId x, Shape shape, std::string_view name);
  TensorId FloatsToInts(TensorId x, std::string_view name);
  TensorId Sum(TensorId x, int32_t axis, std::string_view name);  ///< The axis is dropped.
  /// Slices of `table` along `axis` by `ids` [n].
  TensorId Gather(TensorId table, TensorId ids, int32_t axis, std::string_view name);
  std::vector<TensorId> UnpackInts(TensorId x, std::string_view name);  ///< [n] to n scalars.
  TensorId PackInts(const std::vector<TensorId>& scalars, std::string_view name);
  TensorId BroadcastTo(TensorId x, Shape shape, std::string_view name);
  TensorId BatchMatMul(TensorId a, TensorId b, std::string_view name);  ///< Neither is transposed.

  /// Writes the decomposition of a composite: from its inputs to its output.
  using Body = std::function<TensorId(StyleOps& ops, const std::vector<TensorId>& inputs)>;
  /// A composite, whose decomposition is a subgraph of its own. Inputs are f32 where `dtypes` does
  /// not say otherwise.
  TensorId Composite(const std::string& composite, const std::map<std::string, double>& attributes,
                     const std::vector<TensorId>& inputs, const Body& body, std::string_view name,
                     const std::vector<DType>& dtypes = {});
  /// An operator that has a name only, with f32 outputs of these shapes: a custom operator, or a
  /// composite without a decomposition.
  std::vector<TensorId> Named(const std::string& operation, bool custom,
                              const std::map<std::string, double>& attributes,
                              const std::vector<TensorId>& inputs, const std::vector<Shape>& shapes,
                              std::string_view name);

 private:
  TensorId Cast(DType from, DType to, TensorId x, std::string_view name);
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLE_OPS_H_
