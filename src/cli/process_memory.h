// The memory of this process, as the kernel counts it.
#ifndef LITERTLM_CLI_PROCESS_MEMORY_H_
#define LITERTLM_CLI_PROCESS_MEMORY_H_

#include <cstdint>

namespace litertlm {

struct ProcessMemory {
  uint64_t private_bytes = 0;   ///< What this process has for itself (RssAnon).
  uint64_t resident_bytes = 0;  ///< With pages of mapped files, which others may share (VmRSS).
  uint64_t peak_bytes = 0;      ///< The most that was resident so far (VmHWM).
};

/// Zeros where the system does not say.
ProcessMemory ReadProcessMemory();

}  // namespace litertlm

#endif  // LITERTLM_CLI_PROCESS_MEMORY_H_
