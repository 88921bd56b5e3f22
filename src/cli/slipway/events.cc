// `events`: what happens in the store, as it happens, or what has happened.
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("since", 0, "TIME", "also events since then"),
    value("until", 0, "TIME", "stop at this time"),
    list("filter", 'f', "KEY=VALUE", "type, event, container, image, label, volume, network"),
    value("format", 0, "TEMPLATE", "json, or a Go template"),
});
constexpr const char* kFilters[] = {"type",   "event", "container", "image",  "label",
                                    "volume", "scope", "daemon",    "network"};

int64_t now_ns() {
  const store::Time now = store::now();
  return now.seconds * 1'000'000'000 + now.nanoseconds;
}

class Show {
 public:
  static Result<Show> make(const Call& call) {
    Show show;
    show.format_ = call.args.value("format", "");
    show.filters_ = TRY(Filters::parse(call.args.values("filter", call.arena), kFilters));
    if (const char* text = call.args.value("since"))
      show.since_ = TRY(parse_moment(text));
    else
      show.since_ = now_ns();
    if (const char* text = call.args.value("until")) show.until_ = TRY(parse_moment(text));
    return show;
  }

  int64_t until() const { return until_; }

  /// One line of the file.
  Status line(std::string_view text) const {
    auto event = Value::parse(text);
    if (!event.ok()) return {};  // not written completely
    const Value& time = (*event)["timeNano"];
    if (!time.is_integer() || time.integer() < since_ || time.integer() > until_ || !matches(*event))
      return {};
    if (format_ == "json" || format_ == "{{json .}}") return print(event->json() + "\n");
    if (!format_.empty()) return print(TRY(expand_template(format_, with_fields(*event))) + "\n");
    std::string attributes;
    for (const Value::Member& member : (*event)["Actor"]["Attributes"].members())
      attributes.append(attributes.empty() ? "" : ", ")
          .append(member.key)
          .append("=")
          .append(go_text(member.value));
    const std::string when =
        store::format_rfc3339({time.integer() / 1'000'000'000, time.integer() % 1'000'000'000});
    return print(when + " " + go_text((*event)["Type"]) + " " + go_text((*event)["Action"]) + " " +
                 go_text((*event)["Actor"]["ID"]) + " (" + attributes + ")\n");
  }

 private:
  /// Templates see the fields of docker's structure, which are not called as their JSON.
  static Value with_fields(Value event) {
    static constexpr const char* kFields[][2] = {{"Status", "status"}, {"ID", "id"},
                                                 {"From", "from"},     {"Scope", "scope"},
                                                 {"Time", "time"},     {"TimeNano", "timeNano"}};
    for (const auto& [field, key] : kFields) {
      const Value* value = event.find(key);
      event.set(field, value ? *value : Value(""));
    }
    return event;
  }
  /// "health_status" and "exec_start" are "health_status: healthy", "exec_start: ls" too.
  static bool is_action(std::string_view action, std::string_view wanted) {
    return action == wanted || (action.starts_with(wanted) && action.substr(wanted.size()).starts_with(": "));
  }
  bool matches(const Value& event) const {
    const Value& attributes = event["Actor"]["Attributes"];
    const auto is_object = [&](std::string_view type, std::string_view value) {
      if (event["Type"].text() != type) return false;
      const Value* name = attributes.find("name");
      return event["Actor"]["ID"].text().starts_with(value) || (name && name->text() == value);
    };
    return filters_.any("type", [&](std::string_view value) { return event["Type"].text() == value; }) &&
           filters_.any("event",
                        [&](std::string_view value) { return is_action(event["Action"].text(), value); }) &&
           filters_.any("container", [&](std::string_view value) { return is_object("container", value); }) &&
           filters_.any("network", [&](std::string_view value) { return is_object("network", value); }) &&
           filters_.any("volume", [&](std::string_view value) { return is_object("volume", value); }) &&
           filters_.any("image",
                        [&](std::string_view value) {
                          return go_text(attributes["image"]) == value || is_object("image", value);
                        }) &&
           filters_.any("label", [&](std::string_view value) {
             const Value* label = attributes.find(value.substr(0, value.find('=')));
             return label && (value.find('=') == std::string_view::npos ||
                              label->text() == value.substr(value.find('=') + 1));
           });
  }

  std::string_view format_;
  Filters filters_;
  int64_t since_ = 0, until_ = INT64_MAX;
};

/// The lines of a file from where it was last read.
class Tail {
 public:
  Tail(int dir, const char* name) : dir_(dir), name_(name) {}

  Status read_new(const Show& show) {
    for (;;) {
      if (!file_) file_ = Fd(openat(dir_, name_, O_RDONLY | O_CLOEXEC));
      if (!file_) return {};
      char buffer[64 << 10];
      const ssize_t got = read(file_.get(), buffer, sizeof buffer);
      if (got < 0) return Error::sys(errno, "read the events");
      if (got == 0) {
        struct stat mine = {};
        struct stat named = {};
        if (fstat(file_.get(), &mine) < 0 || fstatat(dir_, name_, &named, 0) < 0 ||
            mine.st_ino == named.st_ino)
          return {};
        file_.reset();  // a new file has begun
        continue;
      }
      unread_.append(buffer, static_cast<size_t>(got));
      for (size_t end; (end = unread_.find('\n')) != std::string::npos; unread_.erase(0, end + 1))
        TRY(show.line(std::string_view(unread_).substr(0, end)));
    }
  }

 private:
  int dir_;
  const char* name_;
  Fd file_;
  std::string unread_;
};

Result<int> run(const Call& call) {
  const Show show = TRY(Show::make(call));
  const auto store = TRY(open_store(call));
  const Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch ||
      inotify_add_watch(watch.get(), store->run_root().c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
    return Error::sys(errno, "watch `%s`", store->run_root().c_str());
  Tail older(store->run_fd(), "events.1");
  TRY(older.read_new(show));
  Tail current(store->run_fd(), manager::kEventsFile);
  for (;;) {
    TRY(current.read_new(show));
    const int64_t left = (show.until() - now_ns()) / 1'000'000;
    if (left <= 0) return 0;
    pollfd fd = {watch.get(), POLLIN, 0};
    poll(&fd, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    char buffer[4096];
    while (read(watch.get(), buffer, sizeof buffer) > 0) {
    }
  }
}

constexpr Verb kVerb = {"events", "",  "Show what happens in the store",
                        kOptions, 0,   0,
                        false,    run, "events --since 10m --filter type=container"};

}  // namespace

const Verb kEvents = kVerb;
const Verb kSystemEvents = as("system events", kVerb);

}  // namespace slipway::cli
