// The model beside a decoder whose caches are split: it computes angles and masks, and updates the
// caches. As export_hf draws it.
#ifndef LITERTLM_TESTS_STYLES_STYLED_AUXILIARY_H_
#define LITERTLM_TESTS_STYLES_STYLED_AUXILIARY_H_

#include <string>

#include "convert/decoder_spec.h"
#include "convert/graph_emitter.h"
#include "tests/styles/exporter_style.h"

namespace litertlm {

/// How the angles of a rotation pass from one to the other: "pos_emb_cos", "pos_emb_local_sin" …
std::string AnglesName(const DecoderSpec& spec, size_t rope, const std::string& function);

/// The window of the layers that have one; 0 for none.
int64_t LocalWindow(const DecoderSpec& spec);

void EmitAuxiliary(const DecoderSpec& spec, const ExporterStyle& style, const GraphOptions& options,
                   TfliteBuilder& model);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_AUXILIARY_H_
