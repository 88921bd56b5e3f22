#!/bin/bash
# labels: root
# timeout: 300
# Absolute links and "..", in each property of config.json that names a path in the container: nothing of the host is
# reached, shown, made or changed by it.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh /script
up=../../../../../../../../../..
mkdir -p outside/dir b/rootfs/links
echo host >outside/file
printf '#!/bin/sh\ntouch "%s/outside/ran"\n' "$TMPDIR" >outside/program
chmod 755 outside/program
ln -s "$TMPDIR/outside" b/rootfs/links/absolute
ln -s "$up$TMPDIR/outside" b/rootfs/links/up
own=$(cat b/config.json)
snapshot() { find "$TMPDIR/outside" -printf '%p %m %u %g %l %s %T@ %C@\n' | sort; }
before=$(snapshot)

# attempt WHAT JQ-FILTER: with each way out as $p. It runs or is refused; the host is as before, and not to be seen.
attempt() {
  local way
  for way in /links/absolute /links/up "$up$TMPDIR/outside" "/..$TMPDIR/outside" "/links/$up$TMPDIR/outside" "/proc/self/root$TMPDIR/outside" \
    "/proc/1/cwd" "/proc/self/fd/3" "/links/absolute/../outside"; do
    echo "$own" | jq "$2" --arg p "$way" --arg out "$TMPDIR/outside" >b/config.json
    echo "cat \"$way/file\" /file 2>/dev/null; ls -d \"$TMPDIR\" 2>/dev/null; true" >b/rootfs/script
    run slip run --bundle b "$(new_id)" 3<"$TMPDIR/outside"
    check_eq "$before" "$(snapshot)" "the host's directory after $1 with $way"
    check_lacks "$out" host "$1 with $way"
    [ ! -e outside/ran ] || fail "$1 with $way ran a program of the host"
    # What was made inside on the way.
    rm -rf --one-file-system "b/rootfs/${TMPDIR%%/*}/tmp"/* b/rootfs/outside
  done
}
attempt "a bind's destination" '.mounts += [{destination: ($p + "/dir"), type: "bind", source: "/etc", options: ["rbind", "ro"]}]'
attempt "a tmpfs' destination" '.mounts += [{destination: ($p + "/new/deep"), type: "tmpfs", source: "tmpfs"}]'
attempt "a copied-up tmpfs" '.mounts += [{destination: ($p + "/dir"), type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
attempt "a cgroup's destination" '.mounts += [{destination: ($p + "/cgroup"), type: "cgroup", source: "cgroup", options: ["ro"]}]'
attempt "a working directory" '.process.cwd = $p + "/work"'
attempt "an existing working directory" '.process.cwd = $p'
attempt "a device" '.linux.devices = [{path: ($p + "/null"), type: "c", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0}]'
attempt "a device over a file" '.linux.devices = [{path: ($p + "/file"), type: "c", major: 1, minor: 3}]'
attempt "a masked file" '.linux.maskedPaths = [$p + "/file"]'
attempt "a masked directory" '.linux.maskedPaths = [$p + "/dir"]'
attempt "a read-only path" '.linux.readonlyPaths = [$p]'
attempt "a program" '.process.args = [$p + "/program"]'
attempt "a hook in the container" '.hooks = {startContainer: [{path: ($p + "/program")}]}'
attempt "a PATH" '.process.args = ["program"] | .process.env = ["PATH=" + $p]'

# Devices and ids do not leave their directories either.
echo "$own" >b/config.json
for bad in ../x /x . .. a/b ''; do
  run slip run --bundle b "$bad"
  [ "$status" != 0 ] || fail "a container of the id '$bad'"
done
check_eq "" "$(slip list -q)"
for path in "/../../../$(new_id)" "../$(new_id)"; do
  jq '.linux.cgroupsPath = $p' --arg p "$path" <<<"$own" >b/config.json
  run slip run --bundle b "$(new_id)"
  check_eq "" "$(find /sys/fs/cgroup -maxdepth 1 -name "*$TEST_ID*")" "cgroups outside of a hierarchy"
done
