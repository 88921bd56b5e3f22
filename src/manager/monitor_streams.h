// The standard streams of a container, as its monitor holds them: pipes, or a terminal's master.
#pragma once

#include <poll.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/manager/wire.h"

namespace slipway::manager {

class Streams {
 public:
  /// Who gets what the container writes.
  class Sink {
   public:
    virtual void output(wire::Letter stream, std::string_view bytes) = 0;

   protected:
    ~Sink() = default;
  };

  /// Makes the pipes; the container's ends are in child() until close_child(). With a terminal there are none.
  static Result<Streams> make(bool terminal, bool open_stdin);
  const int* child() const { return child_; }
  void close_child();
  void set_terminal(Fd master);
  void set_window_size(wire::WindowSize size);

  /// Takes input for the container; what the pipe has no room for waits here.
  void input(std::string_view bytes);
  void close_input();
  bool takes_input() const { return pending_input_.empty(); }

  /// Adds what to wait for; handle() takes the answers from the same place.
  void wait_for(std::vector<pollfd>& fds, bool take_output) const;
  void handle(const pollfd* fds, Sink& sink);
  /// Reads what is there, and not what processes that live on go on writing.
  void drain(Sink& sink);

 private:
  void flush_input();
  /// How many bytes there were to read.
  size_t read(Fd& from, wire::Letter letter, Sink& sink);

  Fd stdin_, stdout_, stderr_;  // a terminal is stdout_, and takes the input too
  bool terminal_ = false;
  Fd child_ends_[3];
  int child_[3] = {-1, -1, -1};
  std::string pending_input_;
  bool input_ended_ = false;
};

}  // namespace slipway::manager
