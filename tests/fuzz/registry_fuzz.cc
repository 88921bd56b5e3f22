// What a registry sends, through everything that reads it: headers by their first byte, else manifests and indexes.
#include <stdlib.h>

#include <string_view>

#include "oci/challenge.h"
#include "oci/descriptor.h"
#include "src/base/base64.h"

using namespace slipway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool document = text.starts_with('{');
  if (!document) {
    for (const oci::Challenge& challenge : oci::parse_challenges(text))
      if (challenge.scheme.empty()) abort();
    (void)oci::next_link(text);
    if (auto bytes = base64_decode(text); bytes.ok()) {
      auto again = base64_decode(base64_encode(*bytes));
      if (!again.ok() || *again != *bytes) abort();
    }
    return 0;
  }
  Arena arena;
  if (auto manifest = oci::parse_manifest(text, arena); manifest.ok())
    for (const oci::Descriptor& layer : (*manifest)->layers)
      if (!layer.id() || layer.size < 0) abort();
  if (auto index = oci::parse_index(text, arena); index.ok())
    if (const oci::Descriptor* chosen = oci::choose_platform(**index); chosen && chosen->size < 0) abort();
  return 0;
}
