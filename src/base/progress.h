// How long work reports how far it is. The library reports; the program shows.
#ifndef LITERTLM_BASE_PROGRESS_H_
#define LITERTLM_BASE_PROGRESS_H_

#include <cstdint>
#include <string_view>

namespace litertlm {

/// Called from the thread that does the work.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A new phase begins: "Writing weights", of `total` bytes (0: unknown).
  virtual void Begin(std::string_view phase, uint64_t total) = 0;
  /// `done` of the phase's total are finished; `item` names what is worked on (a tensor, a file).
  virtual void Update(uint64_t done, std::string_view item) = 0;
  virtual void End() = 0;
  /// True when the user wants the work to stop; the work then throws kInterrupted.
  virtual bool Cancelled() const { return false; }
};

}  // namespace litertlm

#endif  // LITERTLM_BASE_PROGRESS_H_
