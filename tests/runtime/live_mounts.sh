#!/bin/bash
# labels: root
# slip mounts: a running container gets mounts and loses them.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
id=$(new_id)
start() {
  slip run --detach --bundle b "$id" >/dev/null
}
inside() { slip exec "$id" /bin/sh -c "$1"; }
finish() {
  check slip delete --force "$id"
}
mkdir -p dir
echo in >dir/file
echo source >source
cat >mounts <<END
[{"destination": "/late/dir", "type": "bind", "source": "$TMPDIR/dir", "options": ["rbind", "ro"]},
 {"destination": "/late/file", "type": "bind", "source": "$TMPDIR/source", "options": ["bind"]},
 {"destination": "/late/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "ro"]},
 {"destination": "/late/proc", "type": "proc", "source": "proc"}]
END
start
check slip mounts add "$id" mounts
check_eq "" "$out$err"
check_eq "in
source
1" "$(inside 'cat /late/dir/file /late/file; ls /late/proc | grep -c "^1$"')"
check_eq "no" "$(inside 'touch /late/dir/x /late/tmp/x 2>/dev/null || echo no')"
# Nothing of it is on the host, nor in the bundle.
[ "$(ls -A b/rootfs/late/dir)" = "" ]
check slip mounts remove "$id" mounts
check_eq "0" "$(inside 'grep -c /late /proc/self/mountinfo || true')"

# As an object; errors name the mount; a missing mount is an error.
jq '{mounts: .[:1]}' mounts >object
check slip mounts add "$id" object
check slip mounts remove "$id" object
check_fails 1 'unmount `/late/dir`: Invalid argument' slip mounts remove "$id" object
jq '.mounts[0].source = "/no/such"' object >bad
check_fails 1 'open `/no/such`: No such file or directory' slip mounts add "$id" bad
check_fails 1 'unknown action `swap`' slip mounts swap "$id" object

# A link in the container does not lead out of it.
mkdir outside
inside "rm -rf /late; ln -s ../../../../../../../..$TMPDIR/outside /late"
check slip mounts add "$id" object
[ -z "$(ls -A outside)" ] || fail "made something on the host"
check slip mounts remove "$id" object
finish
check_fails 1 "does not exist" slip mounts add "$id" object

# In a user namespace.
chown -R 100000:100000 b/rootfs
rm -f b/rootfs/late
edit_config b '.linux.namespaces += [{type: "user"}]
  | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
start
check slip mounts add "$id" mounts
check_eq "in" "$(inside 'cat /late/dir/file')"
check slip mounts remove "$id" mounts
finish
