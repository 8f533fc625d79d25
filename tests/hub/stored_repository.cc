#include "tests/hub/stored_repository.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <string_view>
#include <utility>

namespace litertlm {
namespace {

std::string Hex(const EVP_MD* kind, std::string_view prefix, std::string_view text) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_DigestInit_ex(context, kind, nullptr);
  EVP_DigestUpdate(context, prefix.data(), prefix.size());
  EVP_DigestUpdate(context, text.data(), text.size());
  EVP_DigestFinal_ex(context, digest.data(), &size);
  EVP_MD_CTX_free(context);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string GitOid(std::string_view content) {
  std::string header = fmt::format("blob {}", content.size());
  header += '\0';
  return Hex(EVP_sha1(), header, content);
}

// What git holds in place of a large file.
std::string Pointer(const std::string& sha256, uint64_t size) {
  return fmt::format("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", sha256,
                     size);
}

}  // namespace

StoredRepository Store(ServedRepository repository) {
  StoredRepository stored{.repository = std::move(repository), .blobs = {}};
  for (const ServedFile& file : stored.repository.files) {
    StoredFile blob{.file = file, .git_oid = {}, .sha256 = {}};
    if (file.large) blob.sha256 = Hex(EVP_sha256(), "", *file.content);
    blob.git_oid = GitOid(file.large ? Pointer(blob.sha256, file.content->size()) : *file.content);
    stored.blobs.push_back(std::move(blob));
  }
  return stored;
}

Json EntryOf(const StoredFile& blob) {
  Json entry{{"type", "file"},
             {"oid", blob.git_oid},
             {"size", blob.file.content->size()},
             {"path", blob.file.path}};
  if (!blob.sha256.empty()) {
    entry["lfs"] = {{"oid", blob.sha256},
                    {"size", blob.file.content->size()},
                    {"pointerSize", Pointer(blob.sha256, blob.file.content->size()).size()}};
  }
  return entry;
}

Json InfoOf(const StoredRepository& stored) {
  Json siblings = Json::array();
  for (const StoredFile& blob : stored.blobs) siblings.push_back({{"rfilename", blob.file.path}});
  return {{"_id", "0123456789abcdef01234567"},
          {"id", stored.repository.name},
          {"sha", stored.repository.commit},
          {"private", stored.repository.private_},
          {"gated", stored.repository.gated ? Json("manual") : Json(false)},
          {"downloads", 100 + stored.blobs.size()},
          {"likes", 7},
          {"lastModified", "2026-05-18T09:30:00.000Z"},
          {"tags", stored.repository.tags},
          {"siblings", siblings}};
}

}  // namespace litertlm
