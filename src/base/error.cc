#include "src/base/error.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace slipway {

struct Error::Node {
  int code;
  ErrorKind kind;
  char* text;  // malloc'ed, or null when memory ran out
};

namespace {

ErrorKind kind_of_errno(int err) {
  switch (err) {
    case ENOENT:
      return ErrorKind::not_found;
    case EEXIST:
      return ErrorKind::exists;
    case EBUSY:
      return ErrorKind::in_use;
    default:
      return ErrorKind::failed;
  }
}

__attribute__((format(printf, 1, 0))) char* vformat(const char* fmt, va_list args) {
  char* out = nullptr;
  return vasprintf(&out, fmt, args) < 0 ? nullptr : out;
}

/// Joins a and b in a new string; frees both.
char* join(char* a, const char* between, char* b) {
  char* out = nullptr;
  if (a && b && asprintf(&out, "%s%s%s", a, between, b) < 0) out = nullptr;
  if (!out) return a ? (free(b), a) : b;
  free(a);
  free(b);
  return out;
}

}  // namespace

Error Error::sys(int err, const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char* text = vformat(fmt, args);
  va_end(args);
  return Error(new Node{err, kind_of_errno(err), join(text, ": ", strdup(strerror(err)))});
}

Error Error::of(ErrorKind kind, const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char* text = vformat(fmt, args);
  va_end(args);
  return Error(new Node{0, kind, text});
}

Error Error::exited(int status, const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char* text = vformat(fmt, args);
  va_end(args);
  return Error(new Node{status, ErrorKind::command_failed, text});
}

Error::~Error() {
  if (!node_) return;
  free(node_->text);
  delete node_;
}

void Error::add_context(const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char* context = vformat(fmt, args);
  va_end(args);
  node_->text = join(context, ": ", node_->text);
}

void Error::set_kind(ErrorKind kind) {
  node_->kind = kind;
}

void Error::add_hint(const char* hint) {
  char* text = nullptr;
  if (asprintf(&text, " (%s)", hint) >= 0) node_->text = join(node_->text, "", text);
}

ErrorKind Error::kind() const {
  return node_->kind;
}
int Error::code() const {
  return node_->code;
}
const char* Error::text() const {
  return node_->text ? node_->text : "out of memory";
}

}  // namespace slipway
