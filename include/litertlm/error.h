// The one exception type of the library.
#ifndef LITERTLM_ERROR_H_
#define LITERTLM_ERROR_H_

#include <exception>
#include <string>
#include <utility>

namespace litertlm {

/// What kind of thing went wrong. Each code has one process exit status (docs/errors.md).
enum class ErrorCode {
  kUsage,         ///< An option or argument is wrong.
  kBadInput,      ///< A file's content is damaged or contradicts itself.
  kNotFound,      ///< A file, model, tensor or signature does not exist.
  kUnsupported,   ///< The input is well formed, but this program cannot handle it.
  kContextFull,   ///< A prompt does not fit into the model's context.
  kInternal,      ///< A defect of this program.
  kCannotCreate,  ///< An output file cannot be created.
  kIo,            ///< Reading or writing failed, a full disk included.
  kUnavailable,   ///< The network or a server cannot be reached.
  kDenied,        ///< Permission is missing (a token, a licence to accept, file permissions).
  kInterrupted,   ///< The user stopped the work.
};

/// The process exit status for `code`, after sysexits.h.
int ExitStatus(ErrorCode code) noexcept;

/// Thrown by every function of the library that fails. `what()` is one sentence that names the
/// file, tensor, option and value; `hint()` says what to do about it (it may be empty).
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  ErrorCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
};

}  // namespace litertlm

#endif  // LITERTLM_ERROR_H_
