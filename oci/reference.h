// Names of images: Docker's grammar and its normalisation.
//
//   busybox                     docker.io/library/busybox   (tag: latest, where one is wanted)
//   user/app:1.0                docker.io/user/app:1.0
//   registry:5000/app@sha256:…  as it stands
#pragma once

#include <string>
#include <string_view>

#include "src/base/digest.h"

namespace slipway::oci {

struct Reference {
  std::string domain;  // "docker.io", "localhost:5000"
  std::string path;    // "library/busybox"
  std::string tag;     // "" when none was given
  Digest digest;       // none when none was given

  /// Errors: ErrorKind::invalid, "invalid reference format" and why.
  static Result<Reference> parse(std::string_view text);

  /// domain/path.
  std::string name() const;
  /// domain/path[:tag][@digest].
  std::string text() const;
  /// The name as people write it: without docker.io/ and library/.
  std::string familiar_name() const;
  /// familiar_name[:tag][@digest].
  std::string familiar() const;
  /// With neither tag nor digest: tag latest.
  void default_tag();
};

/// Whether Docker accepts it as a tag.
bool is_tag(std::string_view text);

}  // namespace slipway::oci
