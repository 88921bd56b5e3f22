#include "src/manager/image_inspect.h"

#include <algorithm>
#include <cstring>

#include "src/store/id.h"

namespace slipway::manager {

namespace {

Value healthcheck_value(const Value& check) {
  Value out = Value::object();
  out.set("Test", check["Test"].is_array() ? check["Test"] : Value::omitted("[]"));
  for (const char* key : {"Interval", "Timeout", "StartPeriod", "StartInterval"}) {
    const Value& value = check[key];
    if (value.is_integer() || strcmp(key, "StartInterval") != 0)
      out.set(key, value.is_integer() ? Value::duration(value.integer()) : Value::omitted("0s"));
  }
  return out.set("Retries", check["Retries"].is_integer() ? check["Retries"] : Value::omitted("0"));
}

/// The members that docker always shows of a config, and those of the image's own.
Value config_value(const Value& config) {
  Value out = Value::object();
  out.set("Hostname", "").set("Domainname", "").set("User", "");
  out.set("AttachStdin", false).set("AttachStdout", false).set("AttachStderr", false);
  out.set("ExposedPorts", Value::omitted("map[]"))
      .set("Tty", false)
      .set("OpenStdin", false)
      .set("StdinOnce", false);
  out.set("Env", Value::no_list()).set("Cmd", Value::no_list());
  out.set("Healthcheck", Value::omitted("<nil>")).set("Image", "");
  out.set("Volumes", Value::no_map()).set("WorkingDir", "").set("Entrypoint", Value::no_list());
  out.set("OnBuild", Value::no_list()).set("Labels", Value::no_map());
  out.set("StopSignal", Value::omitted("")).set("Shell", Value::omitted("[]"));
  out.set("NetworkDisabled", Value::omitted("false")).set("MacAddress", Value::omitted(""));
  if (config.is_object())
    for (const Value::Member& member : config.members())
      if (!member.value.is_null())
        out.set(member.key, member.key == "Healthcheck" ? healthcheck_value(member.value) : member.value);
  return out;
}

std::string text_or_empty(const Value& value) {
  return value.is_string() ? value.text() : std::string();
}

Value text_or_omitted(const Value& value) {
  return value.is_string() && !value.text().empty() ? value : Value::omitted("");
}

/// The comment of the newest step.
std::string comment_of(const Value& config) {
  if (const Value& comment = config["comment"]; comment.is_string()) return comment.text();
  const Value& history = config["history"];
  if (!history.is_array() || history.items().empty()) return "";
  return text_or_empty(history.items().back()["comment"]);
}

Result<Value> graph_driver(drivers::Driver& driver, const store::Image& image) {
  Value data = Value::map();
  if (!image.top.empty())
    for (const auto& [key, value] : TRY(driver.metadata(image.top))) data.set(key, value);
  Value out = Value::object();
  out.set("Data", std::move(data)).set("Name", driver.name());
  return out;
}

Value tag_time(int64_t nanoseconds) {
  if (nanoseconds == 0) return Value::time("0001-01-01T00:00:00Z");
  return Value::time(store::format_rfc3339({nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000}));
}

}  // namespace

Result<Value> inspect_image(Stores stores, const store::Image& image) {
  const std::string text = TRY(store::read_config_text(stores.images.content, image.id));
  const Value config = TRY(Value::parse(text).ctx("image %.12s", image.id.c_str()));
  Value tags = Value::array(), digests = Value::array();
  for (const store::Name& name : TRY(stores.images.images.names())) {
    if (!(image.id == name.id)) continue;
    (name.reference.digest ? digests : tags).add(name.reference.familiar());
  }
  Value layers = Value::array();
  if (const Value& ids = config["rootfs"]["diff_ids"]; ids.is_array())
    for (const Value& id : ids.items()) layers.add(id);
  Value rootfs = Value::object();
  rootfs.set("Type", "layers").set("Layers", std::move(layers));
  Value metadata = Value::object();
  metadata.set("LastTagTime", tag_time(image.tagged));

  Value out = Value::object();
  out.set("Id", "sha256:" + std::string(image.id.view()));
  out.set("RepoTags", std::move(tags)).set("RepoDigests", std::move(digests));
  out.set("Parent", image.parent.empty() ? "" : "sha256:" + std::string(image.parent.view()));
  out.set("Comment", comment_of(config)).set("Created", text_or_empty(config["created"]));
  out.set("Container", text_or_empty(config["container"]));
  out.set("ContainerConfig", config_value(config["container_config"]));
  out.set("DockerVersion", text_or_empty(config["docker_version"]));
  out.set("Author", text_or_empty(config["author"]));
  out.set("Config", config_value(config["config"]));
  out.set("Architecture", text_or_empty(config["architecture"]));
  out.set("Variant", text_or_omitted(config["variant"]));
  out.set("Os", text_or_empty(config["os"])).set("OsVersion", text_or_omitted(config["os.version"]));
  out.set("Size", image.size).set("VirtualSize", image.size);
  out.set("GraphDriver", TRY(graph_driver(stores.driver, image)));
  out.set("RootFS", std::move(rootfs)).set("Metadata", std::move(metadata));
  return out;
}

Result<std::vector<HistoryRow>> image_history(const store::ImageStore& images, const store::Image& image) {
  Arena arena;
  const oci::ImageConfig* config = TRY(store::read_config(images.content, image.id, arena));
  const std::vector<Digest> chain = oci::chain_ids(config->rootfs.diff_ids);
  std::vector<HistoryRow> rows;
  size_t next = 0;
  for (const oci::History& step : config->history) {
    HistoryRow row;
    row.id = "<missing>";
    if (Result<store::Time> created = store::parse_rfc3339(step.created); created.ok())
      row.created = created->seconds;
    row.created_by = step.created_by.view();
    row.comment = step.comment.view();
    if (!step.empty_layer && next < chain.size())
      if (Result<store::Layer*> layer = images.layers.get(chain[next++].hex(), arena); layer.ok())
        row.size = (*layer)->size;
    rows.push_back(std::move(row));
  }
  std::reverse(rows.begin(), rows.end());
  // The steps of images that were made here have images of their own.
  const std::vector<store::Name> names = TRY(images.images.names());
  std::string id(image.id.view());
  for (HistoryRow& row : rows) {
    if (id.empty()) break;
    Result<store::Image*> step = images.images.get(id, arena);
    if (!step.ok()) break;
    row.id = "sha256:" + id;
    for (const store::Name& name : names)
      if (name.id == id && !name.reference.digest) row.tags.push_back(name.reference.familiar());
    id = (*step)->parent.view();
  }
  return rows;
}

}  // namespace slipway::manager
