#include "oci/image_config.h"

#include <algorithm>

using namespace slipway;
namespace {
/// An object of any members, to be taken over one by one. Only a member can have free keys, so documents are
/// wrapped as {"all": ...}.
struct Members {
  Map<json::Raw> all;
};
}  // namespace
using oci::ContainerDefaults, oci::History, oci::ImageConfig, oci::ImageHealthcheck, oci::RootFs;

JSON_OBJECT(Members, JSON_FIELD(Members, all, "all"));
JSON_OBJECT(ImageHealthcheck, JSON_FIELD(ImageHealthcheck, test, "Test"),
            JSON_FIELD(ImageHealthcheck, interval, "Interval"),
            JSON_FIELD(ImageHealthcheck, timeout, "Timeout"),
            JSON_FIELD(ImageHealthcheck, start_period, "StartPeriod"),
            JSON_FIELD(ImageHealthcheck, start_interval, "StartInterval"),
            JSON_FIELD(ImageHealthcheck, retries, "Retries"));
JSON_OBJECT(ContainerDefaults, JSON_FIELD(ContainerDefaults, user, "User"),
            JSON_FIELD(ContainerDefaults, exposed_ports, "ExposedPorts"),
            JSON_FIELD(ContainerDefaults, env, "Env"),
            JSON_FIELD(ContainerDefaults, entrypoint, "Entrypoint"),
            JSON_FIELD(ContainerDefaults, cmd, "Cmd"), JSON_FIELD(ContainerDefaults, volumes, "Volumes"),
            JSON_FIELD(ContainerDefaults, working_dir, "WorkingDir"),
            JSON_FIELD(ContainerDefaults, labels, "Labels"),
            JSON_FIELD(ContainerDefaults, stop_signal, "StopSignal"),
            JSON_FIELD(ContainerDefaults, shell, "Shell"), JSON_FIELD(ContainerDefaults, on_build, "OnBuild"),
            JSON_FIELD(ContainerDefaults, healthcheck, "Healthcheck"));
JSON_OBJECT(RootFs, JSON_FIELD(RootFs, type, "type"), JSON_FIELD(RootFs, diff_ids, "diff_ids"));
JSON_OBJECT(History, JSON_FIELD(History, created, "created"), JSON_FIELD(History, created_by, "created_by"),
            JSON_FIELD(History, author, "author"), JSON_FIELD(History, comment, "comment"),
            JSON_FIELD(History, empty_layer, "empty_layer"));
JSON_OBJECT(ImageConfig, JSON_FIELD(ImageConfig, created, "created"),
            JSON_FIELD(ImageConfig, author, "author"), JSON_FIELD(ImageConfig, architecture, "architecture"),
            JSON_FIELD(ImageConfig, os, "os"), JSON_FIELD(ImageConfig, variant, "variant"),
            JSON_FIELD(ImageConfig, os_version, "os.version"), JSON_FIELD(ImageConfig, config, "config"),
            JSON_FIELD(ImageConfig, rootfs, "rootfs"), JSON_FIELD(ImageConfig, history, "history"));

namespace slipway::oci {

const json::Type kImageConfigType = json::type<ImageConfig>;
const json::Type kContainerDefaultsType = json::type<ContainerDefaults>;

namespace {

Result<Map<json::Raw>> members(std::string_view text, Arena& arena) {
  if (text.empty()) return Map<json::Raw>{};
  const std::string wrapped = "{\"all\":" + std::string(text) + "}";
  return TRY(json::read<Members>(wrapped, json::type<Members>, arena))->all;
}

bool knows(const json::Type& type, std::string_view name) {
  for (uint32_t i = 0; i < type.field_count; ++i)
    if (std::string_view(type.fields[i].name, type.fields[i].name_size) == name) return true;
  return false;
}

using Member = std::pair<std::string, std::string>;  // name and JSON text

/// The members of `object` as the table writes them, and of `base` those that the table does not know.
Result<std::vector<Member>> merge(const json::Type& type, const void* object, std::string_view base,
                                  Arena& arena) {
  std::vector<Member> out;
  for (const Entry<json::Raw>& old : TRY(members(base, arena)))
    if (!knows(type, old.key)) out.emplace_back(old.key.view(), old.value.text.view());
  json::Writer writer;
  writer.value(type, object);
  for (const Entry<json::Raw>& fresh : TRY(members(writer.text(), arena)))
    out.emplace_back(fresh.key.view(), fresh.value.text.view());
  return out;
}

std::string object_text(std::vector<Member>& list) {
  std::sort(list.begin(), list.end());
  json::Writer writer;
  writer.begin_object();
  for (const Member& member : list) writer.key(member.first).raw(member.second);
  writer.end_object();
  return std::string(writer.text());
}

}  // namespace

Result<ImageConfig*> parse_image_config(std::string_view text, Arena& arena) {
  ImageConfig* config = TRY(json::read<ImageConfig>(text, kImageConfigType, arena).ctx("image config"));
  if (!config->rootfs.type.empty() && !(config->rootfs.type == "layers"))
    return Error::of(ErrorKind::invalid, "image config: rootfs.type is `%s`, not layers",
                     config->rootfs.type.c_str());
  for (const Str& id : config->rootfs.diff_ids) TRY(Digest::parse(id).ctx("image config: rootfs.diff_ids"));
  return config;
}

Result<std::string> derive_image_config(std::string_view base, const ImageConfig& config, Arena& arena) {
  std::string_view base_defaults;
  const Map<json::Raw> base_members = TRY(members(base, arena));
  if (const json::Raw* found = base_members.find("config"); found && found->text.view() != "null")
    base_defaults = found->text;
  std::vector<Member> defaults = TRY(merge(kContainerDefaultsType, &config.config, base_defaults, arena));
  std::vector<Member> top = TRY(merge(kImageConfigType, &config, base, arena));
  // What described the container of the old image's last step says nothing about the new one.
  std::erase_if(top, [](const Member& member) {
    return member.first == "config" || member.first == "container" || member.first == "container_config" ||
           member.first == "docker_version" || member.first == "id" || member.first == "parent";
  });
  top.emplace_back("config", object_text(defaults));
  return object_text(top);
}

Digest chain_id(const Digest& parent, const Digest& diff_id) {
  return parent ? sha256(parent.text() + " " + diff_id.text()) : diff_id;
}

std::vector<Digest> chain_ids(const List<Str>& diff_ids) {
  std::vector<Digest> chain;
  Digest parent;
  for (const Str& text : diff_ids) {
    Result<Digest> diff_id = Digest::parse(text);
    if (!diff_id.ok()) return {};  // parse_image_config() has refused such a config
    chain.push_back(parent = chain_id(parent, *diff_id));
  }
  return chain;
}

}  // namespace slipway::oci
