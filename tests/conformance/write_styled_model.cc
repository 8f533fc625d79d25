// write_styled_model FAMILY STYLE CODING OUTPUT [CHECKPOINT] writes a .litertlm file or, by the
// extension, a .task bundle as an exporter would: the family's fixture, or a checkpoint of any size
// with the lengths that `convert` takes. Without arguments it prints a line of
// "FAMILY STYLE FIXTURE" for each pair that there is.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "convert/prefill_lengths.h"
#include "litertlm/error.h"
#include "tests/styles/styled_file.h"
#include "tests/styles/test_family.h"

namespace litertlm {
namespace {

void Write(char** arguments, const char* checkpoint) {
  for (const TestFamily& family : kFamilies) {
    for (const ExporterStyle& style : ExporterStyles()) {
      if (std::string_view(arguments[1]) != family.name || arguments[2] != style.name) continue;
      StyledModelOptions options{.quantization = ParseQuantization(arguments[3]).value(),
                                 .prefill_lengths = {32, 128},
                                 .cache_length = 320};
      if (checkpoint != nullptr) {
        const ConvertOptions usual;
        options.prefill_lengths = PrefillLengths(usual.prefill_seq_lens, usual.kv_cache_max_len);
        options.cache_length = usual.kv_cache_max_len;
      }
      WriteStyledFile(checkpoint != nullptr ? checkpoint : CheckpointOf(family), style,
                      OptionsFor(family, options), arguments[4]);
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
    if (argc == 5 || argc == 6) litertlm::Write(argv, argc == 6 ? argv[5] : nullptr);
    if (argc == 1) litertlm::List();
  } catch (const litertlm::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return EXIT_FAILURE;
  }
}
