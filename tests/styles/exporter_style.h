// The ways in which exporters draw the same decoder.
#ifndef LITERTLM_TESTS_STYLES_EXPORTER_STYLE_H_
#define LITERTLM_TESTS_STYLES_EXPORTER_STYLE_H_

#include <ostream>
#include <string>
#include <vector>

namespace litertlm {

struct ExporterStyle {
  enum class Exporter {
    kOurs,
    /// litert-torch's generative examples: one matrix for queries, keys and values; halves of heads
    /// are rotated by tables of half a head's size; windows by MINIMUM; indices by way of floats.
    kClassic,
    /// Its export_hf: matrices apart; x cos + concat(-b, a) sin; windows of -1e4 that are added.
    kHuggingFace,
  };
  /// The order of keys and of values, with C positions, K heads, size H.
  enum class Caches {
    kTransposed,  ///< [1, K, C, H] and [1, K, H, C].
    kRowsFirst,   ///< [1, C, K, H], both: the classic default.
    kSwapped,     ///< [1, K, H, C] and [1, K, C, H]: k_ts_idx = 3, v_ts_idx = 2.
    kHeadsFirst,  ///< [1, K, C, H], both.
  };

  enum class Mask {
    kFloats,
    kHalves,
    kBools,
    kTable,  ///< No input: rows of a constant table are gathered by position.
  };
  /// What looks embeddings up.
  enum class Embedder {
    kInside,
    kOneToken,    ///< A model of its own, with one signature.
    kAllLengths,  ///< A model of its own, with a signature for each of the decoder's.
  };

  std::string name;
  Exporter exporter = Exporter::kClassic;
  Caches caches = Caches::kTransposed;
  Mask mask = Mask::kFloats;
  bool norm_composites = true;  ///< odml.rms_norm, else written out.
  /// odml.scaled_dot_product_attention for kRowsFirst, odml.sdpa_transposed for kTransposed.
  bool attention_composite = false;
  /// The mask becomes bools, one copy for each head of a group, that pick scores in the place of
  /// being added to them; as where graphs are drawn for GPUs. For kTransposed.
  bool picked_scores = false;
  /// Named operators without a decomposition: for kRowsFirst attention and updates of caches as
  /// custom operators, for kTransposed odml.runtime_bmm and odml.cache_update as composites, with
  /// the parameters that GPUs are given.
  bool bare_names = false;
  bool old = false;  ///< DIV where newer files multiply, and GATHER for embeddings.
  Embedder embedder = Embedder::kInside;
  /// A part of the embeddings comes for each layer apart, from a model of its own; as in Gemma3n,
  /// where it is no part of them, but something else. With an embedder.
  bool layer_embedder = false;
  /// Caches are only read, and new rows are outputs; an auxiliary model updates the caches and
  /// computes angles and masks. For kHuggingFace with kTransposed and an embedder.
  bool split_cache = false;
  /// Lengths of prompts and caches are left open, and sizes derived from shapes. Without
  /// composites.
  bool open_shapes = false;
  bool valid_mask = false;  ///< The auxiliary model is told which rows are padding, as since 2026.
  /// token_ids, positions of rank 2, attn_mask, k_cache_0 … instead of tokens, input_pos, mask,
  /// kv_cache_k_0 …
  bool other_names = false;
  bool adapters = false;  ///< Further signatures for adapters (LoRA), the longest among them.
};

inline std::ostream& operator<<(std::ostream& out, const ExporterStyle& style) {
  return out << style.name;
}

/// Every style there is a test for.
inline std::vector<ExporterStyle> ExporterStyles() {
  using Style = ExporterStyle;
  using enum Style::Exporter;
  using enum Style::Caches;
  using enum Style::Mask;
  using enum Style::Embedder;
  return {
      {.name = "ours", .exporter = kOurs},
      {.name = "classic"},
      {.name = "classic_written_norms", .norm_composites = false},
      {.name = "classic_old", .norm_composites = false, .old = true},
      {.name = "classic_adapters", .adapters = true},
      {.name = "classic_no_mask", .mask = kTable},
      {.name = "classic_rows_first", .caches = kRowsFirst},
      {.name = "classic_rows_first_no_mask", .caches = kRowsFirst, .mask = kTable},
      {.name = "classic_attention_composite", .caches = kRowsFirst, .attention_composite = true},
      {.name = "classic_attention_composite_no_mask",
       .caches = kRowsFirst,
       .mask = kTable,
       .attention_composite = true},
      {.name = "classic_custom_operators",
       .caches = kRowsFirst,
       .attention_composite = true,
       .bare_names = true},
      {.name = "export_hf", .exporter = kHuggingFace},
      {.name = "export_hf_bare_composites", .exporter = kHuggingFace, .bare_names = true},
      {.name = "export_hf_swapped_caches", .exporter = kHuggingFace, .caches = kSwapped},
      {.name = "export_hf_heads_first", .exporter = kHuggingFace, .caches = kHeadsFirst},
      {.name = "export_hf_open_shapes",
       .exporter = kHuggingFace,
       .norm_composites = false,
       .open_shapes = true},
      {.name = "export_hf_picked_scores", .exporter = kHuggingFace, .picked_scores = true},
      {.name = "export_hf_attention_composite",
       .exporter = kHuggingFace,
       .attention_composite = true,
       .picked_scores = true},
      {.name = "export_hf_half_mask", .exporter = kHuggingFace, .mask = kHalves},
      {.name = "export_hf_bool_mask", .exporter = kHuggingFace, .mask = kBools},
      {.name = "export_hf_other_names", .exporter = kHuggingFace, .other_names = true},
      {.name = "export_hf_embedder", .exporter = kHuggingFace, .embedder = kOneToken},
      {.name = "export_hf_embedder_all_lengths", .exporter = kHuggingFace, .embedder = kAllLengths},
      {.name = "export_hf_layer_embedder",
       .exporter = kHuggingFace,
       .embedder = kOneToken,
       .layer_embedder = true},
      {.name = "export_hf_split_cache",
       .exporter = kHuggingFace,
       .embedder = kOneToken,
       .split_cache = true},
      {.name = "export_hf_split_cache_valid_mask",
       .exporter = kHuggingFace,
       .embedder = kOneToken,
       .split_cache = true,
       .valid_mask = true},
  };
}

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_EXPORTER_STYLE_H_
