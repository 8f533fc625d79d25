// LlmMetadata: the family's, completed from the checkpoint.
#ifndef LITERTLM_CONVERT_METADATA_H_
#define LITERTLM_CONVERT_METADATA_H_

#include "convert/config.h"
#include "convert/families/family.h"
#include "format/llm_metadata.h"
#include "text/tokenizer.h"

namespace litertlm {

/// The JSON files of a checkpoint; those that it lacks are empty objects.
struct CheckpointConfigs {
  Config model;       ///< config.json.
  Config decoder;     ///< Its text_config, or the same.
  Config generation;  ///< generation_config.json.
  Config tokenizer;   ///< tokenizer_config.json.
};

/// Names of tokens become ids; stop tokens of the configurations are added, as is the sampler
/// where the family wants that; tokens in [vocabulary, tokenizer.size()), which only pad the
/// table, are suppressed. Throws kBadInput if there is no stop token, or an id out of range.
proto::LlmMetadata MakeMetadata(const Family& family, const CheckpointConfigs& configs,
                                const Tokenizer& tokenizer, int vocabulary, int cache_length);

}  // namespace litertlm

#endif  // LITERTLM_CONVERT_METADATA_H_
