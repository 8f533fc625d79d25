// How many threads are worth starting, from the files of Linux.
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;

std::string FirstLine(const fs::path& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// Cores among the CPUs: those that name the same siblings are one.
int PhysicalCores(std::span<const int> cpus, const fs::path& root) {
  std::set<std::string> cores;
  for (const int cpu : cpus) {
    const std::string name = "cpu" + std::to_string(cpu);
    const std::string siblings =
        FirstLine(root / "sys/devices/system/cpu" / name / "topology/thread_siblings_list");
    cores.insert(siblings.empty() ? name : siblings);
  }
  return static_cast<int>(cores.size());
}

/// Cores' worth of time that a quota grants, rounded up; nothing if there is no quota.
std::optional<int64_t> CoresOf(std::optional<int64_t> quota, std::optional<int64_t> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return (*quota + *period - 1) / *period;
}

std::optional<int64_t> QuotaV2(const fs::path& group) {
  const std::string line = FirstLine(group / "cpu.max");  // "QUOTA PERIOD" or "max PERIOD"
  const size_t space = line.find(' ');
  if (space == std::string::npos) return std::nullopt;
  return CoresOf(Number(line), Number(std::string_view(line).substr(space + 1)));
}

std::optional<int64_t> QuotaV1(const fs::path& group) {
  return CoresOf(Number(FirstLine(group / "cpu.cfs_quota_us")),
                 Number(FirstLine(group / "cpu.cfs_period_us")));
}

bool NamesCpu(std::string_view controllers) {
  return ("," + std::string(controllers) + ",").find(",cpu,") != std::string::npos;
}

/// The smallest quota of our group and the groups around it. Inside a container the path that
/// /proc names may not be mounted; the walk then ends at the mount's top, which is the container.
std::optional<int64_t> Quota(const fs::path& root) {
  std::optional<int64_t> least;
  std::ifstream groups(root / "proc/self/cgroup");  // Lines "ID:CONTROLLERS:PATH".
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && !NamesCpu(controllers)) continue;
    const fs::path top = root / "sys/fs/cgroup" / controllers;
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();;
         group = group.parent_path()) {
      const auto quota = v2 ? QuotaV2(top / group) : QuotaV1(top / group);
      if (quota) least = std::min(least.value_or(*quota), *quota);
      if (group.empty()) break;
    }
  }
  return least;
}

}  // namespace

int DefaultThreadCount(std::span<const int> allowed, const fs::path& root) {
  int64_t count = PhysicalCores(allowed, root);
  if (const auto quota = Quota(root)) count = std::min(count, *quota);
  return static_cast<int>(std::clamp<int64_t>(count, 1, kMaxThreads));
}

int DefaultThreadCount() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  std::vector<int> allowed;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) allowed.push_back(cpu);
  }
  return DefaultThreadCount(allowed, "/");
}

}  // namespace litertlm
