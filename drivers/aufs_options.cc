#include "drivers/aufs_options.h"

namespace slipway::drivers {

AufsOptions aufs_options(size_t page, size_t reserved, const std::string& writable,
                         const std::vector<std::string>& branches, const std::string& xino) {
  // dio: direct input and output for those branches that have it. dirperm1 (2014): a directory's permissions are those
  // of its uppermost branch, else a lower one's mask the others'. xino: the table of inode numbers, on a tmpfs.
  const std::string rest = ",dio,xino=" + xino + ",dirperm1";
  const size_t room = page - 1 - reserved - rest.size();
  AufsOptions options;
  options.first = "br:";
  if (!writable.empty()) options.first += writable + "=rw";
  bool fits = true;
  for (const std::string& path : branches) {
    const std::string branch = path + "=ro+wh";
    const bool alone = options.first.size() == 3;
    fits = fits && (alone || options.first.size() + 1 + branch.size() <= room);
    if (!fits) {
      options.remounts.push_back("append:" + branch);
    } else {
      options.first += (alone ? "" : ":") + branch;
    }
  }
  options.first += rest;
  return options;
}

Status check_aufs_path(const std::string& path) {
  if (path.find_first_of(":,=\\") == std::string::npos) return {};
  return Error::of(ErrorKind::invalid, "aufs cannot use `%s`: it has a `:`, `,`, `=` or `\\` in its path",
                   path.c_str());
}

}  // namespace slipway::drivers
