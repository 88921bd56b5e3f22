#!/bin/bash
# labels: engine root
# timeout: 240
# An ordinary user's podman: it calls the runtime as the root of its own user namespace, through conmon without USER.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/engines.sh"
require_engine_runtime
require_command podman conmon setpriv newuidmap newgidmap

# The host's files stay as they are: these lie over them in this test's mount namespace.
user=slip$$
for file in passwd group subuid subgid; do
  [ -e "/etc/$file" ] || skip "no /etc/$file"
  cp "/etc/$file" "$TMPDIR/$file"
done
echo "$user:x:4322:4322::$TMPDIR/user:/bin/sh" >>"$TMPDIR/passwd"
echo "$user:x:4322:" >>"$TMPDIR/group"
echo "$user:200000:65536" | tee -a "$TMPDIR/subuid" >>"$TMPDIR/subgid"
for file in passwd group subuid subgid; do mount --bind "$TMPDIR/$file" "/etc/$file"; done

home=$TMPDIR/user
mkdir -p "$home/run" "$home/.config/containers"
chmod 755 "$TMPDIR"
cp "$ENGINE_RUNTIME" "$home/slip"
cat >"$home/.config/containers/containers.conf" <<E
[containers]
log_driver = "k8s-file"
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "slip"
[engine.runtimes]
slip = ["$home/slip"]
E
printf '[storage]\ndriver = "vfs"\n' >"$home/.config/containers/storage.conf"
make_rootfs "$TMPDIR/rootfs"
tar -C "$TMPDIR/rootfs" -cf "$home/bb.tar" .
chown -R 4322:4322 "$home"
podman_() {
  (cd "$home" && setpriv --reuid 4322 --regid 4322 --clear-groups env -i PATH="$PATH" HOME="$home" USER="$user" \
    XDG_RUNTIME_DIR="$home/run" podman "$@")
}
trap 'podman_ rm -af -t 0 >/dev/null 2>&1; podman_ system migrate >/dev/null 2>&1
  for file in passwd group subuid subgid; do umount "/etc/$file"; done' EXIT
engine=podman_
run_options=()
podman_ import bb.tar bb >/dev/null 2>&1
run_cases exit_codes exec terminal attach kill_and_stop

check podman_ run --rm bb cat /proc/self/uid_map
check_eq "0 4322 1 1 200000 65536" "$(xargs <<<"$out")" "uid_map"
check podman_ run --rm --userns keep-id bb id -u
check_eq 4322 "$out" "the user's own id"
[ -d "$home/run/slip" ] || fail "the state is not in XDG_RUNTIME_DIR"
