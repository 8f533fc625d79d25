// write_styled_model FAMILY STYLE CODING OUTPUT writes a .litertlm file or, by the extension, a
// .task bundle as an exporter would. Without arguments it prints a line of "FAMILY STYLE FIXTURE"
// for each pair that there is.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "litertlm/error.h"
#include "tests/styles/styled_file.h"
#include "tests/styles/test_family.h"

namespace litertlm {
namespace {

void Write(char** arguments) {
  for (const TestFamily& family : kFamilies) {
    for (const ExporterStyle& style : ExporterStyles()) {
      if (std::string_view(arguments[1]) != family.name || arguments[2] != style.name) continue;
      WriteStyledFile(CheckpointOf(family), style,
                      OptionsFor(family, {.quantization = ParseQuantization(arguments[3]).value(),
                                          .prefill_lengths = {32, 128},
                                          .cache_length = 320}),
                      arguments[4]);
    }
  }
}

void List() {
  for (const TestFamily& family : kFamilies) {
    for (const ExporterStyle& style : ExporterStyles()) {
      if (style.exporter == ExporterStyle::Exporter::kOurs) continue;
      std::printf("%s %s %s\n", family.name, style.name.c_str(), family.fixture);
    }
  }
}

}  // namespace
}  // namespace litertlm

int main(int argc, char** argv) {
  try {
    if (argc == 5) litertlm::Write(argv);
    if (argc == 1) litertlm::List();
  } catch (const litertlm::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return EXIT_FAILURE;
  }
}
