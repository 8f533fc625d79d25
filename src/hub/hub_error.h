// What the user reads when the hub refuses.
#ifndef LITERTLM_HUB_HUB_ERROR_H_
#define LITERTLM_HUB_HUB_ERROR_H_

#include <string>

#include "hub/http.h"

namespace litertlm {

struct HubOptions;

/// What a request was about.
struct HubSubject {
  std::string name;  ///< "org/name", or the word of a search.
  std::string revision = {};
  std::string path = {};
  std::string nearest = {};  ///< "Did you mean X? ", or empty.
};

enum class HubFailure {
  kNoToken,    ///< 401 without a token: private, gated, or not there; the hub does not say.
  kBadToken,   ///< 401 although a token was sent.
  kGated,      ///< 401 or 403: a licence must be accepted.
  kForbidden,  ///< Another 403.
  kNoRepository,
  kNoRevision,
  kNoFile,
  kRateLimited,
  kServer,
  kOther,
};

/// From the status and X-Error-Code.
HubFailure ClassifyFailure(const HttpResponse& response, bool had_token);

[[noreturn]] void ThrowHubError(HubFailure failure, const HttpResponse& response,
                                const HubSubject& subject, const HubOptions& options);
[[noreturn]] void ThrowOffline(const HubSubject& subject);

}  // namespace litertlm

#endif  // LITERTLM_HUB_HUB_ERROR_H_
