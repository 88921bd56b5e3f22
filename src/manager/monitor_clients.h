// Those who are attached to a container, as its monitor sees them.
#pragma once

#include <poll.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/manager/wire.h"

namespace slipway::manager {

/// What a client asks of the monitor.
class ClientHandler {
 public:
  /// False when no more input can be taken now: the client is not read until it can.
  virtual bool input(std::string_view bytes) = 0;
  virtual void input_end() = 0;
  virtual void window_size(wire::WindowSize size) = 0;
  virtual void stop() = 0;
  /// A client that had paused the container for its own work is gone without a word.
  virtual void hold_lost() = 0;

 protected:
  ~ClientHandler() = default;
};

class Clients {
 public:
  void add(Fd socket, uint8_t wants);
  void listen_on(Fd listener) { listener_ = std::move(listener); }

  /// Passes output on. A client that does not read makes its container wait: see blocked().
  void output(wire::Letter letter, std::string_view bytes);
  /// Some client has not taken all of its output yet.
  bool blocked() const;
  /// The last message for everybody. Returns when all have taken it, or have gone.
  void exited(int code);
  bool empty() const { return clients_.empty(); }

  /// Adds what to wait for; handle() takes the answers from the same place in the same order.
  void wait_for(std::vector<pollfd>& fds, bool take_input) const;
  void handle(const pollfd* fds, ClientHandler& handler, bool stdin_once);

 private:
  struct Client {
    Fd socket;
    uint8_t wants = 0;
    bool holds = false;
    std::vector<std::string> pending;  // messages that it has not taken yet, with their letters
    bool gone = false;
  };
  void send(Client& client, wire::Letter letter, std::string_view bytes);
  void send_pending(Client& client);
  void read(Client& client, ClientHandler& handler);

  Fd listener_;
  std::vector<Client> clients_;
};

}  // namespace slipway::manager
