// Any text as a state.json: what a container's directory says is not taken on trust.
#include <stdlib.h>

#include <string>

#include "oci/spec.h"
#include "src/runtime/state_file.h"

using namespace slipway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<runtime::State> state = runtime::parse_state(text, "id");
  if (state.ok() && state->id != "id") abort();
  return 0;
}
