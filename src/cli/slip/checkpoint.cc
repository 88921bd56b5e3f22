// slip checkpoint: the processes of a container as files, by criu.
#include <fcntl.h>

#include <cstdlib>
#include <cstring>

#include "src/cli/slip/criu_options.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/notify.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    join(kCriuOptions,
         std::to_array<Option>({
             value("parent-path", 0, "DIR", "images of an earlier pre-dump, seen from the images"),
             flag("leave-running", 0, "let the container run on"),
             flag("pre-dump", 0, "write memory only, and let the container run on"),
             flag("tcp-skip-in-flight", 0, "leave out TCP connections that are not established yet"),
             value("page-server", 0, "ADDRESS:PORT", "send memory to a page server of criu"),
             value("status-fd", 0, "N", "the descriptor that gets a NUL when --lazy-pages can be served"),
         }));

Status read_page_server(const char* text, runtime::CheckpointOptions& out) {
  const char* const colon = strrchr(text, ':');
  char* end = nullptr;
  const unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
  if (!colon || colon == text || *end || port == 0 || port > 65535)
    return Error::of(ErrorKind::usage, "invalid page-server value `%s`: use --page-server ADDRESS:PORT",
                     text);
  out.page_server.assign(text, static_cast<size_t>(colon - text));
  out.page_server_port = static_cast<uint16_t>(port);
  return {};
}

Result<runtime::CheckpointOptions> read_options(const Call& call) {
  runtime::CheckpointOptions out;
  const Arguments& args = call.args;
  TRY(read_criu_options(call, out));
  out.parent = args.value("parent-path", "");
  out.leave_running = args.flag("leave-running");
  out.pre_dump = args.flag("pre-dump");
  out.tcp_skip_in_flight = args.flag("tcp-skip-in-flight");
  if (args.given("page-server")) TRY(read_page_server(args.value("page-server"), out));
  out.status_fd = static_cast<int>(TRY(args.number("status-fd", -1, -1, 1 << 20)));
  if (out.status_fd >= 0 && fcntl(out.status_fd, F_GETFD) < 0)
    return Error::of(ErrorKind::usage, "status-fd: descriptor %d is not open", out.status_fd);
  return out;
}

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const runtime::CheckpointOptions options = TRY(read_options(call));
  TRY(runtime::checkpoint(globals.context, call.args[0], options));
  if (!options.leave_running && !options.pre_dump) NotifySocket::remove(globals.context, call.args[0]);
  return 0;
}

}  // namespace

const Verb kCheckpointVerb = {
    .name = "checkpoint",
    .arguments = "ID",
    .summary = "Write the processes of a running container to files, by criu",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
