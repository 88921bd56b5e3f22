# shellcheck shell=bash
# What shell tests share. A test begins with
#
#   #!/bin/bash
#   # labels: root cgroup
#   . "$SOURCE/tests/lib/common.sh"
#
# and is run by tests/lib/run-test, which sets SOURCE, BUILD, TMPDIR and TEST_ID. A command that fails ends the test.
set -euE -o pipefail
# A program that fails is its caller's affair: who expects it does not want to read of it.
trap '[[ ${FUNCNAME[0]:-} =~ ^slip(way)?$ ]] || echo "FAILED: line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND" >&2' ERR

SLIP=${SLIP:-$BUILD/slip}
SLIPWAY=${SLIPWAY:-$BUILD/slipway}
BUSYBOX=${BUSYBOX:-$(command -v busybox || true)}

# What a test that fails leaves running.
delete_containers() {
  [ -d "$TMPDIR/slip-run" ] || return 0
  local id
  for id in $(ls "$TMPDIR/slip-run"); do
    "$SLIP" --root "$TMPDIR/slip-run" delete --force "$id" 2>/dev/null || true
  done
}
trap delete_containers EXIT

# The programs, with roots of this test's own.
slip() {
  "$SLIP" --root "$TMPDIR/slip-run" "$@"
}
slipway() {
  "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" "$@"
}

skip() { # REASON
  echo "skipped: $*"
  exit 77
}
fail() { # MESSAGE
  echo "FAILED: line ${BASH_LINENO[1]:-?}: $*" >&2
  exit 1
}

require_root() {
  [ "$(id -u)" = 0 ] || skip "not root"
}
require_command() { # NAME...
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || skip "no $name"
  done
}
require_program() { # slip|slipway
  local name
  for name in "$@"; do
    [ -x "$BUILD/$name" ] || skip "no $name in $BUILD"
  done
}
# Where a controller's v1 hierarchy or the v2 tree that has it is mounted; skips when nowhere.
require_cgroup() { # CONTROLLER
  cgroup_of "$1" >/dev/null || skip "no cgroup controller $1"
}
cgroup_of() { # CONTROLLER
  local where
  where=$(awk -v want="$1" '{
      split($0, part, " - "); split(part[1], left, " "); n = split(part[2], right, " ")
      if (right[1] == "cgroup") { m = split(right[3], option, ",")
        for (i = 1; i <= m; i++) if (option[i] == want) { print left[5]; exit } }
    }' /proc/self/mountinfo)
  if [ -z "$where" ]; then
    local two
    two=$(awk '{ split($0, part, " - "); split(part[1], left, " "); if (part[2] ~ /^cgroup2 /) { print left[5]; exit } }' \
      /proc/self/mountinfo)
    # v2 has no controllers for these: every cgroup can be frozen and have a device program.
    case $1 in freezer | devices) where=$two ;; esac
    [ -n "$two" ] && grep -qw "$1" "$two/cgroup.controllers" && where=$two
  fi
  [ -n "$where" ] && echo "$where"
}

# run COMMAND...: sets status, out and err (the two streams without the last newline).
run() {
  status=0
  "$@" >"$TMPDIR/.out" 2>"$TMPDIR/.err" || status=$?
  out=$(cat "$TMPDIR/.out")
  err=$(cat "$TMPDIR/.err")
  ran="$*"
}
show() {
  printf -- '--- %s: exit status %s\n--- stdout\n%s\n--- stderr\n%s\n---\n' "$ran" "$status" "$out" "$err" >&2
}

check_eq() { # WANT GOT [WHAT]
  [ "$1" = "$2" ] || fail "${3:-value}: want '$1', got '$2'"
}
check_contains() { # TEXT PART [WHAT]
  case $1 in *"$2"*) ;; *) fail "${3:-text}: '$2' is not in '$1'" ;; esac
}
check_lacks() { # TEXT PART [WHAT]
  case $1 in *"$2"*) fail "${3:-text}: '$2' is in '$1'" ;; esac
}
# check COMMAND...: runs it and wants success.
check() {
  run "$@"
  [ "$status" = 0 ] || { show; fail "exit status $status of: $ran"; }
}
# check_fails STATUS TEXT COMMAND...: wants this exit status, and one line on stderr that contains TEXT.
check_fails() {
  local want_status=$1 want_text=$2
  shift 2
  run "$@"
  [ "$status" = "$want_status" ] || { show; fail "want exit status $want_status, got $status"; }
  case $err in *"$want_text"*) ;; *) show; fail "'$want_text' is not in the error" ;; esac
  [ "$(wc -l <<<"$err")" = 1 ] || { show; fail "more than one line of error"; }
}
# wait_for SECONDS COMMAND...: until it succeeds. (SLOWER: how many times slower than usual this machine may be.)
wait_for() {
  local end=$((SECONDS + $1 * ${SLOWER:-1}))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
    sleep 0.05
  done
}

# Whether the programs are built with SANITIZE=: they take more memory then, and call the sanitizers' run-time library.
instrumented() {
  [[ $BUILD == */sanitize ]]
}
# Whether slip can be the init of a container with --init. A dynamic one, as with SANITIZE=, does not find its libraries there.
slip_is_static() {
  [[ $(ldd "$SLIP" 2>&1) != *' => '* ]] || { echo "left out: --init, since $SLIP is dynamic"; return 1; }
}

# An id for a container or cgroup that no other test uses.
new_id() { # [WORD]
  echo "$TEST_ID-${1:-c}"
}

# The 400 links of a busybox cost a second to make: they are made once per build directory. (BUSYBOX_TREE: a copy of them.)
busybox_tree() {
  local tree name
  if [ -n "${BUSYBOX_TREE:-}" ]; then
    echo "$BUSYBOX_TREE"
    return
  fi
  tree=$BUILD/tests/busybox-tree-$(stat -Lc %Y-%s "$BUSYBOX")
  if [ ! -d "$tree" ]; then
    mkdir -p "$tree.$$/bin"
    cp "$BUSYBOX" "$tree.$$/bin/busybox"
    for name in $("$BUSYBOX" --list); do
      [ "$name" = busybox ] || ln -sf busybox "$tree.$$/bin/$name"
    done
    # Another test may have been faster.
    mv -T "$tree.$$" "$tree" 2>/dev/null || rm -rf "$tree.$$"
  fi
  echo "$tree"
}
# make_rootfs DIR: a root file system with busybox in it.
make_rootfs() {
  [ -n "$BUSYBOX" ] || skip "no busybox"
  mkdir -p "$1"/bin "$1"/dev "$1"/etc "$1"/home "$1"/proc "$1"/root "$1"/sys "$1"/tmp "$1"/usr "$1"/var
  chmod 1777 "$1/tmp"
  cp -a "$(busybox_tree)/bin/." "$1/bin"
  printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nuser:x:1000:1000::/home:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\ndaemon:x:1:\nstaff:x:50:user\nuser:x:1000:\n' >"$1/etc/group"
}

# make_bundle DIR [ARG...]: a bundle with the default config.json of slip, no terminal, and ARGs as its process.
make_bundle() {
  require_command jq
  require_program slip
  local bundle=$1
  shift
  mkdir -p "$bundle"
  make_rootfs "$bundle/rootfs"
  "$SLIP" spec --bundle "$bundle"
  [ $# -gt 0 ] || set -- /bin/sh
  edit_config "$bundle" '.process.terminal = false | .root.readonly = false | .process.args = $ARGS.positional' \
    --args -- "$@"
}
# edit_config DIR FILTER [JQ OPTION...]: changes a bundle's config.json.
edit_config() {
  local config=$1/config.json filter=$2
  shift 2
  jq "$filter" "$config" "$@" >"$config.new"
  mv "$config.new" "$config"
}

# busybox_image NAME: imports a busybox root file system into the store of this test.
busybox_image() {
  require_program slipway
  [ -d "$TMPDIR/busybox-rootfs" ] || make_rootfs "$TMPDIR/busybox-rootfs"
  slipway import "$TMPDIR/busybox-rootfs" "$1" >/dev/null
}
