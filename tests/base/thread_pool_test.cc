#include "base/thread_pool.h"
#include "tests/scratch_path.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <set>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

namespace litertlm {
namespace {

namespace fs = std::filesystem;

TEST(ThreadPool, CallsEachIndexOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (const size_t count : {0, 1, 2, 3, 100, 1000}) {
      std::vector<std::atomic<int>> calls(count);
      pool.ParallelFor(count, [&](size_t i, int) { ++calls[i]; });
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(calls[i], 1) << i << " of " << count;
    }
  }
}

TEST(ThreadPool, WorkerNumbersAreUniqueAmongRunningTasks) {
  ThreadPool pool(4);
  std::vector<std::atomic<bool>> busy(4);
  std::atomic<bool> clash = false;
  for (int round = 0; round < 200; ++round) {
    pool.ParallelFor(16, [&](size_t, int worker) {
      if (busy.at(worker).exchange(true)) clash = true;
      std::this_thread::yield();
      busy[worker] = false;
    });
  }
  EXPECT_FALSE(clash);
}

TEST(ThreadPool, ManyShortLoopsSeeTheirOwnData) {
  ThreadPool pool(3);
  for (int round = 0; round < 20000; ++round) {
    // Plain memory: the sanitizer sees it if a late worker touches an earlier loop's.
    std::vector<int> results(7, -1);
    pool.ParallelFor(results.size(), [&](size_t i, int) { results[i] = round; });
    for (const int result : results) ASSERT_EQ(result, round);
  }
}

TEST(ThreadPool, LoopsAfterSleepStillRun) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> sum = 0;
    pool.ParallelFor(10, [&](size_t i, int) { sum += static_cast<int>(i); });
    ASSERT_EQ(sum, 45);
  }
}

// A worker that comes too late for the last loop must see that the pool ends.
TEST(ThreadPool, EndsWhileWorkersAreOnTheirWay) {
  for (int round = 0; round < 3000; ++round) {
    ThreadPool pool(8);
    std::atomic<int> calls = 0;
    for (int loop = 0; loop < 3; ++loop) pool.ParallelFor(2, [&](size_t, int) { ++calls; });
    ASSERT_EQ(calls, 6);
  }
}

TEST(ThreadPool, OtherThreadsTakePart) {
  ThreadPool pool(2);
  std::set<std::thread::id> ids;
  std::mutex mutex;
  pool.ParallelFor(50, [&](size_t, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), 2u);
}

TEST(ThreadPool, RethrowsAnExceptionAndStaysUsable) {
  ThreadPool pool(3);
  for (int round = 0; round < 100; ++round) {
    EXPECT_THROW(pool.ParallelFor(30,
                                  [](size_t i, int) {
                                    if (i == 17) throw std::runtime_error("17");
                                  }),
                 std::runtime_error);
    std::atomic<int> calls = 0;
    pool.ParallelFor(30, [&](size_t, int) { ++calls; });
    ASSERT_EQ(calls, 30);
  }
}

TEST(ThreadPool, IdleThreadsUseNoTime) {
  ThreadPool pool(4);
  pool.ParallelFor(100, [](size_t, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();  // CPU time of the whole process.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 50);
}

TEST(ThreadPool, ReadsAheadAlsoWhatIsNotReadable) {
  ThreadPool pool(3);
  const std::vector<std::byte> memory(1 << 20);
  const std::span<const std::byte> all(memory);
  const std::span<const std::byte> nowhere(reinterpret_cast<const std::byte*>(4096), all.size());
  const std::array<std::span<const std::byte>, 4> spans = {all, {}, nowhere, all.subspan(1000)};
  std::atomic<int> calls = 0;
  for (size_t loop = 0; loop < 2000; ++loop) {
    for (int worker = 0; worker < pool.threads(); ++worker) {
      pool.ReadWhileWaiting(worker, spans[loop % spans.size()]);
    }
    pool.ParallelFor(7, [&](size_t, int) { ++calls; });
  }
  EXPECT_EQ(calls, 14000);
}

TEST(ThreadPool, ScratchIsAlignedKeptAndPerWorker) {
  ThreadPool pool(2);
  EXPECT_EQ(pool.Scratch(0, 0), nullptr);
  std::byte* first = pool.Scratch(0, 1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0u);
  EXPECT_EQ(pool.Scratch(0, 500), first);
  EXPECT_NE(pool.Scratch(1, 500), first);
}

/// A folder with the files of /proc and /sys that decide the number of threads.
class ThreadCount : public testing::Test {
 protected:
  void SetUp() override {
    root_ = ScratchPathOfTest();
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void WriteSiblings(int cpu, const std::string& list) {
    Write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
          list + "\n");
  }
  int Count(const std::vector<int>& allowed) { return DefaultThreadCount(allowed, root_); }

  fs::path root_;
};

TEST_F(ThreadCount, WithoutFilesIsTheAffinityMask) {
  EXPECT_EQ(Count({0, 1, 2}), 3);
  EXPECT_EQ(Count({}), 1);
}

TEST_F(ThreadCount, CountsHyperThreadsOfACoreOnce) {
  WriteSiblings(0, "0,4");
  WriteSiblings(4, "0,4");
  WriteSiblings(1, "1,5");
  EXPECT_EQ(Count({0, 4, 1}), 2);
}

TEST_F(ThreadCount, ObeysCgroupV2QuotaOfAnOuterGroup) {
  Write("proc/self/cgroup", "0::/outer/inner\n");
  Write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  EXPECT_EQ(Count({0, 1, 2, 3}), 4);
  Write("sys/fs/cgroup/outer/cpu.max", "250000 100000\n");
  EXPECT_EQ(Count({0, 1, 2, 3}), 3);
  Write("sys/fs/cgroup/outer/inner/cpu.max", "50000 100000\n");
  EXPECT_EQ(Count({0, 1, 2, 3}), 1);
}

TEST_F(ThreadCount, ObeysCgroupV1QuotaAtTheMountsTop) {
  Write("proc/self/cgroup", "5:memory:/m\n3:cpu,cpuacct:/docker/1234\n");
  Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Count({0, 1, 2, 3}), 4);
  Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  EXPECT_EQ(Count({0, 1, 2, 3}), 2);
}

TEST_F(ThreadCount, IgnoresFilesItCannotRead) {
  Write("proc/self/cgroup", "nonsense\n0::/x\n");
  Write("sys/fs/cgroup/x/cpu.max", "fast slow\n");
  EXPECT_EQ(Count({0, 1}), 2);
}

TEST(DefaultThreadCount, IsAtLeastOne) { EXPECT_GE(DefaultThreadCount(), 1); }

}  // namespace
}  // namespace litertlm
