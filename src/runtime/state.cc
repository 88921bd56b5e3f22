#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "src/runtime/pending.h"
#include "src/runtime/state_file.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/proc.h"

namespace slipway::runtime {

namespace {

constexpr size_t kStateLimit = 16U << 20;

/// As it is in the file. runc's names, so that programs that look into its state.json find what they look for.
struct StateDocument {
  Str id;
  int64_t init_process_pid = 0;
  uint64_t init_process_start = 0;
  Str created;
  Str bundle;
  Str rootfs;
  Str owner;
  bool creating = false;
  Map<Str> cgroup_paths;
  Str cgroup_path;
  Str cgroup_scope;
  bool systemd_cgroup = false;
  bool foreground = false;
  bool no_new_keyring = false;
  uint64_t root_mount = 0;
  Str intel_rdt;
  Map<Str> annotations;
};

}  // namespace
}  // namespace slipway::runtime

JSON_OBJECT(slipway::runtime::StateDocument, JSON_FIELD(slipway::runtime::StateDocument, id, "id"),
            JSON_FIELD(slipway::runtime::StateDocument, init_process_pid, "init_process_pid"),
            JSON_FIELD(slipway::runtime::StateDocument, init_process_start, "init_process_start"),
            JSON_FIELD(slipway::runtime::StateDocument, created, "created"),
            JSON_FIELD(slipway::runtime::StateDocument, bundle, "bundle"),
            JSON_FIELD(slipway::runtime::StateDocument, rootfs, "rootfs"),
            JSON_FIELD(slipway::runtime::StateDocument, owner, "owner"),
            JSON_FIELD(slipway::runtime::StateDocument, creating, "creating"),
            JSON_FIELD(slipway::runtime::StateDocument, cgroup_paths, "cgroup_paths"),
            JSON_FIELD(slipway::runtime::StateDocument, cgroup_path, "cgroup_path"),
            JSON_FIELD(slipway::runtime::StateDocument, cgroup_scope, "cgroup_scope"),
            JSON_FIELD(slipway::runtime::StateDocument, systemd_cgroup, "systemd_cgroup"),
            JSON_FIELD(slipway::runtime::StateDocument, foreground, "foreground"),
            JSON_FIELD(slipway::runtime::StateDocument, no_new_keyring, "no_new_keyring"),
            JSON_FIELD(slipway::runtime::StateDocument, root_mount, "root_mount"),
            JSON_FIELD(slipway::runtime::StateDocument, intel_rdt, "intel_rdt_path"),
            JSON_FIELD(slipway::runtime::StateDocument, annotations, "annotations"));

namespace slipway::runtime {

namespace {

void write_map(json::Writer& out, const char* key,
               const std::vector<std::pair<std::string, std::string>>& entries) {
  out.key(key).begin_object();
  for (const auto& [name, value] : entries) out.key(name).string(value);
  out.end_object();
}

std::vector<std::pair<std::string, std::string>> pairs(const Map<Str>& map) {
  std::vector<std::pair<std::string, std::string>> result;
  result.reserve(map.size());
  for (const Entry<Str>& entry : map) result.emplace_back(entry.key.view(), entry.value.view());
  return result;
}

}  // namespace

const char* to_string(ContainerStatus status) {
  switch (status) {
    case ContainerStatus::creating:
      return "creating";
    case ContainerStatus::created:
      return "created";
    case ContainerStatus::running:
      return "running";
    case ContainerStatus::paused:
      return "paused";
    case ContainerStatus::stopped:
      return "stopped";
  }
  return "unknown";
}

Status check_id(std::string_view id) {
  bool good = !id.empty() && id[0] != '.' && id.size() <= 1024;
  for (const char c : id)
    good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '+' || c == '-' || c == '.');
  if (good) return {};
  return Error::of(ErrorKind::invalid, "invalid ID format: `%.*s`", static_cast<int>(id.size()), id.data());
}

Result<Fd> open_container(const Context& context, std::string_view id) {
  TRY(check_id(id));
  const std::string path = context.root + "/" + std::string(id);
  Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory) return directory;
  if (errno == ENOENT)
    return Error::of(ErrorKind::not_found, "container `%.*s` does not exist", static_cast<int>(id.size()),
                     id.data());
  return Error::sys(errno, "open `%s`", path.c_str());
}

Status stage_state(int directory, const State& state) {
  json::Writer out;
  out.begin_object();
  out.key("id").string(state.id);
  out.key("init_process_pid").integer(state.pid);
  out.key("init_process_start").unsigned_integer(state.pid_start_time);
  out.key("created").string(state.created);
  out.key("bundle").string(state.bundle);
  out.key("rootfs").string(state.rootfs);
  out.key("owner").string(state.owner);
  if (state.creating) out.key("creating").boolean(true);
  write_map(out, "cgroup_paths", state.cgroup.directories);
  out.key("cgroup_path").string(state.cgroup.path);
  out.key("cgroup_scope").string(state.cgroup.scope);
  out.key("systemd_cgroup").boolean(state.systemd_cgroup);
  out.key("foreground").boolean(state.foreground);
  if (state.no_new_keyring) out.key("no_new_keyring").boolean(true);
  if (state.root_mount) out.key("root_mount").unsigned_integer(state.root_mount);
  if (!state.intel_rdt.empty()) out.key("intel_rdt_path").string(state.intel_rdt);
  write_map(out, "annotations", state.annotations);
  out.end_object();
  const Fd file = TRY(sys::open_at(directory, kStagedState, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  return sys::write_all(file.get(), out.text()).ctx("`%s`", static_cast<const char*>(kStagedState));
}

Status publish_state(int directory) {
  if (renameat(directory, kStagedState, directory, kStateFile) == 0) return {};
  return Error::sys(errno, "rename `%s`", static_cast<const char*>(kStagedState));
}

Result<State> read_state(int directory, std::string_view id) {
  const int name_size = static_cast<int>(id.size());
  Result<std::string> text = sys::read_file_at(directory, kStateFile, kStateLimit);
  if (!text.ok() && text.error().code() == ENOENT)  // not there yet, or half removed
    return Error::of(ErrorKind::not_found, "container `%.*s` does not exist", name_size, id.data());
  if (!text.ok()) return std::move(text).error();
  return parse_state(*text, id).ctx("container `%.*s`: `%s`", name_size, id.data(),
                                    static_cast<const char*>(kStateFile));
}

Result<State> parse_state(std::string_view text, std::string_view id) {
  Arena arena;
  const StateDocument* document = TRY(json::read<StateDocument>(text, json::type<StateDocument>, arena));
  State state;
  state.id = id;
  state.bundle = document->bundle.view();
  state.rootfs = document->rootfs.view();
  state.created = document->created.view();
  state.owner = document->owner.view();
  state.creating = document->creating;
  state.pid = static_cast<pid_t>(document->init_process_pid);
  state.pid_start_time = document->init_process_start;
  state.cgroup.path = document->cgroup_path.view();
  state.cgroup.scope = document->cgroup_scope.view();
  state.cgroup.directories = pairs(document->cgroup_paths);
  state.systemd_cgroup = document->systemd_cgroup;
  state.foreground = document->foreground;
  state.no_new_keyring = document->no_new_keyring;
  state.root_mount = document->root_mount;
  state.intel_rdt = document->intel_rdt.view();
  state.annotations = pairs(document->annotations);
  return state;
}

bool is_alive(const State& state) {
  if (state.pid <= 0) return false;
  const Result<sys::ProcessStat> stat = sys::read_process_stat(state.pid);
  if (!stat.ok()) return false;
  const sys::ProcessStat& found = stat.value();
  return found.start_time == state.pid_start_time && found.state != 'Z' && found.state != 'X';
}

Result<Fd> open_init(const State& state) {
  Fd pidfd(sys::pidfd_open(state.pid));
  // The start time is read after the pidfd was opened: if it is right now, the pidfd is of that process.
  if (pidfd && is_alive(state)) return pidfd;
  return Error::of(ErrorKind::not_found, "container not running");
}

bool is_waiting(int directory) {
  // init has it open until it executes the program; a start() that is killed then may have left it behind.
  const Fd fifo(openat(directory, kStartFifo, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  return fifo || (errno != ENOENT && errno != ENXIO);
}

Result<ContainerStatus> find_status(const Context& context, int directory, const State& state) {
  if (!is_alive(state)) return ContainerStatus::stopped;
  if (state.creating) return ContainerStatus::creating;
  const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
  Result<bool> frozen = cgroup->frozen();
  if (frozen.ok() && *frozen) return ContainerStatus::paused;
  return is_waiting(directory) ? ContainerStatus::created : ContainerStatus::running;
}

Result<State> load_state(const Context& context, std::string_view id) {
  const Fd directory = TRY(open_container(context, id));
  State state = TRY(read_state(directory.get(), id));
  state.status = TRY(find_status(context, directory.get(), state));
  return state;
}

Result<std::vector<State>> list_states(const Context& context) {
  TRY(collect_pending(context));
  std::vector<State> states;
  const Fd directory(open(context.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory && errno == ENOENT) return states;
  if (!directory) return Error::sys(errno, "open `%s`", context.root.c_str());
  std::vector<std::string> ids;
  sys::DirectoryReader reader(directory.get());
  while (const dirent64* entry = reader.next())
    if (check_id(entry->d_name).ok()) ids.emplace_back(entry->d_name);
  std::sort(ids.begin(), ids.end());
  for (const std::string& id : ids) {
    Result<State> state = load_state(context, id);
    if (state.ok()) states.push_back(std::move(state).value());
  }
  return states;
}

Result<const oci::Spec*> load_spec(const Context& context, std::string_view id, Arena& arena) {
  const Fd directory = TRY(open_container(context, id));
  const std::string text = TRY(sys::read_file_at(directory.get(), kConfigFile, 64U << 20));
  oci::Warnings warnings(arena);  // told when the container was created
  return TRY(oci::parse_spec(text, arena, warnings));
}

}  // namespace slipway::runtime
