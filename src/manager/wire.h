// What a container's monitor and those who talk to it say to each other: messages on a SOCK_SEQPACKET socket,
// each a letter and its payload. The socket is <run-root>/monitors/<id>/socket, or one end of a pair for the
// command that started the container.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::manager::wire {

enum Letter : char {
  // From the monitor.
  kStarted = 'S',  // int32: init's process id
  kFailed = 'F',   // Failure and its text: the start failed
  kStdout = 'O',   // bytes
  kStderr = 'E',
  kExited = 'X',  // int32: the exit code; the last message
  // To the monitor.
  kLaunch =
      'L',  // LaunchOrder and a descriptor: the first message, from the command that starts the container
  kAttach = 'A',      // uint8: kWantInput, kWantOutput
  kInput = 'I',       // bytes for the container's standard input
  kInputEnd = 'C',    // no more of them
  kWindowSize = 'W',  // WindowSize
  kStop = 'T',        // do not restart it after its next end
  kHold = 'H',        // uint8: 1, thaw the container when this conversation ends; 0, do not
};

inline constexpr uint8_t kWantInput = 1;
inline constexpr uint8_t kWantOutput = 2;

struct WindowSize {
  uint16_t rows = 0, columns = 0;
};

struct Failure {
  uint8_t kind = 0;  // ErrorKind
  int32_t code = 0;  // errno
};

inline constexpr size_t kLargestPayload = 32 << 10;

/// One message; with `wait` false EAGAIN is returned as such in Error::code().
Status send(int socket, Letter letter, const void* payload, size_t size, bool wait);
/// 0 bytes of text: the other side is gone. The first byte is the letter.
Result<size_t> receive(int socket, char* buffer, size_t size, bool wait);

/// Both ends of a conversation.
Result<std::pair<Fd, Fd>> pair();
/// A listening socket `name` in `dir`; one that is there already is replaced. Paths may be longer than the
/// 108 bytes of sun_path: the name is given by way of the descriptor.
Result<Fd> listen(int dir, const char* name);
/// Errors: not_found (nobody is there).
Result<Fd> connect(int dir, const char* name);

}  // namespace slipway::manager::wire
