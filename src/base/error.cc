#include "litertlm/error.h"

namespace litertlm {

int ExitStatus(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUsage:
      return 64;
    case ErrorCode::kBadInput:
    case ErrorCode::kContextFull:
      return 65;
    case ErrorCode::kNotFound:
      return 66;
    case ErrorCode::kUnsupported:
    case ErrorCode::kUnavailable:
      return 69;
    case ErrorCode::kInternal:
      return 70;
    case ErrorCode::kCannotCreate:
      return 73;
    case ErrorCode::kIo:
      return 74;
    case ErrorCode::kDenied:
      return 77;
    case ErrorCode::kInterrupted:
      return 130;
  }
  return 70;
}

}  // namespace litertlm
