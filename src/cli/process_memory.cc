#include "cli/process_memory.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace litertlm {

ProcessMemory ReadProcessMemory() {
  ProcessMemory memory;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const auto read = [&line](const char* name, uint64_t& bytes) {
      if (!line.starts_with(name)) return;
      bytes = std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10) * 1024;
    };
    read("RssAnon:", memory.private_bytes);
    read("VmRSS:", memory.resident_bytes);
    read("VmHWM:", memory.peak_bytes);
  }
  return memory;
}

}  // namespace litertlm
