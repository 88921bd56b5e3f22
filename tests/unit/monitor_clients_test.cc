// What clients of a monitor get that do not read for a while.
#include "src/manager/monitor_clients.h"
#include "tests/lib/cmocka.h"

#include <cerrno>
#include <string>
#include <vector>

using namespace slipway;
using manager::Clients;
namespace wire = manager::wire;

namespace {

class NoHandler final : public manager::ClientHandler {
 public:
  bool input(std::string_view) override { return true; }
  void input_end() override {}
  void window_size(wire::WindowSize) override {}
  void stop() override {}
  void hold_lost() override {}
};

void one_round(Clients& clients) {
  NoHandler handler;
  std::vector<pollfd> fds;
  clients.wait_for(fds, true);
  poll(fds.data(), fds.size(), 0);
  clients.handle(fds.data(), handler, false);
}

std::vector<std::string> received(const Fd& socket) {
  std::vector<std::string> messages;
  for (char buffer[64];;) {
    auto got = wire::receive(socket.get(), buffer, sizeof buffer, false);
    if (!got.ok()) {
      assert_int_equal(got.error().code(), EAGAIN);
      return messages;
    }
    messages.emplace_back(buffer, *got);
  }
}

void a_slow_client_gets_all_in_order(void**) {
  auto pair = wire::pair();
  assert_true(pair.ok());
  Clients clients;
  clients.add(std::move(pair->first), wire::kWantOutput);
  std::vector<std::string> want;
  const auto output = [&](wire::Letter letter, const std::string& text) {
    clients.output(letter, text);
    want.push_back(std::string(1, letter) + text);
  };
  for (int i = 0; !clients.blocked(); ++i) output(wire::kStdout, std::to_string(i));
  // Both streams were read in one round.
  output(wire::kStderr, "more");
  std::vector<std::string> got = received(pair->second);
  output(wire::kStdout, "and more");
  for (bool last = false; !last;) {
    one_round(clients);
    last = !clients.blocked();
    for (std::string& message : received(pair->second)) got.push_back(std::move(message));
  }
  assert_true(got == want);
}

void one_that_has_gone_is_waited_for_by_nobody(void**) {
  auto pair = wire::pair();
  assert_true(pair.ok());
  Clients clients;
  clients.add(std::move(pair->first), wire::kWantOutput);
  while (!clients.blocked()) clients.output(wire::kStdout, "text");
  pair->second.reset();
  clients.exited(0);
  assert_false(clients.blocked());
}

void the_last_words_are_read_before_the_end(void**) {
  auto pair = wire::pair();
  assert_true(pair.ok());
  assert_true(wire::send(pair->second.get(), wire::kInput, "unread", 6, false).ok());
  Clients clients;
  clients.add(std::move(pair->first), wire::kWantOutput);
  clients.output(wire::kStdout, "words");
  clients.exited(3);
  clients = Clients();
  char buffer[64];
  assert_int_equal(wire::receive(pair->second.get(), buffer, sizeof buffer, true).value(), 6);
  assert_int_equal(wire::receive(pair->second.get(), buffer, sizeof buffer, true).value(), 5);
  assert_int_equal(buffer[0], wire::kExited);
  assert_int_equal(wire::receive(pair->second.get(), buffer, sizeof buffer, true).value(), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_slow_client_gets_all_in_order),
      cmocka_unit_test(one_that_has_gone_is_waited_for_by_nobody),
      cmocka_unit_test(the_last_words_are_read_before_the_end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
