// `login` and `logout`: credentials for registries, in Docker's file.
#include <termios.h>
#include <unistd.h>

#include "src/cli/slipway/config_file.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/credentials.h"
#include "src/manager/registry_access.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("username", 'u', "NAME", "the user"),
    value("password", 'p', "PASSWORD", "the password; other users of this machine may see it"),
    flag("password-stdin", 0, "read the password from standard input"),
});

constexpr size_t kPasswordLimit = 64 << 10;
constexpr char kHub[] = "docker.io";

/// What people call a registry, as references have it.
std::string domain_of(std::string server) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (server.starts_with(scheme)) server.erase(0, scheme.size());
  server.resize(std::min(server.find('/'), server.size()));
  if (server.empty() || server == "index.docker.io" || server == "registry-1.docker.io") return kHub;
  return server;
}

/// The terminal does not show what is typed while this lives.
class Unseen {
 public:
  Unseen() {
    if (tcgetattr(STDIN_FILENO, &before_) < 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_ = {};
  bool changed_ = false;
};

/// One line of the terminal.
Result<std::string> ask(const char* question) {
  TRY(print(question));
  std::string line;
  char c = 0;
  while (line.size() < kPasswordLimit && read(STDIN_FILENO, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

Result<oci::Credentials> read_credentials(const Call& call) {
  oci::Credentials out;
  out.user = call.args.value("username", "");
  out.password = call.args.value("password", "");
  if (call.args.flag("password-stdin")) {
    if (call.args.given("password"))
      return Error::of(ErrorKind::usage, "--password and --password-stdin are mutually exclusive");
    if (out.user.empty()) return Error::of(ErrorKind::usage, "Must provide --username with --password-stdin");
    out.password = TRY(sys::read_all(STDIN_FILENO, kPasswordLimit).ctx("standard input"));
    while (out.password.ends_with('\n') || out.password.ends_with('\r')) out.password.pop_back();
  } else if (call.args.given("password")) {
    call.log.warn("slipway login", "using --password on the command line is insecure: use --password-stdin");
  }
  if ((out.user.empty() || out.password.empty()) && !isatty(STDIN_FILENO))
    return Error::of(ErrorKind::usage, "Cannot perform an interactive login from a non TTY device");
  if (out.user.empty()) out.user = TRY(ask("Username: "));
  if (out.user.empty()) return Error::of(ErrorKind::usage, "username is empty");
  if (out.password.empty()) {
    const Unseen unseen;
    out.password = TRY(ask("Password: "));
    TRY(print("\n"));
  }
  if (out.password.empty()) return Error::of(ErrorKind::usage, "password is empty");
  return out;
}

Result<int> run_login(const Call& call) {
  const std::string domain = domain_of(call.args.size() > 0 ? call.args[0] : "");
  oci::Credentials credentials = TRY(read_credentials(call));
  const ConfigFile config = TRY(read_config_file());
  oci::RegistryClient registry = TRY(manager::open_registry(domain, config.insecure_registries, credentials));
  credentials.identity_token = TRY(registry.login());
  const manager::StoredCredentials stored = TRY(manager::store_credentials(domain, credentials));
  if (!stored.file.empty())
    call.log.warn("slipway login", "the password is stored unencrypted in " + stored.file +
                                       ": \"credsStore\" in it names a credential helper");
  TRY(print("Login Succeeded\n"));
  return 0;
}

Result<int> run_logout(const Call& call) {
  const std::string domain = domain_of(call.args.size() > 0 ? call.args[0] : "");
  const std::string shown = domain == kHub ? "https://index.docker.io/v1/" : domain;
  const bool erased = TRY(manager::erase_credentials(domain));
  TRY(print((erased ? "Removing login credentials for " : "Not logged in to ") + shown + "\n"));
  return 0;
}

}  // namespace

const Verb kLogin = {"login",  "[SERVER]", "Log in to a registry",
                     kOptions, 0,          1,
                     false,    run_login,  "login -u me --password-stdin registry.example <password"};
const Verb kLogout = {"logout", "[SERVER]", "Log out from a registry", {}, 0, 1, false, run_logout};

}  // namespace slipway::cli
