#include "hub/repository.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "hub/partial_file.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

// Words of a file's name, in small letters: "Gemma3-1B_q4.sm8550" has gemma3, 1b, q4, sm8550.
std::vector<std::string> WordsOf(std::string_view path) {
  std::vector<std::string> words(1);
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
}

// A chip's model number: Qualcomm's sm8550 and qcs8275, MediaTek's mt6989, Google's g5.
bool IsChip(std::string_view word) {
  constexpr std::array<std::string_view, 6> kSeries = {"sm", "qcs", "qcm", "sa", "mt", "g"};
  return std::any_of(kSeries.begin(), kSeries.end(), [&](std::string_view series) {
    const std::string_view number = word.substr(std::min(series.size(), word.size()));
    return word.starts_with(series) &&
           (number.size() >= 4 || (series == "g" && number.size() == 1)) &&
           number.find_first_not_of("0123456789") == std::string_view::npos;
  });
}

bool IsForSpecialHardware(std::string_view path) {
  constexpr std::array<std::string_view, 17> kMarks = {
      "npu",      "gpu",    "tpu",     "web",      "webgpu",     "wasm",
      "qualcomm", "qnn",    "hexagon", "mediatek", "neuropilot", "intel",
      "openvino", "tensor", "pixel",   "samsung",  "exynos"};
  const std::vector<std::string> words = WordsOf(path);
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(kMarks.begin(), kMarks.end(), word) != kMarks.end() || IsChip(word);
  });
}

std::vector<std::string> PathsOf(const std::vector<const RemoteFile*>& files) {
  std::vector<std::string> paths;
  for (const RemoteFile* file : files) paths.push_back(file->path);
  return paths;
}

[[noreturn]] void ThrowNoFile(const Repository& repository, const std::string& file,
                              const std::vector<std::string>& known) {
  throw Error(ErrorCode::kNotFound,
              fmt::format("The repository {} has no file {}.", repository.name, file),
              DidYouMean(file, known) + fmt::format("It has: {}.", fmt::join(known, ", ")));
}

std::vector<const RemoteFile*> FilesWith(const Repository& repository, std::string_view extension) {
  std::vector<const RemoteFile*> files;
  for (const RemoteFile& file : repository.files) {
    if (std::string_view(file.path).ends_with(extension)) files.push_back(&file);
  }
  return files;
}

/// With its extension or without.
const RemoteFile* NamedModelFile(const Repository& repository, const std::string& name) {
  std::vector<const RemoteFile*> models = FilesWith(repository, kModelExtension);
  const std::vector<const RemoteFile*> bundles = FilesWith(repository, kBundleExtension);
  models.insert(models.end(), bundles.begin(), bundles.end());
  for (const std::string_view extension : {std::string_view(), kModelExtension, kBundleExtension}) {
    for (const RemoteFile* model : models) {
      if (model->path == name + std::string(extension)) return model;
    }
  }
  ThrowNoFile(repository, name, PathsOf(models));
}

}  // namespace

const RemoteFile* Repository::Find(std::string_view path) const {
  const auto file =
      std::find_if(files.begin(), files.end(), [&](const RemoteFile& f) { return f.path == path; });
  return file == files.end() ? nullptr : &*file;
}

bool IsRepositoryName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || name.size() > 96) return false;
  for (const std::string_view part : {name.substr(0, slash), name.substr(slash + 1)}) {
    const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    });
    if (!plain || part.empty() || part.find("--") != part.npos || part.find("..") != part.npos ||
        part.front() == '-' || part.front() == '.' || part.back() == '-' || part.back() == '.') {
      return false;
    }
  }
  return true;
}

bool IsSafePath(std::string_view path) {
  constexpr size_t kMaxPath = 1024;
  constexpr size_t kMaxName = 200;  // Of the 255 that file systems take: ours append to it.
  if (path.empty() || path.size() > kMaxPath || !IsValidUtf8(path)) return false;
  const bool printable = std::all_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 0x7f && c != '\\' && c != ':';
  });
  if (!printable) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == ".." || name.size() > kMaxName ||
        name.ends_with(kPartialSuffix) || name.ends_with(kBlockMapSuffix)) {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

bool HasModelExtension(std::string_view path) {
  return path.ends_with(kModelExtension) || path.ends_with(kBundleExtension);
}

std::vector<const RemoteFile*> ModelFilesOf(const Repository& repository) {
  std::vector<const RemoteFile*> models = FilesWith(repository, kModelExtension);
  return models.empty() ? FilesWith(repository, kBundleExtension) : models;
}

const RemoteFile* SelectModelFile(const Repository& repository,
                                  const std::optional<std::string>& file) {
  if (file) return NamedModelFile(repository, *file);
  const std::vector<const RemoteFile*> models = ModelFilesOf(repository);
  if (models.size() <= 1) return models.empty() ? nullptr : models.front();
  std::vector<const RemoteFile*> generic = models;
  std::erase_if(generic, [](const RemoteFile* model) { return IsForSpecialHardware(model->path); });
  if (generic.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("Every model file of {} is made for special hardware: {}.",
                            repository.name, fmt::join(PathsOf(models), ", ")),
                "Choose one with --file NAME, or convert the original checkpoint.");
  }
  const std::string name = repository.name.substr(repository.name.find('/') + 1);
  // The file that bears the repository's name; else int8, which is what `convert` makes; else the
  // plainest name.
  const auto rank = [&](const RemoteFile* model) {
    const std::vector<std::string> words = WordsOf(model->path);
    const bool int8 = std::any_of(words.begin(), words.end(), [](const std::string& word) {
      return word == "q8" || word == "int8" || word == "i8";
    });
    const std::string_view stem = std::string_view(model->path).substr(0, model->path.rfind('.'));
    return std::tuple(stem != name, !int8, model->path.size(), model->path);
  };
  return *std::min_element(
      generic.begin(), generic.end(),
      [&](const RemoteFile* a, const RemoteFile* b) { return rank(a) < rank(b); });
}

std::vector<RemoteFile> CheckpointDescription(const Repository& repository) {
  if (repository.Find(kConfigFile) == nullptr) {
    if (!ModelFilesOf(repository).empty()) {
      throw Error(
          ErrorCode::kNotFound,
          fmt::format("The repository {} holds no checkpoint, only what is converted already.",
                      repository.name),
          fmt::format("Run it as it is: litert-lm-cli run {}", repository.name));
    }
    throw Error(ErrorCode::kNotFound,
                fmt::format("The repository {} holds neither a .litertlm file nor a config.json.",
                            repository.name),
                "A model to convert is a Hugging Face checkpoint with safetensors weights.");
  }
  if (repository.Find(kWeightsFile) == nullptr && repository.Find(kWeightsIndex) == nullptr) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("The repository {} has no safetensors weights.", repository.name),
                "Only checkpoints with model.safetensors, or with its index, can be converted.");
  }
  constexpr std::array<std::string_view, 11> kNames = {kConfigFile,
                                                       "generation_config.json",
                                                       "tokenizer.json",
                                                       "tokenizer.model",
                                                       "tokenizer_config.json",
                                                       "special_tokens_map.json",
                                                       "added_tokens.json",
                                                       "chat_template.jinja",
                                                       "chat_template.json",
                                                       "vocab.json",
                                                       "merges.txt"};
  std::vector<RemoteFile> files;
  for (const std::string_view name : kNames) {
    // A whole tokenizer makes its parts superfluous.
    const bool part = name == "vocab.json" || name == "merges.txt";
    if (part && repository.Find("tokenizer.json") != nullptr) continue;
    if (const RemoteFile* file = repository.Find(name)) files.push_back(*file);
  }
  if (repository.Find(kWeightsFile) == nullptr) files.push_back(*repository.Find(kWeightsIndex));
  return files;
}

std::vector<RemoteFile> CheckpointWeights(const Repository& repository, std::string_view index) {
  if (const RemoteFile* whole = repository.Find(kWeightsFile)) return {*whole};
  std::vector<RemoteFile> files;
  for (const std::string& shard : ShardsOf(index)) {
    const RemoteFile* file = repository.Find(shard);
    if (file == nullptr) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("The repository {} lacks {}, which its {} names.", repository.name,
                              shard, kWeightsIndex),
                  "The upload is incomplete; another --revision may be whole.");
    }
    files.push_back(*file);
  }
  return files;
}

std::vector<std::string> ShardsOf(std::string_view index) {
  const Json json = ParseJson(index, kWeightsIndex);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object() || map->empty()) {
    throw Error(ErrorCode::kBadInput, fmt::format("{} has no weight_map.", kWeightsIndex));
  }
  std::vector<std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string() || !IsSafePath(shard.get_ref<const std::string&>())) {
      throw Error(ErrorCode::kBadInput, fmt::format("{} does not name a file for {}.",
                                                    kWeightsIndex, ReplaceInvalidUtf8(tensor)));
    }
    shards.push_back(shard);
  }
  std::sort(shards.begin(), shards.end());
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  return shards;
}

bool MatchesPattern(std::string_view path, std::string_view pattern) {
  // Greedy with one point of return: the last star takes one character more each time.
  size_t at = 0;
  size_t in_pattern = 0;
  size_t star = std::string_view::npos;
  size_t star_at = 0;
  while (at < path.size()) {
    if (in_pattern < pattern.size() &&
        (pattern[in_pattern] == '?' || pattern[in_pattern] == path[at]) &&
        pattern[in_pattern] != '*') {
      ++at;
      ++in_pattern;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_at = at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

uint64_t TotalSize(const std::vector<RemoteFile>& files) {
  uint64_t total = 0;
  for (const RemoteFile& file : files) total += file.content.size;
  return total;
}

}  // namespace litertlm
