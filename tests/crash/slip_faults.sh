#!/bin/bash
# labels: root cgroup
# timeout: 500
# kill -9 of slip at each of its fault points (src/base/fault.h), which are read from its sources. Afterwards `state` and
# `list` tell the truth, and the next command takes away what is left: the same name can be created, started and deleted.
# Where two commands meet, the first is stopped at a point while the other works.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slip
root=$TMPDIR/slip-run
id=$(new_id box)
mark=$((1000000 + $$ % 100000 * 10))
make_bundle "$TMPDIR/plain" /bin/sleep $mark
variant() { # NAME FILTER [JQ OPTION...]: the same with another configuration
  mkdir "$TMPDIR/$1"
  cp "$TMPDIR/plain/config.json" "$TMPDIR/$1"
  edit_config "$TMPDIR/$1" ".root.path = \$plain | $2" --arg plain "$TMPDIR/plain/rootfs" "${@:3}"
}
variant hooked '.hooks.createRuntime = [{path: "/bin/true"}]'
variant bare '.linux.namespaces |= map(select(.type != "mount")) | del(.linux.maskedPaths, .linux.readonlyPaths) | .mounts = []'
variant failing '.process.args = ["/no/such/program"]'
variant short '.process.args = ["/bin/true"]'
variant elsewhere '.linux.cgroupsPath = $path' --arg path "/$(new_id elsewhere)"

points() { # GROUP...: the points runtime.GROUP.STEP
  local group
  for group; do sed -n "s/.*fault_point(\"\\(runtime\\.$group\\.[a-z]*\\)\").*/\\1/p" "$SOURCE"/src/runtime/*.cc; done | sort -u
}
declare -A seen=()
# at POINT VERB...: slip is killed there.
at() {
  SLIPWAY_FAULT=$1:1 run timeout -k 1 20 "$SLIP" --root "$root" "${@:2}" </dev/null 2>/dev/null
  [ "$status" = 137 ] || { show; fail "it did not come by $1: $ran"; }
  seen[$1]=1
}

programs() { pgrep -fx "/bin/sleep $mark" || true; }
has_program() { [ -n "$(programs)" ]; }
has_no_program() { ! has_program; }
# Of the container, whatever they are by now; and commands.
processes() {
  { find /sys/fs/cgroup -path "*$TEST_ID*" -name cgroup.procs -exec cat {} + 2>/dev/null
    pgrep -f "^$SLIP .* $id" || true; } | sort -u
}
has_no_process() { [ -z "$(processes)" ]; }
cgroups() { find /sys/fs/cgroup -type d -name "*$TEST_ID*"; }
mounts() { cut -d' ' -f5 /proc/self/mountinfo | sort; }
mounted=$(mounts)
nothing_left() { # WHEN
  wait_for 5 has_no_process
  check_eq "" "$(programs)" "programs $1"
  check_eq "" "$(cgroups)" "cgroups $1"
  check_eq "$mounted" "$(mounts)" "mounts $1"
  check_eq "" "$(find "$root" -mindepth 1 ! -path "$root/.pending" ! -path "$root/.seccomp*")" "files $1"
}
# What `list`, which collects, says of it; "" of what does not exist.
status_of() {
  slip list --format json | jq -r --arg id "$id" '(. // [])[] | select(.id == $id) | .status'
}
# tells_the_truth WHEN: the status is that of the processes.
tells_the_truth() {
  told=$(status_of)
  run slip state "$id"
  check_eq "$told" "$([ "$status" != 0 ] || jq -r .status <<<"$out")" "state and list $1"
  case $told in
    "" | stopped) wait_for 5 has_no_program ;;
    running) wait_for 5 has_program ;;
    created)
      check_eq "" "$(programs)" "programs of a created container $1"
      [ -n "$(processes)" ] || fail "there is no init of the created container $1"
      ;;
    paused) ;;
    *) fail "$1 it is $told" ;;
  esac
}
# The name is as good as new.
works_again() { # WHEN
  nothing_left "$1"
  check slip create --bundle "$TMPDIR/plain" "$id" </dev/null
  check slip start "$id"
  check_eq running "$(status_of)" "$1, made again:"
  check slip delete --force "$id"
}

# --- what is being made: `list` and a forced deletion, or the same creation again

for bundle in plain hooked bare; do
  for verb in create run "run --detach"; do
    for point in $(points create); do
      case $bundle:$verb:$point in
        hooked:create:*.creating) ;;
        hooked:* | *.creating | *:create:*.executed | bare:run*) continue ;;
      esac
      when="after a $verb of $bundle that died at $point"
      # shellcheck disable=SC2086
      at $point $verb --bundle "$TMPDIR/$bundle" "$id"
      if [ "$verb" = create ]; then
        tells_the_truth "$when"
        check slip delete --force "$id"
      fi
      run slip create --bundle "$TMPDIR/plain" "$id" </dev/null
      if [ "$status" = 0 ]; then
        check_eq created "$(status_of)" "$when, made again:"
      else
        check_contains "$err" "already exists"
        tells_the_truth "$when, and another one"
        [ -n "$told" ] || fail "it is said to exist, and does not, $when"
      fi
      check slip delete --force "$id"
      nothing_left "$when"
    done
  done
done
for point in $(points undo); do
  when="after a create that failed and died at $point"
  at $point create --bundle "$TMPDIR/failing" "$id"
  tells_the_truth "$when"
  check_eq "" "$told" "$when:"
  works_again "$when"
done
# Whoever collects what a killed one has left is killed, too.
for point in $(points collect) runtime.remove.renamed; do
  at runtime.create.staged create --bundle "$TMPDIR/plain" "$id"
  at $point list
  check slip list --quiet
  check_eq "" "$out"
  works_again "after a list that died at $point"
done

# --- what is being started

for point in $(points start); do
  when="after a start that died at $point"
  check slip create --bundle "$TMPDIR/plain" "$id" </dev/null
  at $point start "$id"
  case $point in
    # Nobody will start it any more, but whoever tries again.
    *.opened) check_eq created "$(status_of)" "$when:"; check slip start "$id" ;;
    *) wait_for 5 has_program ;;
  esac
  tells_the_truth "$when"
  check_eq running "$told" "$when:"
  check_fails 1 "cannot start an already running container" slip start "$id"
  check slip exec "$id" /bin/true
  check slip delete --force "$id"
  nothing_left "$when"
done

# --- what lives

check slip run --detach --bundle "$TMPDIR/plain" "$id" </dev/null
is_alone() { [ "$(processes | wc -l)" = 1 ]; }
for point in $(points exec); do
  at $point exec "$id" /bin/sleep $((mark + 1))
  if [ $point = runtime.exec.executed ]; then
    # As of a runtime that has done its work: it is the container's, and goes with it.
    check_eq 2 "$(processes | wc -l)" "processes"
    check pkill -fx "/bin/sleep $((mark + 1))"
  fi
  wait_for 5 is_alone
  tells_the_truth "after an exec that died at $point"
  check_eq running "$told"
done
for point in $(points update); do
  at $point update --pids-limit 100 "$id"
  check slip update --pids-limit 200 "$id"
  check_eq 200 "$(jq .linux.resources.pids.limit "$root/$id/config.json")" "limit after an update that died at $point"
  check_eq "" "$(find "$root/$id" -name '*.tmp')" "half-written files"
done
for point in $(points freeze); do
  at $point pause "$id"
  tells_the_truth "after a pause that died at $point"
  [ "$told" != paused ] || check slip resume "$id"
  check slip exec "$id" /bin/true
  check slip pause "$id"
  check_eq paused "$(status_of)"
  check slip resume "$id"
done
for point in $(points kill); do
  check slip pause "$id"
  at $point kill "$id" KILL
  tells_the_truth "after a kill of a paused container that died at $point"
  [ "$told" = stopped ] || check slip kill "$id" KILL
  wait_for 5 has_no_program
  check_eq stopped "$(status_of)"
  check slip delete "$id"
  works_again "after a kill that died at $point"
  check slip run --detach --bundle "$TMPDIR/plain" "$id" </dev/null
done
check slip delete --force "$id"

# --- what is being deleted

for state in created running paused stopped; do
  for point in $(points delete) $(points remove) $(points kill); do
    [[ $state = paused || $point != *.signalled ]] || continue
    when="after a deletion of a $state container that died at $point"
    check slip create --bundle "$TMPDIR/plain" "$id" </dev/null
    [ $state = created ] || check slip start "$id"
    [ $state != paused ] || check slip pause "$id"
    [ $state != stopped ] || { check slip kill "$id" KILL; wait_for 5 has_no_program; }
    at $point delete --force "$id"
    tells_the_truth "$when"
    check slip delete --force "$id"
    works_again "$when"
  done
done
# `run` takes its own container away.
for point in runtime.delete.cgroup $(points remove); do
  at $point run --bundle "$TMPDIR/short" "$id"
  tells_the_truth "after a run that died at $point"
  works_again "after a run that died at $point"
done

# --- two at once

# stop_at POINT VERB...: slip in the background, stopped there.
is_stopped() { [[ $(cat /proc/$stopped/stat) = *") T "* ]]; }
stop_at() {
  SLIPWAY_FAULT=$1:1:stop "$SLIP" --root "$root" "${@:2}" </dev/null >"$TMPDIR/second" 2>&1 &
  stopped=$!
  wait_for 10 is_stopped
}
# go_on: its exit status is the second one.
go_on() {
  kill -CONT $stopped
  second=0
  wait $stopped || second=$?
}

# A creator that has looked and found nothing, and then has the record of one that was killed meanwhile.
for point in $(points create); do
  case $point in *.planned | *.creating | *.executed) continue ;; esac
  stop_at runtime.create.planned create --bundle "$TMPDIR/plain" "$id"
  at $point create --bundle "$TMPDIR/elsewhere" "$id"
  go_on
  when="made beside a creation that died at $point"
  tells_the_truth "$when"
  case $point in
    *.published | *.announced) check_eq "1 stopped" "$second $told" "$when:" ;;
    *) check_eq "0 created" "$second $told" "$when: $(cat "$TMPDIR/second")" ;;
  esac
  check slip delete --force "$id"
  nothing_left "$when"
done
# What cannot be collected is not forgotten: here the one who shall do it is in the cgroup.
at runtime.create.joined create --bundle "$TMPDIR/elsewhere" "$id"
pids=$(cgroups | head -n 1)
within() { (echo "$BASHPID" >"$pids/cgroup.procs" && exec "$SLIP" --root "$root" "$@" </dev/null); }
check_fails 1 "the caller is in it too" within create --bundle "$TMPDIR/plain" "$id"
check_fails 1 "the caller is in it too" within delete --force "$id"
check within list
[ -n "$(cgroups)" ] || fail "the cgroup has gone"
check slip list --quiet
check_eq "" "$out"
works_again "after one who was in the cgroup of a killed creation"

# Frozen while it is being deleted, by one who is dead, or not yet complete.
for point in "" $(points freeze); do
  check slip run --detach --bundle "$TMPDIR/plain" "$id" </dev/null
  stop_at runtime.delete.found delete --force "$id"
  if [ -z "$point" ]; then check slip pause "$id"; else at $point pause "$id"; fi
  go_on
  check_eq 0 "$second" "a deletion beside a pause that ${point:+died at }$point: $(cat "$TMPDIR/second")"
  works_again "after a deletion beside a pause"
done
# Two deletions, and a creation beside one.
for point in $(points delete) $(points remove); do
  check slip run --detach --bundle "$TMPDIR/plain" "$id" </dev/null
  stop_at $point delete --force "$id"
  check slip delete --force "$id"
  go_on
  check_eq 0 "$second" "a deletion, stopped at $point, beside another one: $(cat "$TMPDIR/second")"
  works_again "after two deletions"
done

for point in $(points '[a-z]*'); do
  [ -n "${seen[$point]:-}" ] || fail "nothing has come by $point"
done
