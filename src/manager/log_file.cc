#include "src/manager/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "src/store/id.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr char kName[] = "log";

/// How many bytes of valid UTF-8 begin at `at`; 0 when what is there is none.
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned first = byte(0);
  size_t length = 0;
  if (first >= 0xc2 && first < 0xe0)
    length = 2;
  else if (first >= 0xe0 && first < 0xf0)
    length = 3;
  else if (first >= 0xf0 && first < 0xf5)
    length = 4;
  else
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;   // overlong
  if (first == 0xed && byte(1) >= 0xa0) return 0;  // surrogate
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) >= 0x90) return 0;
  return length;
}

void append_escaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out.append("\\").append(1, text[i]);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else if (c < 0x80) {
      out += text[i];
    } else if (const size_t length = utf8_length(text, i)) {
      out.append(text.substr(i, length));
      i += length - 1;
    } else {
      out += "\\ufffd";
    }
  }
}

void append_entry(std::string& out, std::string_view line, LogFile::Stream stream, std::string_view time) {
  out += "{\"log\":\"";
  append_escaped(out, line);
  out += stream == LogFile::kStdout ? "\",\"stream\":\"stdout\",\"time\":\""
                                    : "\",\"stream\":\"stderr\",\"time\":\"";
  out.append(time).append("\"}\n");
}

}  // namespace

Result<LogFile> LogFile::open(int dir, Rotation rotation) {
  LogFile log;
  log.dir_ = dir;
  log.rotation_ = rotation;
  // Of an earlier start.
  struct stat info = {};
  if (fstatat(dir, kName, &info, AT_SYMLINK_NOFOLLOW) == 0) TRY(log.open_file());
  return log;
}

Status LogFile::open_file() {
  file_ = TRY(sys::open_at(dir_, kName, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0640));
  struct stat info = {};
  size_ = fstat(file_.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  return {};
}

Status LogFile::add(Stream stream, std::string_view text) {
  const std::string time = store::now_rfc3339();
  std::string entries;
  lines_[stream].add(text, [&](std::string_view line) { append_entry(entries, line, stream, time); });
  return entries.empty() ? Status() : write(entries);
}

Status LogFile::flush() {
  const std::string time = store::now_rfc3339();
  std::string entries;
  for (const Stream stream : {kStdout, kStderr})
    lines_[stream].flush([&](std::string_view line) { append_entry(entries, line, stream, time); });
  return entries.empty() ? Status() : write(entries);
}

Status LogFile::write(std::string_view entries) {
  if (!file_) TRY(open_file());
  while (!entries.empty()) {
    size_t take = entries.size();
    if (rotation_.max_size && size_ + take > rotation_.max_size) {
      // As many whole entries as still fit; one that is larger than a file gets a file.
      take = 0;
      for (size_t end; (end = entries.find('\n', take)) != std::string_view::npos; take = end + 1)
        if (size_ + end + 1 > rotation_.max_size) break;
      if (take == 0 && size_ > 0) {
        TRY(rotate());
        continue;
      }
      if (take == 0) take = entries.find('\n') + 1;
    }
    TRY(sys::write_all(file_.get(), entries.substr(0, take)).ctx("log"));
    size_ += take;
    entries.remove_prefix(take);
  }
  return {};
}

Status LogFile::rotate() {
  char from[16];
  char to[16];
  if (rotation_.max_files <= 1) {
    unlinkat(dir_, kName, 0);
  } else {
    for (unsigned i = rotation_.max_files - 1; i > 1; --i) {
      snprintf(from, sizeof from, "log.%u", i - 1);
      snprintf(to, sizeof to, "log.%u", i);
      renameat(dir_, from, dir_, to);
    }
    renameat(dir_, kName, dir_, "log.1");
  }
  return open_file();
}

}  // namespace slipway::manager
