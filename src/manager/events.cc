#include "src/manager/events.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "src/store/id.h"
#include "src/store/networks.h"

namespace slipway::manager {

namespace {

constexpr off_t kLongestFile = 8 << 20;

/// One write, so that lines of several programs do not mix.
void append(const store::Store& store, std::string_view line) {
  const Fd file(
      openat(store.run_fd(), kEventsFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return;
  const ssize_t put = write(file.get(), line.data(), line.size());
  struct stat info = {};
  if (put > 0 && fstat(file.get(), &info) == 0 && info.st_size > kLongestFile)
    renameat(store.run_fd(), kEventsFile, store.run_fd(), "events.1");
}

void write_event(const store::Store& store, std::string_view type, std::string_view action,
                 std::string_view id, std::string_view image, Value attributes) {
  const store::Time now = store::now();
  Value event = Value::object();
  // As docker: what older clients know by these keys.
  if (type == "container" || type == "image") event.set("status", action).set("id", id);
  if (!image.empty()) event.set("from", image);
  event.set("Type", type).set("Action", action);
  event.set("Actor", Value::object().set("ID", id).set("Attributes", std::move(attributes)));
  event.set("scope", "local").set("time", now.seconds);
  event.set("timeNano", now.seconds * 1'000'000'000 + now.nanoseconds);
  append(store, event.json() + "\n");
}

}  // namespace

void container_event(const store::Store& store, std::string_view action, const store::Record& record,
                     EventAttributes more) {
  Value attributes = Value::map_of(record.config.labels);
  for (const auto& [key, value] : more) attributes.set(key, value);
  attributes.set("image", record.config.image).set("name", record.name);
  write_event(store, "container", action, record.id, record.config.image, std::move(attributes));
}

void object_event(const store::Store& store, std::string_view type, std::string_view action,
                  std::string_view id, EventAttributes attributes) {
  Value all = Value::map();
  for (const auto& [key, value] : attributes) all.set(key, value);
  write_event(store, type, action, id, {}, std::move(all));
}

void image_event(const store::Store& store, std::string_view action, std::string_view id,
                 std::string_view name) {
  const std::string digest = "sha256:" + std::string(id);
  object_event(store, "image", action, digest, {{"name", name.empty() ? digest : name}});
}

void transfer_event(const store::Store& store, std::string_view action, const oci::Reference& name) {
  object_event(store, "image", action, name.familiar(), {{"name", name.familiar_name()}});
}

void network_events(const store::Store& store, std::string_view action, const store::Record& record,
                    const Value& networks) {
  const auto tell = [&](std::string_view id, std::string_view name, std::string_view type) {
    object_event(store, "network", action, id, {{"container", record.id}, {"name", name}, {"type", type}});
  };
  const std::string_view mode = record.host.network_mode;
  if (networks.is_object()) {
    for (const Value::Member& network : networks.members())
      tell(network.value["id"].text(), network.key, "bridge");
  } else if (mode == "host") {
    tell(store::kHostNetworkId, "host", "host");
  } else if (mode == "none" || mode == "default") {
    tell(store::kNoneNetworkId, "none", "null");
  }
}

void volume_events(const store::Store& store, std::string_view action, const store::Record& record) {
  for (const store::MountPoint& mount : record.mounts) {
    if (mount.type != "volume") continue;
    if (action == "mount")
      object_event(store, "volume", action, mount.name,
                   {{"container", record.id},
                    {"destination", mount.destination},
                    {"driver", "local"},
                    {"propagation", mount.propagation},
                    {"read/write", mount.read_only ? "false" : "true"}});
    else
      object_event(store, "volume", action, mount.name, {{"container", record.id}, {"driver", "local"}});
  }
}

void prune_event(const store::Store& store, std::string_view type, int64_t reclaimed) {
  object_event(store, type, "prune", {}, {{"reclaimed", std::to_string(reclaimed)}});
}

}  // namespace slipway::manager
