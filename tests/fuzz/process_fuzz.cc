// Any text as the file of `exec --process`.
#include <stdlib.h>

#include <string>

#include "oci/spec.h"

using namespace slipway;
using namespace slipway::oci;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  Warnings warnings(arena);
  Result<Process*> process = parse_process({reinterpret_cast<const char*>(data), size}, arena, warnings);
  if (!process.ok()) return 0;
  // What passes has what the runtime takes for granted.
  if (validate_process(**process, warnings).ok() &&
      ((*process)->args.empty() || (*process)->cwd.empty() || (*process)->cwd.data[0] != '/'))
    abort();
  return 0;
}
