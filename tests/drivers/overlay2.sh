#!/bin/bash
# labels: root
# timeout: 120
# The suite on overlay2, on the file system of TMPDIR.
. "$SOURCE/tests/lib/common.sh"
require_root
mkdir "$TMPDIR/store"
"$BUILD/tests/drivers/suite" overlay2 "$TMPDIR/store"

# ext4 shall put each layer into a block group of its own (drivers/staging.cc).
case $(stat -fc %T "$TMPDIR") in
  ext2*) check_contains "$(lsattr -d "$TMPDIR/store/overlay2/tmp" | cut -d ' ' -f 1)" T ;;
esac
