#!/bin/bash
# labels: root
# maskedPaths, readonlyPaths, root.readonly.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh /script
mkdir -p b/rootfs/secret b/rootfs/other b/rootfs/frozen/below
echo s >b/rootfs/secret/file
echo s >b/rootfs/other/file
echo s >b/rootfs/secret-file
ln -s secret-file b/rootfs/link
inside() {
  echo "$1" >b/rootfs/script
  check slip run --bundle b "$(new_id)"
}

edit_config b '.linux.maskedPaths = ["/secret", "/other", "/secret-file", "/missing", "/missing/below", "/proc/keys"]
  | .linux.readonlyPaths = ["/frozen", "/etc/passwd", "/missing", "/proc/sys"]'
inside 'ls -A /secret /other; wc -c </secret-file; wc -c </link; wc -c </proc/keys
for f in /secret/x /other/x /frozen/x /frozen/below/x /etc/passwd /proc/sys/kernel/domainname; do
  { echo x >>$f; } 2>/dev/null && echo "$f is writable"; done
echo x >/secret-file && wc -c </secret-file
awk "\$5 == \"/secret\" || \$5 == \"/other\" { print \$3 }" /proc/self/mountinfo | sort -u | wc -l
awk "\$5 == \"/secret\" { print \$6 }" /proc/self/mountinfo
ls -d /missing 2>&1 || true'
check_eq "/other:

/secret:
0
0
0
0
1
ro,nosuid,nodev,noexec,relatime
ls: /missing: No such file or directory" "$out"
check_eq s "$(cat b/rootfs/secret-file)"

# A read-only path keeps the other flags of its mount.
edit_config b '.mounts += [{destination: "/flags", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"]}]
  | .linux.readonlyPaths = ["/flags"]'
inside 'awk "\$5 == \"/flags\" { print \$6 }" /proc/self/mountinfo | tail -n 1'
check_eq "ro,nosuid,nodev,noexec,relatime" "$out"

# A read-only root: mounts on it stay as they are.
edit_config b '.root.readonly = true | .linux.readonlyPaths = [] | .linux.maskedPaths = []'
inside 'touch /x || echo "root is read-only"; touch /dev/shm/x && echo "shm is writable"'
check_eq "root is read-only
shm is writable" "$(grep -v ^touch <<<"$out")"
[ ! -e b/rootfs/x ]

# A read-only tmpfs has room for what is mounted on it, and /dev for its devices.
edit_config b '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)
  | .mounts += [{destination: "/flags/below", type: "tmpfs", source: "tmpfs"}]
  | .mounts |= map(if .destination == "/flags" then .options += ["ro"] else . end)'
inside 'touch /flags/below/x && ls -d /flags/below; touch /flags/x /dev/x || echo both are read-only; echo x >/dev/null'
check_eq "/flags/below
both are read-only" "$(grep -v ^touch <<<"$out")"
