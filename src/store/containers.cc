#include "src/store/containers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/store/removal.h"
#include "src/sys/file.h"

namespace slipway::store {

namespace {

constexpr size_t kRecordLimit = 4 << 20;

std::string in_room(const char* room, std::string_view name) {
  std::string path = room;
  path.append("/").append(name);
  return path;
}

Error no_such(std::string_view reference) {
  return Error::of(ErrorKind::not_found, "No such container: %.*s", static_cast<int>(reference.size()),
                   reference.data());
}

bool published(const Store& store, std::string_view id) {
  return faccessat(store.root_fd(), in_room("containers", id).c_str(), F_OK, 0) == 0;
}

/// Whether the container in `room` says that this is its name, or is in the hands of somebody who may be
/// about to change that.
bool holds_name(const Store& store, const char* room, std::string_view id, std::string_view name) {
  const std::string dir = in_room(room, id);
  auto lock = try_lock_directory(store.root_fd(), dir.c_str(), LockMode::exclusive);
  if (!lock.ok()) return lock.error().kind() != ErrorKind::not_found;
  if (!lock->has_value()) return true;
  // Nobody works on it. What is unlocked in pending/ is rubbish.
  return std::string_view(room) == "containers" && read_link((*lock)->get(), "name") == name;
}

}  // namespace

bool is_container_name(std::string_view name) {
  if (name.size() < 2) return false;
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (!alphanumeric(name[0])) return false;
  for (const char c : name)
    if (!alphanumeric(c) && c != '_' && c != '.' && c != '-') return false;
  return true;
}

Draft::Draft(Store& store, std::string id, Fd dir)
    : store_(&store), id_(std::move(id)), dir_(std::move(dir)) {}

Draft::Draft(Draft&& other) noexcept = default;

Draft::~Draft() {
  // Nobody to tell: what cannot be removed now is collected later.
  if (dir_) (void)discard_pending(*store_, id_, dir_);
}

Status Containers::claim_name(std::string_view name, const std::string& id) {
  // A second name of the link that ids/ has: it says the same, and costs no inode.
  const std::string short_link = in_room("ids", short_id(id));
  const std::string link = in_room("names", name);
  const auto claim = [&] {
    return linkat(store_.root_fd(), short_link.c_str(), store_.root_fd(), link.c_str(), 0);
  };
  if (claim() == 0) return {};
  if (errno != EEXIST) return Error::sys(errno, "claim the name `%s`", link.c_str() + 6);
  // Only one at a time may find that a claim is void, so that nobody removes the claim that replaced it.
  const Fd referee = TRY(lock_file(store_.root_fd(), "locks/names", LockMode::exclusive));
  const std::string holder = read_link(store_.root_fd(), link.c_str());
  if (!holder.empty()) {
    if (holds_name(store_, "containers", holder, name) || holds_name(store_, "pending", holder, name))
      return Error::of(
          ErrorKind::exists,
          "Conflict. The container name \"/%.*s\" is already in use by container \"%s\". You have "
          "to remove (or rename) that container to be able to reuse that name.",
          static_cast<int>(name.size()), name.data(), holder.c_str());
    unlinkat(store_.root_fd(), link.c_str(), 0);
  }
  if (claim() < 0) return Error::sys(errno, "claim the name `%s`", link.c_str() + 6);
  return {};
}

Result<Draft> Containers::begin(std::string_view name) {
  if (!name.empty() && name[0] == '/') name.remove_prefix(1);
  if (!name.empty() && !is_container_name(name))
    return Error::of(ErrorKind::invalid,
                     "Invalid container name (%.*s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
                     static_cast<int>(name.size()), name.data());
  for (unsigned attempt = 0;; ++attempt) {
    std::string id = TRY(new_id());
    const std::string dir = in_room("pending", id);
    if (mkdirat(store_.root_fd(), dir.c_str(), 0700) < 0) return Error::sys(errno, "mkdir `%s`", dir.c_str());
    // Between the two calls collect() may have taken it for rubbish.
    Result<Fd> lock = lock_directory(store_.root_fd(), dir.c_str(), LockMode::exclusive);
    if (!lock.ok() && lock.error().kind() != ErrorKind::not_found) return std::move(lock).error();
    if (!lock.ok() || !still_named(*lock, store_.root_fd(), dir.c_str())) continue;
    Draft draft(store_, std::move(id), std::move(*lock));
    const std::string short_link = in_room("ids", short_id(draft.id_));
    if (symlinkat(draft.id_.c_str(), store_.root_fd(), short_link.c_str()) < 0) {
      if (errno == EEXIST) continue;
      return Error::sys(errno, "claim the id `%s`", short_link.c_str());
    }
    draft.name_ = name.empty() ? random_name(attempt) : std::string(name);
    if (symlinkat(draft.name_.c_str(), draft.dir(), "name") < 0) return Error::sys(errno, "write the name");
    Status claimed = claim_name(draft.name_, draft.id_);
    if (claimed.ok()) return draft;
    if (!name.empty() || claimed.error().kind() != ErrorKind::exists) return std::move(claimed).error();
  }
}

Status Containers::save_record(int dir, const Record& record) {
  json::Writer writer;
  writer.value(kRecordType, &record);
  return sys::replace_file_at(dir, "record.json", writer.text(), 0600, false);
}

Status Containers::save_state(int dir, const State& state) {
  json::Writer writer;
  writer.value(kStateType, &state);
  return sys::replace_file_at(dir, "state.json", writer.text(), 0600, false);
}

Result<Fd> Containers::publish(Draft draft, const Record& record, bool durable) {
  json::Writer writer;
  writer.value(kRecordType, &record);
  {
    const Fd file = TRY(sys::open_at(draft.dir(), "record.json", O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY(sys::write_all(file.get(), writer.text()).ctx("record.json"));
    if (durable && fdatasync(file.get()) < 0) return Error::sys(errno, "fdatasync record.json");
  }
  if (renameat(store_.root_fd(), in_room("pending", draft.id_).c_str(), store_.root_fd(),
               in_room("containers", draft.id_).c_str()) < 0)
    return Error::sys(errno, "publish container `%s`", draft.id_.c_str());
  return std::move(draft.dir_);
}

Result<std::string> Containers::find(std::string_view reference) {
  std::string_view name = reference;
  if (!name.empty() && name[0] == '/') name.remove_prefix(1);
  if (name.empty() || name.find('/') != std::string_view::npos || name[0] == '.') return no_such(reference);
  if (name.size() == kIdLength && is_hex(name) && published(store_, name)) return std::string(name);
  std::string id = read_link(store_.root_fd(), in_room("names", name).c_str());
  if (!id.empty() && published(store_, id)) return id;
  if (!is_hex(name) || name.size() > kIdLength) return no_such(reference);
  if (name.size() >= kShortIdLength) {
    id = read_link(store_.root_fd(), in_room("ids", short_id(name)).c_str());
    if (!id.starts_with(name) || !published(store_, id)) return no_such(reference);
    return id;
  }
  id.clear();
  for (std::string& candidate : TRY(list())) {
    if (!candidate.starts_with(name)) continue;
    if (!id.empty())
      return Error::of(ErrorKind::invalid, "multiple IDs found with provided prefix: %.*s",
                       static_cast<int>(name.size()), name.data());
    id = std::move(candidate);
  }
  if (id.empty()) return no_such(reference);
  return id;
}

std::string Containers::path(std::string_view id) const {
  return store_.root() + "/" + in_room("containers", id);
}

Result<Fd> Containers::open(std::string_view id) {
  Fd dir(openat(store_.root_fd(), in_room("containers", id).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir)
    return errno == ENOENT ? no_such(id) : Error::sys(errno, "open container `%s`", short_id(id).data());
  return dir;
}

// These two are called for each container of a list, and so spare each system call.

Result<Record*> Containers::load(std::string_view id, Arena& arena) {
  const std::string dir = in_room("containers", id);
  auto text = sys::read_file_at(store_.root_fd(), (dir + "/record.json").c_str(), kRecordLimit);
  if (!text.ok()) {
    TRY(open(id));
    return Error::sys(text.error().code(), "container `%s`: read record.json", std::string(id).c_str());
  }
  Record* record = TRY(
      json::read<Record>(*text, kRecordType, arena).ctx("record of container `%s`", std::string(id).c_str()));
  record->id = arena.copy(id);
  record->name = arena.copy(read_link(store_.root_fd(), (dir + "/name").c_str()));
  return record;
}

Result<State*> Containers::load_state(std::string_view id, Arena& arena) {
  const std::string path = in_room("containers", id) + "/state.json";
  auto text = sys::read_file_at(store_.root_fd(), path.c_str(), kRecordLimit);
  if (!text.ok()) {
    if (text.error().kind() != ErrorKind::not_found) return std::move(text).error();
    if (!published(store_, id)) return no_such(id);
    State* state = arena.make<State>();
    state->status = "created";
    return state;
  }
  return json::read<State>(*text, kStateType, arena).ctx("state of container `%s`", std::string(id).c_str());
}

Result<std::vector<std::string>> Containers::list() {
  return list_directory(store_.root_fd(), "containers");
}

Result<Fd> Containers::lock(std::string_view id) {
  const std::string dir = in_room("containers", id);
  auto lock = lock_directory(store_.root_fd(), dir.c_str(), LockMode::exclusive);
  if (!lock.ok() && lock.error().kind() == ErrorKind::not_found) return no_such(id);
  Fd fd = TRY(std::move(lock));
  if (!still_named(fd, store_.root_fd(), dir.c_str())) return no_such(id);
  return fd;
}

Status Containers::rename(std::string_view id, int locked_dir, std::string_view name) {
  if (!name.empty() && name[0] == '/') name.remove_prefix(1);
  if (!is_container_name(name))
    return Error::of(ErrorKind::invalid,
                     "Invalid container name (%.*s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
                     static_cast<int>(name.size()), name.data());
  const std::string old_name = read_link(locked_dir, "name");
  if (old_name == name)
    return Error::of(ErrorKind::invalid, "Renaming a container with the same name as its current name");
  TRY(claim_name(name, std::string(id)));
  unlinkat(locked_dir, ".name", 0);
  if (symlinkat(std::string(name).c_str(), locked_dir, ".name") < 0 ||
      renameat(locked_dir, ".name", locked_dir, "name") < 0) {
    const int err = errno;
    unlinkat(store_.root_fd(), in_room("names", name).c_str(), 0);
    return Error::sys(err, "rename container `%s`", old_name.c_str());
  }
  unlinkat(store_.root_fd(), in_room("names", old_name).c_str(), 0);
  return {};
}

Status Containers::remove(std::string_view id, Fd locked_dir) {
  if (renameat(store_.root_fd(), in_room("containers", id).c_str(), store_.root_fd(),
               in_room("pending", id).c_str()) < 0)
    return Error::sys(errno, "remove container `%.*s`", static_cast<int>(id.size()), id.data());
  Status discarded = discard_pending(store_, id, locked_dir);
  // Somebody holds its layer, of which nothing is lost: it stays a container, to be removed another time.
  if (!discarded.ok() && discarded.error().kind() == ErrorKind::in_use)
    (void)renameat(store_.root_fd(), in_room("pending", id).c_str(), store_.root_fd(),
                   in_room("containers", id).c_str());
  return discarded;
}

Status Containers::collect() {
  const std::vector<std::string> pending = TRY(list_directory(store_.root_fd(), "pending"));
  bool recovered = false;
  for (const std::string& id : pending) {
    const std::string dir = in_room("pending", id);
    auto lock = try_lock_directory(store_.root_fd(), dir.c_str(), LockMode::exclusive);
    if (!lock.ok() || !lock->has_value()) continue;
    if (!still_named(**lock, store_.root_fd(), dir.c_str())) continue;
    if (!recovered) {
      // Whoever died may have been inside the driver.
      drivers::Driver* driver = TRY(store_.driver());
      TRY(driver->recover());
      recovered = true;
    }
    Status discarded = discard_pending(store_, id, **lock);
    // One whose layer is in use waits for another time.
    if (!discarded.ok() && discarded.error().kind() != ErrorKind::in_use) return discarded;
  }
  return {};
}

}  // namespace slipway::store
