// Namespaces: their names in config.json, their clone flags, and their files, verified.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

struct NamespaceType {
  const char* name;  // in config.json: "network"
  const char* file;  // below /proc/PID/ns: "net"
  uint64_t flag;     // CLONE_NEW*
};

/// All eight, in the order in which they are joined after the user namespace: the mount namespace last,
/// because paths mean something else afterwards.
inline constexpr int kNamespaceTypes = 8;
extern const NamespaceType kNamespaces[kNamespaceTypes];

/// nullptr: unknown.
const NamespaceType* find_namespace(std::string_view name);

/// Opens a namespace's file for setns(2). invalid: it is no namespace, or one of another type.
Result<Fd> open_namespace(const char* path, const NamespaceType& type);
/// Whether the file is the namespace that the caller is in itself.
bool is_own_namespace(int fd, const NamespaceType& type);

}  // namespace slipway::sys
