#include "src/manager/save_output.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "oci/tar_writer.h"
#include "src/base/fd.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr size_t kBuffer = 256 << 10;

/// Copies the file's bytes from `from` on. 0 when the kernel cannot do it for this pair of files.
Result<uint64_t> copy_in_kernel(int from, int to, uint64_t size) {
  uint64_t done = 0;
  while (done < size) {
    loff_t at = static_cast<loff_t>(done);
    // copy_file_range may share blocks; sendfile also writes to pipes.
    ssize_t put = copy_file_range(from, &at, to, nullptr, size - done, 0);
    if (put <= 0) {
      off_t offset = static_cast<off_t>(done);
      put = sendfile(to, from, &offset, size - done);
    }
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && done == 0 && (errno == EINVAL || errno == ENOSYS)) return 0;
    if (put < 0) return Error::sys(errno, "write");
    if (put == 0) return Error::of(ErrorKind::failed, "a file shrank while it was read");
    done += static_cast<uint64_t>(put);
  }
  return done;
}

class ArchiveOutput final : public SaveOutput {
 public:
  explicit ArchiveOutput(int out)
      : out_(out), writer_([this](std::string_view bytes) { return write(bytes); }) {}

  Status directory(const std::string& path) override {
    oci::TarEntry entry;
    entry.path = path;
    entry.type = oci::TarEntry::Type::directory;
    entry.mode = 0755;
    return writer_.begin(entry);
  }

  Status text(const std::string& path, std::string_view contents) override {
    return writer_.file(entry(path, contents.size()), contents);
  }

  Status file(const std::string& path, int fd) override {
    struct stat info;
    if (fstat(fd, &info) < 0) return Error::sys(errno, "stat `%s`", path.c_str());
    const auto size = static_cast<uint64_t>(info.st_size);
    TRY(writer_.begin(entry(path, size)));
    TRY(flush());
    if (TRY(copy_in_kernel(fd, out_, size)) == size) {
      TRY(writer_.written_elsewhere(size));
      return writer_.end_entry();
    }
    oci::FdSource source(fd);
    return copy(source, size);
  }

  Status stream(const std::string& path, oci::ByteSource& source, uint64_t size) override {
    TRY(writer_.begin(entry(path, size)));
    return copy(source, size);
  }

  Status finish() override {
    TRY(writer_.finish());
    return flush();
  }

 private:
  static oci::TarEntry entry(const std::string& path, uint64_t size) {
    oci::TarEntry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = static_cast<int64_t>(size);
    return entry;
  }

  Status copy(oci::ByteSource& source, uint64_t size) {
    uint64_t done = 0;
    for (;;) {
      const std::string_view piece = TRY(source.next());
      if (piece.empty()) break;
      done += piece.size();
      TRY(writer_.data(piece));
    }
    if (done != size) return Error::of(ErrorKind::invalid, "a layer is not as long as it was when it came");
    return writer_.end_entry();
  }

  Status write(std::string_view bytes) {
    if (buffer_.size() + bytes.size() > kBuffer) TRY(flush());
    if (bytes.size() > kBuffer) return sys::write_all(out_, bytes);
    buffer_ += bytes;
    return {};
  }

  Status flush() {
    if (buffer_.empty()) return {};
    TRY(sys::write_all(out_, buffer_));
    buffer_.clear();
    return {};
  }

  int out_;
  std::string buffer_;
  oci::TarWriter writer_;
};

class DirectoryOutput final : public SaveOutput {
 public:
  explicit DirectoryOutput(int dir) : dir_(dir) {}

  Status directory(const std::string& path) override {
    if (mkdirat(dir_, path.c_str(), 0755) < 0) return Error::sys(errno, "mkdir `%s`", path.c_str());
    return {};
  }

  Status text(const std::string& path, std::string_view contents) override {
    const Fd fd = TRY(create(path));
    return sys::write_all(fd.get(), contents).ctx("`%s`", path.c_str());
  }

  Status file(const std::string& path, int fd) override {
    struct stat info;
    if (fstat(fd, &info) < 0) return Error::sys(errno, "stat `%s`", path.c_str());
    const Fd to = TRY(create(path));
    TRY(copy_in_kernel(fd, to.get(), static_cast<uint64_t>(info.st_size)).ctx("`%s`", path.c_str()));
    return {};
  }

  Status stream(const std::string& path, oci::ByteSource& source, uint64_t) override {
    const Fd to = TRY(create(path));
    for (;;) {
      const std::string_view piece = TRY(source.next());
      if (piece.empty()) return {};
      TRY(sys::write_all(to.get(), piece).ctx("`%s`", path.c_str()));
    }
  }

  Status finish() override { return {}; }

 private:
  Result<Fd> create(const std::string& path) const {
    return sys::open_at(dir_, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  }

  int dir_;
};

}  // namespace

std::unique_ptr<SaveOutput> archive_output(int out) {
  return std::make_unique<ArchiveOutput>(out);
}
std::unique_ptr<SaveOutput> directory_output(int dir) {
  return std::make_unique<DirectoryOutput>(dir);
}

}  // namespace slipway::manager
