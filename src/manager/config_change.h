// Dockerfile instructions that change nothing but an image's config: CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK
// LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR. `commit --change`, `import --change` and `build` use them.
#pragma once

#include <string>
#include <string_view>

#include "oci/image_config.h"
#include "src/manager/dockerfile_words.h"

namespace slipway::manager {

class ConfigChanger {
 public:
  ConfigChanger(oci::ContainerDefaults& config, Arena& arena, char escape = '\\')
      : config_(config), arena_(arena), escape_(escape) {}

  /// "CMD", in upper case.
  static bool knows(std::string_view instruction);

  /// A whole line: "ENV A=1". Variables are those of the config's own environment.
  Status apply_line(std::string_view line);
  /// Instruction (upper case) and the rest of its line. Errors: invalid.
  Status apply(std::string_view instruction, std::string_view rest, const Variables& variables);

  /// The value of a variable of the config's environment.
  std::optional<std::string> environment(std::string_view name) const;
  void set_environment(std::string_view name, std::string_view value);

 private:
  Status command(std::string_view rest, List<Str>& out);
  Status pairs(std::string_view instruction, std::string_view rest, const Variables& variables);
  Status expose(std::string_view rest, const Variables& variables);
  Status healthcheck(std::string_view rest);
  Status workdir(std::string_view rest, const Variables& variables);
  List<Str> list(const std::vector<std::string>& words);
  void set_label(std::string_view name, std::string_view value);

  oci::ContainerDefaults& config_;
  Arena& arena_;
  char escape_;
  bool cmd_set_ = false;
};

/// A path without "." and "..", relative ones seen from `base`.
std::string clean_path(std::string_view base, std::string_view path);

}  // namespace slipway::manager
