#include "src/runtime/pending.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "src/base/fault.h"
#include "src/runtime/container_dir.h"
#include "src/runtime/state_file.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/proc.h"
#include "src/sys/remove_tree.h"

namespace slipway::runtime {

namespace {

struct PendingDocument {
  Map<Str> cgroup_paths;
  Str cgroup_path;
  Str cgroup_scope;
  bool systemd_cgroup = false;
  int64_t owner_pid = 0;
  uint64_t owner_start = 0;
  Str root;
  uint64_t root_mount = 0, root_device = 0, root_inode = 0;
};

}  // namespace
}  // namespace slipway::runtime

JSON_OBJECT(slipway::runtime::PendingDocument,
            JSON_FIELD(slipway::runtime::PendingDocument, cgroup_paths, "cgroup_paths"),
            JSON_FIELD(slipway::runtime::PendingDocument, cgroup_path, "cgroup_path"),
            JSON_FIELD(slipway::runtime::PendingDocument, cgroup_scope, "cgroup_scope"),
            JSON_FIELD(slipway::runtime::PendingDocument, systemd_cgroup, "systemd_cgroup"),
            JSON_FIELD(slipway::runtime::PendingDocument, owner_pid, "owner_pid"),
            JSON_FIELD(slipway::runtime::PendingDocument, owner_start, "owner_start"),
            JSON_FIELD(slipway::runtime::PendingDocument, root, "root"),
            JSON_FIELD(slipway::runtime::PendingDocument, root_mount, "root_mount"),
            JSON_FIELD(slipway::runtime::PendingDocument, root_device, "root_device"),
            JSON_FIELD(slipway::runtime::PendingDocument, root_inode, "root_inode"));

namespace slipway::runtime {

namespace {

constexpr size_t kRecordLimit = 64U << 10;
constexpr int kPatienceMs = 500;

std::string directory_of(const Context& context) {
  return context.root + "/.pending";
}

std::string path_of(const Context& context, std::string_view id) {
  return directory_of(context) + "/" + std::string(id);
}

/// Whether the process that wrote the record has ended. Its child shares the lock for the moment between the clone
/// and its first system call, and ends soon after it.
bool is_owner_dead(int file) {
  const Result<std::string> text = sys::read_all(file, kRecordLimit);
  if (!text.ok() || lseek(file, 0, SEEK_SET) != 0) return false;
  Arena arena;
  const Result<PendingDocument*> document =
      json::read<PendingDocument>(text.value(), json::type<PendingDocument>, arena);
  if (!document.ok()) return false;
  const Result<sys::ProcessStat> stat =
      sys::read_process_stat(static_cast<pid_t>(document.value()->owner_pid));
  return !stat.ok() || stat.value().start_time != document.value()->owner_start || stat.value().state == 'Z';
}

/// Locks the file of that name, made if need be. No descriptor: someone else holds it.
Result<Fd> lock_file(const std::string& path, bool make) {
  int patience = kPatienceMs;
  for (;;) {
    Fd file(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | (make ? O_CREAT : 0), 0600));
    if (!file && errno == ENOENT && !make) return Fd();
    if (!file) return Error::sys(errno, "open `%s`", path.c_str());
    if (flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
      if (errno != EWOULDBLOCK) return Error::sys(errno, "lock `%s`", path.c_str());
      if (patience-- > 0 && is_owner_dead(file.get())) {
        usleep(1000);
        continue;
      }
      return Fd();
    }
    // Someone may have removed it between the two calls: then the lock is on nothing.
    struct stat held;
    if (fstat(file.get(), &held) == 0 && held.st_nlink > 0) return file;
    if (!make) return Fd();
  }
}

/// What a creator left that was killed before state.json was there.
Status remove_half_made(const Context& context, const std::string& id, int record_file) {
  const std::string text = TRY(sys::read_all(record_file, kRecordLimit));
  if (!text.empty()) {
    Arena arena;
    const PendingDocument* document =
        TRY(json::read<PendingDocument>(text, json::type<PendingDocument>, arena));
    CgroupRecord record;
    record.path = document->cgroup_path.view();
    record.scope = document->cgroup_scope.view();
    for (const Entry<Str>& entry : document->cgroup_paths)
      record.directories.emplace_back(entry.key.view(), entry.value.view());
    Context its = context;
    its.systemd_cgroup = document->systemd_cgroup;
    const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(its, record));
    TRY(cgroup->destroy());
    fault_point("runtime.collect.cgroup");
    BareRoot root;
    root.path = document->root.view();
    root.mount = document->root_mount;
    root.device = document->root_device;
    root.inode = document->root_inode;
    unmount_shared_root(root.path, find_shared_root(root));
  }
  return remove_container_directory(context, id);
}

/// Removes what is left of a container whose creator or owner is dead, and the record, which the caller has locked. False:
/// nothing has been done, since it lives.
Result<bool> settle(const Context& context, const std::string& id, int record) {
  Result<State> state = load_state(context, id);
  if (state.ok() && !state->creating && state->foreground) {
    // One that its dead owner would have removed goes when it has stopped.
    if (state->status != ContainerStatus::stopped) return false;
    TRY(delete_container(context, id, true));
    return true;
  }
  if (!state.ok() || state->creating) TRY(remove_half_made(context, id, record));
  forget_pending(context, id);
  return true;
}

Status collect(const Context& context, const std::string& id) {
  const Fd file = TRY(lock_file(path_of(context, id), false));
  if (file) TRY(settle(context, id, file.get()));
  return {};
}

/// Locks the record of that name, made if need be. No descriptor: it is someone else's.
Result<Fd> lock_record(const Context& context, std::string_view id) {
  const std::string path = path_of(context, id);
  Result<Fd> file = lock_file(path, true);
  if (!file.ok() && file.error().code() == ENOENT) {
    TRY(sys::make_directories(context.root, 0700));
    sys::spread_directories(TRY(sys::open_at(AT_FDCWD, context.root.c_str(), O_RDONLY | O_DIRECTORY)).get());
    TRY(sys::make_directories(directory_of(context), 0700));
    file = lock_file(path, true);
  }
  // A new file can be locked by a collector before it is by us. That lasts no longer than a look; an owner stays.
  for (int tries = 0; file.ok() && !*file && tries < 10; ++tries) {
    const timespec nap = {0, 1'000'000};
    nanosleep(&nap, nullptr);
    file = lock_file(path, true);
  }
  return file;
}

}  // namespace

std::string rubbish_path(const Context& context) {
  return directory_of(context) + "/." + std::to_string(getpid());
}

Result<Pending> Pending::begin(const Context& context, std::string_view id) {
  Pending pending;
  pending.path_ = path_of(context, id);
  for (;;) {
    pending.file_ = TRY(lock_record(context, id));
    if (!pending.file_) return already_exists(id);
    struct stat info;
    if (fstat(pending.file_.get(), &info) < 0) return Error::sys(errno, "stat `%s`", pending.path_.c_str());
    if (info.st_size == 0) return pending;
    // Its creator was killed after our last look: what he has made, only this record knows.
    if (!TRY(settle(context, std::string(id), pending.file_.get()))) return already_exists(id);
  }
}

Status Pending::record(const Context& context, const CgroupRecord& cgroup, const BareRoot& root) {
  json::Writer out;
  out.begin_object().key("cgroup_paths").begin_object();
  for (const auto& [name, path] : cgroup.directories) out.key(name).string(path);
  out.end_object();
  out.key("cgroup_path").string(cgroup.path);
  out.key("cgroup_scope").string(cgroup.scope);
  out.key("systemd_cgroup").boolean(context.systemd_cgroup);
  out.key("owner_pid").integer(getpid());
  out.key("owner_start").unsigned_integer(TRY(sys::read_process_stat(getpid())).start_time);
  if (!root.path.empty()) {
    out.key("root").string(root.path);
    out.key("root_mount").unsigned_integer(root.mount);
    out.key("root_device").unsigned_integer(root.device);
    out.key("root_inode").unsigned_integer(root.inode);
  }
  out.end_object();
  return sys::write_all(file_.get(), out.text()).ctx("`%s`", path_.c_str());
}

void Pending::done() {
  if (file_) unlink(path_.c_str());
  file_.reset();
}

void forget_pending(const Context& context, std::string_view id) {
  unlink(path_of(context, id).c_str());
}

Status collect_pending(const Context& context, std::string_view wanted) {
  const Fd directory(open(directory_of(context).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return {};
  std::vector<std::string> ids;
  std::vector<std::string> rubbish;
  sys::DirectoryReader reader(directory.get());
  while (const dirent64* entry = reader.next()) {
    const std::string_view name = entry->d_name;
    (check_id(name).ok() ? ids : rubbish).emplace_back(name);
  }
  for (const std::string& name : rubbish) (void)sys::remove_tree(AT_FDCWD, path_of(context, name).c_str());
  // One that cannot be collected (a process in uninterruptible sleep) must not keep other commands from working.
  Status result;
  for (const std::string& id : ids) {
    Status collected = collect(context, id);
    if (!collected.ok() && id == wanted) result = std::move(collected);
  }
  return result;
}

}  // namespace slipway::runtime
