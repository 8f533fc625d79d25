// Decoders whose caches are split from what is new, as litert-torch's export_hf draws them for NPUs
// (`split_cache`): they read caches and give the new rows as outputs. Angles, masks and updates of
// the caches are computed by an auxiliary model beside them. Here both become one graph, which is
// drawn as other decoders are.
#ifndef LITERTLM_RUNTIME_SPLIT_CACHE_H_
#define LITERTLM_RUNTIME_SPLIT_CACHE_H_

#include <string_view>

#include "format/tflite.h"
#include "graph/ir.h"
#include "runtime/tensor.h"

namespace litertlm {

/// The graph of a decoder's signature. Where its caches are split, the signatures of `auxiliary`
/// that belong to it are built in. Caches whose length the file leaves open get `open_context`
/// positions. Throws kUnsupported for a split cache without `auxiliary`, and for one that this
/// program does not understand.
Graph ImportDecoder(const TfliteModel& model, std::string_view key, const TfliteModel* auxiliary,
                    int64_t open_context, Workers& workers);

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_SPLIT_CACHE_H_
