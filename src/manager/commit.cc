#include "src/manager/commit.h"

#include "src/manager/changes.h"
#include "src/manager/config_change.h"
#include "src/manager/image_publish.h"
#include "src/manager/layer_commit.h"
#include "src/manager/lifecycle.h"
#include "src/manager/observe.h"
#include "src/manager/pause.h"
#include "src/manager/wire.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/work.h"

namespace slipway::manager {

namespace {

constexpr int kAttempts = 5;

/// The container stands still while this lives. When we are killed its monitor thaws it.
class Pause {
 public:
  explicit Pause(store::Store& store) : store_(store) {}
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  ~Pause() {
    if (paused_.empty()) return;
    (void)unpause_container(store_, paused_);
    hold(false);
  }
  /// One that does not run, or is paused already, is left as it is.
  Status begin(const std::string& id) {
    Arena arena;
    const Observed now = TRY(observe(store_, id, arena));
    if (now.status != store::ContainerStatus::running) return {};
    Result<Fd> monitor = monitor_socket(store_, id);
    if (monitor.ok()) monitor_ = std::move(*monitor);
    hold(true);
    Status done = pause_container(store_, id, PauseUntil::we_end);
    if (done.ok()) {
      paused_ = id;
      return {};
    }
    // It has ended meanwhile, or somebody else has paused it.
    if (done.error().kind() == ErrorKind::not_found) return {};
    if (TRY(observe(store_, id, arena)).status != store::ContainerStatus::running) return {};
    return done;
  }

 private:
  void hold(bool held) {
    const uint8_t word = held;
    if (monitor_) (void)wire::send(monitor_.get(), wire::kHold, &word, sizeof word, true);
  }

  store::Store& store_;
  Fd monitor_;
  std::string paused_;
};

Map<json::Raw> key_map(const List<Str>& keys, Arena& arena) {
  ListBuilder<Entry<json::Raw>> entries(arena);
  for (const Str& key : keys) {
    Entry<json::Raw> entry;
    entry.key = key;
    entry.value.text = "{}";
    entries.add(entry);
  }
  Map<json::Raw> map;
  static_cast<List<Entry<json::Raw>>&>(map) = entries.list();
  return map;
}

/// What a container was made with, as an image says it.
void take_over(const store::ContainerConfig& from, oci::ContainerDefaults& to, Arena& arena) {
  to.user = from.user;
  to.exposed_ports = key_map(from.exposed_ports, arena);
  if (!from.volumes.empty()) to.volumes = key_map(from.volumes, arena);
  to.env = from.env;
  to.entrypoint = from.entrypoint;
  to.cmd = from.cmd;
  to.working_dir = from.working_dir;
  to.labels = from.labels;
  to.stop_signal = from.stop_signal;
  if (!from.healthcheck) return;
  auto* check = arena.make<oci::ImageHealthcheck>();
  check->test = from.healthcheck->test;
  check->interval = from.healthcheck->interval;
  check->timeout = from.healthcheck->timeout;
  check->start_period = from.healthcheck->start_period;
  check->start_interval = from.healthcheck->start_interval;
  check->retries = from.healthcheck->retries;
  to.healthcheck = check;
}

class Committer {
 public:
  Committer(Stores stores, store::Store& store, const CommitRequest& request)
      : stores_(stores), store_(store), request_(request) {}

  Result<std::string> operator()() {
    const store::Work work = TRY(store::Work::begin(stores_.images.root));
    store::Containers containers(store_);
    record_ = TRY(containers.load(request_.container, arena_));
    TRY(read_base());
    TRY(make_config());
    std::optional<ImportedLayer> layer = TRY(make_layer());
    if (layer) image_.layers.push_back(*layer);
    finish_config(layer.has_value());
    image_.config = TRY(oci::derive_image_config(base_text_, config_, arena_));
    std::vector<oci::Reference> names;
    if (request_.name) names.push_back(*request_.name);
    return publish_image(stores_, image_, names);
  }

 private:
  /// The image of the container. It may be gone (rmi -f); its layers are not.
  Status read_base() {
    std::string_view id = record_->image;
    if (id.starts_with("sha256:")) id.remove_prefix(7);
    if (stores_.images.images.get(id, arena_).ok()) {
      base_text_ = TRY(store::read_config_text(stores_.images.content, id));
      config_ = *TRY(oci::parse_image_config(base_text_, arena_));
      image_.parent = id;
    }
    image_.layers = TRY(layers_of(stores_, record_->layer));
    return {};
  }

  /// Before the long part, so that a mistake in --change costs nothing.
  Status make_config() {
    take_over(record_->config, config_.config, arena_);
    ConfigChanger changer(config_.config, arena_);
    for (const std::string& line : request_.changes) TRY(changer.apply_line(line));
    return {};
  }

  /// Nothing when nothing changed.
  Result<std::optional<ImportedLayer>> make_layer() {
    Pause pause(store_);
    if (request_.pause) TRY(pause.begin(request_.container));
    const std::vector<drivers::Change> changes = TRY(container_changes(store_, *record_));
    LayerOrigin origin;
    if (!image_.layers.empty()) origin.parent = image_.layers.back().chain;
    created_ = store::now_rfc3339();
    origin.created = created_;
    origin.created_by = created_by();
    origin.author = request_.author;
    return commit_layer(stores_, request_.container, changes, origin);
  }

  std::string created_by() const {
    if (!request_.created_by.empty()) return request_.created_by;
    std::string out;
    for (const Str& word : record_->config.cmd) out.append(out.empty() ? "" : " ").append(word.view());
    return out;
  }

  void finish_config(bool has_layer) {
    if (created_.empty()) created_ = store::now_rfc3339();
    config_.created = arena_.copy(created_);
    config_.author = arena_.copy(request_.author);
    if (config_.os.empty()) config_.os = "linux";
    if (config_.architecture.empty()) config_.architecture = Str::wrap(oci::host_architecture());
    config_.rootfs.type = "layers";
    config_.rootfs.diff_ids = arena_.list<Str>(image_.layers.size());
    for (uint32_t i = 0; i < image_.layers.size(); ++i)
      config_.rootfs.diff_ids[i] = arena_.copy(image_.layers[i].diff_id.text());
    ListBuilder<oci::History> history(arena_);
    for (const oci::History& step : config_.history) history.add(step);
    oci::History& step = history.add();
    step.created = config_.created;
    step.created_by = arena_.copy(created_by());
    step.author = arena_.copy(request_.author);
    step.comment = arena_.copy(request_.message);
    step.empty_layer = !has_layer;
    config_.history = history.list();
  }

  Arena arena_;
  Stores stores_;
  store::Store& store_;
  const CommitRequest& request_;
  store::Record* record_ = nullptr;
  std::string base_text_;
  std::string created_;
  oci::ImageConfig config_;
  NewImage image_;
};

}  // namespace

Result<std::string> commit_container(Stores stores, store::Store& store, const CommitRequest& request) {
  for (int attempt = 1;; ++attempt) {
    Result<std::string> id = Committer(stores, store, request)();
    if (id.ok()) return id;
    // What is missing may be missing because the container itself was removed meanwhile.
    TRY(store::Containers(store).open(request.container));
    // Somebody removed an image that had the very same layer while we took it over.
    if (id.error().kind() != ErrorKind::in_use || attempt == kAttempts) return id;
  }
}

}  // namespace slipway::manager
