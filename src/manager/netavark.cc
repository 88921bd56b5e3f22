#include "src/manager/netavark.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "src/sys/file.h"
#include "src/sys/run_program.h"

namespace slipway::manager {

namespace {

constexpr size_t kOutputLimit = 1 << 20;
constexpr const char* kDirectories[] = {"/usr/lib/podman/", "/usr/libexec/podman/",
                                        "/usr/local/libexec/podman/", "/usr/bin/"};

/// Where the distributions put it: not in the PATH.
std::string find_program(const char* name) {
  for (const char* directory : kDirectories) {
    std::string path = std::string(directory) + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

}  // namespace

std::unique_ptr<Netavark> Netavark::find(std::string state_dir) {
  auto found = std::make_unique<Netavark>();
  found->program_ = find_program("netavark");
  if (found->program_.empty()) return nullptr;
  found->name_server_ = find_program("aardvark-dns");
  found->state_dir_ = std::move(state_dir);
  return found;
}

bool Netavark::serves_names(const store::Network& network) const {
  return !name_server_.empty() && network.name != store::kDefaultNetwork;
}

Result<std::string> Netavark::run(const char* verb, const std::string& path, const Value& document) const {
  std::vector<std::string> argv = {program_, "--config", state_dir_};
  if (!name_server_.empty()) argv.insert(argv.end(), {"--aardvark-binary", name_server_});
  argv.insert(argv.end(), {verb, path});
  auto result = TRY(sys::run_program(argv, document.json(), kOutputLimit));
  if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0) return std::move(result.output);
  auto answer = Value::parse(result.output);
  const Value* error = answer.ok() ? answer->find("error") : nullptr;
  const std::string text = error && error->is_string() ? error->text() : "failed";
  Error failure = Error::of(ErrorKind::failed, "netavark %s: %s", verb, text.c_str());
  if (text.find("os error 2") != std::string::npos)
    failure.add_hint("it needs iptables: is that installed, and in the PATH?");
  return failure;
}

Result<Value> Netavark::set_up(const std::string& path, const Value& document) const {
  TRY(sys::make_directories(state_dir_, 0700));
  const std::string answer = TRY(run("setup", path, document));
  return Value::parse(answer).ctx("netavark's answer");
}

Status Netavark::tear_down(const std::string& path, const Value& document) const {
  TRY(run("teardown", path, document));
  return {};
}

}  // namespace slipway::manager
