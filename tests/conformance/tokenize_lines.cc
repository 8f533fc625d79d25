// tokenize_lines FILE: the tokenizer of this library as a filter, for comparison with others. Each
// line of the input is a text in hexadecimal, since texts may hold line breaks and bytes that are
// not UTF-8; each line of the output is {"ids": [...], "text": "..."}, the text being what the ids
// decode to. FILE is a tokenizer.json or a SentencePiece model. Processor times go to stderr.
#include <fmt/format.h>

#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "base/json.h"
#include "litertlm/error.h"
#include "text/tokenizer.h"

namespace litertlm {
namespace {

double MillisecondsSince(std::clock_t start) {
  return 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string FromHex(const std::string& line) {
  std::string bytes;
  for (size_t i = 0; i + 1 < line.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

void Run(const std::string& path) {
  const auto start = std::clock();
  const MappedFile file = MappedFile::Open(path);
  const auto tokenizer = path.ends_with(".json") ? LoadHfTokenizer(file.bytes(), path)
                                                 : LoadSentencePiece(file.bytes(), path);
  const double load = MillisecondsSince(start);
  double encoding = 0;
  size_t bytes = 0;
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string text = FromHex(line);
    const auto begin = std::clock();
    const std::vector<TokenId> ids = tokenizer->Encode(text, ControlTokens::kParse);
    encoding += MillisecondsSince(begin);
    bytes += text.size();
    std::cout << DumpJson({{"ids", ids}, {"text", tokenizer->Decode(ids)}}) << '\n';
  }
  std::cerr << fmt::format("loaded in {:.1f} ms; {} bytes encoded at {:.1f} MB/s\n", load, bytes,
                           static_cast<double>(bytes) / 1e3 / encoding);
}

}  // namespace
}  // namespace litertlm

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: tokenize_lines FILE\n";
    return 64;
  }
  try {
    litertlm::Run(argv[1]);
  } catch (const litertlm::Error& e) {
    std::cerr << e.message() << '\n';
    return litertlm::ExitStatus(e.code());
  }
}
