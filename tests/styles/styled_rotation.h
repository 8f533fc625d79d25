// Rotary position embeddings, as exporters draw them.
#ifndef LITERTLM_TESTS_STYLES_STYLED_ROTATION_H_
#define LITERTLM_TESTS_STYLES_STYLED_ROTATION_H_

#include <map>
#include <string>

#include "convert/decoder_spec.h"
#include "tests/styles/exporter_style.h"
#include "tests/styles/style_ops.h"

namespace litertlm {

/// Of one signature. Tables of angles are made when they are first needed.
class StyledRotation {
 public:
  /// References must outlive the object. `positions` is i32 [T].
  StyledRotation(const DecoderSpec& spec, const ExporterStyle& style, StyleOps& ops,
                 TensorId positions)
      : spec_(spec), style_(style), ops_(ops), positions_(positions) {}

  struct Tables {
    TensorId cos, sin;  // [1, T, H / 2] or [1, 1, T, H], with what turns of a head for H.
  };
  const Tables& TablesOf(size_t rope);
  /// Takes tables that were made elsewhere.
  void SetTables(size_t rope, const Tables& tables) { tables_[rope] = tables; }

  /// [1, heads, T, H], turned by `rope` of the spec; where that has fewer frequencies than half a
  /// head's size, only the beginning of each head.
  TensorId Rotate(TensorId x, size_t rope, const std::string& name);

 private:
  bool classic() const { return style_.exporter == ExporterStyle::Exporter::kClassic; }
  Tables HalfTables(std::vector<float> frequencies, TensorId positions);
  Tables WholeTables(const std::vector<float>& frequencies, TensorId positions);
  TensorId RotateHalves(TensorId x, const Tables& tables, const std::string& name);
  TensorId RotateWhole(TensorId x, const Tables& tables, const std::string& name);
  /// Elements [begin, begin + size) of the last axis.
  TensorId Part(TensorId x, int32_t begin, int32_t size, const std::string& name);

  const DecoderSpec& spec_;
  const ExporterStyle& style_;
  StyleOps& ops_;
  const TensorId positions_;
  std::map<size_t, Tables> tables_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_ROTATION_H_
