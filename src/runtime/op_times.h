// Where the time of a program goes.
#ifndef LITERTLM_RUNTIME_OP_TIMES_H_
#define LITERTLM_RUNTIME_OP_TIMES_H_

#include <array>
#include <chrono>

#include "graph/op.h"

namespace litertlm {

/// Time that was spent in the nodes of each operator, by the thread that runs the program: while
/// others help it, it counts once.
class OpTimes {
 public:
  using Duration = std::chrono::steady_clock::duration;

  void Add(Op op, Duration time) { times_[static_cast<size_t>(op)] += time; }
  Duration of(Op op) const { return times_[static_cast<size_t>(op)]; }

 private:
  std::array<Duration, kOpCount> times_{};
};

}  // namespace litertlm

#endif  // LITERTLM_RUNTIME_OP_TIMES_H_
