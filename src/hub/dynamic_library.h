// Shared libraries that are opened when they are first needed. Linking libcurl costs every start of
// the program about 30 ms, and libcrypto 4 ms; running a local file needs neither.
#ifndef LITERTLM_HUB_DYNAMIC_LIBRARY_H_
#define LITERTLM_HUB_DYNAMIC_LIBRARY_H_

#include <string>

namespace litertlm {

/// Stays open until the process ends.
class DynamicLibrary {
 public:
  /// Throws kUnavailable naming the Debian package that brings `file`.
  DynamicLibrary(const char* file, const char* package);

  /// The function `name`; throws kUnavailable if the library is too old to have it.
  template <typename Function>
  void Load(const char* name, Function*& target) const {
    target = reinterpret_cast<Function*>(Find(name));
  }

 private:
  void* Find(const char* name) const;

  std::string file_;
  std::string package_;
  void* handle_;
};

}  // namespace litertlm

#endif  // LITERTLM_HUB_DYNAMIC_LIBRARY_H_
