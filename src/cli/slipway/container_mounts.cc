// -v, --mount and --tmpfs.
#include <algorithm>
#include <string>
#include <vector>

#include "src/cli/slipway/container_options.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/pairs.h"
#include "src/cli/slipway/session.h"
#include "src/store/volumes.h"

namespace slipway::cli {

namespace {

bool is_propagation(std::string_view text) {
  for (const char* name : {"private", "rprivate", "shared", "rshared", "slave", "rslave"})
    if (text == name) return true;
  return false;
}

/// A path in the container: absolute, without a slash at its end, and not the root.
Result<Str> destination(const Call& call, std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  if (!text.starts_with('/'))
    return Error::of(ErrorKind::usage, "invalid mount path: '%.*s' mount path must be absolute",
                     static_cast<int>(text.size()), text.data());
  if (text == "/") return Error::of(ErrorKind::usage, "invalid specification: destination can't be '/'");
  return call.arena.copy(text);
}

/// SRC:DST[:OPTIONS] or DST.
Result<store::MountPoint> volume_option(const Call& call, std::string_view word) {
  const auto bad = [&](const char* why) {
    return Error::of(ErrorKind::usage, "invalid volume specification: '%s': %s", word.data(), why);
  };
  store::MountPoint mount;
  const size_t first = word.find(':');
  if (word.empty() || first == 0) return bad("invalid spec");
  if (first == std::string_view::npos) {
    mount.type = "volume";
    mount.anonymous = true;
    mount.destination = TRY(destination(call, word));
    return mount;
  }
  const std::string_view source = word.substr(0, first);
  const std::string_view rest = word.substr(first + 1);
  const size_t second = rest.find(':');
  if (rest.empty()) return bad("invalid spec");
  mount.destination = TRY(destination(call, rest.substr(0, second)));
  if (source.starts_with('/') || source.starts_with('.')) {
    mount.type = "bind";
    const std::string absolute = TRY(absolute_path(source));
    mount.source = call.arena.copy(absolute);
  } else {
    mount.type = "volume";
    if (!store::is_volume_name(source))
      return Error::of(
          ErrorKind::usage,
          "create %.*s: \"%.*s\" includes invalid characters for a local volume name, "
          "only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, "
          "use absolute path",
          static_cast<int>(source.size()), source.data(), static_cast<int>(source.size()), source.data());
    mount.name = call.arena.copy(source);
  }
  if (second == std::string_view::npos) return mount;
  mount.mode = call.arena.copy(rest.substr(second + 1));
  for (std::string_view modes = mount.mode; !modes.empty();) {
    const size_t comma = modes.find(',');
    const std::string_view mode = modes.substr(0, comma);
    modes = comma == std::string_view::npos ? std::string_view() : modes.substr(comma + 1);
    if (mode == "ro")
      mount.read_only = true;
    else if (mode == "nocopy")
      mount.no_copy = true;
    else if (is_propagation(mode))
      mount.propagation = call.arena.copy(mode);
    else if (mode != "rw" && mode != "z" && mode != "Z" && mode != "rbind" && mode != "consistent" &&
             mode != "cached" && mode != "delegated")
      return Error::of(ErrorKind::usage, "invalid mode: %s", mount.mode.c_str());
  }
  if (mount.no_copy && mount.type == "bind") return bad("nocopy is for volumes");
  return mount;
}

struct MountOption {
  const Call& call;
  std::string_view word;
  store::MountPoint mount;
  ListBuilder<Str> options, labels;
  std::vector<std::string> keys = {};

  Error bad(std::string_view field) const {
    return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --mount: invalid field '%.*s'",
                     word.data(), static_cast<int>(field.size()), field.data());
  }

  /// bind-propagation, tmpfs-size ...
  bool has_option_of(std::string_view type) const {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const std::string& key) { return key.starts_with(std::string(type) + "-"); });
  }

  Status field(std::string_view field) {
    const size_t equals = field.find('=');
    const std::string_view key = field.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1);
    keys.emplace_back(key);
    if (key == "readonly" || key == "ro") {
      mount.read_only = equals == std::string_view::npos || TRY(parse_bool(value));
      return {};
    }
    if (key == "bind-nonrecursive") {
      if (equals == std::string_view::npos || TRY(parse_bool(value))) options.add("bind");
      return {};
    }
    if (key == "volume-nocopy") {
      mount.no_copy = equals == std::string_view::npos || TRY(parse_bool(value));
      return {};
    }
    if (equals == std::string_view::npos)
      return Error::of(ErrorKind::usage,
                       "invalid argument \"%s\" for --mount: invalid field '%.*s' must be a key=value pair",
                       word.data(), static_cast<int>(field.size()), field.data());
    if (key == "type") {
      if (value != "bind" && value != "volume" && value != "tmpfs")
        return Error::of(ErrorKind::usage, "mount type unknown: \"%.*s\"", static_cast<int>(value.size()),
                         value.data());
      mount.type = call.arena.copy(value);
    } else if (key == "source" || key == "src") {
      mount.source = call.arena.copy(value);
    } else if (key == "target" || key == "dst" || key == "destination") {
      mount.destination = TRY(destination(call, value));
    } else if (key == "bind-propagation") {
      if (!is_propagation(value)) return bad(field);
      mount.propagation = call.arena.copy(value);
    } else if (key == "tmpfs-size") {
      const int64_t size = TRY(parse_size(value));
      options.add(call.arena.format("size=%lld", static_cast<long long>(size)));
    } else if (key == "tmpfs-mode") {
      if (value.empty() || value.size() > 5 || value.find_first_not_of("01234567") != std::string_view::npos)
        return bad(field);
      options.add(call.arena.format("mode=%.*s", static_cast<int>(value.size()), value.data()));
    } else if (key == "volume-label") {
      labels.add(call.arena.copy(value));
    } else if (key == "bind-recursive") {
      if (value != "enabled" && value != "disabled" && value != "writable") return bad(field);
      if (value == "disabled") options.add("bind");
    } else if (key == "volume-driver" || key == "volume-opt") {
      if (key == "volume-opt" || value != "local")
        return Error::of(ErrorKind::unsupported,
                         "%.*s is not supported: volumes are directories (driver local)",
                         static_cast<int>(field.size()), field.data());
    } else if (key == "consistency") {
      // Of Docker Desktop: without meaning on Linux.
    } else {
      return bad(field);
    }
    return {};
  }

  Status finish() {
    if (mount.type.empty()) mount.type = "volume";
    for (const std::string_view type : {"bind", "volume", "tmpfs"})
      if (has_option_of(type) && mount.type != type)
        return Error::of(
            ErrorKind::usage,
            "invalid argument \"%s\" for --mount: cannot mix '%.*s-*' options with mount type '%s'",
            word.data(), static_cast<int>(type.size()), type.data(), mount.type.c_str());
    if (mount.destination.empty())
      return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --mount: target is required",
                       word.data());
    mount.options = options.list();
    mount.labels = labels.list();
    if (mount.type == "bind") {
      if (mount.source.empty())
        return Error::of(ErrorKind::usage,
                         "invalid mount config for type \"bind\": field Source must not be empty");
      if (!mount.source.view().starts_with('/'))
        return Error::of(
            ErrorKind::usage,
            "invalid mount config for type \"bind\": invalid mount path: '%s' mount path must be absolute",
            mount.source.c_str());
      mount.mode = "exact";  // unlike with -v, a missing source is an error
    } else if (mount.type == "tmpfs") {
      if (!mount.source.empty())
        return Error::of(ErrorKind::usage,
                         "invalid mount config for type \"tmpfs\": field Source must not be specified");
    } else {
      mount.anonymous = mount.source.empty();
      if (!mount.anonymous && !store::is_volume_name(mount.source))
        return Error::of(ErrorKind::usage,
                         "create %s: \"%s\" includes invalid characters for a local volume name, only "
                         "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
                         mount.source.c_str(), mount.source.c_str());
      mount.name = mount.source;
      mount.source = Str();
    }
    return {};
  }
};

Result<store::MountPoint> mount_option(const Call& call, std::string_view word) {
  MountOption option{call, word, {}, ListBuilder<Str>(call.arena), ListBuilder<Str>(call.arena)};
  for (const std::string& field : csv_fields(word)) TRY(option.field(field));
  TRY(option.finish());
  return option.mount;
}

/// PATH[:OPTIONS]; docker's defaults are noexec, nosuid and nodev.
Result<store::MountPoint> tmpfs_option(const Call& call, std::string_view word) {
  const size_t colon = word.find(':');
  store::MountPoint mount;
  mount.type = "tmpfs";
  mount.destination = TRY(destination(call, word.substr(0, colon)));
  ListBuilder<Str> options(call.arena);
  if (colon != std::string_view::npos) mount.mode = call.arena.copy(word.substr(colon + 1));
  for (std::string_view rest = mount.mode; !rest.empty();) {
    const size_t comma = rest.find(',');
    const std::string_view option = rest.substr(0, comma);
    if (option == "ro") mount.read_only = true;
    if (!option.empty()) options.add(call.arena.copy(option));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  mount.options = options.list();
  return mount;
}

}  // namespace

Status read_mounts(const Call& call, manager::CreateRequest& request) {
  ListBuilder<store::MountPoint> mounts(call.arena);
  ListBuilder<store::MountPoint> requested(call.arena);
  ListBuilder<Str> binds(call.arena);
  ListBuilder<Str> anonymous(call.arena);  // they are the container's own, as those of its image
  const auto add = [&](const store::MountPoint& mount) -> Status {
    for (const store::MountPoint& other : mounts.list())
      if (other.destination == mount.destination.view())
        return Error::of(ErrorKind::usage, "Duplicate mount point: %s", mount.destination.c_str());
    mounts.add(mount);
    return {};
  };
  for (const char* word : call.args.values("volume", call.arena)) {
    const store::MountPoint mount = TRY(volume_option(call, word));
    TRY(add(mount));
    if (mount.anonymous)
      anonymous.add(mount.destination);
    else
      binds.add(Str::wrap(word));
  }
  for (const char* word : call.args.values("mount", call.arena)) {
    const store::MountPoint mount = TRY(mount_option(call, word));
    TRY(add(mount));
    requested.add(mount);
  }
  ListBuilder<Entry<Str>> tmpfs(call.arena);
  for (const char* word : call.args.values("tmpfs", call.arena)) {
    const store::MountPoint mount = TRY(tmpfs_option(call, word));
    TRY(add(mount));
    tmpfs.add({mount.destination, mount.mode});
  }
  static_cast<List<Entry<Str>>&>(request.record->host.tmpfs) = tmpfs.list();
  request.record->host.binds = binds.list();
  request.record->host.mounts = requested.list();
  request.record->config.volumes = anonymous.list();
  request.record->mounts = mounts.list();
  return {};
}

}  // namespace slipway::cli
