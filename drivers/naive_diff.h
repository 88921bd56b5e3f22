// The difference of two trees, found by walking both: for drivers that have no better way, and to check those
// that have one.
#pragma once

#include <time.h>

#include <string>
#include <vector>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// What is known about where the new tree comes from. Regular files whose metadata are equal are the same
/// unless these say that they may not be; then their bytes are compared.
struct TreeOrigin {
  enum class Kind : uint8_t {
    unknown,   // equal metadata is all that can be asked for
    snapshot,  // a snapshot of the old tree: the same inode number and change time mean the same file
    copy       // a copy of the old tree that was complete at `copied`: older change times mean the same bytes
  };
  Kind kind = Kind::unknown;
  timespec copied = {};
};

/// What `new_tree` changes against `old_tree` (-1: nothing), as driver.h defines Change, sorted by path. Both
/// are directory descriptors; neither is followed out of its tree, mount points included.
Result<std::vector<Change>> diff_trees(int old_tree, int new_tree, const TreeOrigin& origin);

/// A path that may differ, for diff_paths().
struct Candidate {
  std::string path;      // without the first "/"
  bool subtree = false;  // what is below may differ too, though it is the same directory in both
};
/// The same, by looking at these paths only (sorted). A directory that is in one tree only, or has another inode
/// number in the other, is walked.
Result<std::vector<Change>> diff_paths(int old_tree, int new_tree, const TreeOrigin& origin,
                                       const std::vector<Candidate>& candidates);

/// Sorts, and adds the directories in which something changed.
void complete_changes(std::vector<Change>& changes);

}  // namespace slipway::drivers
