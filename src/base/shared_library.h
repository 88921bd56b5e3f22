// Shared libraries that are loaded by the first command that needs them: linked normally they would cost each start of
// the program milliseconds, and a machine without one could not run it.
#pragma once

#include <initializer_list>

namespace slipway {

/// One that stays loaded until the program ends.
class SharedLibrary {
 public:
  /// The first of these names (of files, with their version) that is installed.
  explicit SharedLibrary(std::initializer_list<const char*> names);

  /// Sets a function pointer; to null where the library or the function is missing.
  template <class Function>
  void find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(address(name));
  }
  /// Whether everything that was asked for has been found.
  bool complete() const { return complete_; }

 private:
  void* address(const char* name);

  void* handle_ = nullptr;
  bool complete_;
};

}  // namespace slipway
