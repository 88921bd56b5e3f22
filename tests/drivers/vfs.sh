#!/bin/bash
# labels: root
# timeout: 120
# The suite on vfs, on the file system of TMPDIR.
. "$SOURCE/tests/lib/common.sh"
require_root
mkdir "$TMPDIR/store"
"$BUILD/tests/drivers/suite" vfs "$TMPDIR/store"
