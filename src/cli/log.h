// Where errors and warnings of a program go: standard error, and the file of --log that engines read.
//
// The file gets one line per message, as JSON {"level","msg","time"} or as logfmt. containerd's shim takes
// the last object with level "error"; podman expects the file to hold exactly one object after a failure: so
// the error that ends the program is written once, and warnings and debug lines only where the log level asks
// for them.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::cli {

class Log {
 public:
  enum class Format : uint8_t { text, json };
  enum class Level : uint8_t { error, warning, info, debug };

  Log() = default;
  Log(Fd file, Format format, Level level) : file_(static_cast<Fd&&>(file)), format_(format), level_(level) {}

  /// `path` may be empty: messages then go to standard error. "file:PATH", as crun has it, is PATH.
  static Result<Log> open(std::string_view path, Format format, Level level);
  static Result<Format> parse_format(std::string_view text);
  static Result<Level> parse_level(std::string_view text);

  /// Writes a message if the level asks for it. Never fails: there is nobody left to tell.
  void write(Level level, std::string_view message) const;
  void debug(const char* fmt, ...) const __attribute__((format(printf, 2, 3)));
  bool wants(Level level) const { return level <= level_; }

  /// To the log, or as "PREFIX: warning: MESSAGE" to standard error.
  void warn(std::string_view prefix, std::string_view message) const;
  /// The error that ends the program: to the log, and as "PREFIX: MESSAGE" to standard error.
  void fatal(std::string_view prefix, std::string_view message) const;

 private:
  Fd file_;
  Format format_ = Format::text;
  Level level_ = Level::warning;
};

}  // namespace slipway::cli
