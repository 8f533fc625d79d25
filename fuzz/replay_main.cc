// Runs every file of a folder through a fuzz target, once. A target that finds fault aborts.
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <vector>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " FOLDER\n";
    return 64;
  }
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const std::string text = litertlm::ReadFile(entry.path());
    std::cout << entry.path().filename().string()
              << std::endl;  // Flushed: the last line is guilty.
    // A block of exactly this size, so that a sanitizer sees the first byte behind it.
    const std::vector<uint8_t> data(text.begin(), text.end());
    LLVMFuzzerTestOneInput(data.data(), data.size());
    ++count;
  }
  if (count == 0) std::cerr << argv[1] << " holds no seeds\n";
  return count == 0 ? 1 : 0;
}
