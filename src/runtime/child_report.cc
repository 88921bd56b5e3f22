#include <unistd.h>

#include <cstring>

#include "src/runtime/child_steps.h"
#include "src/sys/descriptor_passing.h"

namespace slipway::runtime::child {

namespace {

/// Appends as much as fits.
struct Text {
  char* at;
  char* end;

  void add(const char* part) {
    while (*part && at < end) *at++ = *part++;
    *at = 0;
  }
  void add_quoted(const char* part) {
    add("`");
    add(part);
    add("`");
  }
};

}  // namespace

void describe(const Outcome& outcome, Failure* failure) {
  failure->code = outcome.code;
  failure->kind = outcome.kind;
  failure->has_reason = outcome.reason != nullptr;
  Text text{failure->text, failure->text + sizeof failure->text - 1};
  text.add(outcome.action);
  if (outcome.object) {
    text.add(" ");
    text.add_quoted(outcome.object);
  }
  if (outcome.place) {
    text.add(" on ");
    text.add_quoted(outcome.place);
  }
  if (outcome.reason) {
    text.add(": ");
    text.add(outcome.reason);
  }
}

Outcome tell(const ChildPlan& plan, Note note, int32_t value) {
  Packet packet;
  packet.note = note;
  packet.value = value;
  // write(2), not send(2): a seccomp filter that is in force already seldom forbids it.
  return write(plan.parent, &packet, offsetof(Packet, failure)) < 0 ? failed("write to", "the runtime")
                                                                    : kDone;
}

Outcome tell_with_fd(const ChildPlan& plan, Note note, int fd) {
  Packet packet;
  packet.note = note;
  return sys::send_with_fds(plan.parent, &packet, offsetof(Packet, failure), &fd, 1) < 0
             ? failed("send to", "the runtime")
             : kDone;
}

Packet listen(const ChildPlan& plan) {
  Packet packet;
  ssize_t size;
  do {
    size = read(plan.parent, &packet, sizeof packet);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) _exit(1);  // the parent was killed: nobody wants this container any more
  return packet;
}

void expect_with_fds(const ChildPlan& plan, Note note, int (&fds)[sys::kMaxPassed], uint32_t* count) {
  Packet packet;
  if (sys::receive_with_fds(plan.parent, &packet, sizeof packet, fds, count) <= 0 || packet.note != note)
    _exit(1);
}

void tell_failure(const ChildPlan& plan, const Outcome& outcome) {
  Packet packet;
  packet.note = Note::failed;
  describe(outcome, &packet.failure);
  if (plan.parent >= 0) {
    if (write(plan.parent, &packet, sizeof packet) < 0) return;
  } else if (write(plan.result_fifo, &packet.failure, sizeof packet.failure) < 0) {
    return;
  }
}

}  // namespace slipway::runtime::child
