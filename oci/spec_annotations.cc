// Annotations of crun for what the specification had no property for. Where it has one now, they stand for that; the
// property itself wins.
#include <cstdio>
#include <cstring>

#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

/// "monotonic 10 0\nboottime 20 0", as the kernel reads it.
Result<Map<TimeOffset>> parse_offsets(Str text, Arena& arena) {
  ListBuilder<Entry<TimeOffset>> offsets(arena);
  char clock[16];
  long long seconds;
  unsigned nanoseconds;
  int size = 0;
  const char* at = text.c_str();
  for (; sscanf(at, " %15s %lld %u %n", clock, &seconds, &nanoseconds, &size) == 3; at += size) {
    const char* const name = strcmp(clock, "1") == 0   ? "monotonic"
                             : strcmp(clock, "7") == 0 ? "boottime"
                                                       : clock;
    offsets.add({arena.copy(name), {seconds, nanoseconds}});
  }
  if (*at)
    return Error::of(
        ErrorKind::invalid,
        "annotations.run.oci.timens_offset: \"%.*s\" is not of the form CLOCK SECONDS NANOSECONDS",
        shown(text), text.c_str());
  return Map<TimeOffset>{offsets.list()};
}

}  // namespace

Status apply_annotations(Spec& spec, Arena& arena) {
  Linux* const section = spec.linux_;
  if (!section) return {};
  const Str* const receiver = spec.annotations.find("run.oci.seccomp.receiver");
  if (receiver && section->seccomp && section->seccomp->listener_path.empty())
    section->seccomp->listener_path = *receiver;
  const Str* const offsets = spec.annotations.find("run.oci.timens_offset");
  if (offsets && section->time_offsets.empty()) section->time_offsets = TRY(parse_offsets(*offsets, arena));
  return {};
}

}  // namespace slipway::oci
