// Parts of parse_spec() and validate_spec() that have files of their own; not for others.
#pragma once

#include "oci/spec.h"

namespace slipway::oci {

Status validate_namespaces(const Spec& spec, Warnings& warnings);
Status validate_mount_namespace(const Linux& section);
Status validate_sysctl(const Spec& spec);
Status validate_annotations(const Spec& spec, Warnings& warnings);
Status validate_seccomp(const Seccomp& seccomp, Warnings& warnings);

/// Annotations that stand for properties.
Status apply_annotations(Spec& spec, Arena& arena);

/// Adds a warning; after 64 of them, that there are more. A document of warnings alone must not make a log of
/// the same size.
void warn(Warnings& warnings, const char* fmt, ...) __attribute__((format(printf, 2, 3)));

/// "0-3,7", with the kernel's strides: "0-31:2/4". Not empty.
bool is_number_list(std::string_view text);
/// The length for "%.*s"; what a document says is quoted in errors, but not megabytes of it.
inline int shown(std::string_view text) {
  return static_cast<int>(text.size() < 256 ? text.size() : 256);
}
inline bool is_absolute(std::string_view path) {
  return !path.empty() && path[0] == '/';
}

}  // namespace slipway::oci
