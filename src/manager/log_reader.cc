#include "src/manager/log_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "src/store/id.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

/// The newest is 0.
std::string name_of(int age) {
  return age > 0 ? "log." + std::to_string(age) : "log";
}

bool is_same(const Fd& one, const Fd& other) {
  struct stat first = {};
  struct stat second = {};
  return fstat(one.get(), &first) == 0 && fstat(other.get(), &second) == 0 && first.st_ino == second.st_ino;
}

/// A file's whole text, mapped.
class Mapping {
 public:
  explicit Mapping(const Fd& file) {
    struct stat info = {};
    if (!file || fstat(file.get(), &info) < 0 || info.st_size == 0) return;
    void* at = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at == MAP_FAILED) return;
    data_ = static_cast<const char*>(at);
    size_ = static_cast<size_t>(info.st_size);
  }
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (data_) munmap(const_cast<char*>(data_), size_);
  }
  std::string_view text() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

void add_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

/// The string that begins behind the quote at `at`; moves `at` behind its end.
std::string unescape(std::string_view line, size_t& at) {
  std::string out;
  for (; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] != '\\' || at + 1 >= line.size()) {
      out += line[at];
      continue;
    }
    const char c = line[++at];
    if (c == 'n')
      out += '\n';
    else if (c == 'r')
      out += '\r';
    else if (c == 't')
      out += '\t';
    else if (c == 'u' && at + 4 < line.size()) {
      add_utf8(out, static_cast<unsigned>(strtoul(std::string(line.substr(at + 1, 4)).c_str(), nullptr, 16)));
      at += 4;
    } else {
      out += c;
    }
  }
  ++at;
  return out;
}

bool parse(std::string_view line, LogEntry& entry) {
  constexpr std::string_view kLog = "{\"log\":\"";
  if (!line.starts_with(kLog)) return false;
  size_t at = kLog.size();
  entry.text = unescape(line, at);
  const std::string_view rest = line.substr(std::min(at, line.size()));
  entry.is_stderr = rest.starts_with(",\"stream\":\"stderr\"");
  const size_t time = rest.find("\"time\":\"");
  if (time == std::string_view::npos) return false;
  entry.time = rest.substr(time + 8, rest.find('"', time + 8) - time - 8);
  auto parsed = store::parse_rfc3339(entry.time);
  if (!parsed.ok()) return false;
  entry.time_ns = parsed->seconds * 1'000'000'000 + parsed->nanoseconds;
  return true;
}

/// Where the last `count` lines begin; `count` becomes how many are missing.
size_t start_of_last(std::string_view text, int64_t& count) {
  size_t at = text.size();
  while (count > 0 && at > 0) {
    const size_t newline = at >= 2 ? text.rfind('\n', at - 2) : std::string_view::npos;
    at = newline == std::string_view::npos ? 0 : newline + 1;
    --count;
  }
  return at;
}

}  // namespace

Status LogReader::open_current() {
  file_ = Fd(openat(dir_, name_of(0).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file_ && errno != ENOENT) return Error::sys(errno, "open the log");
  return {};
}

Status LogReader::existing(int64_t tail, const Visit& visit) {
  std::vector<Mapping> files;  // newest first
  TRY(open_current());
  files.emplace_back(file_);
  for (int i = 1;; ++i) {
    const Fd old(openat(dir_, name_of(i).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!old) break;
    // The newest has become this one since we opened it.
    if (i == 1 && file_ && is_same(file_, old)) continue;
    files.emplace_back(old);
  }
  std::vector<size_t> starts;
  int64_t missing = tail;
  for (const Mapping& file : files) starts.push_back(tail < 0 ? 0 : start_of_last(file.text(), missing));
  if (file_) lseek(file_.get(), static_cast<off_t>(files[0].text().size()), SEEK_SET);
  for (size_t i = files.size(); i-- > 0;) {
    std::string_view text = files[i].text().substr(starts[i]);
    // The monitor may be in the middle of a line.
    const size_t complete = text.rfind('\n') + 1;
    if (i == 0) unread_ = text.substr(complete);
    if (!visit_lines(text.substr(0, complete), visit)) return {};
  }
  return {};
}

int LogReader::age(const Fd& file) const {
  struct stat mine = {};
  if (fstat(file.get(), &mine) < 0) return -1;
  // One may be missing at this moment: it is being rotated.
  for (int i = 0, missing = 0; missing < 2; ++i) {
    struct stat named = {};
    if (fstatat(dir_, name_of(i).c_str(), &named, AT_SYMLINK_NOFOLLOW) < 0)
      ++missing;
    else if (named.st_ino == mine.st_ino)
      return i;
  }
  return -1;
}

Fd LogReader::next_file() const {
  for (;;) {
    const int before = age(file_);
    int i = before - 1;
    // Deleted as the oldest: all that are there come after it.
    if (before < 0)
      for (i = 0; faccessat(dir_, name_of(i + 1).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;) ++i;
    Fd next(openat(dir_, name_of(i).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!next || age(file_) == before) return next;
  }
}

bool LogReader::visit_lines(std::string_view lines, const Visit& visit) {
  LogEntry entry;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (parse(lines.substr(0, end), entry) && !visit(entry)) return false;
    if (end == std::string_view::npos) break;
    lines.remove_prefix(end + 1);
  }
  return true;
}

Status LogReader::more(const Visit& visit) {
  for (;;) {
    if (!file_) TRY(open_current());
    if (!file_) return {};
    char buffer[32 << 10];
    const ssize_t got = read(file_.get(), buffer, sizeof buffer);
    if (got < 0) return Error::sys(errno, "read the log");
    if (got == 0) {
      if (age(file_) == 0) return {};
      // What was written between the two looks at it is read before the next file.
      if (std::exchange(rotated_, true)) {
        Fd next = next_file();
        if (!next) return {};
        file_ = std::move(next);
        rotated_ = false;
      }
      continue;
    }
    unread_.append(buffer, static_cast<size_t>(got));
    const size_t complete = unread_.rfind('\n') + 1;
    const std::string lines = unread_.substr(0, complete);
    unread_.erase(0, complete);
    if (!visit_lines(lines, visit)) return {};
  }
}

void LogReader::wait(int milliseconds) {
  if (!watch_) {
    watch_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir_);
    if (watch_) inotify_add_watch(watch_.get(), path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
  }
  pollfd fd = {watch_.get(), POLLIN, 0};
  poll(&fd, 1, milliseconds);
  char events[4096];
  while (watch_ && read(watch_.get(), events, sizeof events) > 0) {
  }
}

}  // namespace slipway::manager
