// slip spec: writes a config.json to begin with.
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "oci/spec.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("bundle", 'b', "DIR", "the bundle's directory (default: the current one)"),
    value("file", 'f', "FILE", "the file to write, seen from the bundle (default: config.json)"),
    flag("rootless", 0, "for a user without privileges"),
});

bool has_only_cgroup_v2() {
  constexpr long kCgroup2Magic = 0x63677270;
  struct statfs fs;
  return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == kCgroup2Magic;
}

std::string config_text(Arena& arena, bool rootless) {
  oci::DefaultSpec wanted;
  wanted.rootless = rootless;
  wanted.cgroup_namespace = has_only_cgroup_v2();
  wanted.uid = geteuid();
  wanted.gid = getegid();
  json::Writer writer(json::Writer::Style::indented);
  writer.value(oci::kSpecType, oci::default_spec(arena, wanted));
  return std::string(writer.text());
}

Result<int> run(const Call& call) {
  const char* bundle = call.args.value("bundle", ".");
  const char* file = call.args.value("file", "config.json");
  const Fd directory = TRY(sys::open_at(AT_FDCWD, bundle, O_PATH | O_DIRECTORY).ctx("bundle"));
  Result<Fd> out = sys::open_at(directory.get(), file, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!out.ok()) {
    if (out.error().code() == EEXIST)
      return Error::of(ErrorKind::exists, "File %s exists. Remove it first", file);
    return std::move(out).error();
  }
  TRY(sys::write_all(out->get(), config_text(call.arena, call.args.flag("rootless")))
          .ctx("write `%s`", file));
  return 0;
}

}  // namespace

const Verb kSpecVerb = {
    .name = "spec",
    .arguments = "",
    .summary = "Write a config.json to begin with",
    .options = kOptions,
    .min_args = 0,
    .max_args = 0,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
