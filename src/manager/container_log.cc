#include "src/manager/container_log.h"

#include <cstdlib>

#include "src/base/quantity.h"
#include "src/manager/log_file.h"
#include "src/manager/log_socket.h"

namespace slipway::manager {

namespace {

bool is_one_of(std::string_view word, std::initializer_list<const char*> words) {
  for (const char* one : words)
    if (word == one) return true;
  return false;
}

/// 0 when it is not a size.
uint64_t size_of(Str text) {
  Result<int64_t> size = parse_size(text);
  return size.ok() ? static_cast<uint64_t>(*size) : 0;
}

LogFile::Rotation rotation_of(const store::LogConfig& config) {
  LogFile::Rotation rotation;
  for (const Entry<Str>& entry : config.config) {
    if (entry.key == "max-file") rotation.max_files = static_cast<unsigned>(atoi(entry.value.c_str()));
    if (entry.key == "max-size") rotation.max_size = size_of(entry.value);
  }
  return rotation;
}

bool is_file(const store::LogConfig& config) {
  return config.type == "json-file" || config.type == "local";
}

}  // namespace

Result<std::unique_ptr<ContainerLog>> ContainerLog::open(const store::Record& record, int dir) {
  const store::LogConfig& config = record.host.log_config;
  std::unique_ptr<ContainerLog> log;
  if (is_file(config)) log = std::make_unique<LogFile>(TRY(LogFile::open(dir, rotation_of(config))));
  if (config.type == "syslog") log = TRY(open_syslog(record));
  if (config.type == "journald") log = TRY(open_journal(record));
  return log;
}

Status check_log_config(const store::LogConfig& config) {
  const Str type = config.type;
  if (!is_file(config) && !is_one_of(type, {"none", "syslog", "journald"}))
    return Error::of(ErrorKind::usage, "logger: no log driver named '%s' is registered", type.c_str());
  for (const Entry<Str>& entry : config.config) {
    const auto invalid = [&](const char* why) {
      return Error::of(ErrorKind::usage, "invalid log opt %s=%s: %s", entry.key.c_str(), entry.value.c_str(),
                       why);
    };
    if (is_file(config) && entry.key == "max-size") {
      if (!size_of(entry.value)) return invalid("not a size");
    } else if (is_file(config) && entry.key == "max-file") {
      if (atoi(entry.value.c_str()) < 1) return invalid("max-file must be at least 1");
    } else if (is_file(config) &&
               is_one_of(entry.key, {"tag", "labels", "env", "compress", "mode", "max-buffer-size"})) {
      // They change nothing in what is logged; labels and env are for `logs --details`.
      if (entry.key == "mode" && !is_one_of(entry.value, {"blocking", "non-blocking"}))
        return Error::of(ErrorKind::usage, "logger: logging mode not supported: %s", entry.value.c_str());
    } else if (type != "none" && entry.key == "tag") {
      if (!log_tag_is_valid(entry.value))
        return invalid(
            "only {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageName}}, "
            "{{.ImageID}} and {{.ImageFullID}} are known");
    } else if (type == "journald" && is_one_of(entry.key, {"labels", "env"})) {
    } else if (type == "syslog" && entry.key == "syslog-address") {
      TRY(check_syslog_address(entry.value));
    } else if (type == "syslog" && entry.key == "syslog-facility") {
      if (syslog_facility(entry.value) < 0) return invalid("no such facility");
    } else if (type == "syslog" && entry.key == "syslog-format") {
      if (!is_one_of(entry.value, {"rfc3164", "rfc5424", "rfc5424micro"})) return invalid("no such format");
    } else {
      return Error::of(ErrorKind::usage, "unknown log opt '%s' for %s log driver", entry.key.c_str(),
                       type.c_str());
    }
  }
  return {};
}

}  // namespace slipway::manager
