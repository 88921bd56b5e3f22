#!/bin/bash
# labels: root aufs
# timeout: 200
# The suite on aufs, where the kernel has it (see tests/vm/aufs.sh). TMPDIR must not be on overlay or btrfs.
. "$SOURCE/tests/lib/common.sh"
require_root
grep -qw aufs /proc/filesystems || modprobe -q aufs || skip "no aufs in this kernel"
mkdir "$TMPDIR/store"
"$BUILD/tests/drivers/suite" aufs "$TMPDIR/store"
