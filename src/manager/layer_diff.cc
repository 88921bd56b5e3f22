#include "src/manager/layer_diff.h"

#include "oci/tree_archive.h"

namespace slipway::manager {

namespace {

/// Deletions bear no time of their own: the epoch, so that the same changes are the same bytes.
constexpr timespec kEpoch = {};

bool is_whiteout_name(const std::string& path) {
  return path.find("/.wh.") != std::string::npos;
}

}  // namespace

Status write_layer_diff(int contents, const std::vector<drivers::Change>& changes, oci::TarWriter& writer) {
  oci::TreeArchiver archiver(writer, contents);
  for (const drivers::Change& change : changes) {
    if (is_whiteout_name(change.path))
      return Error::of(ErrorKind::invalid, "`%s` cannot be kept in a layer: such names mean deletions there",
                       change.path.c_str());
    const std::string path = change.path.substr(change.path.starts_with('/') ? 1 : 0);
    if (change.kind == drivers::ChangeKind::deleted) {
      TRY(archiver.add_whiteout(path, kEpoch));
    } else {
      TRY(archiver.add(path));
    }
  }
  return writer.finish();
}

}  // namespace slipway::manager
