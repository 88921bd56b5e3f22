#!/bin/bash
# labels: root
# timeout: 120
# overlay2 in a user namespace: opaque marks in user.overlay.*, whiteouts made without privilege.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command setpriv unshare
setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm true 2>/dev/null || skip "no user namespaces for users"
mkdir -m 777 "$TMPDIR/store"
chmod 755 "$TMPDIR"
for case in committed_layers_are_read_only usage_and_metadata disposable names_and_errors killed_at_every_step random_changes; do
  setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm env SUITE_CASE=$case SUITE_SEED=3 \
    "$BUILD/tests/drivers/suite" overlay2 "$TMPDIR/store/rootless"
done
