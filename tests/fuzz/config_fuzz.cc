// Any text as config.json: it is refused, or what is written of it reads back, is as valid, and writes the
// same again. Limits and processes alone come in by their own doors.
#include <stdlib.h>

#include <string>

#include "oci/spec.h"

using namespace slipway;
using namespace slipway::oci;

namespace {

template <class T>
std::string written(const json::Type& type, const T* object) {
  json::Writer writer;
  writer.value(type, object);
  return std::string(writer.text());
}

void config(std::string_view text) {
  Arena arena;
  Warnings warnings(arena);
  Result<Spec*> spec = parse_spec(text, arena, warnings);
  if (!spec.ok()) return;
  const bool valid = validate_spec(**spec, warnings).ok();
  const std::string once = written(kSpecType, *spec);
  Result<Spec*> again = parse_spec(once, arena, warnings);
  if (!again.ok() || written(kSpecType, *again) != once) abort();
  if (valid && !validate_spec(**again, warnings).ok()) abort();
}

void resources(std::string_view text) {
  Arena arena;
  Warnings warnings(arena);
  Result<Resources*> limits = parse_resources(text, arena, warnings);
  if (limits.ok()) (void)validate_resources(**limits, warnings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config(text);
  resources(text);
  return 0;
}
