#include "src/manager/registry_access.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "src/manager/credentials.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr size_t kCertificateLimit = 1 << 20;
constexpr char kHub[] = "docker.io";
constexpr char kHubHost[] = "registry-1.docker.io";

std::vector<std::string> certificate_directories(const std::string& domain) {
  std::vector<std::string> out = {"/etc/slipway/certs.d/" + domain, "/etc/docker/certs.d/" + domain};
  const char* config = getenv("XDG_CONFIG_HOME");
  const char* home = getenv("HOME");
  if (config && *config) {
    out.push_back(std::string(config) + "/docker/certs.d/" + domain);
  } else if (home && *home) {
    out.push_back(std::string(home) + "/.config/docker/certs.d/" + domain);
  }
  return out;
}

/// Adds what the directory says. False: there is none.
Result<bool> read_trust(const std::string& path, sys::HttpTrust* trust) {
  Result<Fd> opened = sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened.ok()) {
    if (opened.error().code() == ENOENT || opened.error().code() == ENOTDIR) return false;
    return std::move(opened).error();
  }
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(opened->get()))) {
    const std::string name = entry.name;
    if (name.ends_with(".crt")) {
      trust->authorities += TRY(sys::read_file_at(opened->get(), name.c_str(), kCertificateLimit)) + "\n";
    } else if (name.ends_with(".cert")) {
      const std::string key = name.substr(0, name.size() - 4) + "key";
      if (faccessat(opened->get(), key.c_str(), F_OK, 0) < 0)
        return Error::of(ErrorKind::not_found, "missing key %s for client certificate %s", key.c_str(),
                         name.c_str());
      trust->certificate = path + "/" + name;
      trust->private_key = path + "/" + key;
    }
  }
  return true;
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (host == "[::1]" || host.starts_with("[::1]:")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

Result<oci::RegistryClient> open_registry(const std::string& domain,
                                          const std::vector<std::string>& insecure) {
  return open_registry(domain, insecure, TRY(find_credentials(domain)));
}

Result<oci::RegistryClient> open_registry(const std::string& domain, const std::vector<std::string>& insecure,
                                          oci::Credentials credentials) {
  oci::RegistryOptions options;
  options.host = domain == kHub ? kHubHost : domain;
  options.credentials = std::move(credentials);
  bool certified = false;
  for (const std::string& directory : certificate_directories(domain))
    certified = TRY(read_trust(directory, &options.trust)) || certified;
  const bool listed = std::find(insecure.begin(), insecure.end(), domain) != insecure.end();
  options.insecure = !certified && (listed || is_loopback(domain));
  options.trust.verify = !options.insecure;
  return oci::RegistryClient::open(std::move(options));
}

}  // namespace slipway::manager
