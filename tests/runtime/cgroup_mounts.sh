#!/bin/bash
# labels: root cgroup
# Mounts of type cgroup: the container sees its own cgroup, under the names that the host has.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh /script
id=$(new_id)
inside() {
  echo "$1" >b/rootfs/script
  check slip run --bundle b "$id"
}
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
  edit_config b '.linux.namespaces += [{type: "cgroup"}] | .linux.namespaces |= unique'
  inside 'cat /proc/self/cgroup; grep -c " /sys/fs/cgroup .* - cgroup2 " /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs'
  check_eq "0::/
1
1" "$(head -n 3 <<<"$out")"
  exit 0
fi

hierarchies=$(cd /sys/fs/cgroup && for d in *; do
  case $(stat -fc %T "$d") in cgroup*) [ -L "$d" ] || echo "$d" ;; esac; done | sort)
edit_config b '.linux.cgroupsPath = $id' --arg id "$id"  # relative: below the caller's, which differs between hierarchies
for namespace in no yes; do
  [ $namespace = no ] || edit_config b '.linux.namespaces += [{type: "cgroup"}]'
  inside 'ls /sys/fs/cgroup | sort; for d in /sys/fs/cgroup/*; do [ -L $d ] || grep -q "^1$" $d/cgroup.procs || echo "not in $d"; done
mkdir /sys/fs/cgroup/x 2>/dev/null || echo top is read-only; mkdir /sys/fs/cgroup/pids/x 2>/dev/null || echo pids is read-only
awk "\$5 == \"/sys/fs/cgroup/pids\" { print \$4 }" /proc/self/mountinfo'
  check_eq "$hierarchies" "$(grep -v read-only <<<"$out" | head -n -1 | grep -v '^not in')" "hierarchies (namespace: $namespace)"
  check_lacks "$out" "not in"
  check_contains "$out" "top is read-only"
  check_contains "$out" "pids is read-only"
  case $namespace in
    no) check_contains "$(tail -n 1 <<<"$out")" "/$id" ;;
    yes) check_eq / "$(tail -n 1 <<<"$out")" ;;
  esac
done
