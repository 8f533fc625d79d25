// write_styled_model CHECKPOINT STYLE CODING OUTPUT writes a .litertlm file as an exporter would.
// Without arguments it prints the names of the styles.
#include <cstdio>
#include <cstdlib>

#include "litertlm/error.h"
#include "tests/styles/styled_file.h"

namespace {

void Write(char** arguments) {
  for (const litertlm::ExporterStyle& style : litertlm::ExporterStyles()) {
    if (style.name != arguments[2]) continue;
    litertlm::WriteStyledFile(arguments[1], style,
                              {.quantization = litertlm::ParseQuantization(arguments[3]).value(),
                               .prefill_lengths = {32, 128},
                               .cache_length = 320},
                              arguments[4]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 5) Write(argv);
    for (const litertlm::ExporterStyle& style : litertlm::ExporterStyles()) {
      if (argc == 1) std::puts(style.name.c_str());
    }
  } catch (const litertlm::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return EXIT_FAILURE;
  }
}
