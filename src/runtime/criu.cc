#include "src/runtime/criu.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "src/sys/cgroup_options.h"
#include "src/sys/descriptor_passing.h"
#include "src/sys/file.h"

namespace slipway::runtime {

namespace {

/// The first with all fields of rpc.proto that are used here: protobuf leaves unknown ones out without a word.
constexpr int kOldest = 31700;

constexpr char kAnnotation[] = "org.criu.config";
/// Where administrators have criu's options for the containers of runc.
constexpr char kDefaultConfig[] = "/etc/criu/runc.conf";

constexpr int64_t kNotify = 6;   // criu_req_type
constexpr int64_t kVerbose = 4;  // log_level: all, as runc has it: it is read after something failed
constexpr size_t kMessageRoom = 65536;
constexpr size_t kLogLimit = 64U << 20;
constexpr size_t kShownErrors = 3;

struct Answer {
  int64_t type = 0;
  bool success = false;
  std::string action;
  pid_t pid = 0;
  int version = 0;
};

void read_version(std::string_view bytes, Answer& answer) {
  protobuf::Reader in(bytes);
  while (in.next()) {
    const int number = static_cast<int>(in.number());
    if (in.field() == 1) answer.version += number * 10000;
    if (in.field() == 2) answer.version += number * 100;
    if (in.field() == 4) answer.version += number;
  }
}

void read_notice(std::string_view bytes, Answer& answer) {
  protobuf::Reader in(bytes);
  while (in.next()) {
    if (in.field() == 1) answer.action = in.text();
    if (in.field() == 2) answer.pid = static_cast<pid_t>(in.number());
  }
}

/// criu_resp.
Answer read_answer(std::string_view bytes) {
  Answer answer;
  protobuf::Reader in(bytes);
  while (in.next()) {
    if (in.field() == 1) answer.type = in.number();
    if (in.field() == 2) answer.success = in.number() != 0;
    if (in.field() == 4) {
      protobuf::Reader restored(in.text());
      while (restored.next())
        if (restored.field() == 1) answer.pid = static_cast<pid_t>(restored.number());
    }
    if (in.field() == 5) read_notice(in.text(), answer);
    if (in.field() == 10) read_version(in.text(), answer);
  }
  return answer;
}

/// "(00.021357) 12: Error (criu/mount.c:1088): mnt: ..." -> "mnt: ...". "": a line that is no error, or says nothing.
std::string_view error_in(std::string_view line) {
  const size_t error = line.find("Error (");
  const size_t text = error == std::string_view::npos ? error : line.find("): ", error);
  if (text == std::string_view::npos) return {};
  const std::string_view what = line.substr(text + 3);
  return what.ends_with(" FAILED.") ? std::string_view() : what;
}

/// The last errors of a log in one line.
std::string last_errors(std::string_view log) {
  std::vector<std::string_view> errors;
  while (!log.empty()) {
    const size_t end = log.find('\n');
    const std::string_view error = error_in(log.substr(0, end));
    if (!error.empty()) errors.push_back(error);
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
  }
  std::string text;
  for (size_t i = errors.size() - std::min(errors.size(), kShownErrors); i < errors.size(); ++i)
    text.append(text.empty() ? "" : "; ").append(errors[i]);
  return text;
}

Result<Fd> open_directory(const std::string& path) {
  return sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
}

/// The file of options that criu reads in addition: it overrules what the command line says.
Result<std::string> config_file(const oci::Spec& spec) {
  const Str* named = spec.annotations.find(kAnnotation);
  const std::string path(named ? named->view() : std::string_view(kDefaultConfig));
  if (path.empty()) return path;
  if (access(path.c_str(), R_OK) == 0) return path;
  if (!named) return std::string();
  return Error::sys(errno, "annotation %s: `%s`", static_cast<const char*>(kAnnotation), path.c_str());
}

/// criu_req.
Status send(int socket, CriuRequest request, const protobuf::Writer* options, bool keep_open) {
  protobuf::Writer out;
  out.number(1, static_cast<int64_t>(request));
  if (options) out.message(2, *options);
  if (keep_open) out.number(4, true);
  const std::string& bytes = out.bytes();
  if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    return Error::sys(errno, "write to criu");
  return {};  // of one that has died tells what is read next
}

}  // namespace

std::string find_criu(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0 ? program : "";
  const char* const path = getenv("PATH");
  std::string directories(path ? path : "");
  directories += ":/usr/local/sbin:/usr/sbin:/sbin";
  for (size_t at = 0; at <= directories.size();) {
    const size_t end = std::min(directories.find(':', at), directories.size());
    std::string file = directories.substr(at, end - at) + "/" + program;
    if (file[0] == '/' && access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return "";
}

Result<Criu> Criu::prepare(const CriuOptions& options, const oci::Spec& spec, const char* log) {
  Criu criu;
  criu.program_ = find_criu(options.program);
  if (criu.program_.empty())
    return Error::of(ErrorKind::unsupported, "`%s`, which checkpoints and restores, is not installed",
                     options.program.c_str());
  if (geteuid() != 0)
    return Error::of(ErrorKind::unsupported, "criu checkpoints and restores containers only for root");
  criu.images_ = TRY(open_directory(options.images).ctx("images"));
  criu.images_path_ = options.images;
  criu.work_path_ = options.work.empty() ? options.images : options.work;
  criu.work_ = TRY(open_directory(criu.work_path_).ctx("work directory"));
  criu.log_ = log;
  criu.config_ = TRY(config_file(spec));
  criu.null_ = TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDWR));
  criu.place_ = TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDWR));
  // A log of an earlier attempt must not be taken for this one's.
  unlinkat(criu.work_.get(), log, 0);
  return criu;
}

void Criu::describe(const CriuOptions& options, protobuf::Writer& out) const {
  out.number(kImagesDirFd, images_.get()).number(kWorkDirFd, work_.get());
  out.text(kLogFile, log_).number(kLogLevel, kVerbose);
  out.number(kNotifyScripts, true);
  out.number(kExtUnixSk, options.external_unix_sockets).number(kShellJob, options.shell_job);
  out.number(kTcpEstablished, options.tcp_established).number(kFileLocks, options.file_locks);
  out.number(kAutoDedup, options.auto_dedup).number(kLazyPages, options.lazy_pages);
  out.number(kLinkRemap, options.link_remap);
  out.number(kManageCgroupsMode, static_cast<int64_t>(options.cgroups));
  if (options.tcp_close) out.number(kTcpClose, true);
  if (options.empty_network) out.number(kEmptyNs, CLONE_NEWNET);
  if (options.network_lock != NetworkLock::unset)
    out.number(kNetworkLock, static_cast<int64_t>(options.network_lock));
  if (!config_.empty()) out.text(kConfigFile, config_);
}

CriuPlan* Criu::plan(const CriuOptions& options, Arena& arena, ProcessPlan& process) {
  CriuPlan* const plan = arena.make<CriuPlan>();
  const List<char*> words = arena.list<char*>(4);
  words[0] = const_cast<char*>(arena.copy(program_).c_str());
  words[1] = const_cast<char*>("swrk");
  words[2] = const_cast<char*>(arena.copy(std::to_string(place_.get())).c_str());
  words[3] = nullptr;
  plan->program = words[0];
  plan->argv = words.items;
  plan->images = arena.copy(images_path_).c_str();
  plan->images_fd = images_.get();
  plan->work = arena.copy(work_path_).c_str();
  plan->work_fd = work_.get();
  plan->socket = place_.get();
  const List<int> kept = arena.list<int>(static_cast<uint32_t>(kept_.size()));
  for (uint32_t i = 0; i < kept.size(); ++i) kept[i] = kept_[i];
  plan->kept = kept.items;
  plan->kept_count = kept.size();
  // The job of a shell has its terminal for its standard input, which criu looks for in its own.
  if (!options.shell_job)
    for (int& fd : process.stdio) fd = null_.get();
  return plan;
}

Status Criu::start(Child& child) {
  TRY(child.receive(&ours_));
  TRY(child.await_execution());
  Status checked = check_version();
  if (!checked.ok()) ours_.reset();  // it would wait for a request
  return checked;
}

Status Criu::check_version() {
  TRY(send(ours_.get(), CriuRequest::version, nullptr, true));
  std::string message(kMessageRoom, '\0');
  const ssize_t size = recv(ours_.get(), message.data(), message.size(), 0);
  if (size <= 0) return Error::of(ErrorKind::failed, "`%s` does not answer", program_.c_str());
  const Answer answer = read_answer({message.data(), static_cast<size_t>(size)});
  if (answer.version >= kOldest) return {};
  return Error::of(ErrorKind::unsupported, "`%s` is criu %d.%d.%d: %d.%d or a later one is needed",
                   program_.c_str(), answer.version / 10000, answer.version / 100 % 100, answer.version % 100,
                   kOldest / 10000, kOldest / 100 % 100);
}

Error Criu::failure() const {
  const Result<std::string> log = sys::read_file_at(work_.get(), log_.c_str(), kLogLimit);
  const std::string errors = log.ok() ? last_errors(log.value()) : "";
  return Error::of(ErrorKind::failed, "criu failed: %s (log file: %s/%s)",
                   errors.empty() ? "it does not say why" : errors.c_str(), work_path_.c_str(), log_.c_str());
}

Result<pid_t> Criu::perform(CriuRequest request, const protobuf::Writer& options, const Listener& listener) {
  const sys::KeptCgroupOptions kept;
  const Fd socket = std::move(ours_);  // criu ends with the request
  TRY(send(socket.get(), request, &options, false));
  Status heard;  // the first failure of the listener
  std::string message(kMessageRoom, '\0');
  for (;;) {
    int received;
    const ssize_t size = sys::receive_with_fd(socket.get(), message.data(), message.size(), &received);
    Fd fd(received);
    if (size <= 0) return heard.ok() ? failure() : std::move(heard).error();
    const Answer answer = read_answer({message.data(), static_cast<size_t>(size)});
    if (answer.type != kNotify) {
      if (!heard.ok()) return std::move(heard).error();
      return answer.success ? Result<pid_t>(answer.pid) : Result<pid_t>(failure());
    }
    if (heard.ok()) heard = listener(answer.action, answer.pid, std::move(fd));
    protobuf::Writer out;
    out.number(1, kNotify).number(3, heard.ok());
    // One that has died is told of above.
    (void)!::send(socket.get(), out.bytes().data(), out.bytes().size(), MSG_NOSIGNAL);
  }
}

}  // namespace slipway::runtime
