// Logs that are sent to somebody: syslog (RFC 3164 and RFC 5424) and the journal of systemd (its native protocol).
#pragma once

#include "src/manager/container_log.h"

namespace slipway::manager {

/// --log-opt syslog-address (unix://, unixgram://, udp://, tcp://; else /dev/log), syslog-facility, syslog-format, tag.
Result<std::unique_ptr<ContainerLog>> open_syslog(const store::Record& record);
/// --log-opt tag, labels, env. Errors: not_found when there is no journal on this machine.
Result<std::unique_ptr<ContainerLog>> open_journal(const store::Record& record);

Status check_syslog_address(std::string_view address);
/// 0 to 23, by name or number; -1 when there is none.
int syslog_facility(std::string_view name);
/// Whether only fields that are known are in its braces.
bool log_tag_is_valid(std::string_view tag);

}  // namespace slipway::manager
