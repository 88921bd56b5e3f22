// `cp`: files between a container and the host; - is a tar archive on a standard stream.
#include <unistd.h>

#include <cstdio>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/copy.h"
#include "src/manager/events.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("archive", 'a', "keep owners"),
    flag("follow-link", 'L', "copy what the source is a link to"),
    flag("quiet", 'q', "say nothing of what was copied (on a terminal)"),
});

/// CONTAINER:PATH, a path of the host, or "-".
struct Operand {
  std::string_view container, path;
};

Operand parse(std::string_view word) {
  if (word == "-" || word.starts_with('/') || word.starts_with('.')) return {{}, word};
  const size_t colon = word.find(':');
  if (colon == std::string_view::npos || word.substr(0, colon).find('/') != std::string_view::npos)
    return {{}, word};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

Result<manager::CopyPlace> place(store::Store& store, const Operand& operand, bool writing) {
  if (operand.container.empty()) return manager::host_place(operand.path);
  const std::string id = TRY(store::Containers(store).find(operand.container));
  return manager::container_place(store, id, operand.path, writing);
}

Status tell(const Call& call, store::Store& store, const char* action, const Operand& operand) {
  store::Containers containers(store);
  const std::string id = TRY(containers.find(operand.container));
  manager::container_event(store, action, *TRY(containers.load(id, call.arena)));
  return {};
}

Result<int> run(const Call& call) {
  const Operand from = parse(call.args[0]);
  const Operand to = parse(call.args[1]);
  if (!from.container.empty() && !to.container.empty())
    return Error::of(ErrorKind::invalid, "copying between containers is not supported");
  if (from.container.empty() && to.container.empty())
    return Error::of(ErrorKind::invalid, "must specify at least one container source");
  if (from.path.empty() || to.path.empty())
    return Error::of(ErrorKind::invalid, "source or destination can not be empty");
  const auto store = TRY(open_store(call));
  const auto told = [&] {
    return from.container.empty() ? tell(call, *store, "extract-to-dir", to)
                                  : tell(call, *store, "archive-path", from);
  };
  manager::CopyOptions options;
  options.archive = call.args.flag("archive");
  options.follow_link = call.args.flag("follow-link");
  if (to.path == "-" && to.container.empty()) {
    if (isatty(STDOUT_FILENO))
      return Error::of(ErrorKind::invalid, "cowardly refusing to write an archive to a terminal");
    const manager::CopyPlace source = TRY(place(*store, from, false));
    TRY(manager::copy_to_tar(source, options,
                             [](std::string_view bytes) { return sys::write_all(STDOUT_FILENO, bytes); }));
    TRY(told());
    return 0;
  }
  const manager::CopyPlace target = TRY(place(*store, to, true));
  if (from.path == "-" && from.container.empty()) {
    oci::FdSource tar(STDIN_FILENO);
    TRY(manager::copy_from_tar(tar, target));
    TRY(told());
    return 0;
  }
  if (to.container.empty()) {
    options.owner = geteuid();
    options.group = getegid();
  }
  const manager::CopyPlace source = TRY(place(*store, from, false));
  const uint64_t copied = TRY(manager::copy(source, target, options));
  TRY(told());
  // As docker: for somebody who watches.
  if (!call.args.flag("quiet") && isatty(STDOUT_FILENO)) {
    const std::string where = to.container.empty() ? target.path : std::string(call.args[1]);
    dprintf(STDERR_FILENO, "Successfully copied %s to %s\n", human_size(static_cast<double>(copied)).c_str(),
            where.c_str());
  }
  return 0;
}

constexpr Verb kVerb = {"cp",
                        "CONTAINER:SRC DEST|-  or  SRC|- CONTAINER:DEST",
                        "Copy files between a container and this system",
                        kOptions,
                        2,
                        2,
                        false,
                        run,
                        "cp web:/etc/hosts ./hosts"};

}  // namespace

const Verb kCp = kVerb;
const Verb kContainerCp = as("container cp", kVerb);

}  // namespace slipway::cli
