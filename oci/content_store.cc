#include "oci/content_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "oci/descriptor.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"

namespace slipway::oci {

namespace {

constexpr char kLayoutFile[] = R"({"imageLayoutVersion":"1.0.0"})";
constexpr size_t kReadSize = 1 << 20;

Status make_directory(int dir, const char* name) {
  if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST) return Error::sys(errno, "mkdir `%s`", name);
  return {};
}

/// Gives the open file the name `name` in `room`. EEXIST: it is there already.
int publish(int fd, int room, const std::string& temporary, const std::string& name) {
  if (!temporary.empty()) return linkat(room, temporary.c_str(), room, name.c_str(), 0);
  // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH.
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  return linkat(AT_FDCWD, self.c_str(), room, name.c_str(), AT_SYMLINK_FOLLOW);
}

}  // namespace

// --- writing -----------------------------------------------------------------------------------------------

BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter& BlobWriter::operator=(BlobWriter&& other) noexcept {
  // Swapped, so that the other's destructor cleans up what was ours.
  std::swap(fd_, other.fd_);
  std::swap(room_, other.room_);
  std::swap(name_, other.name_);
  std::swap(hash_, other.hash_);
  std::swap(digest_, other.digest_);
  std::swap(size_, other.size_);
  std::swap(hashing_, other.hashing_);
  return *this;
}

BlobWriter::~BlobWriter() {
  if (room_ && !name_.empty()) unlinkat(room_.get(), name_.c_str(), 0);
}

Status BlobWriter::write(const void* data, size_t size) {
  if (size == 0) return {};
  TRY(sys::write_all(fd_.get(), {static_cast<const char*>(data), size}).ctx("content store"));
  if (hashing_) hash_.update(data, size);
  size_ += size;
  return {};
}

Digest BlobWriter::seal() {
  if (hashing_) digest_ = hash_.finish();
  hashing_ = false;
  return digest_;
}

Result<BlobWriter> ContentStore::begin() const {
  BlobWriter blob;
  blob.fd_ = Fd(openat(blobs_.get(), ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0644));
  if (blob.fd_) return blob;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
    return Error::sys(errno, "content store `%s`: new blob", path_.c_str());
  // A file system without O_TMPFILE: a name that no digest has. `system check` collects those of the dead.
  static std::atomic<unsigned> counter;
  blob.name_ = ".new-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
  blob.room_ = Fd(fcntl(blobs_.get(), F_DUPFD_CLOEXEC, 0));
  blob.fd_ = TRY(sys::open_at(blobs_.get(), blob.name_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0644));
  return blob;
}

Status ContentStore::commit(std::vector<BlobWriter> blobs) const {
  if (blobs.empty()) return {};
  // One blob is cheaper to flush alone; several go with one pass over the file system.
  const int synced = blobs.size() == 1 ? fdatasync(blobs[0].fd()) : syncfs(blobs[0].fd());
  if (synced < 0) return Error::sys(errno, "content store `%s`: sync", path_.c_str());
  for (const BlobWriter& blob : blobs) {
    const std::string name = blob.digest_.hex();
    if (publish(blob.fd(), blobs_.get(), blob.name_, name) < 0 && errno != EEXIST)
      return Error::sys(errno, "content store `%s`: link `%s`", path_.c_str(), name.c_str());
  }
  if (fsync(blobs_.get()) < 0) return Error::sys(errno, "content store `%s`: fsync", path_.c_str());
  return {};
}

Result<Blob> ContentStore::put(std::string_view text) const {
  const Blob known{sha256(text), text.size()};
  if (has(known.digest)) return known;
  std::vector<BlobWriter> blobs;
  blobs.push_back(TRY(begin()));
  TRY(blobs[0].write(text));
  blobs[0].seal();
  TRY(commit(std::move(blobs)));
  return known;
}

// --- reading -----------------------------------------------------------------------------------------------

Result<ContentStore> ContentStore::open(const std::string& path) {
  // The layers are as secret here as where they are unpacked (CVE-2021-41091).
  if (mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) {
    TRY(sys::make_directories(path.substr(0, path.rfind('/')), 0711));
    if (mkdir(path.c_str(), 0700) < 0 && errno != EEXIST)
      return Error::sys(errno, "mkdir `%s`", path.c_str());
  }
  ContentStore store;
  store.path_ = path;
  store.dir_ = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
  const int dir = store.dir_.get();
  TRY(make_directory(dir, "blobs"));
  TRY(make_directory(dir, "blobs/sha256"));
  store.blobs_ = TRY(sys::open_at(dir, "blobs/sha256", O_RDONLY | O_DIRECTORY));
  if (faccessat(dir, "oci-layout", F_OK, 0) < 0)
    TRY(sys::replace_file_at(dir, "oci-layout", kLayoutFile, 0644, true));
  if (faccessat(dir, "index.json", F_OK, 0) < 0) TRY(store.write_index({}));
  return store;
}

bool ContentStore::has(const Digest& digest) const {
  return faccessat(blobs_.get(), digest.hex().c_str(), F_OK, 0) == 0;
}

Result<Fd> ContentStore::open_blob(const Digest& digest) const {
  Fd fd(openat(blobs_.get(), digest.hex().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return Error::sys(errno, "blob %s", digest.text().c_str());
  return fd;
}

Result<uint64_t> ContentStore::size(const Digest& digest) const {
  struct stat info;
  if (fstatat(blobs_.get(), digest.hex().c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::sys(errno, "blob %s", digest.text().c_str());
  return static_cast<uint64_t>(info.st_size);
}

Result<std::string> ContentStore::read(const Digest& digest, size_t limit) const {
  const Fd fd = TRY(open_blob(digest));
  std::string text = TRY(sys::read_all(fd.get(), limit).ctx("blob %s", digest.text().c_str()));
  if (sha256(text) != digest)
    return Error::of(ErrorKind::invalid, "blob %s: its bytes have another digest", digest.text().c_str());
  return text;
}

Status ContentStore::remove(const Digest& digest) const {
  if (unlinkat(blobs_.get(), digest.hex().c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "blob %s: unlink", digest.text().c_str());
  return {};
}

Result<std::vector<Digest>> ContentStore::list() const {
  std::vector<Digest> all;
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(blobs_.get())))
    if (Result<Digest> digest = Digest::from_hex(entry.name); digest.ok()) all.push_back(*digest);
  return all;
}

Status ContentStore::verify(const Digest& digest) const {
  const Fd fd = TRY(open_blob(digest));
  const auto buffer = std::make_unique_for_overwrite<char[]>(kReadSize);
  Sha256 hash;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.get(), kReadSize);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::sys(errno, "blob %s", digest.text().c_str());
    if (got == 0) break;
    hash.update(buffer.get(), static_cast<size_t>(got));
  }
  if (hash.finish() != digest)
    return Error::of(ErrorKind::invalid, "blob %s: its bytes have another digest", digest.text().c_str());
  return {};
}

}  // namespace slipway::oci
