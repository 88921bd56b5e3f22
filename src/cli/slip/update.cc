// slip update: changes the limits of a container.
#include "src/runtime/update.h"

#include <fcntl.h>

#include <cerrno>
#include <charconv>

#include "src/base/quantity.h"
#include "src/cli/slip/bundle.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kFileLimit = 16 * 1024 * 1024;

constexpr auto kOptions = std::to_array<Option>({
    value("resources", 'r', "FILE", "read linux.resources as JSON from a file, or - for standard input"),
    value("blkio-weight", 0, "NUMBER", "weight of block I/O, 10 to 1000"),
    value("cpu-period", 0, "USECS", "length of a CPU period"),
    value("cpu-quota", 0, "USECS", "CPU time in each period, -1 for no limit"),
    value("cpu-burst", 0, "USECS", "unused CPU time that may be saved up"),
    value("cpu-share", 0, "NUMBER", "relative weight of CPU time"),
    value("cpu-shares", 0, "NUMBER", "the same"),
    value("cpu-rt-period", 0, "USECS", "length of a realtime period (v1)"),
    value("cpu-rt-runtime", 0, "USECS", "realtime CPU time in each period (v1)"),
    value("cpu-idle", 0, "0|1", "run only when nobody else wants the CPU"),
    value("cpuset-cpus", 0, "LIST", "the CPUs to use: 0-2,7"),
    value("cpuset-mems", 0, "LIST", "the memory nodes to use: 0-2,7"),
    value("memory", 0, "BYTES", "memory limit, with k, m or g behind it; -1 for none"),
    value("memory-reservation", 0, "BYTES", "memory that is kept for it under pressure"),
    value("memory-swap", 0, "BYTES", "limit of memory and swap together, -1 for no limit of swap"),
    value("kernel-memory", 0, "BYTES", "limit of kernel memory (v1, old kernels)"),
    value("kernel-memory-tcp", 0, "BYTES", "limit of memory for TCP buffers (v1)"),
    value("pids-limit", 0, "NUMBER", "how many processes and threads, -1 for no limit"),
    value("l3-cache-schema", 0, "TEXT", "the Intel RDT schema of the L3 cache"),
    value("mem-bw-schema", 0, "TEXT", "the Intel RDT schema of memory bandwidth"),
});

/// The number of an option, if it was given.
template <class T>
Status take_number(const Arguments& args, const char* name, Opt<T>& into) {
  if (!args.given(name)) return {};
  const std::string_view text = args.value(name);
  T number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return Error::of(ErrorKind::usage, "invalid value for --%s: \"%s\"", name, text.data());
  into = number;
  return {};
}

Status take_bytes(const Arguments& args, const char* name, Opt<int64_t>& into) {
  if (!args.given(name)) return {};
  const std::string_view text = args.value(name);
  if (text == "-1") {
    into = int64_t{-1};
    return {};
  }
  into = TRY(parse_size(text).ctx("invalid value for --%s", name));
  return {};
}

void take_text(const Arguments& args, const char* name, Str& into) {
  if (args.given(name)) into = Str::wrap(args.value(name));
}

Status take_cpu(const Arguments& args, oci::CpuResources& cpu) {
  TRY(take_number(args, "cpu-period", cpu.period));
  TRY(take_number(args, "cpu-quota", cpu.quota));
  TRY(take_number(args, "cpu-burst", cpu.burst));
  TRY(take_number(args, "cpu-share", cpu.shares));
  TRY(take_number(args, "cpu-shares", cpu.shares));
  TRY(take_number(args, "cpu-rt-period", cpu.realtime_period));
  TRY(take_number(args, "cpu-rt-runtime", cpu.realtime_runtime));
  TRY(take_number(args, "cpu-idle", cpu.idle));
  take_text(args, "cpuset-cpus", cpu.cpus);
  take_text(args, "cpuset-mems", cpu.mems);
  return {};
}

Status take_memory(const Arguments& args, oci::MemoryResources& memory) {
  TRY(take_bytes(args, "memory", memory.limit));
  TRY(take_bytes(args, "memory-reservation", memory.reservation));
  TRY(take_bytes(args, "memory-swap", memory.swap));
  TRY(take_bytes(args, "kernel-memory", memory.kernel));
  TRY(take_bytes(args, "kernel-memory-tcp", memory.kernel_tcp));
  return {};
}

/// What the options say, over what the file says.
Status take_options(const Call& call, oci::Resources& resources) {
  const auto part = [&]<class T>(T*& pointer) -> T& {
    if (!pointer) pointer = call.arena.make<T>();
    return *pointer;
  };
  TRY(take_cpu(call.args, part(resources.cpu)));
  TRY(take_memory(call.args, part(resources.memory)));
  TRY(take_number(call.args, "pids-limit", part(resources.pids).limit));
  return take_number(call.args, "blkio-weight", part(resources.block_io).weight);
}

Result<oci::Resources*> read_resources(const Call& call, const char* file, oci::Warnings& warnings) {
  const bool standard_input = std::string_view(file) == "-";
  const std::string text = TRY(standard_input ? sys::read_all(0, kFileLimit).ctx("standard input")
                                              : sys::read_file_at(AT_FDCWD, file, kFileLimit));
  return TRY(oci::parse_resources(text, call.arena, warnings).ctx("`%s`", standard_input ? "-" : file));
}

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const char* file = call.args.value("resources");
  oci::Warnings warnings(call.arena);
  oci::Resources* resources =
      file ? TRY(read_resources(call, file, warnings)) : call.arena.make<oci::Resources>();
  TRY(take_options(call, *resources));
  TRY(oci::validate_resources(*resources, warnings));
  if (call.args.given("l3-cache-schema") || call.args.given("mem-bw-schema"))
    TRY(runtime::update_intel_rdt(globals.context, call.args[0],
                                  Str::wrap(call.args.value("l3-cache-schema", "")),
                                  Str::wrap(call.args.value("mem-bw-schema", ""))));
  TRY(runtime::update(globals.context, call.args[0], *resources));
  tell_warnings(call, warnings);
  return 0;
}

}  // namespace

const Verb kUpdateVerb = {
    .name = "update",
    .arguments = "ID",
    .summary = "Change the limits of a container",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
