#include "src/manager/create.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstring>

#include "oci/image_config.h"
#include "src/base/fault.h"
#include "src/manager/checks.h"
#include "src/manager/container_tree.h"
#include "src/manager/events.h"
#include "src/manager/image.h"
#include "src/manager/leftovers.h"
#include "src/manager/observe.h"
#include "src/manager/volume_content.h"
#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/store/volumes.h"

namespace slipway::manager {

namespace {

using store::ContainerConfig;
using store::MountPoint;
using store::Record;

std::string_view variable_name(Str item) {
  return item.view().substr(0, item.view().find('='));
}

bool has(const List<Str>& list, std::string_view item) {
  return std::any_of(list.begin(), list.end(), [&](Str other) { return other == item; });
}

List<Str> keys_of(const Map<json::Raw>& map, const List<Str>& more, Arena& arena) {
  ListBuilder<Str> keys(arena);
  for (const Str key : more)
    if (!has(keys.list(), key)) keys.add(key);
  for (const auto& entry : map)
    if (!has(keys.list(), entry.key)) keys.add(entry.key);
  return keys.list();
}

Map<Str> merge_labels(const Map<Str>& image, const Map<Str>& own, Arena& arena) {
  ListBuilder<Entry<Str>> labels(arena);
  for (const Entry<Str>& entry : image)
    if (!own.find(entry.key)) labels.add(entry);
  for (const Entry<Str>& entry : own) labels.add(entry);
  Map<Str> merged;
  static_cast<List<Entry<Str>>&>(merged) = labels.list();
  return merged;
}

/// Values that --health-* left open come from the image's HEALTHCHECK.
void merge_healthcheck(ContainerConfig& config, const oci::ImageHealthcheck* image, Arena& arena) {
  if (!image) return;
  if (!config.healthcheck) config.healthcheck = arena.make<store::Healthcheck>();
  store::Healthcheck& own = *config.healthcheck;
  if (own.test.empty()) own.test = image->test;
  if (!own.interval) own.interval = image->interval;
  if (!own.timeout) own.timeout = image->timeout;
  if (!own.start_period) own.start_period = image->start_period;
  if (!own.start_interval) own.start_interval = image->start_interval;
  if (!own.retries) own.retries = image->retries;
}

/// VOLUME of the image: an anonymous volume where the user has not mounted anything.
void add_image_volumes(Record& record, const oci::ContainerDefaults& image, Arena& arena) {
  ListBuilder<MountPoint> mounts(arena);
  for (const MountPoint& mount : record.mounts) mounts.add(mount);
  for (const auto& entry : image.volumes) {
    const bool taken = std::any_of(record.mounts.begin(), record.mounts.end(), [&](const MountPoint& mount) {
      return mount.destination == entry.key.view();
    });
    if (taken || !entry.key.view().starts_with('/')) continue;
    MountPoint mount;
    mount.type = "volume";
    mount.destination = entry.key;
    mount.anonymous = true;
    mounts.add(mount);
  }
  record.mounts = mounts.list();
}

Status check_platform(const std::string& wanted, const oci::ImageConfig& image) {
  if (wanted.empty()) return {};
  const std::string mine = std::string(image.os.view()) + "/" + std::string(image.architecture.view());
  if (wanted == mine || wanted == image.architecture || wanted == image.os) return {};
  return Error::of(ErrorKind::not_found,
                   "image with reference was found but its platform (%s) does not match the "
                   "specified platform (%s)",
                   mine.c_str(), wanted.c_str());
}

Status apply_image(CreateRequest& request, const FoundImage& image, Arena& arena) {
  Record& record = *request.record;
  ContainerConfig& config = record.config;
  const oci::ContainerDefaults& defaults = image.config->config;
  TRY(check_platform(request.platform, *image.config));
  record.image = arena.format("sha256:%s", image.id.c_str());
  record.layer = image.top;
  record.platform = "linux";
  config.env = merge_environment(defaults.env, config.env, arena);
  TRY(merge_command(config, defaults.entrypoint, defaults.cmd, request.entrypoint_given));
  if (config.user.empty()) config.user = defaults.user;
  if (config.working_dir.empty()) config.working_dir = defaults.working_dir;
  if (config.stop_signal.empty()) config.stop_signal = defaults.stop_signal;
  config.exposed_ports = keys_of(defaults.exposed_ports, config.exposed_ports, arena);
  config.volumes = keys_of(defaults.volumes, config.volumes, arena);
  config.labels = merge_labels(defaults.labels, config.labels, arena);
  merge_healthcheck(config, defaults.healthcheck, arena);
  add_image_volumes(record, defaults, arena);
  const List<Str>& first = config.entrypoint.empty() ? config.cmd : config.entrypoint;
  record.path = first[0];
  ListBuilder<Str> args(arena);
  for (size_t i = 1; i < first.size(); ++i) args.add(first[i]);
  if (!config.entrypoint.empty())
    for (const Str word : config.cmd) args.add(word);
  record.args = args.list();
  return {};
}

Map<Str> labels_of(const List<Str>& words, Arena& arena) {
  ListBuilder<Entry<Str>> labels(arena);
  for (const Str word : words) {
    const size_t equals = std::min(word.view().find('='), word.size);
    labels.add({arena.copy(word.view().substr(0, equals)),
                arena.copy(word.view().substr(std::min(equals + 1, word.size)))});
  }
  Map<Str> map;
  static_cast<List<Entry<Str>>&>(map) = labels.list();
  return map;
}

/// Makes and claims the volumes, and says where they are.
Status take_volumes(store::Store& store, const std::string& id, Record& record, Arena& arena) {
  store::Volumes volumes(store);
  for (MountPoint& mount : record.mounts) {
    if (mount.type != "volume") continue;
    if (mount.name.empty()) mount.name = arena.copy(TRY(store::new_id()));
    store::Volume volume;
    volume.name = mount.name;
    volume.created_at = record.created;
    volume.anonymous = mount.anonymous;
    volume.labels = labels_of(mount.labels, arena);
    if (TRY(volumes.create(volume)))
      object_event(store, "volume", "create", volume.name, {{"driver", "local"}});
    TRY(volumes.claim(mount.name, id));
    mount.source = arena.copy(volumes.data_path(mount.name));
  }
  return {};
}

void release_volumes(store::Store& store, const std::string& id, const Record& record) {
  store::Volumes volumes(store);
  for (const MountPoint& mount : record.mounts) {
    if (mount.type != "volume" || mount.name.empty()) continue;
    (void)volumes.release(mount.name, id);
    if (mount.anonymous) (void)volumes.remove(mount.name);
  }
}

/// Who shares the network of another container is called as that one.
Status take_names(store::Store& store, Record& record, Arena& arena) {
  std::string_view mode = record.host.network_mode;
  if (!mode.starts_with("container:") || record.host.uts_mode == "host") return {};
  mode.remove_prefix(strlen("container:"));
  store::Containers containers(store);
  const std::string id = TRY(containers.find(mode));
  const Record* other = TRY(containers.load(id, arena));
  record.config.hostname = other->config.hostname;
  record.config.domainname = other->config.domainname;
  return {};
}

/// The name may be that of a container that a killed `run --rm` has left.
Result<store::Draft> begin(store::Store& store, const std::string& name) {
  store::Containers containers(store);
  auto draft = containers.begin(name);
  if (draft.ok() || draft.error().kind() != ErrorKind::exists) return draft;
  TRY(collect_leftovers(store));
  return containers.begin(name);
}

}  // namespace

List<Str> merge_environment(const List<Str>& first, const List<Str>& second, Arena& arena) {
  ListBuilder<Str> merged(arena);
  const auto put = [&](Str item) {
    for (Str& other : merged.list()) {
      if (variable_name(other) != variable_name(item)) continue;
      other = item;
      return;
    }
    merged.add(item);
  };
  for (const Str item : first) put(item);
  for (const Str item : second) put(item);
  ListBuilder<Str> set(arena);
  for (const Str item : merged.list())
    if (item.view().find('=') != std::string_view::npos) set.add(item);
  return set.list();
}

Status merge_command(ContainerConfig& config, const List<Str>& image_entrypoint, const List<Str>& image_cmd,
                     bool entrypoint_given) {
  if (!entrypoint_given) {
    config.entrypoint = image_entrypoint;
    if (config.cmd.empty()) config.cmd = image_cmd;
  }
  if (config.entrypoint.empty() && config.cmd.empty())
    return Error::of(ErrorKind::invalid, "no command specified");
  return {};
}

Result<NewContainer> create_container(store::Store& store, CreateRequest& request, Arena& arena) {
  Record& record = *request.record;
  store::Containers containers(store);
  TRY(containers.collect());
  TRY(check_request(store, record, arena));
  // Shared, so that nobody removes the image between our look at it and our record that names it.
  const Fd keep_images = TRY(store::lock_file(store.root_fd(), "locks/collect", store::LockMode::shared));
  const FoundImage image = TRY(find_image(store, record.config.image, arena));
  TRY(apply_image(request, image, arena));
  const drivers::RwOptions options = TRY(layer_options(record));
  drivers::Driver* driver = TRY(store.driver());
  record.driver = arena.copy(driver->name());
  record.created = arena.copy(store::now_rfc3339());

  store::Draft draft = TRY(begin(store, request.name));
  const std::string id = draft.id();
  record.id = arena.copy(id);
  record.name = arena.copy(draft.name());
  TRY(take_names(store, record, arena));
  const bool shares_names =
      record.host.network_mode.view().starts_with("container:") || record.host.uts_mode == "host";
  if (record.config.hostname.empty() && !shares_names && record.host.network_mode != "host")
    record.config.hostname = arena.copy(store::short_id(id));
  if (record.config.hostname.empty() && record.host.network_mode == "host") {
    utsname system = {};
    uname(&system);
    record.config.hostname = arena.copy(system.nodename);
  }
  Status made = driver->create_rw(id, record.layer, options);
  if (!made.ok() && made.error().kind() == ErrorKind::not_found)
    made.error().add_hint(
        "another storage driver has the image's layers, or they are damaged: see `slipway system check`");
  TRY(std::move(made));
  Status taken = take_volumes(store, id, record, arena);
  if (taken.ok()) taken = fill_volumes(store, record);
  if (!taken.ok()) {
    release_volumes(store, id, record);
    return std::move(taken).error();
  }
  // If the caller is killed before the start, this is how the next command finds out: see leftovers.h.
  if (request.starts && record.host.auto_remove) mkdirat(store.run_fd(), monitor_dir(id).c_str(), 0700);
  Fd dir = TRY(containers.publish(std::move(draft), record, !record.host.auto_remove));
  container_event(store, "create", record);
  fault_point("manager.create.published");
  return NewContainer{id, std::move(dir)};
}

}  // namespace slipway::manager
