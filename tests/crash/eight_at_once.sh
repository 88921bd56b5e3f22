#!/bin/bash
# labels: root cgroup
# timeout: 700
# Eight processes at once create, run, start, commit, tag, remove and list in one store, half of their commands killed with
# SIGKILL at a random instant, and after one of CRASH_MONITORS commands a monitor, whatever it is doing. Afterwards the store
# is good, every container and image that is there works, and when all are removed nothing is left. CRASH_SECONDS is how
# long: 30, with STRESS=1 five minutes.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
seconds=${CRASH_SECONDS:-${STRESS:+300}}
seconds=${seconds:-30}
root=$TMPDIR/slipway
busybox_image bb
store() { "$SLIPWAY" --root "$root" --run-root "$TMPDIR/slipway-run" "$@"; }

# What a command may say when others work on the same things. Anything else is a fault.
expected='No such (container|image|object)|is already in use by container|is not running|You cannot remove a |conflict: unable to'
expected+='|was removed by another command at this moment|is already running|cannot start a paused container|is already (paused|stopped)|has a monitor already'
expected+='|its monitor was killed|the monitor ended before|the monitor of container|has died before it was ready|ambiguous|already exists|is being (started|removed)|not running'

container() { echo "c$((RANDOM % 12))"; }
image() { case $((RANDOM % 3)) in 0) echo bb ;; *) echo "i$((RANDOM % 6))" ;; esac }
# The program of every container: stays when it is told to, and always leaves a trace in its own layer.
script='echo $$ >>/trace; echo $RANDOM >/file$RANDOM; [ "$0" != stay ] || exec sleep 1000'

choose() { # sets command
  case $((RANDOM % 17)) in
    0 | 1) command=(create --name "$(container)" "$(image)" sh -c "$script" go) ;;
    2 | 3) command=(run --name "$(container)" "$(image)" sh -c "$script" go) ;;
    4 | 5) command=(run -d --name "$(container)" "$(image)" sh -c "$script" stay) ;;
    6) command=(run --rm "$(image)" sh -c "$script" go) ;;
    7) command=(start "$(container)") ;;
    8 | 9) command=(commit "$(container)" "i$((RANDOM % 6))") ;;
    10) command=(rm "$(container)") ;;
    11) command=(rm -f "$(container)") ;;
    12) command=(rmi "i$((RANDOM % 6))") ;;
    13) command=(tag "$(image)" "i$((RANDOM % 6))") ;;
    14) command=(ps -a) ;;
    15) command=(images -a) ;;
    16) command=(image prune -f) ;;
  esac
}

worker() { # NUMBER
  RANDOM=$(($1 * 7919 + $$))
  . "$SOURCE/tests/lib/strike.sh"
  longest=1000000 within=100000
  local end=$((SECONDS + seconds)) done=0 hits=0 monitors=0 monitor status
  while [ $SECONDS -lt $end ]; do
    choose
    done=$((done + 1))
    if ((RANDOM % 2)); then
      strike "$SLIPWAY" --root "$root" --run-root "$TMPDIR/slipway-run" "${command[@]}"
      hits=$((hits + struck))
    else
      status=0
      store "${command[@]}" </dev/null >/dev/null 2>"$TMPDIR/error$1" || status=$?
      # Its exit code is the container's when there is nothing on standard error.
      if [ $status != 0 ] && [ -s "$TMPDIR/error$1" ] && ! grep -qE "$expected" "$TMPDIR/error$1"; then
        echo "$status of ${command[*]:0:4}: $(cat "$TMPDIR/error$1")" >>"$TMPDIR/unexpected"
      fi
    fi
    if ((RANDOM % ${CRASH_MONITORS:-40} == 0)); then
      # Whatever it is doing: it has perhaps no order yet, or is about to become the container's program.
      monitor=$(pgrep -f "^slipway-monitor $root " | shuf -n 1) || true
      [ -z "$monitor" ] || ! kill -9 "$monitor" 2>/dev/null || monitors=$((monitors + 1))
    fi
  done
  echo "$done $hits $monitors" >"$TMPDIR/count$1"
}
for w in 1 2 3 4 5 6 7 8; do
  (
    trap - EXIT
    worker $w
  ) &
done
wait
check_eq 8 "$(find "$TMPDIR" -maxdepth 1 -name 'count*' | wc -l)" "workers that came to their end"
echo "$(cat "$TMPDIR"/count* | awk '{ n += $1; k += $2; m += $3 } END { print n " commands, " k " killed, and " m " monitors" }')"
[ ! -e "$TMPDIR/unexpected" ] || { sort "$TMPDIR/unexpected" | uniq -c | sort -rn | head -n 20 >&2; fail "unexpected errors"; }

# A run --rm that was killed may have its container still; its monitor, or the next command, removes it.
none_to_go() {
  slipway ps -aq >"$TMPDIR/containers"
  ! xargs -r "$SLIPWAY" --root "$root" --run-root "$TMPDIR/slipway-run" inspect \
    --format '{{.HostConfig.AutoRemove}}' <"$TMPDIR/containers" 2>&1 | grep -v false
}
wait_for 10 none_to_go
containers=$(cat "$TMPDIR/containers")
check slipway system check
check_eq "" "$out" "system check"

echo "$(wc -w <<<"$containers") containers and $(slipway images -aq | sort -u | wc -l) images survived"
for id in $containers; do
  if [ "$(slipway inspect --format '{{.State.Status}}' "$id")" = running ]; then
    check slipway exec "$id" cat /trace
  else
    check slipway start "$id"
    # What it wrote is in its layer, whether it has ended or not.
    for ((i = 0; i < 100; i++)); do
      run slipway cp "$id:/trace" "$TMPDIR/trace"
      [ $status != 0 ] || break
      sleep 0.05
    done
    [ $status = 0 ] || { show; slipway inspect --format '{{json .State}} {{json .Args}}' "$id" >&2; slipway logs "$id" >&2; fail "no trace in $id"; }
  fi
  check slipway diff "$id"
done
for id in $(slipway images -aq | sort -u); do check slipway run --rm "$id" cat /etc/passwd; done
check slipway save -o "$TMPDIR/saved" $(slipway images -q | sort -u)

for id in $containers; do check slipway rm -f "$id"; done
check slipway ps -aq
check_eq "" "$out" "containers left"
check slipway image prune -af
check slipway images -aq
check_eq "" "$out" "images left"
for room in tmp pending containers names ids repositories images graph content/blobs/sha256 overlay2/tmp; do
  check_eq "" "$(find "$root/$room" -mindepth 1 2>/dev/null | head -n 5)" "left in $room"
done
check_eq "" "$(find "$root/overlay2" -mindepth 1 -maxdepth 1 -name '????????????????????????????????*')" "layers left"
# The compiled seccomp filters stay.
check_eq "" "$(find "$TMPDIR/slipway-run" -mindepth 2 ! -path '*/.*' | head -n 5)" "left in the run directory"
