// image-spec 1.1 config.md: the configuration of an image, its history, and the chain IDs of its layers.
//
// An image's ID is the digest of these bytes, so they are kept verbatim and never written again. A new image
// that is made from an old one takes over every field that this program does not know (derive()).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/descriptor.h"

namespace slipway::oci {

struct ImageHealthcheck {
  List<Str> test;  // {"NONE"}, {"CMD", ...}, {"CMD-SHELL", command}; empty: inherit
  int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;  // nanoseconds; 0: default
  int32_t retries = 0;
};

/// The member "config": what a container of the image gets.
struct ContainerDefaults {
  Str user;
  Map<json::Raw> exposed_ports;  // "80/tcp": {}
  List<Str> env;
  List<Str> entrypoint;
  List<Str> cmd;
  Map<json::Raw> volumes;
  Str working_dir;
  Map<Str> labels;
  Str stop_signal;
  List<Str> shell;
  List<Str> on_build;
  ImageHealthcheck* healthcheck = nullptr;
};

struct RootFs {
  Str type;
  List<Str> diff_ids;  // checked
};

struct History {
  Str created, created_by, author, comment;
  bool empty_layer = false;
};

struct ImageConfig {
  Str created;  // RFC 3339
  Str author;
  Str architecture, os, variant, os_version;
  ContainerDefaults config;
  RootFs rootfs;
  List<History> history;
};

extern const json::Type kImageConfigType, kContainerDefaultsType;

Result<ImageConfig*> parse_image_config(std::string_view text, Arena& arena);

/// The text of a new config: the known members from `config`, and from `base` ("" for none) every member, at
/// the top and inside "config", that this program does not know. Members are sorted by name, as Docker does.
Result<std::string> derive_image_config(std::string_view base, const ImageConfig& config, Arena& arena);

/// The chain ID of each layer from the lowest up: c0 = d0, cn = sha256(cn-1 + " " + dn).
std::vector<Digest> chain_ids(const List<Str>& diff_ids);
/// The chain ID of the layer with this diff ID on the layer `parent` (none: the lowest).
Digest chain_id(const Digest& parent, const Digest& diff_id);

}  // namespace slipway::oci
