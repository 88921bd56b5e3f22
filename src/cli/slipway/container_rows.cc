#include "src/cli/slipway/container_rows.h"

#include <algorithm>
#include <ctime>

#include "oci/reference.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/pairs.h"
#include "src/manager/network.h"
#include "src/store/id.h"
#include "src/store/root.h"

namespace slipway::cli {

namespace {

constexpr size_t kCommandWidth = 20;

int64_t seconds_since(std::string_view rfc3339) {
  auto time = store::parse_rfc3339(rfc3339);
  return time.ok() ? store::now().seconds - time->seconds : 0;
}

std::string command_text(const store::Record& record, bool truncate) {
  std::string text(record.path.view());
  for (const Str arg : record.args) {
    const char* quote = arg.view().find(' ') == std::string_view::npos ? "" : "'";
    text.append(" ").append(quote).append(arg.view()).append(quote);
  }
  if (truncate && text.size() > kCommandWidth) text = text.substr(0, kCommandWidth - 1) + "…";
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else
      quoted += c;
  }
  return quoted + "\"";
}

std::string mounts_text(const store::Record& record, bool truncate) {
  std::string text;
  for (const store::MountPoint& mount : record.mounts) {
    if (mount.type == "tmpfs") continue;
    std::string name(mount.name.empty() ? mount.source.view() : mount.name.view());
    if (truncate && name.size() > 15) name = name.substr(0, 14) + "…";
    text.append(text.empty() ? "" : ",").append(name);
  }
  return text;
}

int64_t local_volumes(const store::Record& record) {
  int64_t count = 0;
  for (const store::MountPoint& mount : record.mounts) count += mount.type == "volume";
  return count;
}

}  // namespace

std::string time_ago(std::string_view rfc3339) {
  return human_duration(seconds_since(rfc3339)) + " ago";
}

std::string go_time(std::string_view rfc3339) {
  auto time = store::parse_rfc3339(rfc3339);
  if (!time.ok()) return std::string(rfc3339);
  const time_t seconds = time->seconds;
  tm parts = {};
  localtime_r(&seconds, &parts);
  char text[64];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z %Z", &parts);
  return text;
}

std::string status_text(const manager::Observed& observed) {
  using store::ContainerStatus;
  const store::State& state = *observed.state;
  switch (observed.status) {
    case ContainerStatus::created:
      return "Created";
    case ContainerStatus::running:
    case ContainerStatus::paused: {
      std::string text = "Up " + human_duration(seconds_since(state.started_at));
      if (observed.status == ContainerStatus::paused) return text + " (Paused)";
      if (state.health && !state.health->status.empty())
        text.append(state.health->status == "starting"
                        ? " (health: starting)"
                        : " (" + std::string(state.health->status.view()) + ")");
      return text;
    }
    case ContainerStatus::restarting:
      return "Restarting (" + std::to_string(state.exit_code) + ") " + time_ago(state.finished_at);
    case ContainerStatus::removing:
      return "Removal In Progress";
    case ContainerStatus::exited:
    case ContainerStatus::dead:
      break;
  }
  if (state.finished_at.empty()) return "Exited (" + std::to_string(state.exit_code) + ")";
  return "Exited (" + std::to_string(state.exit_code) + ") " + time_ago(state.finished_at);
}

// As docker: ports beside each other become a range where the host's are the same or there is none; then the others.
std::string ports_text(const store::Store& store, const store::Record& record) {
  Arena arena;
  struct Port {
    int inside;
    std::string ip;
    int outside;
    std::string protocol;
    auto operator<=>(const Port&) const = default;
  };
  std::vector<Port> ports;
  const auto protocol = [](std::string_view port) { return std::string(port.substr(port.find('/') + 1)); };
  const std::vector<store::PortBinding> bindings = manager::published_ports(store, record.id, arena);
  for (const store::PortBinding& one : bindings)
    ports.push_back({atoi(one.port.c_str()), one.host_ip.empty() ? "0.0.0.0" : one.host_ip.c_str(),
                     atoi(one.host_port.c_str()), protocol(one.port)});
  for (const Str port : record.config.exposed_ports)
    if (std::none_of(bindings.begin(), bindings.end(),
                     [&](const auto& one) { return one.port == port.view(); }))
      ports.push_back({atoi(port.c_str()), "", 0, protocol(port)});
  std::sort(ports.begin(), ports.end());

  struct Group {
    std::string ip, protocol;
    int first, last;
  };
  std::vector<Group> groups;
  std::string done, mapped;
  const auto add = [](std::string& text, const std::string& part) {
    text += (text.empty() ? "" : ", ") + part;
  };
  const auto finish = [&](const Group& group) {
    const std::string range = group.first == group.last
                                  ? std::to_string(group.first)
                                  : std::to_string(group.first) + "-" + std::to_string(group.last);
    add(done, (group.ip.empty() ? "" : group.ip + ":" + range + "->") + range + "/" + group.protocol);
  };
  for (const Port& port : ports) {
    if (!port.ip.empty() && port.outside != port.inside) {
      add(mapped, port.ip + ":" + std::to_string(port.outside) + "->" + std::to_string(port.inside) + "/" +
                      port.protocol);
      continue;
    }
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
      return known.ip == port.ip && known.protocol == port.protocol;
    });
    if (group == groups.end()) {
      groups.push_back({port.ip, port.protocol, port.inside, port.inside});
    } else if (port.inside == group->last + 1) {
      group->last = port.inside;
    } else {
      finish(*group);
      group->first = group->last = port.inside;
    }
  }
  for (const Group& group : groups) finish(group);
  if (!mapped.empty()) add(done, mapped);
  return done;
}

/// The networks, as `ps --format {{.Networks}}` lists them. Without a word from the user there is none.
std::string networks_text(const store::Record& record) {
  std::string text;
  for (const store::Attachment& one : record.networks)
    text.append(text.empty() ? "" : ",").append(one.network.view());
  if (!text.empty()) return text;
  return record.host.network_mode == "default" ? "none" : std::string(record.host.network_mode.view());
}

Result<ImageNames> ImageNames::open(const store::Store& store) {
  const store::Root root = TRY(store::Root::open(store.root()));
  return ImageNames(TRY(store::Images::open(root)));
}

std::string ImageNames::of(const store::Record& record, bool truncate) {
  const std::string_view name = record.config.image;
  std::string_view id = record.image;
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  std::string_view digits = name;
  if (digits.starts_with("sha256:")) digits.remove_prefix(7);
  if (id.empty() || id.starts_with(digits)) return std::string(name);
  auto known = ids_.find(name);
  if (known == ids_.end()) {
    std::optional<std::string> found;
    if (Result<oci::Reference> reference = oci::Reference::parse(name); reference.ok()) {
      reference->default_tag();
      found = images_.resolve(*reference);
    }
    known = ids_.emplace(name, std::move(found)).first;
  }
  if (known->second == id) return std::string(name);
  return truncate ? std::string(store::short_id(id)) : "sha256:" + std::string(id);
}

Value container_row(const store::Store& store, const store::Record& record, const manager::Observed& observed,
                    ImageNames& images, bool truncate) {
  Value row = Value::object();
  row.set("ID", truncate ? store::short_id(record.id) : record.id.view());
  row.set("Image", images.of(record, truncate));
  row.set("Command", command_text(record, truncate));
  row.set("CreatedAt", go_time(record.created));
  row.set("RunningFor", time_ago(record.created));
  row.set("Ports", observed.is_running() ? ports_text(store, record) : std::string());
  row.set("State", to_string(observed.status));
  row.set("Status", status_text(observed));
  row.set("Names", record.name);
  row.set("Labels", joined_pairs(record.config.labels));
  row.set("Mounts", mounts_text(record, truncate));
  row.set("LocalVolumes", std::to_string(local_volumes(record)));
  row.set("Networks", networks_text(record));
  row.set("\x01labels", Value::map_of(record.config.labels));
  return row;
}

}  // namespace slipway::cli
