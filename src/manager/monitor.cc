#include "src/manager/monitor.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/fault.h"
#include "src/manager/container_log.h"
#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/manager/exit.h"
#include "src/manager/launch.h"
#include "src/manager/lifecycle.h"
#include "src/manager/monitor_clients.h"
#include "src/manager/monitor_health.h"
#include "src/manager/monitor_memory.h"
#include "src/manager/monitor_streams.h"
#include "src/manager/observe.h"
#include "src/manager/pause.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr int64_t kFirstDelay = 100;  // milliseconds until the first restart
constexpr int64_t kLongestDelay = 60'000;
constexpr int64_t kStableTime = 10'000;  // a container that ran so long starts with the first delay again
constexpr int64_t kSettleTime = 200;     // see Monitor::patience()

int64_t monotonic_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// What the monitor keeps of the record: the rest is let go when the container runs.
struct Settings {
  std::string id;
  bool terminal = false, open_stdin = false, stdin_once = false, auto_remove = false;
  bool adopts = false;  // orphans of the container are children of ours: it has no process 1 of its own
  std::string cgroup_parent;
};

Settings settings_of(const store::Record& record) {
  Settings out;
  out.id = record.id.view();
  out.terminal = record.config.tty;
  out.open_stdin = record.config.open_stdin;
  out.stdin_once = record.config.stdin_once;
  out.auto_remove = record.host.auto_remove;
  out.adopts = record.host.pid_mode == "host";
  out.cgroup_parent = record.host.cgroup_parent.view();
  return out;
}

Fd watch_children() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

class Monitor final : ClientHandler, Streams::Sink {
 public:
  Monitor(store::Store& store, const store::Record& record, Fd dir)
      : store_(store),
        containers_(store),
        settings_(settings_of(record)),
        health_(store, record),
        dir_(std::move(dir)) {}

  /// Makes the container. On failure nothing is left of it.
  Status launch(std::unique_ptr<Prepared> prepared) {
    if (!lock_) TRY(claim());
    if (settings_.adopts && !children_) children_ = watch_children();
    if (!log_) log_ = TRY(ContainerLog::open(*prepared->record, dir_.get()));
    streams_ = TRY(Streams::make(settings_.terminal, settings_.open_stdin));
    runtime::CreateOptions options;
    options.bundle = prepared->bundle;
    options.rootfs = &prepared->rootfs;
    options.start = true;
    options.detached = false;
    if (!settings_.terminal) std::copy_n(streams_.child(), 3, options.stdio);
    // What a monitor that was killed has left.
    (void)engine_delete(store_, settings_.id);
    fault_point("monitor.launch.ready");
    process_ = TRY(engine_create(store_, *prepared, options));
    fault_point("monitor.launch.started");
    streams_.close_child();
    if (settings_.terminal) streams_.set_terminal(std::move(process_.terminal));
    started_ms_ = monotonic_ms();
    state_.started_at = store::now_rfc3339();
    state_.finished_at.clear();
    state_.pid = process_.pid;
    state_.pid_start_time = process_start_time(process_.pid);
    health_.begin(started_ms_);
    save_state("running");
    fault_point("monitor.launch.recorded");
    network_ = std::move(prepared->network);
    network_events(store_, "connect", *prepared->record, networks());
    volume_events(store_, "mount", *prepared->record);
    container_event(store_, "start", *prepared->record);
    prepared.reset();
    return {};
  }

  int pid() const { return process_.pid; }
  void add_client(Fd socket, uint8_t wants) { clients_.add(std::move(socket), wants); }

  /// Until the container has ended for good.
  void run() {
    for (;;) {
      lean_ = false;
      while (step()) {
      }
      if (!finish() || !restart()) break;
    }
    end();
  }

 private:
  // --- the life of one run

  Status claim() {
    const std::string dir = monitor_dir(settings_.id);
    if (mkdirat(store_.run_fd(), dir.c_str(), 0700) < 0 && errno != EEXIST)
      return Error::sys(errno, "mkdir `%s`", dir.c_str());
    auto lock = TRY(store::try_lock_directory(store_.run_fd(), dir.c_str(), store::LockMode::exclusive));
    if (!lock)
      return Error::of(ErrorKind::in_use, "container %s has a monitor already", settings_.id.c_str());
    lock_ = std::move(*lock);
    unlinkat(lock_.get(), "paused", 0);
    clients_.listen_on(TRY(wire::listen(lock_.get(), "socket")));
    return {};
  }

  /// How long to wait for an event, in milliseconds; -1 for ever. A container that ends at once does not need a lean
  /// monitor, which would only fault its pages in again; one that has lived for a moment gets it.
  int patience() {
    const int64_t now = monotonic_ms();
    const int timeout = health_.timeout(now);
    if (lean_) return timeout;
    const int64_t left = started_ms_ + kSettleTime - now;
    if (left > 0) return timeout < 0 ? static_cast<int>(left) : std::min(timeout, static_cast<int>(left));
    release_memory();
    lean_ = true;
    return timeout;
  }

  /// Waits for one round of events; false when the container's init has ended.
  bool step() {
    fds_.clear();
    fds_.push_back({process_.pidfd.get(), POLLIN, 0});
    streams_.wait_for(fds_, !clients_.blocked());
    health_.wait_for(fds_);
    fds_.push_back({children_ ? children_.get() : -1, POLLIN, 0});
    clients_.wait_for(fds_, streams_.takes_input());
    if (poll(fds_.data(), fds_.size(), patience()) < 0) return true;
    streams_.handle(&fds_[1], *this);
    const char* before = health_.word();
    if (health_.handle(&fds_[4], monotonic_ms())) {
      save_state("running");
      if (before != health_.word()) tell((std::string("health_status: ") + health_.word()).c_str());
    }
    if (fds_[6].revents) reap_orphans();
    clients_.handle(&fds_[7], *this, settings_.stdin_once && !settings_.terminal);
    return !fds_[0].revents;
  }

  /// After init's end: the rest of the output, the traces in the kernel, the record. True when it is to be restarted.
  bool finish() {
    int status = 0;
    while (waitpid(process_.pid, &status, 0) < 0 && errno == EINTR) {
    }
    fault_point("monitor.finish.reaped");
    const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    // For clients who do not read just now it waits in our memory: they keep nobody from knowing the end.
    streams_.drain(*this);
    health_.end();
    if (log_) (void)log_->flush();
    state_.finished_at = store::now_rfc3339();
    state_.exit_code = code;
    state_.oom_killed = was_oom_killed(settings_.cgroup_parent, settings_.id);
    state_.pid = 0;
    state_.pid_start_time = 0;
    // Who reads that it has exited may remove it, and must not find its network half taken down.
    const Value networks = this->networks();
    network_ = NetworkSession();
    if (settings_.auto_remove && faccessat(dir_.get(), kRestartingMark, F_OK, 0) == 0) {
      settings_.auto_remove = false;
      kept_ = true;
    }
    Arena arena;
    auto record =
        containers_.load(settings_.id, arena);  // as it is now: `update` may have changed its policy
    // Not "exited" first: who waits for the end would take that for the last one.
    const bool restarts = record.ok() && wants_restart((*record)->host.restart_policy, code);
    if (!settings_.auto_remove) save_state(restarts ? "restarting" : "exited");
    fault_point("monitor.finish.recorded");
    if (record.ok()) tell_end(**record, networks);
    (void)engine_delete_own(store_, settings_.id, process_);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    streams_ = Streams();
    return restarts;
  }

  bool wants_restart(const store::RestartPolicy& policy, int code) {
    if (stop_ || faccessat(dir_.get(), kStoppedMark, F_OK, 0) == 0) return false;
    if (policy.name == "always" || policy.name == "unless-stopped") return true;
    const int limit = policy.maximum_retry_count;
    return policy.name == "on-failure" && code != 0 && (limit == 0 || state_.restart_count < limit);
  }

  /// All of its processes that have ended, but those that are waited for by name.
  void reap_orphans() {
    signalfd_siginfo signal;
    if (read(children_.get(), &signal, sizeof signal) < 0) return;
    for (siginfo_t child = {}; waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0; child = {}) {
      if (child.si_pid == 0 || child.si_pid == process_.pid || child.si_pid == health_.pid()) return;
      waitpid(child.si_pid, nullptr, 0);
    }
  }

  /// Waits, longer each time, and makes the container again. False when it was stopped meanwhile, or failed.
  bool restart() {
    if (monotonic_ms() - started_ms_ > kStableTime) delay_ = 0;
    delay_ = delay_ ? std::min(delay_ * 2, kLongestDelay) : kFirstDelay;
    for (const int64_t until = monotonic_ms() + delay_; !stop_;) {
      const int64_t left = until - monotonic_ms();
      if (left <= 0) break;
      fds_.clear();
      clients_.wait_for(fds_, false);
      poll(fds_.data(), fds_.size(), static_cast<int>(left));
      clients_.handle(fds_.data(), *this, false);
    }
    if (!stop_ && faccessat(dir_.get(), kStoppedMark, F_OK, 0) != 0) {
      ++state_.restart_count;
      auto prepared = prepare(store_, settings_.id, dir_.get());
      Status launched =
          prepared.ok() ? launch(std::move(prepared).value()) : Status(std::move(prepared).error());
      if (launched.ok()) return true;
      state_.error = launched.error().text();
    }
    save_state("exited");
    return false;
  }

  /// The last acts: what others see of the container afterwards must be there before they are told.
  void end() {
    const int code = state_.exit_code;
    fault_point("monitor.end");
    if (lock_) {
      unlinkat(lock_.get(), "socket", 0);
      unlinkat(lock_.get(), "paused", 0);
      // That of a container of --rm is removed with it.
      if (!settings_.auto_remove && !kept_)
        unlinkat(store_.run_fd(), monitor_dir(settings_.id).c_str(), AT_REMOVEDIR);
    }
    if (settings_.auto_remove) {
      dir_.reset();
      lock_.reset();  // or the container would be taken for one that is still minded
      (void)remove_container(store_, settings_.id, {.volumes = true});
    } else {
      auto driver = store_.driver();
      if (driver.ok()) (void)(*driver)->release(settings_.id);
    }
    lock_.reset();
    clients_.exited(code);
  }

  void tell(const char* action, EventAttributes more = {}) {
    Arena arena;
    auto record = containers_.load(settings_.id, arena);
    if (record.ok()) container_event(store_, action, **record, more);
  }

  void tell_end(const store::Record& record, const Value& networks) {
    if (state_.oom_killed) container_event(store_, "oom", record);
    container_event(store_, "die", record, {{"exitCode", std::to_string(state_.exit_code)}});
    network_events(store_, "disconnect", record, networks);
    volume_events(store_, "unmount", record);
  }

  /// Those that it is on at this moment.
  Value networks() const {
    return network_.path().empty() ? Value() : network_status(store_, settings_.id)["networks"];
  }

  void save_state(const char* status) {
    store::State state;
    state.status = Str::wrap(status);
    state.pid = state_.pid;
    state.pid_start_time = state_.pid_start_time;
    state.monitor_pid = getpid();
    state.started_at = {state_.started_at.c_str(), state_.started_at.size()};
    state.finished_at = {state_.finished_at.c_str(), state_.finished_at.size()};
    state.exit_code = state_.exit_code;
    state.oom_killed = state_.oom_killed;
    state.error = {state_.error.c_str(), state_.error.size()};
    state.restart_count = state_.restart_count;
    state.health = health_.health();
    (void)containers_.save_state(dir_.get(), state);
  }

  // --- what streams and clients bring

  void output(wire::Letter stream, std::string_view bytes) override {
    if (log_) (void)log_->add(stream == wire::kStderr ? ContainerLog::kStderr : ContainerLog::kStdout, bytes);
    clients_.output(stream, bytes);
  }
  bool input(std::string_view bytes) override {
    streams_.input(bytes);
    return streams_.takes_input();
  }
  void input_end() override {
    if (settings_.stdin_once) streams_.close_input();
  }
  void window_size(wire::WindowSize size) override {
    streams_.set_window_size(size);
    tell("resize", {{"height", std::to_string(size.rows)}, {"width", std::to_string(size.columns)}});
  }
  void stop() override { stop_ = true; }
  void hold_lost() override { (void)unpause_container(store_, settings_.id); }

  struct OwnedState {
    int32_t pid = 0;
    uint64_t pid_start_time = 0;
    std::string started_at, finished_at, error;
    int32_t exit_code = 0, restart_count = 0;
    bool oom_killed = false;
  };

  store::Store& store_;
  store::Containers containers_;
  Settings settings_;
  HealthChecks health_;
  Fd dir_;
  Fd lock_;      // on monitors/<id>: says that this process lives
  Fd children_;  // says that one has ended; see Settings::adopts
  Streams streams_;
  Clients clients_;
  std::unique_ptr<ContainerLog> log_;
  NetworkSession network_;
  runtime::Created process_;
  OwnedState state_;
  std::vector<pollfd> fds_;
  int64_t started_ms_ = 0;
  int64_t delay_ = 0;
  bool stop_ = false;
  bool kept_ = false;  // of --rm, but about to be started again
  bool lean_ = false;  // release_memory() was called
};

/// A start that came to nothing: docker shows such a container as created, with the reason.
void note_failure(store::Store& store, int dir, const Error& error) {
  store::State state;
  state.status = "created";
  state.exit_code = exit_code_of(error);
  state.error = Str::wrap(error.text());
  (void)store::Containers(store).save_state(dir, state);
}

void report_failure(store::Store& store, std::string_view id, bool auto_remove, int dir,
                    const Fd& conversation, const Error& error) {
  note_failure(store, dir, error);
  unlinkat(store.run_fd(), (monitor_dir(id) + "/socket").c_str(), 0);
  // Of a container of --rm it stays until the container goes, in case that our parent was killed.
  if (!auto_remove) unlinkat(store.run_fd(), monitor_dir(id).c_str(), AT_REMOVEDIR);
  send_failure(conversation.get(), error);
}

}  // namespace

void send_failure(int conversation, const Error& error) {
  wire::Failure failure;
  failure.kind = static_cast<uint8_t>(error.kind());
  failure.code = error.code();
  std::string payload(reinterpret_cast<const char*>(&failure), sizeof failure);
  payload.append(std::string_view(error.text()).substr(0, 3000));
  (void)wire::send(conversation, wire::kFailed, payload.data(), payload.size(), true);
}

void run_monitor(store::Store& store, const LaunchOrder& order, Fd locked_dir, Fd conversation) {
  // The command's lock is on the description that both share: ours for later must be another one.
  Fd dir(openat(locked_dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto prepared = prepare(store, order.id, dir.get());
  if (!prepared.ok()) {
    note_failure(store, dir.get(), prepared.error());
    send_failure(conversation.get(), prepared.error());
    _exit(1);
  }
  if (order.window.rows && (*prepared)->spec->process->terminal) {
    auto* size = (*prepared)->arena.make<oci::ConsoleSize>();
    size->height = order.window.rows;
    size->width = order.window.columns;
    (*prepared)->spec->process->console_size = size;
  }
  const bool auto_remove = (*prepared)->record->host.auto_remove;
  {
    Monitor monitor(store, *(*prepared)->record, Fd(dup(dir.get())));
    Status launched = monitor.launch(std::move(*prepared));
    // Until the state says that it runs, even if our parent is killed: else `rm` would find a container that was never
    // started, and remove it from under us.
    locked_dir.reset();
    if (!launched.ok()) {
      report_failure(store, order.id, auto_remove, dir.get(), conversation, launched.error());
      _exit(1);
    }
    const int32_t pid = monitor.pid();
    (void)wire::send(conversation.get(), wire::kStarted, &pid, sizeof pid, true);
    // A detached command has heard all that it wants to hear.
    if (order.attach)
      monitor.add_client(std::move(conversation), order.attach);
    else
      conversation.reset();
    dir.reset();
    monitor.run();
  }
  _exit(0);
}

}  // namespace slipway::manager
