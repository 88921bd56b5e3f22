// In the place of src/base/shared_library.cc: a static program loads no libraries, and a monitor needs none.
#include "src/base/shared_library.h"

namespace slipway {

SharedLibrary::SharedLibrary(std::initializer_list<const char*>) : complete_(false) {}

void* SharedLibrary::address(const char*) {
  return nullptr;
}

}  // namespace slipway
