#!/bin/bash
# Wrong uses of slip: each gives one clear line, the right exit status, and leaves nothing behind.
# labels: root cgroup
# timeout: 180
. "$SOURCE/tests/lib/common.sh"
require_root

good=$TMPDIR/good
make_bundle "$good" sleep 1000
bundle=$TMPDIR/b
id=$(new_id)
mkdir "$TMPDIR/slip-run"

# broken FILTER TEXT: `create` refuses the good configuration after this change.
broken() {
  rm -rf "$bundle"
  mkdir "$bundle"
  ln -s "$good/rootfs" "$bundle/rootfs"
  jq '.root.path = "'"$good"'/rootfs" | '"$1" "$good/config.json" >"$bundle/config.json"
  check_fails 1 "$2" slip create --bundle "$bundle" "$id"
  check_eq "" "$(slip list -q)" "containers left by: $1"
}
# text TEXT WANT: `create` refuses this config.json.
text() {
  rm -rf "$bundle"
  mkdir "$bundle"
  printf '%s' "$1" >"$bundle/config.json"
  check_fails 1 "$2" slip create --bundle "$bundle" "$id"
}

# --- the command line
check_fails 1 'unknown command "frobnicate"' slip frobnicate
check_fails 1 '"create" requires exactly 1 argument(s)' slip create
check_fails 1 '"create" requires exactly 1 argument(s)' slip create a b
check_fails 1 '"exec" requires a minimum of 1 argument(s)' slip exec
check_fails 1 '"kill" requires a maximum of 2 argument(s)' slip kill a 9 9
check_fails 1 '"list" requires exactly 0 argument(s)' slip list x
check_fails 1 'unknown flag: --nonsense' slip run --nonsense "$id"
check_fails 1 'flag needs an argument: --bundle' slip create --bundle
check_fails 1 'invalid boolean value "maybe"' slip create --no-pivot=maybe "$id"
check_fails 1 'Option --root argument should not be set to /' "$SLIP" --root / list
check_fails 1 'unknown cgroup manager "magic"' slip --cgroup-manager magic list
check_fails 1 'invalid boolean value "perhaps"' slip --rootless perhaps list
check_fails 1 'invalid value "x" for --preserve-fds' slip create --bundle "$good" --preserve-fds x "$id"
check_fails 1 'unable to stat preserved-fd' slip create --bundle "$good" --preserve-fds 90 "$id"
check_fails 1 'unknown shell "tcsh"' slip --completion tcsh

# --- identifiers
for bad in .. . a/b '' 'a b' ../x; do
  check_fails 1 'invalid' slip create --bundle "$good" "$bad"
done
check_fails 1 'invalid ID format: `a\n\x1b[2J`' slip create --bundle "$good" $'a\n\e[2J'
check_fails 1 'does not exist' slip state nobody
check_fails 1 'does not exist' slip start nobody
check_fails 1 'does not exist' slip kill nobody
check_fails 1 'does not exist' slip delete nobody
check_fails 255 'does not exist' slip exec nobody true
check_fails 1 'regular expression' slip delete --regex '('

# --- the bundle
check_fails 1 'bundle `/nowhere`' slip create --bundle /nowhere "$id"
check_fails 1 'JSON specification file config.json not found' slip create --bundle "$TMPDIR" "$id"
text '' 'config.json: '
text '{' 'config.json: '
text '[]' 'expected an object, found an array'
text '{"ociVersion": "1.0.0", "process": {"args": "sh"}}' 'process.args: expected an array, found a string'
text '{"ociVersion": "1.0.0", "linux": {"resources": {"memory": {"limit": "1g"}}}}' 'linux.resources.memory.limit: expected an integer'
broken 'del(.ociVersion)' 'ociVersion: is required'
broken 'del(.root)' 'root: is required'
broken '.root.path = "nothing"' 'nothing'
broken 'del(.process)' 'process: is required'
broken '.process.args = []' 'process.args must not be empty'
broken '.process.cwd = "relative"' 'process.cwd: not an absolute path'
broken '.process.rlimits[0].type = "RLIMIT_X"' 'process.rlimits[0].type: invalid rlimit type "RLIMIT_X"'
broken '.process.terminal = true' 'cannot allocate tty'
broken '.linux.namespaces += [{"type": "pid"}]' 'duplicated namespace "pid"'
broken '.linux.namespaces += [{"type": "magic"}]' 'unknown namespace "magic"'
broken '.linux.namespaces[0].path = "/nowhere"' '/nowhere'
broken '.linux.namespaces[0].path = "/etc/passwd"' '/etc/passwd'
broken '.linux.namespaces += [{"type": "user"}]' 'no uid mappings found'
broken '.linux.sysctl = {"kernel.panic": "1"}' 'not in a separate kernel namespace'
broken '.linux.seccomp = {"defaultAction": "X"}' 'linux.seccomp.defaultAction: unknown action "X"'
broken '.linux.resources.rdma = {"mlx5_0": {}}' 'neither hcaHandles nor hcaObjects of "mlx5_0"'
broken '.linux.rootfsPropagation = "sometimes"' 'linux.rootfsPropagation'
broken '.mounts += [{"destination": "/x", "type": "bind", "source": "/nowhere", "options": ["bind"]}]' '/nowhere'
broken '.mounts += [{"destination": "/x", "type": "nofs", "source": "x"}]' 'nofs'
broken '.hooks = {"createRuntime": [{"path": "hook"}]}' 'hooks.createRuntime[0].path'
broken '.hooks = {"createRuntime": [{"path": "/bin/false"}]}' '/bin/false'
broken '.process.args = ["nope"]' 'executable file not found in $PATH'
broken '.process.args = ["/etc/passwd"]' 'ermission denied'
check_fails 1 'console' slip create --bundle "$good" --console-socket "$TMPDIR/none" "$id"

# --- the state of the container
check slip create --bundle "$good" "$id"
check_fails 1 'already exists' slip create --bundle "$good" "$id"
check_fails 1 'unknown signal "NOPE"' slip kill "$id" NOPE
check slip start "$id"
check_fails 1 'cannot start an already running container' slip start "$id"
check_fails 1 'that is not stopped' slip delete "$id"
check_fails 255 'executable file not found in $PATH' slip exec "$id" nope
check_fails 255 'no such file or directory' slip exec "$id" /nope
check_fails 255 'ermission denied' slip exec "$id" /etc/passwd
check_fails 255 'process args cannot be empty' slip exec "$id"
check_fails 255 '/nowhere' slip exec --process /nowhere "$id"
check_fails 1 'cannot be used with --process' slip exec --process /nowhere --cwd / "$id"
check_fails 255 'cannot allocate tty' slip exec --detach --tty "$id" true
for user in -1 1x 4294967295 nobody-here 1:x; do
  check_fails 255 "\`${user#*:}\`" slip exec --user "$user" "$id" true
done
check slip kill "$id" KILL
wait_for 10 sh -c "'$SLIP' --root '$TMPDIR/slip-run' state '$id' | grep -q stopped"
check_fails 1 'cannot start a container that has stopped' slip start "$id"
check_fails 1 'container not running' slip kill "$id"
check_fails 255 'cannot exec in a stopped container' slip exec "$id" true
check slip delete "$id"

# --- a full disk, a read-only place
mkdir "$TMPDIR/small" "$TMPDIR/ro"
mount -t tmpfs -o ro none "$TMPDIR/ro"
check_fails 1 'Read-only file system' "$SLIP" --root "$TMPDIR/ro/state" create --bundle "$good" "$id"
check_fails 1 'Read-only file system' slip spec --bundle "$TMPDIR/ro"
check_fails 1 'pid' slip create --bundle "$good" --pid-file "$TMPDIR/ro/pid" "$id"
check_eq "" "$(slip list -q)"
mount -t tmpfs -o size=4k none "$TMPDIR/small"
head -c 4096 /dev/zero >"$TMPDIR/small/fill" || true
check_fails 1 'No space left on device' slip spec --bundle "$TMPDIR/small"
umount "$TMPDIR/ro" "$TMPDIR/small"
