// Reading config.json and its parts. Unknown keys become warnings; sections for other systems are refused.
#include "oci/spec.h"

namespace slipway::oci {

namespace {

/// Turns unknown keys into warnings. At the top of config.json the sections of other systems are errors: they
/// say that the bundle was made for another one.
class KeyWarnings final : public json::UnknownKeys {
 public:
  KeyWarnings(Arena& arena, Warnings& warnings, bool top) : arena_(arena), warnings_(warnings), top_(top) {}

  Status unknown_key(std::string_view place, std::string_view key) override {
    if (top_ && place.empty())
      for (std::string_view section : {"windows", "solaris", "vm", "zos", "freebsd"})
        if (key == section)
          return Error::of(ErrorKind::unsupported, "%.*s: this is a runtime for Linux",
                           static_cast<int>(key.size()), key.data());
    // A document of unknown keys alone must not make a log of the same size.
    if (warnings_.size() == kMost) return {};
    if (warnings_.size() == kMost - 1) {
      warnings_.add("more unknown properties are ignored");
      return {};
    }
    const auto shown = [](std::string_view text) {
      return static_cast<int>(text.size() < 80 ? text.size() : 80);
    };
    warnings_.add(arena_.format("%.*s%s%.*s: unknown property, ignored", shown(place), place.data(),
                                place.empty() ? "" : ".", shown(key), key.data()));
    return {};
  }

 private:
  static constexpr uint32_t kMost = 64;
  Arena& arena_;
  Warnings& warnings_;
  bool top_;
};

template <class T>
Result<T*> parse(std::string_view text, const json::Type& type, Arena& arena, Warnings& warnings, bool top) {
  KeyWarnings unknown(arena, warnings, top);
  return json::read<T>(text, type, arena, &unknown);
}

}  // namespace

Result<Spec*> parse_spec(std::string_view text, Arena& arena, Warnings& warnings) {
  return parse<Spec>(text, kSpecType, arena, warnings, true);
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
