// The log of a container: what LogFile writes is what LogReader reads.
#include "src/manager/log_file.h"
#include "src/manager/log_reader.h"
#include "tests/lib/cmocka.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace slipway;
using manager::LogEntry;
using manager::LogFile;
using manager::LogReader;

namespace {

/// A directory that is removed with the logs in it.
class Directory {
 public:
  Directory() : fd_(open(mkdtemp(path_), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) { assert_true(fd_ >= 0); }
  ~Directory() {
    for (const char* name : {"log", "log.1", "log.2", "log.3"}) unlinkat(fd_, name, 0);
    close(fd_);
    rmdir(path_);
  }
  int fd() const { return fd_; }

 private:
  char path_[32] = "/tmp/container-log-XXXXXX";
  int fd_;
};

LogFile open_log(const Directory& dir, LogFile::Rotation rotation = {}) {
  auto log = LogFile::open(dir.fd(), rotation);
  assert_true(log.ok());
  return std::move(log).value();
}

std::vector<std::string> read_log(const Directory& dir, int64_t tail = -1) {
  std::vector<std::string> lines;
  LogReader reader(dir.fd());
  assert_true(reader
                  .existing(tail,
                            [&](const LogEntry& entry) {
                              assert_true(entry.time_ns > 0);
                              lines.push_back((entry.is_stderr ? "E" : "O") + entry.text);
                              return true;
                            })
                  .ok());
  return lines;
}

void lines_are_kept(void**) {
  Directory dir;
  LogFile log = open_log(dir);
  assert_true(log.add(LogFile::kStdout, "one\ntwo").ok());
  assert_true(log.add(LogFile::kStderr, "err\n").ok());
  assert_true(log.add(LogFile::kStdout, " and a half\n\n").ok());
  assert_true(log.add(LogFile::kStdout, "no end").ok());
  assert_true(log.flush().ok());
  const std::vector<std::string> want = {"Oone\n", "Eerr\n", "Otwo and a half\n", "O\n", "Ono end"};
  assert_true(read_log(dir) == want);
}

void bytes_survive(void**) {
  Directory dir;
  LogFile log = open_log(dir);
  assert_true(log.add(LogFile::kStdout, "\"quoted\" \\ tab\t bell\a \xc3\xa4 \xf0\x9f\x9a\xa2\n").ok());
  assert_true(log.add(LogFile::kStdout, "bad \xff\xc3\n").ok());
  const std::vector<std::string> lines = read_log(dir);
  assert_string_equal(lines[0].c_str(), "O\"quoted\" \\ tab\t bell\a \xc3\xa4 \xf0\x9f\x9a\xa2\n");
  // What is no UTF-8 cannot be in JSON: replaced, as docker does.
  assert_string_equal(lines[1].c_str(), "Obad \xef\xbf\xbd\xef\xbf\xbd\n");
}

void long_lines_are_cut(void**) {
  Directory dir;
  LogFile log = open_log(dir);
  const std::string line(40'000, 'x');
  assert_true(log.add(LogFile::kStdout, line + "\n").ok());
  const std::vector<std::string> lines = read_log(dir);
  assert_int_equal(lines.size(), 3);
  assert_int_equal(lines[0].size(), 1 + (16 << 10));
  assert_true(lines[2].ends_with("x\n"));
}

void the_tail_reaches_into_older_files(void**) {
  Directory dir;
  LogFile log = open_log(dir, {.max_size = 300, .max_files = 3});
  for (int i = 0; i < 20; ++i)
    assert_true(log.add(LogFile::kStdout, "line " + std::to_string(i) + "\n").ok());
  struct stat info = {};
  assert_int_equal(fstatat(dir.fd(), "log.2", &info, 0), 0);
  assert_true(fstatat(dir.fd(), "log.3", &info, 0) != 0);
  const std::vector<std::string> lines = read_log(dir, 5);
  assert_int_equal(lines.size(), 5);
  for (int i = 0; i < 5; ++i)
    assert_string_equal(lines[static_cast<size_t>(i)].c_str(),
                        ("Oline " + std::to_string(15 + i) + "\n").c_str());
  assert_int_equal(read_log(dir, 0).size(), 0);
}

void a_reader_follows_a_rotation(void**) {
  Directory dir;
  LogFile log = open_log(dir, {.max_size = 200, .max_files = 2});
  LogReader reader(dir.fd());
  std::vector<std::string> seen;
  const auto visit = [&](const LogEntry& entry) {
    seen.push_back(entry.text);
    return true;
  };
  assert_true(log.add(LogFile::kStdout, "0\n").ok());
  assert_true(reader.existing(-1, visit).ok());
  for (int i = 1; i < 12; ++i) {
    assert_true(log.add(LogFile::kStdout, std::to_string(i) + "\n").ok());
    assert_true(reader.more(visit).ok());
  }
  assert_int_equal(seen.size(), 12);
  assert_string_equal(seen.back().c_str(), "11\n");
}

void a_slow_reader_passes_over_nothing(void**) {
  Directory dir;
  LogFile log = open_log(dir, {.max_size = 200, .max_files = 4});
  LogReader reader(dir.fd());
  std::string seen;
  const auto visit = [&](const LogEntry& entry) {
    seen += entry.text;
    return true;
  };
  std::string want;
  for (int i = 0; i < 8; ++i) {
    want += std::to_string(i) + "\n";
    assert_true(log.add(LogFile::kStdout, std::to_string(i) + "\n").ok());
    if (i == 0) assert_true(reader.existing(-1, visit).ok());
  }
  struct stat info = {};
  assert_int_equal(fstatat(dir.fd(), "log.3", &info, 0), 0);
  assert_true(reader.more(visit).ok());
  assert_string_equal(seen.c_str(), want.c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_kept),
      cmocka_unit_test(bytes_survive),
      cmocka_unit_test(long_lines_are_cut),
      cmocka_unit_test(the_tail_reaches_into_older_files),
      cmocka_unit_test(a_reader_follows_a_rotation),
      cmocka_unit_test(a_slow_reader_passes_over_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
