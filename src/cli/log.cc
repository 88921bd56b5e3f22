#include "src/cli/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "src/base/json.h"

namespace slipway::cli {

namespace {

constexpr std::string_view kLevels[] = {"error", "warning", "info", "debug"};

std::string_view name(Log::Level level) {
  return kLevels[static_cast<size_t>(level)];
}

/// RFC 3339, UTC: Go's time.Time must be able to parse it.
void now(char (&out)[32]) {
  timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  tm parts;
  gmtime_r(&ts.tv_sec, &parts);
  strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/// One line in one write, so that lines of several processes that share a log do not mix.
void write_line(int fd, std::string line) {
  line += '\n';
  const char* p = line.data();
  for (size_t left = line.size(); left > 0;) {
    const ssize_t n = ::write(fd, p, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    p += n;
    left -= static_cast<size_t>(n);
  }
}

/// Names out of a command line, a configuration or an archive may hold anything: what is told of them stays one line and
/// sends a terminal no commands.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      char code[8];
      snprintf(code, sizeof code, "\\x%02x", byte);
      out += code;
    }
  }
  return out;
}

std::string as_json(Log::Level level, std::string_view message) {
  char time[32];
  now(time);
  json::Writer writer;
  writer.begin_object();
  writer.key("level").string(name(level)).key("msg").string(message).key("time").string(time);
  writer.end_object();
  return std::string(writer.text());
}

std::string as_text(Log::Level level, std::string_view message) {
  char time[32];
  now(time);
  json::Writer quoted;
  quoted.string(message);
  std::string line = "time=\"";
  line.append(time).append("\" level=").append(name(level)).append(" msg=").append(quoted.text());
  return line;
}

}  // namespace

Result<Log::Format> Log::parse_format(std::string_view text) {
  if (text == "text") return Format::text;
  if (text == "json") return Format::json;
  return Error::of(ErrorKind::usage, "unknown log-format \"%.*s\" (text or json)",
                   static_cast<int>(text.size()), text.data());
}

Result<Log::Level> Log::parse_level(std::string_view text) {
  if (text == "warn") return Level::warning;
  if (text == "fatal") return Level::error;
  for (size_t i = 0; i < std::size(kLevels); ++i)
    if (text == kLevels[i]) return static_cast<Level>(i);
  return Error::of(ErrorKind::usage, "unknown log-level \"%.*s\" (error, warning, info or debug)",
                   static_cast<int>(text.size()), text.data());
}

Result<Log> Log::open(std::string_view path, Format format, Level level) {
  for (std::string_view scheme : {"journald:", "syslog:"})
    if (path.starts_with(scheme))
      return Error::of(ErrorKind::unsupported, "log `%.*s`: only files are supported",
                       static_cast<int>(path.size()), path.data());
  if (path.starts_with("file:")) path.remove_prefix(5);
  if (path.empty()) return Log(Fd(), format, level);
  const std::string name(path);
  Fd file(::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644));
  if (!file) return Error::sys(errno, "open log `%s`", name.c_str());
  return Log(static_cast<Fd&&>(file), format, level);
}

void Log::write(Level level, std::string_view message) const {
  if (!wants(level)) return;
  const int fd = file_ ? file_.get() : STDERR_FILENO;
  write_line(fd, format_ == Format::json ? as_json(level, message) : as_text(level, message));
}

void Log::debug(const char* fmt, ...) const {
  if (!wants(Level::debug)) return;
  char* text = nullptr;
  va_list args;
  va_start(args, fmt);
  const int length = vasprintf(&text, fmt, args);
  va_end(args);
  if (length < 0) return;
  write(Level::debug, {text, static_cast<size_t>(length)});
  free(text);
}

void Log::warn(std::string_view prefix, std::string_view message) const {
  if (file_ || format_ == Format::json) return write(Level::warning, message);
  if (!wants(Level::warning)) return;
  std::string line(prefix);
  write_line(STDERR_FILENO, printable(line.append(": warning: ").append(message)));
}

void Log::fatal(std::string_view prefix, std::string_view message) const {
  if (file_ || format_ == Format::json) write(Level::error, message);
  if (!file_ && format_ == Format::json) return;  // standard error has it, in the format that was asked for
  std::string line(prefix);
  write_line(STDERR_FILENO, printable(line.append(": ").append(message)));
}

}  // namespace slipway::cli
