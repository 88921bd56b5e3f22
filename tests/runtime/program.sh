#!/bin/bash
# The container's program: found in the container's $PATH; the phrases that engines turn into exit codes 126 and 127.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle"
root=$bundle/rootfs
id=$(new_id)
mkdir -p "$root/opt/bin" "$root/opt/dir.d/tool"
printf '#!/bin/sh\necho tool "$0" "$@"\n' >"$root/opt/bin/tool"
chmod 755 "$root/opt/bin/tool"
echo text >"$root/opt/plain"
echo garbage >"$root/opt/garbage"
chmod 755 "$root/opt/garbage"

try() { # STATUS TEXT ARG...
  local want_status=$1 want_text=$2
  shift 2
  edit_config "$bundle" '.process.args = $ARGS.positional' --args -- "$@"
  if [ "$want_status" = 0 ]; then
    check slip run --bundle "$bundle" "$id"
    check_eq "$want_text" "$out"
  else
    check_fails 1 "$want_text" slip run --bundle "$bundle" "$id"
    check_eq "" "$(slip list -q)" "containers left"
  fi
}

try 1 'executable file not found in $PATH' nope
try 1 'no such file or directory' /nope
try 1 'no such file or directory' ./nope
try 1 'permission denied' /opt/plain
try 1 'is a directory' /opt
try 1 'exec format error' /opt/garbage
try 1 'not a directory' /opt/plain/x
edit_config "$bundle" '.process.env = ["PATH=/opt/dir.d:/opt/bin:/bin"]'
try 0 'tool /opt/bin/tool a b' tool a b
edit_config "$bundle" '.process.cwd = "/opt"'
try 0 'tool bin/tool' bin/tool
# Without PATH the usual directories are searched.
edit_config "$bundle" '.process.env = [] | .process.cwd = "/"'
try 0 found echo found
edit_config "$bundle" '.process.env = ["PATH="]'
try 1 'executable file not found in $PATH' echo

# The program vanishes, or is wrong, between create and start: start says so, and the container has stopped.
edit_config "$bundle" '.process.env = ["PATH=/opt/bin"]'
edit_config "$bundle" '.process.args = ["tool"]'
check slip create --bundle "$bundle" "$id"
rm "$root/opt/bin/tool"
check_fails 1 'no such file or directory' slip start "$id"
check_eq stopped "$(slip state "$id" | jq -r .status)"
check slip delete "$id"

# However the two sides meet, the failure is told.
edit_config "$bundle" '.process.args = ["no-such-program"]'
for _ in $(seq 200); do
  check_fails 1 'executable file not found' slip run --bundle "$bundle" "$id"
done
