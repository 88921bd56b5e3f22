#include "src/manager/credentials.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <span>

#include "src/base/base64.h"
#include "src/base/value.h"
#include "src/sys/file.h"
#include "src/sys/run_program.h"

namespace slipway::manager {

namespace {

constexpr size_t kFileLimit = 1 << 20;
constexpr size_t kAnswerLimit = 64 << 10;
constexpr char kHub[] = "docker.io";
constexpr char kHubKey[] = "https://index.docker.io/v1/";
constexpr char kTokenUser[] = "<token>";  // by which helpers mark an identity token

/// The file, or "" for somebody without a home.
std::string config_path() {
  if (const char* dir = getenv("DOCKER_CONFIG"); dir && *dir) return std::string(dir) + "/config.json";
  const char* home = getenv("HOME");
  return home && *home ? std::string(home) + "/.docker/config.json" : "";
}

std::string key_of(const std::string& domain) {
  return domain == kHub ? kHubKey : domain;
}

/// Keys have been written with a scheme and a path, too.
std::string domain_of(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  const std::string host(key.substr(0, key.find('/')));
  return host == "index.docker.io" || host == "registry-1.docker.io" ? kHub : host;
}

Result<Value> read_config(const std::string& path) {
  Result<std::string> text = path.empty() ? Result<std::string>(std::string())
                                          : sys::read_file_at(AT_FDCWD, path.c_str(), kFileLimit);
  if (!text.ok()) {
    if (text.error().code() == ENOENT || text.error().code() == ENOTDIR) return Value::map();
    return std::move(text).error();
  }
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) return Value::map();
  Value config = TRY(Value::parse(*text).ctx("`%s`", path.c_str()));
  if (!config.is_object()) return Error::of(ErrorKind::invalid, "`%s` is not a JSON object", path.c_str());
  return config;
}

std::string text_of(const Value& value) {
  return value.is_string() ? value.text() : std::string();
}

/// The helper for a registry, or "".
std::string helper_of(const Value& config, const std::string& domain) {
  if (const Value& helpers = config["credHelpers"]; helpers.is_object())
    for (const Value::Member& member : helpers.members())
      if (domain_of(member.key) == domain) return text_of(member.value);
  return text_of(config["credsStore"]);
}

/// A helper is a program "docker-credential-NAME"; the protocol is Docker's.
Result<sys::ProgramResult> run_helper(const std::string& helper, const char* action,
                                      const std::string& input) {
  if (helper.find('/') != std::string::npos)
    return Error::of(ErrorKind::invalid, "credential helper `%s`: not a name", helper.c_str());
  const std::array<std::string, 2> argv = {"docker-credential-" + helper, action};
  return sys::run_program(argv, input, kAnswerLimit);
}

Error helper_error(const std::string& helper, const char* action, const sys::ProgramResult& result) {
  std::string said = result.output.empty() ? result.errors : result.output;
  said = said.substr(0, said.find('\n'));
  return Error::of(ErrorKind::failed, "docker-credential-%s %s: %.200s", helper.c_str(), action,
                   said.c_str());
}

Result<oci::Credentials> from_helper(const std::string& helper, const std::string& domain) {
  const sys::ProgramResult result = TRY(run_helper(helper, "get", key_of(domain)));
  if (result.status != 0) {
    if (result.output.find("credentials not found") != std::string::npos) return oci::Credentials{};
    return helper_error(helper, "get", result);
  }
  const Value answer = TRY(Value::parse(result.output).ctx("docker-credential-%s", helper.c_str()));
  oci::Credentials out;
  if (text_of(answer["Username"]) == kTokenUser) {
    out.identity_token = text_of(answer["Secret"]);
  } else {
    out.user = text_of(answer["Username"]);
    out.password = text_of(answer["Secret"]);
  }
  return out;
}

Result<oci::Credentials> from_entry(const Value& entry) {
  oci::Credentials out;
  out.identity_token = text_of(entry["identitytoken"]);
  const std::string auth = TRY(base64_decode(text_of(entry["auth"])));
  const size_t colon = auth.find(':');
  out.user = auth.substr(0, colon);
  if (colon != std::string::npos) out.password = auth.substr(colon + 1);
  while (out.password.ends_with('\0')) out.password.pop_back();
  return out;
}

/// The config with another list of entries.
Value with_entries(const Value& config, Value entries) {
  Value out = config;
  out.set("auths", std::move(entries));
  return out;
}

Value entries_without(const Value& config, const std::string& domain, bool* found) {
  Value out = Value::map();
  if (const Value& entries = config["auths"]; entries.is_object())
    for (const Value::Member& member : entries.members()) {
      if (domain_of(member.key) == domain) {
        *found = true;
      } else {
        out.set(member.key, member.value);
      }
    }
  return out;
}

Status write_config(const std::string& path, const Value& config) {
  // The file itself, where the name is a link to it.
  char real[PATH_MAX];
  const std::string file = realpath(path.c_str(), real) ? real : path;
  TRY(sys::make_directories(file.substr(0, file.rfind('/')), 0700));
  return sys::replace_file_at(AT_FDCWD, file.c_str(), config.pretty_json() + "\n", 0600, true);
}

}  // namespace

Result<oci::Credentials> find_credentials(const std::string& domain) {
  const std::string path = config_path();
  const Value config = TRY(read_config(path));
  if (const std::string helper = helper_of(config, domain); !helper.empty())
    return from_helper(helper, domain);
  if (const Value& entries = config["auths"]; entries.is_object())
    for (const Value::Member& member : entries.members())
      if (domain_of(member.key) == domain)
        return from_entry(member.value).ctx("`%s`: \"auths\": \"%s\"", path.c_str(), member.key.c_str());
  return oci::Credentials{};
}

Result<StoredCredentials> store_credentials(const std::string& domain, const oci::Credentials& credentials) {
  const std::string path = config_path();
  if (path.empty())
    return Error::of(ErrorKind::failed, "neither $HOME nor $DOCKER_CONFIG says where to keep credentials");
  const Value config = TRY(read_config(path));
  const bool token = !credentials.identity_token.empty();
  StoredCredentials out;
  out.helper = helper_of(config, domain);
  if (!out.helper.empty()) {
    Value request = Value::map();
    request.set("ServerURL", key_of(domain));
    request.set("Username", token ? kTokenUser : credentials.user);
    request.set("Secret", token ? credentials.identity_token : credentials.password);
    const sys::ProgramResult result = TRY(run_helper(out.helper, "store", request.json()));
    if (result.status != 0) return helper_error(out.helper, "store", result);
    return out;
  }
  bool found = false;
  Value entries = entries_without(config, domain, &found);
  Value entry = Value::map();
  entry.set("auth", base64_encode(credentials.user + ":" + (token ? "" : credentials.password)));
  if (token) entry.set("identitytoken", credentials.identity_token);
  entries.set(key_of(domain), std::move(entry));
  TRY(write_config(path, with_entries(config, std::move(entries))));
  out.file = path;
  return out;
}

Result<bool> erase_credentials(const std::string& domain) {
  const std::string path = config_path();
  const Value config = TRY(read_config(path));
  bool found = false;
  if (const std::string helper = helper_of(config, domain); !helper.empty())
    found = TRY(run_helper(helper, "erase", key_of(domain))).status == 0;
  bool listed = false;
  Value entries = entries_without(config, domain, &listed);
  if (listed) TRY(write_config(path, with_entries(config, std::move(entries))));
  return found || listed;
}

}  // namespace slipway::manager
