// Locks on the directories of objects, and on files: flock(2), so they belong to an open description. They
// end with the process, however it dies, and no other close() in the process drops them.
//
// A lock that waited may have been on something that was removed or renamed meanwhile: ask still_named().
#pragma once

#include <optional>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::store {

enum class LockMode : bool { shared, exclusive };

/// Waits for the lock on an existing directory. Closing the result unlocks. Errors: not_found.
Result<Fd> lock_directory(int dir, const char* path, LockMode mode);
/// Without waiting; nothing when another holds the lock. Errors: not_found.
Result<std::optional<Fd>> try_lock_directory(int dir, const char* path, LockMode mode);
/// Makes the file when it is missing and waits for the lock on it.
Result<Fd> lock_file(int dir, const char* path, LockMode mode);

/// True when what `lock` is open on still has this name.
bool still_named(const Fd& lock, int dir, const char* path);

}  // namespace slipway::store
