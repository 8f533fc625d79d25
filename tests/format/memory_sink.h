// A sink that keeps what is written, for tests.
#ifndef LITERTLM_TESTS_FORMAT_MEMORY_SINK_H_
#define LITERTLM_TESTS_FORMAT_MEMORY_SINK_H_

#include <string>

#include "base/file.h"

namespace litertlm {

struct MemorySink : ByteSink {
  void Write(Bytes bytes) override { data.append(AsText(bytes)); }
  std::string data;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_FORMAT_MEMORY_SINK_H_
