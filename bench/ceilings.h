// What the machine can do at best, measured in the run that it is compared with.
#ifndef LITERTLM_BENCH_CEILINGS_H_
#define LITERTLM_BENCH_CEILINGS_H_

#include <cstddef>
#include <cstdint>

namespace litertlm::bench {

/// A buffer far larger than the caches, filled with random bytes, shared by all benchmarks.
const uint8_t* Cold();
constexpr size_t kColdBytes = size_t{384} << 20;

/// Integer operations (a multiplication or an addition of bytes) per second of `threads` threads on
/// registers alone; 0 where the processor lacks AVX-512 VNNI.
double IntegerPeak(int threads);

}  // namespace litertlm::bench

#endif  // LITERTLM_BENCH_CEILINGS_H_
