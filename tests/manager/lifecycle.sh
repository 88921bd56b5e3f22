#!/bin/bash
# labels: root cgroup
# timeout: 120
# A container from create to rm: start, stop, kill, pause, restart, wait, rename, update, restart policies.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox
state() { slipway inspect -f '{{.State.Status}}' "$1"; }

id=$(slipway create --name web busybox sleep 100)
check_eq 64 ${#id} 'length of the id'
check_eq created "$(state web)"
check_eq web "$(slipway start web)"
check_eq running "$(state "${id:0:12}")"
check_eq running "$(state "${id:0:5}")"
check_eq web "$(slipway start web)" 'start of a running one'
check_fails 1 'You cannot remove a running container' slipway rm web

# A frozen process makes no progress.
check slipway exec -d web sh -c 'while :; do date +%s%N >/tmp/now; done'
wait_for 5 slipway exec web test -s /tmp/now
check slipway pause web
check_eq paused "$(state web)"
check_contains "$(slipway ps --format '{{.Status}}')" '(Paused)'
check_fails 1 'is paused' slipway exec web true
check_fails 1 'already paused' slipway pause web
slipway cp web:/tmp/now "$TMPDIR/first"
sleep 0.2
slipway cp web:/tmp/now "$TMPDIR/second"
check cmp "$TMPDIR/first" "$TMPDIR/second"
check slipway unpause web
check_fails 1 'is not paused' slipway unpause web

# stop sends TERM, which sleep does not handle as process 1; then KILL.
check slipway stop -t 1 web
check_eq exited "$(state web)"
check_eq 137 "$(slipway wait web)"
check slipway stop web
check_fails 1 'is not running' slipway kill web
check slipway restart web
check_eq running "$(state web)"
check slipway kill -s KILL web
check_eq 137 "$(slipway wait web)"

check slipway rename web shop
check_fails 1 'No such container: web' slipway inspect --type container web
check slipway run -d --name web --stop-signal USR1 busybox sh -c 'trap "exit 5" USR1; while :; do sleep 0.1; done'
check_fails 1 'is already in use' slipway rename shop web
sleep 0.3
check slipway stop web
check_eq 5 "$(slipway inspect -f '{{.State.ExitCode}}' web)"
check slipway rm web shop
check_fails 1 'No such container' slipway rm web

# wait blocks until the end, and prints the code.
check slipway run -d --name short busybox sh -c 'sleep 0.5; exit 9'
check_eq 9 "$(slipway wait short)"
check slipway rm short

# Limits of a running container.
check slipway run -d --name box -m 64m busybox sleep 100
check slipway update -m 32m --memory-swap 64m box
check_eq 33554432 "$(slipway inspect -f '{{.HostConfig.Memory}}' box)"
check_eq 33554432 "$(slipway exec box sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null')"
# They are changed in the kernel and in the record, or in neither.
box=$TMPDIR/slipway/containers/$(slipway inspect -f '{{.Id}}' box)
limits() { slipway inspect -f '{{.HostConfig.PidsLimit}}' box && find /sys/fs/cgroup -path "*/${box##*/}/pids.max" -exec cat {} +; }
check slipway update --pids-limit 70 box
mount --bind "$box" "$box"
mount -o remount,bind,ro "$box"
check_fails 1 'Read-only file system' slipway update --pids-limit 71 box
umount "$box"
check_eq $'70\n70' "$(limits)" 'limits after an update that could not be noted'
check_fails 1 'linux.resources.cpu.cpus' slipway update --pids-limit 71 --cpuset-cpus 4000 box
check_eq 70 "$(slipway inspect -f '{{.HostConfig.PidsLimit}}' box)" 'limit after an update that the kernel refuses'
check_contains "$(slipway top box)" 'sleep 100'
check_contains "$(slipway stats --no-stream box)" 'box'
check slipway rm -f box

# Restart policies.
check slipway run -d --name again --restart on-failure:2 busybox false
check_eq 1 "$(slipway wait again)"
check_eq 2 "$(slipway inspect -f '{{.RestartCount}}' again)"
check slipway rm again
check slipway run -d --name always --restart always busybox sh -c 'sleep 0.2'
wait_for 10 sh -c "[ \$('$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' inspect -f '{{.RestartCount}}' always) -ge 1 ]"
check slipway stop always
check_eq exited "$(state always)"
check slipway rm always
check_fails 125 'conflicting options' slipway run --rm --restart always busybox true

# When a monitor is killed, ps tells the truth, and the container can be removed.
check slipway run -d --name orphan busybox sleep 100
monitor=$(jq -r .MonitorPid "$TMPDIR/slipway/containers/$(slipway inspect -f '{{.Id}}' orphan)/state.json")
kill -9 "$monitor"
check_eq running "$(state orphan)"
kill -9 "$(slipway inspect -f '{{.State.Pid}}' orphan)"
wait_for 5 sh -c "[ \"\$('$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' inspect -f '{{.State.Status}}' orphan)\" = exited ]"
check slipway rm orphan

# Health.
check slipway run -d --name sick --health-cmd 'test -f /ok' --health-interval 200ms --health-retries 2 busybox sleep 100
wait_for 10 sh -c "'$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' ps | grep -q '(unhealthy)'"
check slipway exec sick touch /ok
wait_for 10 sh -c "'$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' ps | grep -q '(healthy)'"
check slipway rm -f sick
check_eq 'health_status: unhealthy health_status: healthy' \
  "$(slipway events --since 10m --until 0s -f container=sick -f event=health_status --format '{{.Action}}' | xargs)"
check_eq '0' "$(slipway events --since 10m --until 0s -f container=sick -f event=exec_die --format '{{.Actor.Attributes.exitCode}}')"
check_contains "$(slipway events --since 10m --until 0s -f container=sick)" 'exec_start: touch /ok'

check_contains "$(slipway events --since 10m --until 0s --format '{{.Action}}' | sort -u | tr '\n' ' ')" 'create destroy die'

# A container of --rm lives through a restart, with its files, and goes at its end; also where the restart died midway.
check slipway run -d --rm --name once busybox sleep 1000
check slipway exec once touch /kept
others() { for _ in 1 2 3 4 5 6 7 8; do slipway ps -aq; done; }
others >/dev/null &
check slipway restart -t 0 once
wait
check slipway exec once test -e /kept
check slipway stop -t 0 once
gone() { [ -z "$(slipway ps -aq --filter name=once)" ]; }
wait_for 10 gone
check slipway run -d --rm --name once busybox sleep 1000
touch "$TMPDIR/slipway/containers/$(slipway inspect -f '{{.Id}}' once)/restarting"
check slipway stop -t 0 once
wait_for 10 gone
check_eq "" "$(ls "$TMPDIR/slipway-run/monitors")" "monitors left"

# What docker tells of each step, in its order; templates see its fields.
told() { slipway events --since "$started" --until 0s -f type=container --format "$1"; }
started=$(date +%s.%N)
check slipway run -d --name told busybox sleep 1000
check slipway restart -t 0 told
check slipway export -o "$TMPDIR/told.tar" told
check slipway commit -m why told told:1
check slipway stop -t 0 told
check slipway rm told
want='create start kill kill die stop start restart export pause unpause commit kill kill die stop destroy'
check_eq "$want" "$(told '{{.Action}}' | xargs)" "events"
check_eq '15 9 15 9' "$(told '{{with .Actor.Attributes.signal}}{{.}}{{end}}' | xargs)" "signals"
check_contains "$(told '{{.Status}} {{.Actor.Attributes.name}} {{.From}} {{.Scope}}' | xargs)" 'create told busybox local start'
check_contains "$(slipway events --since "$started" --until 0s -f event=tag)" 'name=told:1'
check slipway rmi told:1

# The same with what belongs to the container.
since() { slipway events --since "$started" --until 0s --format "$1" "${@:2}"; }
started=$(date +%s.%N)
check slipway run --rm -v /own busybox true
want="volume create
container create
container attach
network connect
volume mount
container start
container die
network disconnect
volume unmount
volume destroy
container destroy"
check_eq "$want" "$(since '{{.Type}} {{.Action}}')" "events"
check_eq '{"name":"none","type":"null"}' \
  "$(since '{{json .Actor.Attributes}}' -f event=connect | jq -c 'del(.container)')" "attributes of connect"
check_eq '{"destination":"/own","driver":"local","propagation":"","read/write":"true"}' \
  "$(since '{{json .Actor.Attributes}}' -f event=mount | jq -c 'del(.container)')" "attributes of a mount"
check_eq "[null,null,null]" "$(since json -f event=mount | jq -c '[.status, .id, .from]')" "what only containers and images have"
started=$(date +%s.%N)
check slipway create --name told busybox sh -c 'sleep 1000'
check slipway start told
check slipway exec -d told sh -c 'exit 4'
has_died() { [ "$(since '{{.Actor.Attributes.exitCode}}' -f event=exec_die)" = 4 ]; }
wait_for 10 has_died
check slipway top told
echo x >"$TMPDIR/file"
check slipway cp "$TMPDIR/file" told:/tmp
check slipway cp told:/tmp/file "$TMPDIR/file"
check slipway cp told:/tmp/file - >/dev/null
check slipway cp - told:/tmp < <(tar -C "$TMPDIR" -c file)
check slipway rename told renamed
check slipway kill renamed
slipway start -a renamed &
running() { [ "$(slipway inspect -f '{{.State.Running}}' renamed)" = true ]; }
wait_for 10 running
check slipway rm -f renamed
wait
want='create start exec_create: sh -c exit 4 exec_start: sh -c exit 4 exec_die top extract-to-dir archive-path archive-path extract-to-dir rename kill die attach start kill die destroy'
check_eq "$want" "$(told '{{.Action}}' | xargs)" "events"
check_eq /told "$(since '{{.Actor.Attributes.oldName}}' -f event=rename)"

# Images, which docker calls by their digests.
started=$(date +%s.%N)
check slipway build -q -t built - <<<$'FROM busybox\nLABEL a=b'
id=$out
check slipway save -o "$TMPDIR/built.tar" built
check slipway rmi built
check slipway load -i "$TMPDIR/built.tar"
check slipway rmi built
check_eq "tag built:latest
save $id
untag $id
delete $id
load $id
untag $id
delete $id" "$(since '{{.Action}} {{.Actor.Attributes.name}}' -f type=image)" "events of images"

check_eq '' "$(slipway ps -aq)" 'containers left'
check_eq '' "$(ls "$TMPDIR/slipway/pending" "$TMPDIR/slipway/names" "$TMPDIR/slipway/ids" | grep -v : | tr -d '\n')" 'left in the store'
