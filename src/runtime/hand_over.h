// What the caller of create and exec gets besides the process: pid files, and descriptors sent over sockets.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::runtime {

/// Decimal, without a newline (containerd's go-runc parses it so), complete as soon as it is there.
Status write_pid_file(const std::string& path, pid_t pid);

/// Connects to a socket by its path, however long that is. Before the clone, so that a wrong path costs nothing.
Result<Fd> connect_socket(const std::string& path);
/// One message with `name` as its payload and one descriptor.
Status send_descriptor(int socket, int fd, const char* name);

/// Gives a terminal the size of the caller's own, if there is one.
void copy_terminal_size(int master);

}  // namespace slipway::runtime
