// tapped_model write MODEL.litertlm OUT.tflite writes the file's TFLite model with taps (taps.h).
//
// tapped_model run MODEL.litertlm runs steps with the engine's own programs. What it reads is, for
// each step, how many tokens, the position of the first (i32), the tokens (i32), and the caches
// before (f32), sorted by name; what it writes, the outputs of the signature as `write` extends it,
// sorted by name (f32). One token is decoded, several are prefilled.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/file.h"
#include "format/litertlm.h"
#include "litertlm/error.h"
#include "tests/conformance/codes/tapped_decoder.h"
#include "tests/conformance/codes/taps.h"

namespace litertlm {
namespace {

template <typename T>
bool Read(std::vector<T>& values) {
  return std::fread(values.data(), sizeof(T), values.size(), stdin) == values.size();
}

void Write(const TfliteModel& model, const char* path) {
  AtomicFile file(path);
  file.Write(AsBytes(WithTaps(model)));
  file.Commit();
}

void Run(const TfliteModel& model) {
  Workers workers(1);
  TappedDecoder decode(model, kDecodeKey, {.need_logits = true}, workers);
  TappedDecoder prefill(model, PrefillKeys(model).front(), {.any_rows = true}, workers);
  std::vector<Floats> caches;
  for (const size_t size : decode.CacheSizes()) caches.emplace_back(size);
  std::vector<int32_t> header(2);
  while (Read(header)) {
    std::vector<int32_t> tokens(static_cast<size_t>(header[0]));
    bool complete = Read(tokens);
    for (Floats& cache : caches) complete = complete && Read(cache);
    if (!complete) throw Error(ErrorCode::kBadInput, "a step ends early.");
    TappedDecoder& decoder = tokens.size() == 1 ? decode : prefill;
    for (const Floats& output : decoder.Run(tokens, header[1], caches)) {
      std::fwrite(output.data(), sizeof(float), output.size(), stdout);
    }
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace litertlm

int main(int argc, char** argv) {
  using namespace litertlm;
  if (argc < 3) return EXIT_FAILURE;
  try {
    const LitertlmFile file = LitertlmFile::Open(argv[2]);
    const Section* section = file.Find(SectionType::kTfliteModel, kPrefillDecodeModel);
    const TfliteModel model = TfliteModel::Parse(section->bytes, {}, file.name());
    const std::string_view command = argv[1];
    if (command == "write" && argc == 4) {
      Write(model, argv[3]);
    } else if (command == "run") {
      Run(model);
    } else {
      return EXIT_FAILURE;
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return EXIT_FAILURE;
  }
}
