#include "hub/dynamic_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "litertlm/error.h"

namespace litertlm {

DynamicLibrary::DynamicLibrary(const char* file, const char* package)
    : file_(file), package_(package), handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    throw Error(ErrorCode::kUnavailable,
                fmt::format("Downloading needs the library {}, which cannot be opened.", file_),
                fmt::format("Install it: sudo apt-get install {}", package_));
  }
}

void* DynamicLibrary::Find(const char* name) const {
  void* function = ::dlsym(handle_, name);
  if (function == nullptr) {
    throw Error(ErrorCode::kUnavailable,
                fmt::format("The library {} is too old: it lacks {}.", file_, name),
                fmt::format("Update it: sudo apt-get install {}", package_));
  }
  return function;
}

}  // namespace litertlm
