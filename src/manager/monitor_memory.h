// A monitor sleeps for as long as its container runs: what it does not need meanwhile goes back to the kernel.
#pragma once

namespace slipway::manager {

/// Frees the heap's unused pages, and drops the pages of the program and its libraries from this process's
/// page tables: they are read again from the page cache when they are needed.
void release_memory();

}  // namespace slipway::manager
