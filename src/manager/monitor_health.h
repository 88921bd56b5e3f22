// The health checks of a container, run by its monitor: no timer of the system, no further program of ours.
#pragma once

#include <poll.h>

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/runtime/runtime.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

class HealthChecks {
 public:
  HealthChecks(store::Store& store, const store::Record& record);

  bool active() const { return !command_.empty(); }
  /// Of the check that runs, which is waited for here; 0: none.
  pid_t pid() const { return process_.pid; }
  /// The container has (re)started.
  void begin(int64_t now_ms);
  /// The container has ended, and so does a check that runs.
  void end();

  /// Milliseconds until something is to be done; -1: nothing.
  int timeout(int64_t now_ms) const;
  void wait_for(std::vector<pollfd>& fds) const;
  /// Takes the two answers of wait_for(), and does what is due. True when the health has changed.
  bool handle(const pollfd* fds, int64_t now_ms);

  /// starting, healthy or unhealthy: a literal, to be compared by its address.
  const char* word() const;
  /// For state.json; lives as long as this, until the next handle().
  store::Health* health();

 private:
  struct OneResult {
    std::string start, end, output;
    int exit_code = 0;
  };
  enum class Verdict : uint8_t { starting, healthy, unhealthy };

  /// False when the container is not to be asked now.
  bool start(int64_t now_ms);
  Result<runtime::Created> execute(int output);
  bool is_paused() const;
  void kill();
  void read_output();
  void finish(int exit_code, int64_t now_ms);

  std::vector<std::string> command_;
  store::Store& store_;
  std::string id_;
  int64_t interval_ = 0, timeout_ = 0, start_period_ = 0, start_interval_ = 0;  // milliseconds
  int retries_ = 0;

  int64_t began_ = 0, next_ = 0, deadline_ = 0;
  Verdict verdict_ = Verdict::starting;
  int streak_ = 0;
  std::vector<OneResult> log_;
  runtime::Created process_;  // of the check that runs
  Fd output_;
  OneResult current_;
  std::vector<pid_t> killed_;  // and not dead yet: they may be in uninterruptible sleep

  store::Health shown_;
  std::vector<store::HealthResult> shown_log_;
};

}  // namespace slipway::manager
