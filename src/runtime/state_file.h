// <root>/<id>/state.json: what is kept of a container, with runc's keys where it has them.
#pragma once

#include <string_view>

#include "src/base/arena.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

inline constexpr char kStateFile[] = "state.json";
inline constexpr char kStagedState[] = ".state.json";
inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kStartFifo[] = "exec.fifo";
inline constexpr char kResultFifo[] = "exec.result";
inline constexpr char kNotifyDirectory[] = "notify";

/// Opens <root>/<id>. not_found: "container `ID` does not exist".
Result<Fd> open_container(const Context& context, std::string_view id);

/// Writes the state beside the one that is read; publish_state() lets it take its place. `directory` is the container's,
/// and nobody but the caller makes it.
Status stage_state(int directory, const State& state);
Status publish_state(int directory);
/// Without the status.
Result<State> read_state(int directory, std::string_view id);
/// The same from the file's text.
Result<State> parse_state(std::string_view text, std::string_view id);

/// Whether init, which lives, waits for start().
bool is_waiting(int directory);
/// The status from what the kernel says: init's life, the start fifo, the freezer.
Result<ContainerStatus> find_status(const Context& context, int directory, const State& state);
/// Whether init lives: the pid exists, is no zombie, and is the process that was started.
bool is_alive(const State& state);
/// A pidfd of init; not_found when it does not live any more.
Result<Fd> open_init(const State& state);

}  // namespace slipway::runtime
