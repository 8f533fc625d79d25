// The user's access token: where it is found, and what keeps it secret.
#ifndef LITERTLM_HUB_CREDENTIALS_H_
#define LITERTLM_HUB_CREDENTIALS_H_

#include <optional>
#include <string>

namespace litertlm {

struct Token {
  std::string value;   ///< Never shown: messages name `source`. Empty: there is none.
  std::string source;  ///< "--hf-token", "HF_TOKEN", or "the file PATH".
  /// What the user should know: others can read the file. Usually empty.
  std::string warning = {};
};

/// The first of: `flag`, the variable HF_TOKEN, a file HF_TOKEN in this folder, in its parent, the
/// file that HF_TOKEN_PATH names, $HF_HOME/token (where `hf auth login` puts it). What is empty is
/// passed over. Throws kUsage, naming the source only, for a token that cannot be one.
Token FindToken(const std::optional<std::string>& flag);

}  // namespace litertlm

#endif  // LITERTLM_HUB_CREDENTIALS_H_
