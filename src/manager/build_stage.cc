#include "src/manager/build_stage.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "src/base/value.h"
#include "src/manager/build_copy.h"
#include "src/manager/changes.h"
#include "src/manager/exit.h"
#include "src/manager/identity.h"
#include "src/manager/layer_commit.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/sys/file.h"
#include "src/sys/mount.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

constexpr size_t kOutputLimit = 64U << 20;

/// The config's part for containers as text, to compare by.
std::string defaults_text(const oci::ContainerDefaults& defaults) {
  json::Writer writer;
  writer.value(oci::kContainerDefaultsType, &defaults);
  return std::string(writer.text());
}

/// A read-write layer that goes when this does.
class Scratch {
 public:
  static Result<Scratch> make(drivers::Driver& driver, const std::string& parent) {
    Scratch scratch(driver, TRY(store::new_id()));
    drivers::RwOptions options;
    options.disposable = true;
    TRY(driver.create_rw(scratch.id_, parent, options));
    return scratch;
  }
  Scratch(Scratch&& other) noexcept : driver_(other.driver_), id_(std::exchange(other.id_, std::string())) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    if (!id_.empty()) (void)driver_.remove(id_);
  }
  const std::string& id() const { return id_; }

 private:
  Scratch(drivers::Driver& driver, std::string id) : driver_(driver), id_(std::move(id)) {}
  drivers::Driver& driver_;
  std::string id_;
};

Result<Fd> open_layer(drivers::Driver& driver, const std::string& id) {
  const sys::MountSpec spec = TRY(driver.mounts(id));
  const Fd mount = TRY(sys::mount_detached(spec));
  return sys::open_at(mount.get(), ".", O_RDONLY | O_DIRECTORY);
}

/// Runs the program to its end; its exit code. `output` gets both of its streams; -1: they are ours.
Result<int> spawn(const std::vector<std::string>& words, int output) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, stream);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) return Error::sys(error, "run `%s`", words[0].c_str());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return Error::sys(errno, "wait for `%s`", words[0].c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

Status BuildStage::begin(const std::string& id) {
  image_ = id;
  cache_ = request_.cache;
  if (id.empty()) {
    config_.os = "linux";
    config_.architecture = Str::wrap(oci::host_architecture());
    config_.rootfs.type = "layers";
    set_default_path();
    return {};
  }
  base_text_ = TRY(store::read_config_text(stores_.images.content, id));
  config_ = *TRY(oci::parse_image_config(base_text_, arena_));
  const store::Image* record = TRY(stores_.images.images.get(id, arena_));
  layers_ = TRY(layers_of(stores_, record->top));
  set_default_path();
  return {};
}

/// As docker has it, so that `ENV PATH=$PATH:/more` means what people expect.
void BuildStage::set_default_path() {
  ConfigChanger changer(config_.config, arena_, escape_);
  if (!changer.environment("PATH"))
    changer.set_environment("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

std::vector<std::string> BuildStage::take_triggers() {
  std::vector<std::string> lines;
  for (const Str& line : config_.config.on_build) lines.emplace_back(line.view());
  config_.config.on_build = {};
  return lines;
}

std::optional<std::string> BuildStage::variable(std::string_view key) const {
  oci::ContainerDefaults defaults = config_.config;
  Arena arena;
  if (std::optional<std::string> value = ConfigChanger(defaults, arena).environment(key)) return value;
  if (const auto found = arguments_.find(key); found != arguments_.end()) return found->second;
  return std::nullopt;
}

// --- steps -------------------------------------------------------------------------------------------------

/// Takes over the image of an earlier build that the same step made of the same image. All of its config must be
/// the same (CVE-2024-24557), and a step that begins with nothing is never found.
Result<bool> BuildStage::find_cached(const std::string& created_by) {
  if (!cache_ || image_.empty()) return cache_ = false;
  Arena arena;
  for (const store::Image& candidate : TRY(stores_.images.images.list(arena))) {
    if (!(candidate.parent == image_)) continue;
    Result<oci::ImageConfig*> config = store::read_config(stores_.images.content, candidate.id, arena);
    if (!config.ok() || (*config)->history.empty()) continue;
    const oci::History& last = (*config)->history[(*config)->history.size() - 1];
    if (!(last.created_by == created_by) || defaults_text((*config)->config) != defaults_text(config_.config))
      continue;
    TRY(begin(std::string(candidate.id.view())));
    if (request_.say) TRY(request_.say(" ---> Using cache\n ---> " + image_.substr(0, 12) + "\n"));
    return true;
  }
  cache_ = false;
  return false;
}

Status BuildStage::finish(const std::string& created_by, std::optional<ImportedLayer> layer) {
  if (layer) layers_.push_back(*layer);
  config_.created = arena_.copy(store::now_rfc3339());
  config_.rootfs.diff_ids = arena_.list<Str>(layers_.size());
  for (uint32_t i = 0; i < layers_.size(); ++i)
    config_.rootfs.diff_ids[i] = arena_.copy(layers_[i].diff_id.text());
  ListBuilder<oci::History> history(arena_);
  for (const oci::History& step : config_.history) history.add(step);
  oci::History& step = history.add();
  step.created = config_.created;
  step.created_by = arena_.copy(created_by);
  step.empty_layer = !layer;
  config_.history = history.list();
  NewImage image;
  image.config = TRY(oci::derive_image_config(base_text_, config_, arena_));
  image.layers = layers_;
  image.parent = image_;
  image_ = TRY(publish_image(stores_, image, {}));
  base_text_ = image.config;
  return request_.say ? request_.say(" ---> " + image_.substr(0, 12) + "\n") : Status();
}

namespace {

/// The history's words for a list, as docker has them: ["sh" "-c" "true"].
std::string list_text(const List<Str>& words) {
  std::string text;
  for (const Str word : words) text += (text.empty() ? "" : " ") + Value(word).json();
  return "[" + text + "]";
}

/// The same for ENV and LABEL: the pairs that they come to.
Result<std::string> pairs_text(std::string_view rest, const Variables& variables, char escape) {
  const std::vector<std::string> words = TRY(expand_words(rest, variables, escape));
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i == 1 && words[0].find('=') == std::string::npos ? "=" : " ") + words[i];
  return text;
}

}  // namespace

Status BuildStage::change(const Instruction& instruction) {
  ConfigChanger changer(config_.config, arena_, escape_);
  // Before the change: a variable may be part of its own new value.
  std::string words = instruction.rest;
  if (instruction.name == "ENV" || instruction.name == "LABEL")
    words = TRY(pairs_text(words, variables(), escape_));
  if (instruction.name == "CMD") cmd_set_ = true;
  const List<Str> cmd = config_.config.cmd;
  if (instruction.name == "MAINTAINER") {
    config_.author = arena_.copy(TRY(expand_word(instruction.rest, variables(), escape_)));
  } else {
    TRY(changer.apply(instruction.name, instruction.rest, variables()));
    // An ENTRYPOINT drops the CMD of the base image, not one of this Dockerfile.
    if (instruction.name == "ENTRYPOINT" && cmd_set_) config_.config.cmd = cmd;
  }
  if (instruction.name == "CMD") words = list_text(config_.config.cmd);
  if (instruction.name == "ENTRYPOINT") words = list_text(config_.config.entrypoint);
  const std::string created_by = nop(" " + instruction.name + " " + words);
  if (TRY(find_cached(created_by))) return {};
  return finish(created_by, std::nullopt);
}

Result<std::optional<ImportedLayer>> BuildStage::layer_by(const std::function<Status(int root)>& fill,
                                                          const std::string& created_by) {
  const Scratch scratch = TRY(Scratch::make(stores_.driver, top()));
  {
    const Fd root = TRY(open_layer(stores_.driver, scratch.id()));
    TRY(fill(root.get()));
  }
  LayerOrigin origin;
  if (!layers_.empty()) origin.parent = layers_.back().chain;
  origin.created_by = created_by;
  const std::vector<drivers::Change> changes = TRY(stores_.driver.changes(scratch.id()));
  return commit_layer(stores_, scratch.id(), changes, origin);
}

Status BuildStage::workdir(const Instruction& instruction) {
  ConfigChanger changer(config_.config, arena_, escape_);
  TRY(changer.apply("WORKDIR", instruction.rest, variables()));
  const std::string path(config_.config.working_dir.view());
  const std::string created_by = nop("WORKDIR " + path);
  if (TRY(find_cached(created_by))) return {};
  const auto fill = [&](int root) -> Status {
    TRY(sys::make_directories_in_root(root, path.c_str()));
    return {};
  };
  std::optional<ImportedLayer> layer = TRY(layer_by(fill, created_by));
  return finish(created_by, std::move(layer));
}

Status BuildStage::copy(const Instruction& instruction, const std::optional<std::string>& from) {
  CopyRequest copy;
  std::vector<std::string> words;
  if (auto json = json_words(instruction.rest)) {
    for (const std::string& word : *json) words.push_back(TRY(expand_word(word, variables(), escape_)));
  } else {
    words = TRY(expand_words(instruction.rest, variables(), escape_));
  }
  if (words.size() < 2)
    return Error::of(
        ErrorKind::invalid,
        "%s requires at least two arguments, but only one was provided. Destination could not be "
        "determined",
        instruction.name.c_str());
  copy.target = words.back();
  words.pop_back();
  for (const std::string& word : words)
    if (word.starts_with("http://") || word.starts_with("https://") || word.starts_with("git@"))
      return Error::of(ErrorKind::unsupported, "%s of a URL is not supported", instruction.name.c_str());
  copy.sources = std::move(words);
  if (!copy.target.starts_with('/')) {
    const bool slash = copy.target.ends_with('/') || copy.target == ".";
    copy.target = clean_path(config_.config.working_dir, copy.target) + (slash ? "/" : "");
  }
  Fd other;
  if (from) {
    if (from->empty()) return Error::of(ErrorKind::invalid, "COPY --from: that stage has no files");
    other = TRY(open_layer(stores_.driver, *from));
    copy.source = other.get();
    copy.keep_owner = true;
  } else {
    if (request_.context < 0)
      return Error::of(ErrorKind::invalid, "%s without a build context", instruction.name.c_str());
    copy.source = request_.context;
    copy.ignore = &request_.ignore;
    copy.unpack = instruction.name == "ADD";
  }
  if (const std::string* mode = instruction.flag("chmod")) {
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(mode->data(), mode->data() + mode->size(), bits, 8);
    if (error != std::errc() || end != mode->data() + mode->size() || bits > 07777)
      return Error::of(ErrorKind::invalid, "invalid chmod parameter: '%s'. it should be octal string",
                       mode->c_str());
    copy.mode = bits;
  }
  const std::string* owner = instruction.flag("chown");
  const Digest digest = TRY(digest_sources(copy));
  const std::string created_by = nop(instruction.name + (owner ? " --chown=" + *owner : "") +
                                     (copy.mode ? " --chmod=" + *instruction.flag("chmod") : "") +
                                     " multi:" + digest.hex() + " in " + copy.target + " ");
  if (TRY(find_cached(created_by))) return {};
  const auto fill = [&](int root) -> Status {
    if (owner) {
      const std::string who = TRY(expand_word(*owner, variables(), escape_));
      const Identity identity = TRY(find_identity(root, who, {}, arena_));
      copy.owner = std::pair(identity.user.uid, identity.user.gid);
    }
    return copy_sources(copy, root);
  };
  std::optional<ImportedLayer> layer = TRY(layer_by(fill, created_by));
  return finish(created_by, std::move(layer));
}

// --- RUN ---------------------------------------------------------------------------------------------------

Status BuildStage::run(const Instruction& instruction) {
  if (!instruction.flags.empty() && !instruction.flag("network"))
    return Error::of(ErrorKind::unsupported, "RUN --%s is not supported", instruction.flags[0].first.c_str());
  if (image_.empty())
    return Error::of(ErrorKind::invalid, "RUN needs a file system: FROM scratch has none yet");
  std::vector<std::string> words;
  if (auto json = json_words(instruction.rest)) {
    words = std::move(*json);
  } else {
    for (const Str& word : config_.config.shell) words.emplace_back(word.view());
    if (words.empty()) words = {"/bin/sh", "-c"};
    words.push_back(instruction.rest);
  }
  if (words.empty()) return Error::of(ErrorKind::invalid, "RUN requires at least one argument");
  // Arguments are part of what makes the step; their values are not kept anywhere else.
  std::string created_by = joined(words);
  if (!arguments_.empty()) {
    std::string prefix = "|" + std::to_string(arguments_.size());
    for (const auto& [key, value] : arguments_) prefix.append(" ").append(key).append("=").append(value);
    created_by = prefix + " " + created_by;
  }
  if (TRY(find_cached(created_by))) return {};
  const std::string* network = instruction.flag("network");
  std::optional<ImportedLayer> layer =
      TRY(run_container(words, created_by, network && *network != "default" ? *network : request_.network));
  return finish(created_by, std::move(layer));
}

Result<std::optional<ImportedLayer>> BuildStage::run_container(const std::vector<std::string>& words,
                                                               const std::string& created_by,
                                                               const std::string& network) {
  const std::string container = "build-" + TRY(store::new_id()).substr(0, 12);
  std::vector<std::string> argv = request_.program;
  argv.insert(argv.end(), {"run", "--name", container, "--entrypoint", words[0], "--no-healthcheck"});
  if (!network.empty()) argv.insert(argv.end(), {"--network", network});
  argv.insert(argv.end(), request_.run_options.begin(), request_.run_options.end());
  for (const std::string_view key : kPredefinedArguments)
    if (const auto given = request_.arguments.find(std::string(key)); given != request_.arguments.end())
      argv.insert(argv.end(), {"--env", given->first + "=" + given->second});
  for (const auto& [key, value] : arguments_) argv.insert(argv.end(), {"--env", key + "=" + value});
  argv.push_back(image_);
  argv.insert(argv.end(), words.begin() + 1, words.end());
  if (request_.say) TRY(request_.say(" ---> Running in " + container + "\n"));
  const Fd hidden(request_.say ? -1 : memfd_create("output", MFD_CLOEXEC));
  const int code = TRY(spawn(argv, hidden.get()));
  if (code != 0 && hidden && lseek(hidden.get(), 0, SEEK_SET) == 0)
    if (auto text = sys::read_all(hidden.get(), kOutputLimit); text.ok())
      (void)sys::write_all(STDERR_FILENO, *text);
  store::Containers containers(store_);
  Result<std::string> id = containers.find(container);
  const auto not_run = [&] {
    return Error::of(ErrorKind::failed, "the command '%s' could not be run", joined(words).c_str());
  };
  if (!id.ok()) return not_run();
  const auto remove = [&] { (void)remove_container(store_, *id, {.volumes = true}); };
  if (code != 0) {
    auto observed = observe(store_, *id, arena_);
    const bool has_run = observed.ok() && observed->status != store::ContainerStatus::created;
    remove();
    if (!has_run) return not_run();
    return Error::exited(code, "The command '%s' returned a non-zero code: %d", joined(words).c_str(), code);
  }
  const store::Record* record = TRY(containers.load(*id, arena_));
  LayerOrigin origin;
  if (!layers_.empty()) origin.parent = layers_.back().chain;
  origin.created_by = created_by;
  const std::vector<drivers::Change> changes = TRY(container_changes(store_, *record));
  Result<std::optional<ImportedLayer>> layer = commit_layer(stores_, *id, changes, origin);
  remove();
  return layer;
}

}  // namespace slipway::manager
