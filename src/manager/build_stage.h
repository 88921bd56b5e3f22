// One stage of a build: the image as it is so far, and the steps that make the next one of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/manager/build.h"
#include "src/manager/config_change.h"
#include "src/manager/image_publish.h"

namespace slipway::manager {

/// Known to every RUN without being declared, and not part of what makes a step.
inline constexpr std::string_view kPredefinedArguments[] = {
    "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY",
    "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"};

class BuildStage {
 public:
  BuildStage(Stores stores, store::Store& store, const BuildRequest& request, char escape)
      : stores_(stores), store_(store), request_(request), escape_(escape) {}
  BuildStage(const BuildStage&) = delete;
  BuildStage& operator=(const BuildStage&) = delete;

  std::string name;  // of AS
  /// ID of the image so far; "" while there is none (FROM scratch).
  const std::string& image() const { return image_; }
  const oci::ImageConfig& config() const { return config_; }
  /// Chain ID of the uppermost layer, or "".
  std::string top() const { return layers_.empty() ? "" : layers_.back().chain.hex(); }

  /// Begins with an image of the store; "" for scratch.
  Status begin(const std::string& id);
  /// The instructions that the image left for its children, which are taken off it.
  std::vector<std::string> take_triggers();

  void set_argument(const std::string& key, const std::string& value) { arguments_[key] = value; }
  std::optional<std::string> variable(std::string_view key) const;
  Variables variables() const {
    return [this](std::string_view key) { return variable(key); };
  }

  /// An instruction that changes nothing but the config.
  Status change(const Instruction& instruction);
  Status run(const Instruction& instruction);
  /// COPY and ADD. `from`: another image's chain ID, or nothing for the context.
  Status copy(const Instruction& instruction, const std::optional<std::string>& from);
  Status workdir(const Instruction& instruction);

 private:
  void set_default_path();
  Result<bool> find_cached(const std::string& created_by);
  Status finish(const std::string& created_by, std::optional<ImportedLayer> layer);
  Result<std::optional<ImportedLayer>> layer_by(const std::function<Status(int root)>& fill,
                                                const std::string& created_by);
  Result<std::optional<ImportedLayer>> run_container(const std::vector<std::string>& words,
                                                     const std::string& created_by,
                                                     const std::string& network);
  std::string nop(const std::string& text) const { return "/bin/sh -c #(nop) " + text; }

  Stores stores_;
  store::Store& store_;
  const BuildRequest& request_;
  char escape_;
  Arena arena_;
  std::string image_, base_text_;
  oci::ImageConfig config_;
  std::vector<ImportedLayer> layers_;
  std::map<std::string, std::string, std::less<>> arguments_;
  bool cmd_set_ = false;
  bool cache_ = true;
};

}  // namespace slipway::manager
