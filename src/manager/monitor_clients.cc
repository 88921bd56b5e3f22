#include "src/manager/monitor_clients.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace slipway::manager {

void Clients::add(Fd socket, uint8_t wants) {
  Client client;
  client.socket = std::move(socket);
  client.wants = wants;
  clients_.push_back(std::move(client));
}

void Clients::send(Client& client, wire::Letter letter, std::string_view bytes) {
  client.pending.emplace_back(1, letter).append(bytes);
  send_pending(client);
}

void Clients::send_pending(Client& client) {
  size_t sent = 0;
  for (const std::string& message : client.pending) {
    Status done = wire::send(client.socket.get(), static_cast<wire::Letter>(message[0]), message.data() + 1,
                             message.size() - 1, false);
    if (!done.ok() && done.error().code() == EAGAIN) break;
    if (!done.ok()) client.gone = true;
    ++sent;
  }
  client.pending.erase(client.pending.begin(), client.pending.begin() + static_cast<std::ptrdiff_t>(sent));
}

void Clients::output(wire::Letter letter, std::string_view bytes) {
  for (Client& client : clients_)
    if ((client.wants & wire::kWantOutput) && !client.gone) send(client, letter, bytes);
}

bool Clients::blocked() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return !client.gone && !client.pending.empty(); });
}

void Clients::exited(int code) {
  const int32_t word = code;
  for (Client& client : clients_)
    if (!client.gone) send(client, wire::kExited, {reinterpret_cast<const char*>(&word), sizeof word});
  while (blocked()) {
    std::vector<pollfd> fds;
    for (const Client& client : clients_)
      fds.push_back({client.gone || client.pending.empty() ? -1 : client.socket.get(), POLLOUT, 0});
    poll(fds.data(), fds.size(), -1);
    for (size_t i = 0; i < clients_.size(); ++i)
      if (fds[i].revents) send_pending(clients_[i]);
  }
}

void Clients::wait_for(std::vector<pollfd>& fds, bool take_input) const {
  fds.push_back({listener_.get(), POLLIN, 0});
  for (const Client& client : clients_) {
    short events = 0;
    if (take_input || !(client.wants & wire::kWantInput)) events |= POLLIN;
    if (!client.pending.empty()) events |= POLLOUT;
    fds.push_back({client.socket.get(), events, 0});
  }
}

void Clients::handle(const pollfd* fds, ClientHandler& handler, bool stdin_once) {
  const bool newcomer = fds[0].revents & POLLIN;
  for (size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    const short events = fds[i + 1].revents;
    if (events & POLLOUT) send_pending(client);
    if (events & POLLIN)
      read(client, handler);
    else if (events & (POLLHUP | POLLERR))
      client.gone = true;
  }
  for (const Client& client : clients_) {
    if (client.gone && (client.wants & wire::kWantInput) && stdin_once) handler.input_end();
    if (client.gone && client.holds) handler.hold_lost();
  }
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
  if (!newcomer) return;
  Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (socket) add(std::move(socket), 0);
}

void Clients::read(Client& client, ClientHandler& handler) {
  char buffer[wire::kLargestPayload + 1];
  auto got = wire::receive(client.socket.get(), buffer, sizeof buffer, false);
  if (!got.ok() || *got == 0) {
    client.gone = client.gone || got.ok() || got.error().code() != EAGAIN;
    return;
  }
  const std::string_view payload(buffer + 1, *got - 1);
  switch (buffer[0]) {
    case wire::kAttach:
      client.wants = payload.empty() ? 0 : static_cast<uint8_t>(payload[0]);
      break;
    case wire::kInput:
      handler.input(payload);
      break;
    case wire::kInputEnd:
      handler.input_end();
      break;
    case wire::kWindowSize:
      if (payload.size() == sizeof(wire::WindowSize)) {
        wire::WindowSize size;
        memcpy(&size, payload.data(), sizeof size);
        handler.window_size(size);
      }
      break;
    case wire::kStop:
      handler.stop();
      break;
    case wire::kHold:
      client.holds = !payload.empty() && payload[0] != 0;
      break;
    default:
      client.gone = true;
  }
}

}  // namespace slipway::manager
