// Reading config.json and its parts. Unknown keys become warnings, and so do the sections for other systems.
#include <cstdarg>
#include <cstdio>

#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

bool is_other_system(std::string_view key) {
  for (const std::string_view system : {"windows", "solaris", "vm", "zos", "freebsd"})
    if (key == system) return true;
  return false;
}

/// Turns unknown keys into warnings, at the top of config.json the sections of other systems, too.
class KeyWarnings final : public json::UnknownKeys {
 public:
  KeyWarnings(Warnings& warnings, bool top) : warnings_(warnings), top_(top) {}

  Status unknown_key(std::string_view place, std::string_view key) override {
    warn(warnings_, "%.*s%s%.*s: %s, ignored", shown(place), place.data(), place.empty() ? "" : ".",
         shown(key), key.data(),
         top_ && place.empty() && is_other_system(key) ? "is for another system" : "unknown property");
    return {};
  }

 private:
  Warnings& warnings_;
  bool top_;
};

/// Before version 1.3 of the specification a pids.limit of 0 was no limit; podman up to 5.4 writes it for -1.
void mend_pids_limit(Spec& spec) {
  unsigned minor;
  if (sscanf(spec.oci_version.c_str(), "1.%u", &minor) != 1 || minor >= 3) return;
  if (!spec.linux_ || !spec.linux_->resources || !spec.linux_->resources->pids) return;
  Opt<int64_t>& limit = spec.linux_->resources->pids->limit;
  if (limit && *limit == 0) *limit = -1;
}

template <class T>
Result<T*> parse(std::string_view text, const json::Type& type, Arena& arena, Warnings& warnings, bool top) {
  KeyWarnings unknown(warnings, top);
  return json::read<T>(text, type, arena, &unknown);
}

}  // namespace

void warn(Warnings& warnings, const char* fmt, ...) {
  constexpr uint32_t kMost = 64;
  if (warnings.size() >= kMost) return;
  if (warnings.size() == kMost - 1) {
    warnings.add("there are more warnings");
    return;
  }
  char text[1024];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  warnings.add(warnings.arena().copy(text));
}

Result<Spec*> parse_spec(std::string_view text, Arena& arena, Warnings& warnings) {
  Spec* const spec = TRY(parse<Spec>(text, kSpecType, arena, warnings, true));
  TRY(apply_annotations(*spec, arena));
  mend_pids_limit(*spec);
  return spec;
}

Result<Process*> parse_process(std::string_view text, Arena& arena, Warnings& warnings) {
  return parse<Process>(text, kProcessType, arena, warnings, false);
}

Result<Resources*> parse_resources(std::string_view text, Arena& arena, Warnings& warnings) {
  return parse<Resources>(text, kResourcesType, arena, warnings, false);
}

bool has_namespace(const Spec& spec, std::string_view type) {
  if (!spec.linux_) return false;
  for (const Namespace& ns : spec.linux_->namespaces)
    if (ns.type == type) return true;
  return false;
}

}  // namespace slipway::oci
