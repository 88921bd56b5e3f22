#include "oci/byte_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace slipway::oci {

namespace {
constexpr size_t kPiece = 1 << 20;
}

FdSource::FdSource(int fd) : fd_(fd), buffer_(std::make_unique_for_overwrite<char[]>(kPiece)) {
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // fails on pipes, and need not succeed
}

FdSource::~FdSource() = default;

Result<std::string_view> FdSource::next() {
  // Whole pieces, so that pipes do not make many small ones.
  size_t size = 0;
  while (size < kPiece) {
    const ssize_t got = read(fd_, buffer_.get() + size, kPiece - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::sys(errno, "read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  return std::string_view(buffer_.get(), size);
}

}  // namespace slipway::oci
