// Operators that TFLite knows by name only: composites, and custom operators.
#ifndef LITERTLM_GRAPH_NAMED_OPERATORS_H_
#define LITERTLM_GRAPH_NAMED_OPERATORS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "graph/importer.h"

namespace litertlm {

/// The attributes of such an operator: a map in FlexBuffers' format.
class NamedAttributes {
 public:
  /// Nothing if the bytes are damaged or hold something else. They must outlive the object; none
  /// stand for an empty map.
  static std::optional<NamedAttributes> Read(const flatbuffers::Vector<uint8_t>* bytes);

  /// Nothing if the map has no such number.
  std::optional<float> Number(const char* key) const;
  /// False if the map has no such truth value.
  bool Flag(const char* key) const;

 private:
  const flatbuffers::Vector<uint8_t>* bytes_ = nullptr;
};

/// Emits what the operator computes, and binds its outputs. False, and nothing is emitted, if its
/// inputs or attributes are not those that it knows.
using NamedHandler = bool (*)(OperatorImporter& op, const NamedAttributes& attributes);

/// Null where this program has no such operator.
NamedHandler FindNamedHandler(std::string_view name);

}  // namespace litertlm

#endif  // LITERTLM_GRAPH_NAMED_OPERATORS_H_
