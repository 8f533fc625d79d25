// Finds out what parts of a decoder's graph compute from positions and mask alone, by running them.
#ifndef LITERTLM_RUNTIME_RUNNING_PROBE_H_
#define LITERTLM_RUNTIME_RUNNING_PROBE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "graph/passes/passes.h"
#include "runtime/decoder_signature.h"
#include "runtime/program.h"

namespace litertlm {

/// Both arguments must outlive the probe; the graph must not lose values meanwhile. Programs are
/// made once for each value asked for.
class RunningProbe : public PositionProbe {
 public:
  RunningProbe(const Graph& graph, const DecoderSignature& signature, Workers& workers);

  std::optional<int64_t> WindowOf(ValueId mask) override;
  bool IsPositionAlong(ValueId start, int axis) override;

 private:
  std::optional<int64_t> FindWindow(ValueId mask);
  /// A program that computes `value`; null if it needs more than positions and mask.
  std::unique_ptr<Program> ProgramFor(ValueId value) const;
  /// What `program` computes for rows that begin at `position`.
  std::vector<std::byte> Run(Program& program, int64_t position);

  const Graph& graph_;
  const DecoderSignature& signature_;
  Workers& workers_;
  Arena arena_;
  int64_t rows_;  ///< With which the graph is run: as few as it allows.
  std::map<ValueId, std::optional<int64_t>> windows_;
  std::map<std::pair<ValueId, int>, bool> starts_;
};

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_RUNNING_PROBE_H_
