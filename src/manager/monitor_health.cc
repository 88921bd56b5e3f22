#include "src/manager/monitor_health.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "src/base/quantity.h"
#include "src/manager/engine.h"
#include "src/manager/observe.h"
#include "src/store/id.h"
#include "src/sys/kernel.h"

namespace slipway::manager {

namespace {

// docker's defaults.
constexpr int64_t kInterval = 30'000, kTimeout = 30'000, kStartInterval = 5'000;
constexpr int kRetries = 3;
constexpr size_t kLongestOutput = 4096;
constexpr size_t kLongestLog = 5;

int64_t ms(int64_t nanoseconds, int64_t fallback) {
  return nanoseconds ? std::max<int64_t>(nanoseconds / 1'000'000, 1) : fallback;
}

}  // namespace

HealthChecks::HealthChecks(store::Store& store, const store::Record& record)
    : store_(store), id_(record.id.view()) {
  const store::Healthcheck* check = record.config.healthcheck;
  if (!check || check->test.empty() || check->test[0] == "NONE") return;
  if (check->test[0] == "CMD-SHELL" && check->test.size() > 1) {
    command_ = {"/bin/sh", "-c", std::string(check->test[1].view())};
  } else if (check->test[0] == "CMD") {
    for (size_t i = 1; i < check->test.size(); ++i) command_.emplace_back(check->test[i].view());
  }
  interval_ = ms(check->interval, kInterval);
  timeout_ = ms(check->timeout, kTimeout);
  start_period_ = ms(check->start_period, 0);
  start_interval_ = ms(check->start_interval, kStartInterval);
  retries_ = check->retries ? check->retries : kRetries;
}

void HealthChecks::begin(int64_t now_ms) {
  began_ = now_ms;
  next_ = now_ms + (start_period_ ? std::min(start_interval_, interval_) : interval_);
  verdict_ = Verdict::starting;
  streak_ = 0;
}

void HealthChecks::end() {
  kill();
  output_.reset();
}

void HealthChecks::kill() {
  if (!process_.pid) return;
  sys::pidfd_send_signal(process_.pidfd.get(), SIGKILL);
  killed_.push_back(process_.pid);
  process_ = runtime::Created();
}

int HealthChecks::timeout(int64_t now_ms) const {
  if (!active()) return -1;
  const int64_t due = process_.pid ? deadline_ : next_;
  return static_cast<int>(std::clamp<int64_t>(due - now_ms, 0, 1 << 30));
}

void HealthChecks::wait_for(std::vector<pollfd>& fds) const {
  fds.push_back({process_.pid ? process_.pidfd.get() : -1, POLLIN, 0});
  fds.push_back({output_ ? output_.get() : -1, POLLIN, 0});
}

bool HealthChecks::handle(const pollfd* fds, int64_t now_ms) {
  if (!active()) return false;
  std::erase_if(killed_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
  if (fds[1].revents) read_output();
  if (process_.pid && fds[0].revents) {
    int status = 0;
    waitpid(process_.pid, &status, 0);
    finish(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), now_ms);
    return true;
  }
  if (process_.pid && now_ms >= deadline_) {
    if (is_paused()) {
      deadline_ = now_ms + timeout_;
      return false;
    }
    kill();
    output_.reset();
    current_.output = "Health check exceeded timeout (" + duration_text(timeout_ * 1'000'000) + ")";
    finish(-1, now_ms);
    return true;
  }
  if (!process_.pid && now_ms >= next_) {
    if (!start(now_ms)) next_ = now_ms + interval_;
    return !process_.pid;  // it could not even begin
  }
  return false;
}

bool HealthChecks::is_paused() const {
  return faccessat(store_.run_fd(), pause_mark(id_).c_str(), F_OK, 0) == 0;
}

bool HealthChecks::start(int64_t now_ms) {
  int ends[2];
  if (is_paused() || pipe2(ends, O_CLOEXEC) < 0) return false;
  output_ = Fd(ends[0]);
  const Fd writer(ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  current_ = OneResult();
  current_.start = store::now_rfc3339();
  deadline_ = now_ms + timeout_;
  auto created = execute(writer.get());
  if (created.ok()) {
    process_ = std::move(*created);
  } else {
    current_.output = created.error().text();
    finish(-1, now_ms);
  }
  return true;
}

Result<runtime::Created> HealthChecks::execute(int output) {
  Arena arena;
  oci::Process process = *TRY(engine_spec(store_, id_, arena))->process;
  process.terminal = false;
  process.console_size = nullptr;
  process.args = arena.list<Str>(command_.size());
  for (size_t i = 0; i < command_.size(); ++i) process.args[i] = {command_[i].c_str(), command_[i].size()};
  runtime::ExecOptions options;
  options.detached = false;
  options.stdio[0] = 0;  // the monitor's own, /dev/null
  options.stdio[1] = options.stdio[2] = output;
  // One of another runtime becomes our child when that has ended.
  return is_external(store_, id_) ? engine_exec_detached(store_, id_, process, options.stdio)
                                  : runtime::exec(runtime_context(store_), id_, process, options);
}

void HealthChecks::read_output() {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(output_.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) return output_.reset();
    const size_t room = kLongestOutput - std::min(kLongestOutput, current_.output.size());
    current_.output.append(buffer, std::min(static_cast<size_t>(got), room));
  }
}

void HealthChecks::finish(int exit_code, int64_t now_ms) {
  if (output_) read_output();
  output_.reset();
  process_ = runtime::Created();
  current_.end = store::now_rfc3339();
  current_.exit_code = exit_code;
  log_.push_back(std::move(current_));
  if (log_.size() > kLongestLog) log_.erase(log_.begin());
  const bool starting = now_ms - began_ < start_period_;
  if (exit_code == 0) {
    verdict_ = Verdict::healthy;
    streak_ = 0;
  } else if (!(starting && verdict_ == Verdict::starting)) {
    // Failures while it starts do not count.
    if (++streak_ >= retries_) verdict_ = Verdict::unhealthy;
  }
  next_ =
      now_ms + (starting && verdict_ == Verdict::starting ? std::min(start_interval_, interval_) : interval_);
}

const char* HealthChecks::word() const {
  static constexpr const char* kWords[] = {"starting", "healthy", "unhealthy"};
  return kWords[static_cast<size_t>(verdict_)];
}

store::Health* HealthChecks::health() {
  if (!active()) return nullptr;
  const auto text = [](const std::string& from) { return Str(from.c_str(), from.size()); };
  shown_log_.clear();
  for (const OneResult& one : log_) {
    store::HealthResult result;
    result.start = text(one.start);
    result.end = text(one.end);
    result.exit_code = one.exit_code;
    result.output = text(one.output);
    shown_log_.push_back(result);
  }
  shown_.status = Str::wrap(word());
  shown_.failing_streak = streak_;
  shown_.log.items = shown_log_.data();
  shown_.log.count = static_cast<uint32_t>(shown_log_.size());
  return &shown_;
}

}  // namespace slipway::manager
