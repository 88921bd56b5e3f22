// Errors as values: what a caller decides on (kind, errno), and one line of text for a person.
//
// An Error is one pointer wide and move-only. It owns a heap node that exists only on the failure path, so a
// Result<T> costs nothing until something goes wrong. Context is added outside in, as the error travels up:
//
//   return Error::sys(errno, "open `%s`", path);          open `/x`: No such file or directory
//   TRY(open_bundle(dir).ctx("bundle `%s`", dir));        bundle `/b`: open `/x`: No such file or directory
#pragma once

#include <cstdint>
#include <utility>

namespace slipway {

/// The classes that callers and exit codes depend on. Everything finer is in the text and in code().
enum class ErrorKind : uint8_t {
  failed,             // no finer class
  usage,              // the command line is wrong
  invalid,            // input breaks its specification
  unsupported,        // valid, but this program or this kernel cannot do it
  not_found,          // a named object does not exist
  exists,             // a named object exists already
  in_use,             // the object's state or users forbid it
  not_executable,     // the container's program cannot be executed: exit code 126
  command_not_found,  // the container's program does not exist: exit code 127
  command_failed,     // a program of the user's has ended with code(), which is our exit code, too
};

class [[nodiscard]] Error {
 public:
  /// A failed system call: the text is followed by strerror(err). The kind follows from err.
  static Error sys(int err, const char* fmt, ...) __attribute__((format(printf, 2, 3)));
  static Error of(ErrorKind kind, const char* fmt, ...) __attribute__((format(printf, 2, 3)));
  /// Kind: command_failed. `status` is not 0.
  static Error exited(int status, const char* fmt, ...) __attribute__((format(printf, 2, 3)));

  Error(Error&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Error& operator=(Error&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  ~Error();

  /// Puts "context: " in front of the text.
  void add_context(const char* fmt, ...) __attribute__((format(printf, 2, 3)));
  /// Puts the error into another class; the text and code() stay.
  void set_kind(ErrorKind kind);
  /// Adds " (hint)" to the end of the text. Only where the errno has one common cause.
  void add_hint(const char* hint);

  ErrorKind kind() const;
  /// The errno behind the error, or 0; of command_failed the exit status.
  int code() const;
  /// One line without a newline; lives as long as the Error.
  const char* text() const;

 private:
  struct Node;
  explicit Error(Node* node) : node_(node) {}
  Node* node_;
};

}  // namespace slipway
