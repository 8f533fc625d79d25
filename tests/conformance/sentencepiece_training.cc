#include "tests/conformance/sentencepiece_training.h"

#include <sentencepiece_trainer.h>

#include <filesystem>
#include <random>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "base/file.h"
#include "base/utf8.h"
#include "tests/conformance/random_text.h"

namespace litertlm {
namespace {

// This project's documents, and made-up texts of many scripts.
std::vector<std::string> Corpus() {
  std::vector<std::string> lines;
  const std::filesystem::path root = LITERTLM_SOURCE_DIR;
  for (const char* file : {"README.md", "docs/architecture.md", "docs/cli.md"}) {
    std::istringstream text(ReadFile(root / file));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    std::string line = ReplaceInvalidUtf8(RandomText(random));
    std::erase_if(line, [](char c) { return c == '\0' || c == '\n' || c == '\r'; });
    lines.push_back(line);
  }
  return lines;
}

class Lines : public sentencepiece::SentenceIterator {
 public:
  bool done() const override { return next_ == lines_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return lines_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string> lines_ = Corpus();
  size_t next_ = 0;
};

}  // namespace

std::string TrainSentencePiece(const std::string& options) {
  Lines lines;
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      "--minloglevel=2 --num_threads=1 --hard_vocab_limit=false --character_coverage=0.98 "
      "--unk_surface=<unk> --user_defined_symbols=<sep>,\u2460\u2461,hello " +
          options,
      &lines, &model);
  if (!status.ok()) throw std::runtime_error(status.ToString());
  return model;
}

}  // namespace litertlm
