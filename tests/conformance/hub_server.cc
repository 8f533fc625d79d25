// The test server as a program, for clients of other languages.
//
//   hub_server [--page-size N] [--gated] ORG/NAME=FOLDER ...
//
// Serves each folder as a repository, prints its address as a line, and ends when its standard
// input does.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "base/file.h"
#include "tests/hub/hub_server.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  litertlm::HubServer server;
  bool gated = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--page-size" && i + 1 < argc) {
      server.SetPageSize(std::stoul(argv[++i]));
      continue;
    }
    if (argument == "--gated") {
      gated = true;
      continue;
    }
    const size_t equals = argument.find('=');
    const fs::path folder = argument.substr(equals + 1);
    litertlm::ServedRepository repository{
        .name = argument.substr(0, equals), .files = {}, .gated = gated};
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = fs::relative(entry.path(), folder).string();
      auto content = std::make_shared<const std::string>(litertlm::ReadFile(entry.path()));
      const bool large = content->size() >= (1 << 20) || path.ends_with(".litertlm") ||
                         path.ends_with(".safetensors");
      repository.files.push_back({path, std::move(content), large});
    }
    server.Add(std::move(repository));
    gated = false;
  }
  std::cout << server.endpoint() << std::endl;
  while (std::getchar() != EOF) continue;
  return 0;
}
