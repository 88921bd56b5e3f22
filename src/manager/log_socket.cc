#include "src/manager/log_socket.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "src/base/fd.h"
#include "src/store/id.h"

namespace slipway::manager {

namespace {

constexpr char kSyslogSocket[] = "/dev/log";
constexpr char kJournalSocket[] = "/run/systemd/journal/socket";

/// Where the messages go. A peer that goes away and comes back, as log daemons do, is found again.
class Peer {
 public:
  /// `address` is a path, or HOST:PORT.
  Peer(int family, int type, std::string address)
      : family_(family), type_(type), address_(std::move(address)) {}

  Status connect() {
    if (family_ != AF_UNIX) return connect_host();
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    if (address_.size() >= sizeof name.sun_path)
      return Error::of(ErrorKind::usage, "`%s` is too long for a socket", address_.c_str());
    memcpy(name.sun_path, address_.c_str(), address_.size());
    return connect_to(family_, reinterpret_cast<const sockaddr*>(&name), sizeof name);
  }

  /// A message that nobody takes is lost: the container must not stand still for that.
  void send(std::string_view message) {
    for (int tries = 0; tries < 2; ++tries) {
      if (socket_ && send_all(message)) return;
      if (!connect().ok()) return;
    }
  }
  bool is_stream() const { return type_ == SOCK_STREAM; }

 private:
  bool send_all(std::string_view message) {
    while (!message.empty()) {
      const ssize_t sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return false;
      message.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  Status connect_to(int family, const sockaddr* name, socklen_t size) {
    Fd fd(socket(family, type_ | SOCK_CLOEXEC, 0));
    const timeval patience = {1, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int result = ::connect(fd.get(), name, size);
    if (result < 0 && errno == EPROTOTYPE && family == AF_UNIX && type_ == SOCK_DGRAM) {
      // As syslog(3): some daemons listen on a stream.
      type_ = SOCK_STREAM;
      return connect_to(family, name, size);
    }
    if (result < 0) return Error::sys(errno, "connect to `%s`", address_.c_str());
    socket_ = std::move(fd);
    return {};
  }
  Status connect_host() {
    const size_t colon = address_.rfind(':');
    std::string host = address_.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints = {};
    hints.ai_socktype = type_;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), address_.c_str() + colon + 1, &hints, &found);
    if (error)
      return Error::of(ErrorKind::not_found, "look up `%s`: %s", address_.c_str(), gai_strerror(error));
    Status connected = connect_to(found->ai_family, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return connected;
  }

  int family_, type_;
  std::string address_;
  Fd socket_;
};

Str option(const store::Record& record, std::string_view key, Str fallback) {
  const Str* value = record.host.log_config.config.find(key);
  return value ? *value : fallback;
}

std::string_view without_algorithm(std::string_view digest) {
  return digest.starts_with("sha256:") ? digest.substr(7) : digest;
}

struct TagField {
  const char* name;
  std::string_view (*value)(const store::Record&);
};
constexpr TagField kTagFields[] = {
    {"{{.ID}}", [](const store::Record& record) { return store::short_id(record.id); }},
    {"{{.FullID}}", [](const store::Record& record) { return record.id.view(); }},
    {"{{.Name}}", [](const store::Record& record) { return record.name.view(); }},
    {"{{.ImageName}}", [](const store::Record& record) { return record.config.image.view(); }},
    {"{{.ImageID}}",
     [](const store::Record& record) { return without_algorithm(record.image).substr(0, 12); }},
    {"{{.ImageFullID}}", [](const store::Record& record) { return record.image.view(); }},
    {"{{.DaemonName}}", [](const store::Record&) { return std::string_view("slipway"); }},
};

/// Replaces the fields by the record's values, or by nothing where there is no record.
std::string expand_tag(std::string_view tag, const store::Record* record) {
  std::string text(tag);
  for (const TagField& field : kTagFields)
    for (size_t at; (at = text.find(field.name)) != std::string::npos;)
      text.replace(at, strlen(field.name), record ? field.value(*record) : std::string_view());
  return text;
}

class SocketLog : public ContainerLog {
 public:
  Status add(Stream stream, std::string_view text) final {
    lines_[stream].add(text, [&](std::string_view line) { send_line(stream, line); });
    return {};
  }
  Status flush() final {
    for (const Stream stream : {kStdout, kStderr})
      lines_[stream].flush([&](std::string_view line) { send_line(stream, line); });
    return {};
  }
  Status connect() { return peer_.connect(); }

 protected:
  explicit SocketLog(Peer peer) : peer_(std::move(peer)) {}
  virtual std::string message(Stream stream, std::string_view line, bool cut) const = 0;

 private:
  void send_line(Stream stream, std::string_view line) {
    const bool cut = !line.ends_with('\n');
    if (!cut) line.remove_suffix(1);
    peer_.send(message(stream, line, cut));
  }
  LineSplitter lines_[2];
  Peer peer_;
};

constexpr int kError = 3, kInfo = 6;  // severities, RFC 5424 section 6.2.1

class Syslog final : public SocketLog {
 public:
  Syslog(Peer peer, const store::Record& record, bool local)
      : SocketLog(std::move(peer)),
        tag_(expand_tag(option(record, "tag", "{{.ID}}"), &record)),
        format_(option(record, "syslog-format", "").view()),
        facility_(syslog_facility(option(record, "syslog-facility", "daemon"))),
        local_(local) {
    char host[256] = "-";
    gethostname(host, sizeof host - 1);
    host_ = host;
  }

 private:
  std::string message(Stream stream, std::string_view line, bool) const override {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    tm parts = {};
    localtime_r(&now.tv_sec, &parts);
    const std::string pid = std::to_string(getpid());
    std::string text = "<" + std::to_string(facility_ * 8 + (stream == kStderr ? kError : kInfo)) + ">";
    if (format_.starts_with("rfc5424")) {
      text.append("1 ").append(internet_time(parts, format_ == "rfc5424micro" ? now.tv_nsec / 1000 : -1));
      text.append(" ").append(host_).append(" ").append(tag_).append(" ").append(pid);
      text.append(" ").append(tag_).append(" - ");
    } else {
      char time[32];
      strftime(time, sizeof time, "%b %e %H:%M:%S ", &parts);
      text.append(time);
      // A daemon on this machine knows the host's name.
      if (!local_ || !format_.empty()) text.append(host_).append(" ");
      text.append(tag_).append("[").append(pid).append("]: ");
    }
    text.append(line);
    // On a stream the end of a line is the end of a message; a datagram needs no end.
    if (!local_) text += '\n';
    return text;
  }
  /// RFC 3339; without a fraction when `micros` is negative.
  static std::string internet_time(const tm& parts, long micros) {
    char text[32];
    char zone[8];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    strftime(zone, sizeof zone, "%z", &parts);
    std::string out(text);
    if (micros >= 0) out.append(".").append(std::to_string(1'000'000 + micros).substr(1));
    return out.append(zone, 3).append(":").append(zone + 3);
  }

  std::string tag_, host_, format_;
  int facility_;
  bool local_;
};

class Journal final : public SocketLog {
 public:
  explicit Journal(const store::Record& record) : SocketLog(Peer(AF_UNIX, SOCK_DGRAM, kJournalSocket)) {
    const std::string tag = expand_tag(option(record, "tag", "{{.ID}}"), &record);
    add_field(fields_, "CONTAINER_ID", store::short_id(record.id));
    add_field(fields_, "CONTAINER_ID_FULL", record.id);
    add_field(fields_, "CONTAINER_NAME", record.name);
    add_field(fields_, "CONTAINER_TAG", tag);
    add_field(fields_, "SYSLOG_IDENTIFIER", tag);
    add_field(fields_, "IMAGE_NAME", record.config.image);
    for_each_word(option(record, "labels", ""), [&](std::string_view name) {
      if (const Str* value = record.config.labels.find(name)) add_field(fields_, field_name(name), *value);
    });
    for_each_word(option(record, "env", ""), [&](std::string_view name) {
      for (const Str item : record.config.env)
        if (item.view().starts_with(std::string(name) + "="))
          add_field(fields_, field_name(name), item.view().substr(name.size() + 1));
    });
  }

 private:
  template <class F>
  static void for_each_word(std::string_view list, F&& use) {
    while (!list.empty()) {
      const size_t comma = list.find(',');
      use(list.substr(0, comma));
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
  }
  /// The journal's names are of A-Z, 0-9 and _, and do not begin with _ (that would be trusted).
  static std::string field_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
      const bool lower = c >= 'a' && c <= 'z';
      const bool good = lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (good)
        out += lower ? static_cast<char>(c - 32) : c;
      else if (!out.empty())
        out += '_';
    }
    return out;
  }
  /// KEY=VALUE, or where the value has newlines KEY, its size in 8 bytes, little endian, and the value.
  static void add_field(std::string& out, std::string_view name, std::string_view value) {
    if (name.empty()) return;
    out.append(name);
    if (value.find('\n') == std::string_view::npos) {
      out.append("=").append(value).append("\n");
      return;
    }
    out += '\n';
    for (uint64_t size = value.size(), i = 0; i < 8; ++i) out += static_cast<char>(size >> 8 * i);
    out.append(value).append("\n");
  }
  std::string message(Stream stream, std::string_view line, bool cut) const override {
    std::string text = fields_;
    add_field(text, "PRIORITY", std::to_string(stream == kStderr ? kError : kInfo));
    if (cut) add_field(text, "CONTAINER_PARTIAL_MESSAGE", "true");
    add_field(text, "MESSAGE", line);
    return text;
  }

  std::string fields_;  // what all messages have
};

struct SyslogAddress {
  int family = AF_UNIX, type = SOCK_DGRAM;
  std::string where = kSyslogSocket;
};

Result<SyslogAddress> parse_address(std::string_view text) {
  SyslogAddress out;
  if (text.empty()) return out;
  const size_t split = text.find("://");
  const std::string_view scheme = text.substr(0, split);
  const std::string_view rest = split == std::string_view::npos ? std::string_view() : text.substr(split + 3);
  const auto bad = [&](const char* why) {
    return Error::of(ErrorKind::usage, "syslog-address \"%.*s\": %s", static_cast<int>(text.size()),
                     text.data(), why);
  };
  out.where = rest;
  if (scheme == "unix" || scheme == "unixgram") {
    if (!rest.starts_with('/')) return bad("needs an absolute path");
    return out;
  }
  if (scheme == "tcp+tls") return Error::of(ErrorKind::unsupported, "syslog over TLS is not supported");
  if (scheme != "udp" && scheme != "tcp") return bad("must be unix://, unixgram://, udp:// or tcp://");
  out.family = AF_UNSPEC;
  out.type = scheme == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  if (rest.empty()) return bad("needs HOST:PORT");
  if (rest.rfind(':') == std::string_view::npos || rest.ends_with(']')) out.where += ":514";
  return out;
}

}  // namespace

Result<std::unique_ptr<ContainerLog>> open_syslog(const store::Record& record) {
  SyslogAddress address = TRY(parse_address(option(record, "syslog-address", "")));
  const bool local = address.family == AF_UNIX;
  auto log =
      std::make_unique<Syslog>(Peer(address.family, address.type, std::move(address.where)), record, local);
  TRY(log->connect().ctx("log driver syslog"));
  return std::unique_ptr<ContainerLog>(std::move(log));
}

Result<std::unique_ptr<ContainerLog>> open_journal(const store::Record& record) {
  auto log = std::make_unique<Journal>(record);
  TRY(log->connect().ctx("log driver journald: there is no journal on this machine"));
  return std::unique_ptr<ContainerLog>(std::move(log));
}

Status check_syslog_address(std::string_view address) {
  TRY(parse_address(address));
  return {};
}

int syslog_facility(std::string_view name) {
  static constexpr const char* kNames[] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                           "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                           nullptr,  nullptr,  nullptr,  nullptr,  "local0",   "local1",
                                           "local2", "local3", "local4", "local5", "local6",   "local7"};
  for (int i = 0; i < 24; ++i)
    if ((kNames[i] && name == kNames[i]) || name == std::to_string(i)) return i;
  return -1;
}

bool log_tag_is_valid(std::string_view tag) {
  return expand_tag(tag, nullptr).find("{{") == std::string::npos;
}

}  // namespace slipway::manager
