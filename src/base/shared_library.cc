#include "src/base/shared_library.h"

#include <dlfcn.h>

namespace slipway {

SharedLibrary::SharedLibrary(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle_) break;
  }
  complete_ = handle_ != nullptr;
}

void* SharedLibrary::address(const char* name) {
  void* found = handle_ ? dlsym(handle_, name) : nullptr;
  complete_ = complete_ && found;
  return found;
}

}  // namespace slipway
