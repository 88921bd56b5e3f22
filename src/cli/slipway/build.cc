// `build`: an image by a Dockerfile.
#include <fcntl.h>
#include <unistd.h>

#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/pull.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/build.h"
#include "src/manager/build_context.h"
#include "src/sys/file.h"
#include "src/sys/path.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    list("tag", 't', "NAME[:TAG]", "give the image a name"),
    value("file", 'f', "FILE", "the Dockerfile (default: Dockerfile in the context; - for standard input)"),
    list("build-arg", 0, "KEY=VALUE", "the value of an ARG; without a value the environment's"),
    list("label", 0, "KEY=VALUE", "a label of the image"),
    value("target", 0, "STAGE", "build no further than this stage"),
    value("network", 0, "MODE", "the network of RUN"),
    list("add-host", 0, "HOST:IP", "a line for /etc/hosts of RUN"),
    value("memory", 'm', "BYTES", "memory limit of RUN"),
    value("memory-swap", 0, "BYTES", "limit of memory and swap together; -1: none"),
    value("cpu-shares", 'c', "NUMBER", "relative weight"),
    value("cpu-period", 0, "MICROSECONDS", "period of the scheduler's quota"),
    value("cpu-quota", 0, "MICROSECONDS", "CPU time per period"),
    value("cpuset-cpus", 0, "LIST", "which CPUs"),
    value("cpuset-mems", 0, "LIST", "which memory nodes"),
    value("shm-size", 0, "BYTES", "size of /dev/shm"),
    list("ulimit", 0, "NAME=SOFT[:HARD]", "a resource limit"),
    list("security-opt", 0, "OPTION", "as with run"),
    value("iidfile", 0, "FILE", "write the image's ID to a file"),
    flag("no-cache", 0, "do not take over the steps of earlier builds"),
    flag("pull", 0, "pull the images of FROM, even those that are here"),
    flag("quiet", 'q', "print nothing but the image's ID"),
    // For docker's callers: containers of steps are always removed, the cache is here, and nothing is sent.
    ignored_flag("rm", "docker"),
    ignored_flag("force-rm", "docker"),
    ignored_flag("compress", "docker"),
    ignored_flag("disable-content-trust", "docker"),
    ignored_value("cache-from", "IMAGE", "docker"),
    ignored_value("isolation", "KIND", "docker"),
    ignored_value("progress", "KIND", "docker"),
    // Those of BuildKit: the image is in the store as with --load, and has no attestations.
    ignored_flag("load", "docker"),
    ignored_value("builder", "NAME", "docker"),
    ignored_value("cache-to", "CACHE", "docker"),
    ignored_value("provenance", "KIND", "docker"),
    ignored_value("sbom", "KIND", "docker"),
    // Refused, with a word of why.
    Option{"output", 'o', "DEST", "", Option::Kind::hidden_value},
    Option{"secret", 0, "SECRET", "", Option::Kind::hidden_value},
    Option{"ssh", 0, "AGENT", "", Option::Kind::hidden_value},
    Option{"build-context", 0, "NAME=PATH", "", Option::Kind::hidden_value},
    Option{"push", 0, nullptr, "", Option::Kind::hidden},
    Option{"squash", 0, nullptr, "", Option::Kind::hidden},
    // Not ignored where FROM pulls; it is here since the help has to fit a screen.
    ignored_value("platform", "OS/ARCH", "docker"),
});

/// Those that are for the containers of RUN, in the words of `run`.
constexpr const char* kRunOptions[] = {"add-host",   "memory",    "memory-swap", "cpu-shares",
                                       "cpu-period", "cpu-quota", "cpuset-cpus", "cpuset-mems",
                                       "shm-size",   "ulimit",    "security-opt"};

constexpr size_t kFileLimit = 4 << 20;

/// "KEY=VALUE", or "KEY" for the environment's.
std::map<std::string, std::string> pairs(List<const char*> words, bool from_environment) {
  std::map<std::string, std::string> out;
  for (const std::string_view word : words) {
    const size_t equals = word.find('=');
    const std::string key(word.substr(0, equals));
    if (equals != std::string_view::npos) {
      out[key] = word.substr(equals + 1);
    } else if (const char* value = from_environment ? getenv(key.c_str()) : ""; value) {
      out[key] = value;
    }
  }
  return out;
}

/// Where the context and the Dockerfile come from.
struct Sources {
  Fd directory;
  std::unique_ptr<drivers::Stage> unpacked;  // of a context on standard input
  int context() const { return unpacked ? unpacked->root() : directory.get(); }
};

/// `build -`: standard input is a context in a tar archive, or a Dockerfile alone.
Status read_standard_input(manager::BuildRequest& request, drivers::Driver& driver, Sources& sources) {
  oci::FdSource input(STDIN_FILENO);
  oci::PeekedSource peeked(input);
  const std::string_view head = TRY(peeked.head().ctx("standard input"));
  if (manager::is_archive(head)) {
    sources.unpacked = TRY(manager::unpack_context(driver, peeked));
    return {};
  }
  request.dockerfile = head;
  request.dockerfile += TRY(sys::read_all(STDIN_FILENO, kFileLimit).ctx("standard input"));
  return {};
}

/// A file of the context, and nothing outside of it.
Result<std::string> read_in_context(const Sources& sources, const std::string& name) {
  const Fd file = TRY(sys::open_in_root(sources.context(), name.c_str(), O_RDONLY));
  return sys::read_all(file.get(), kFileLimit).ctx("`%s`", name.c_str());
}

/// The Dockerfile, or a file beside it: -f names one of this system, or of the archive that is the context.
Result<std::string> read_dockerfile(const Sources& sources, const char* file, const char* suffix) {
  const std::string name = std::string(file ? file : "Dockerfile") + suffix;
  if (!file || sources.unpacked) return read_in_context(sources, name);
  return sys::read_file_at(AT_FDCWD, name.c_str(), kFileLimit);
}

/// The context, its Dockerfile and its .dockerignore.
Result<Sources> read_sources(const Call& call, manager::BuildRequest& request, drivers::Driver& driver) {
  Sources sources;
  const char* file = call.args.value("file");
  if (std::string_view(call.args[0]) == "-") {
    TRY(read_standard_input(request, driver, sources));
    if (!sources.unpacked) return sources;
  } else {
    sources.directory =
        TRY(sys::open_at(AT_FDCWD, call.args[0], O_RDONLY | O_DIRECTORY).ctx("build context"));
  }
  const bool piped = !sources.unpacked && file && std::string_view(file) == "-";
  request.dockerfile = piped ? TRY(sys::read_all(STDIN_FILENO, kFileLimit).ctx("standard input"))
                             : TRY(read_dockerfile(sources, file, ""));
  Result<std::string> ignore = read_dockerfile(sources, file, ".dockerignore");
  if (!ignore.ok()) ignore = read_in_context(sources, ".dockerignore");
  if (ignore.ok()) request.ignore = manager::IgnoreList(*ignore);
  return sources;
}

Status check_refused(const Arguments& args) {
  static constexpr std::pair<const char*, const char*> kRefused[] = {
      {"output", "`create` a container of the image, and `export` it"},
      {"secret", "RUN has no --mount here"},
      {"ssh", "RUN has no --mount here"},
      {"build-context", "there is one context"},
      {"push", "use `push`"},
      {"squash", "`export` and `import` make one layer of an image"}};
  for (const auto& [option, why] : kRefused)
    if (args.given(option))
      return Error::of(ErrorKind::unsupported, "--%s is not supported: %s", option, why);
  return {};
}

Result<int> run(const Call& call) {
  TRY(check_refused(call.args));
  manager::BuildRequest request;
  for (const char* word : call.args.values("tag", call.arena)) {
    request.names.push_back(TRY(oci::Reference::parse(word)));
    request.names.back().default_tag();
  }
  request.arguments = pairs(call.args.values("build-arg", call.arena), true);
  request.labels = pairs(call.args.values("label", call.arena), false);
  request.target = call.args.value("target", "");
  request.network = call.args.value("network", "");
  for (const char* name : kRunOptions)
    for (const char* value : call.args.values(name, call.arena))
      request.run_options.insert(request.run_options.end(), {"--" + std::string(name), value});
  request.cache = !call.args.flag("no-cache");
  const bool quiet = call.args.flag("quiet");
  if (!quiet) request.say = [](const std::string& line) { return print(line); };
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  const Sources sources = TRY(read_sources(call, request, stores.driver));
  request.context = sources.context();
  request.program = {call.program.name,         "--root",           session.store->root(), "--run-root",
                     session.store->run_root(), "--storage-driver", stores.driver.name()};
  const oci::PlatformChoice platform = TRY(oci::PlatformChoice::parse(call.args.value("platform", "")));
  request.always_pull = call.args.flag("pull");
  request.pull = [&](const std::string& image) -> Status {
    oci::Reference name = TRY(oci::Reference::parse(image));
    name.default_tag();
    if (name.digest) name.tag.clear();
    TRY(pull_and_show(*session.store, stores, name, platform, quiet ? -1 : STDOUT_FILENO));
    return {};
  };
  const std::string id = TRY(manager::build_image(stores, *session.store, request));
  if (const char* file = call.args.value("iidfile"))
    TRY(sys::replace_file_at(AT_FDCWD, file, "sha256:" + id, 0644, false));
  if (quiet) {
    TRY(print("sha256:" + id + "\n"));
    return 0;
  }
  std::string text = "Successfully built " + id.substr(0, 12) + "\n";
  for (const oci::Reference& name : request.names) text += "Successfully tagged " + name.familiar() + "\n";
  TRY(print(text));
  return 0;
}

constexpr Verb kVerb = {"build", "PATH|-",           "Build an image by a Dockerfile", kOptions, 1, 1, false,
                        run,     "build -t mine:1 ."};

}  // namespace

const Verb kBuild = kVerb;
const Verb kImageBuild = as("image build", kVerb);

}  // namespace slipway::cli
