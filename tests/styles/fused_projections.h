// One matrix for the queries, keys and values of each layer, as the classic exporter writes it.
#ifndef LITERTLM_TESTS_STYLES_FUSED_PROJECTIONS_H_
#define LITERTLM_TESTS_STYLES_FUSED_PROJECTIONS_H_

#include <deque>
#include <vector>

#include "convert/weight_store.h"

namespace litertlm {

class FusedProjections {
 public:
  /// Adds the matrices to `model`. All references must outlive its writing, and so must this.
  FusedProjections(const DecoderSpec& spec, const WeightStore& weights,
                   const Checkpoint& checkpoint, ThreadPool& pool, TfliteBuilder& model);

  struct Projection {
    StoredMatrix matrix;  ///< `source` has the right size, but no tensor.
    BufferId bias = 0;    ///< f32; 0 for none.
  };
  const Projection& OfLayer(size_t layer) const { return layers_[layer]; }

 private:
  std::deque<Projection> layers_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_FUSED_PROJECTIONS_H_
