// Sinks that keep what is written, for tests.
#ifndef LITERTLM_TESTS_FORMAT_MEMORY_SINK_H_
#define LITERTLM_TESTS_FORMAT_MEMORY_SINK_H_

#include <algorithm>
#include <string>

#include "base/file.h"

namespace litertlm {

struct MemorySink : ByteSink {
  void Write(Bytes bytes) override { data.append(AsText(bytes)); }
  std::string data;
};

/// Keeps the first `limit` bytes and counts the others: for files that are too large for a test.
struct BeginningSink : ByteSink {
  explicit BeginningSink(size_t bytes) : limit(bytes) {}
  void Write(Bytes bytes) override {
    data.append(AsText(bytes.first(std::min(bytes.size(), limit - data.size()))));
    written += bytes.size();
  }
  size_t limit;
  std::string data;
  uint64_t written = 0;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_FORMAT_MEMORY_SINK_H_
