#include "src/cli/slipway/config_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

#include "src/base/value.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kLimit = 64U << 10;

Status read_text(const Value& value, std::string* text) {
  if (!value.is_string()) return Error::of(ErrorKind::invalid, "must be a string");
  *text = value.text();
  return {};
}

Status read_texts(const Value& value, std::vector<std::string>* texts) {
  if (!value.is_array()) return Error::of(ErrorKind::invalid, "must be an array of strings");
  for (const Value& item : value.items()) TRY(read_text(item, &texts->emplace_back()));
  return {};
}

Status read_member(const std::string& key, const Value& value, ConfigFile* config) {
  if (key == "root") return read_text(value, &config->root);
  if (key == "run-root") return read_text(value, &config->run_root);
  if (key == "storage-driver") return read_text(value, &config->storage_driver);
  if (key == "storage-opts") return read_texts(value, &config->storage_options);
  if (key == "network") return read_text(value, &config->network);
  if (key == "network-backend") return read_text(value, &config->network_backend);
  if (key == "insecure-registries") return read_texts(value, &config->insecure_registries);
  return Error::of(ErrorKind::invalid, "there is no such setting");
}

Result<ConfigFile> parse(std::string_view text) {
  ConfigFile config;
  if (text.find_first_not_of(" \t\n") == std::string_view::npos) return config;
  const Value document = TRY(Value::parse(text));
  if (!document.is_object()) return Error::of(ErrorKind::invalid, "must be a JSON object");
  for (const Value::Member& member : document.members())
    TRY(read_member(member.key, member.value, &config).ctx("\"%s\"", member.key.c_str()));
  return config;
}

}  // namespace

Result<ConfigFile> read_config_file() {
  const char* const named = getenv("SLIPWAY_CONFIG");
  const char* const path = named && *named ? named : "/etc/slipway/config.json";
  Result<std::string> text = sys::read_file_at(AT_FDCWD, path, kLimit);
  if (!text.ok() && text.error().code() == ENOENT && path != named) return ConfigFile();
  if (!text.ok()) return std::move(text).error();
  return parse(*text).ctx("`%s`", path);
}

}  // namespace slipway::cli
