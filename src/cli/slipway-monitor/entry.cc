#include "src/cli/entry.h"

#if defined(__x86_64__)

extern "C" SLIPWAY_BEFORE_LIBC __attribute__((used)) void program_begin(char**) {
  slipway::entry::populate();
}

#endif
