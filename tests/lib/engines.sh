# shellcheck shell=bash
# Real engines with our runtime, on directories and sockets of the test alone: podman, containerd, dockerd. To be sourced after
# common.sh. ENGINE_RUNTIME=/usr/sbin/runc runs the same cases with another runtime, which tells whose fault a failure is.
# CGROUP_MANAGER=systemd: who makes the cgroups for podman and dockerd.
ENGINE_RUNTIME=${ENGINE_RUNTIME:-$SLIP}
engine_dir=$TMPDIR/engine
containerd_pid='' dockerd_pid=''
# What a test that fails leaves to its engine.
clean_up_engine() {
  local id
  if [ -n "${engine:-}" ]; then
    "$engine" ps -aq | while read -r id; do "$engine" rm -f "$id" >/dev/null 2>&1; done
  elif [ -n "$containerd_pid" ]; then
    ctr_ task ls -q | while read -r id; do ctr_ task rm -f "$id" 2>/dev/null; done
  fi
  # shellcheck disable=SC2086 # none, one or two ids
  [ -z "$dockerd_pid$containerd_pid" ] || kill $dockerd_pid $containerd_pid 2>/dev/null
  wait
}
trap '[ $? = 0 ] || clean_up_engine || true' EXIT
mkdir -p "$engine_dir"

require_engine_runtime() {
  require_root
  [ -x "$ENGINE_RUNTIME" ] || skip "no $ENGINE_RUNTIME"
  require_command jq
}

# The directory of a busybox root file system, made once.
busybox_rootfs() {
  [ -d "$engine_dir/rootfs" ] || make_rootfs "$engine_dir/rootfs"
  echo "$engine_dir/rootfs"
}

containerd_socket=$engine_dir/containerd.sock
# Starts containerd. stop_containerd ends it; so does the end of the test, by the supervisor, as a failure.
start_containerd() {
  local dir=$engine_dir/containerd
  mkdir -p "$dir"
  cat >"$dir/config.toml" <<E
version = 2
root = "$dir/root"
state = "$dir/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "$containerd_socket"
[ttrpc]
address = "$containerd_socket.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
path = "$dir/opt"
E
  containerd --config "$dir/config.toml" >"$dir/log" 2>&1 &
  containerd_pid=$!
  wait_for 20 ctr --address "$containerd_socket" version
}
stop_containerd() {
  kill "$containerd_pid"
  wait "$containerd_pid" || true
  containerd_pid=
  # Containers get the cgroup /NAMESPACE/ID, and nobody removes the namespace's.
  local root
  for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ ! -d "$root/$TEST_ID" ] || rmdir "$root/$TEST_ID"
  done
}
ctr_() {
  ctr --address "$containerd_socket" --namespace "$TEST_ID" "$@"
}

start_dockerd() {
  local dir=$engine_dir/docker
  mkdir -p "$dir/config"
  start_containerd
  # podman, too, reads the latter.
  echo '{}' | tee "$dir/daemon.json" >"$dir/config/config.json"
  dockerd --config-file "$dir/daemon.json" --host "unix://$dir/docker.sock" --data-root "$dir/data" \
    --exec-root "$dir/exec" --pidfile "$dir/pid" --containerd "$containerd_socket" --bridge none --iptables=false \
    --ip-masq=false --ip6tables=false --userland-proxy=false --exec-opt "native.cgroupdriver=${CGROUP_MANAGER:-cgroupfs}" \
    --add-runtime "slip=$ENGINE_RUNTIME" --default-runtime slip >"$dir/log" 2>&1 &
  dockerd_pid=$!
  export DOCKER_HOST=unix://$dir/docker.sock DOCKER_CONFIG=$dir/config
  wait_for 30 docker version
}
stop_dockerd() {
  kill "$dockerd_pid"
  wait "$dockerd_pid" || true
  dockerd_pid=
  stop_containerd
}

# podman, with everything that it keeps below the test's directory.
prepare_podman() {
  local dir=$engine_dir/podman
  mkdir -p "$dir"
  cat >"$dir/containers.conf" <<E
[containers]
log_driver = "k8s-file"
netns = "none"
[engine]
cgroup_manager = "${CGROUP_MANAGER:-cgroupfs}"
events_logger = "file"
runtime = "slip"
tmp_dir = "$dir/tmp"
[engine.runtimes]
slip = ["$ENGINE_RUNTIME"]
[network]
network_config_dir = "$dir/networks"
E
  cat >"$dir/storage.conf" <<E
[storage]
driver = "overlay"
graphroot = "$dir/graph"
runroot = "$dir/run"
E
  export CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf
}
podman_() {
  podman "$@"
}
# podman keeps its graph mounted on itself; what cleans up after containers does so in the background.
finish_podman() {
  gone() { ! pgrep -f "$engine_dir/podman" >/dev/null; }
  wait_for 20 gone
  ! mountpoint -q "$engine_dir/podman/graph/overlay" || umount "$engine_dir/podman/graph/overlay"
}

# containerd finds a container's figures only where every v1 hierarchy that exists is mounted; someone's private mount of
# another one (a benchmark of crun beside us) hides them all.
figures_can_be_found() {
  local controllers controller
  while IFS=: read -r _ controllers _; do
    for controller in ${controllers//,/ }; do
      case $controller in name=*) continue ;; esac
      cgroup_of "$controller" >/dev/null || return 1
    done
  done </proc/self/cgroup
}

# --- cases for any engine with docker's command line ---------------------------------------------------------------
# $engine is the function that calls it, "${run_options[@]}" what its `run` needs on this machine.

case_exit_codes() {
  check "$engine" run --rm "${run_options[@]}" bb echo hello
  check_eq hello "$out"
  run "$engine" run --rm "${run_options[@]}" bb sh -c 'exit 42'
  check_eq 42 "$status" "exit status"
  run "$engine" run --rm "${run_options[@]}" bb /no/such/program
  check_eq 127 "$status" "exit status when the program is missing"
  run "$engine" run --rm "${run_options[@]}" bb /etc
  check_eq 126 "$status" "exit status when the program is a directory"
}

case_exec() {
  check "$engine" run -d --name box "${run_options[@]}" bb sleep 1000
  check "$engine" exec box sh -c 'echo out; echo err >&2'
  check_eq "out|err" "$out|$err"
  run "$engine" exec box sh -c 'exit 7'
  check_eq 7 "$status" "exit status of exec"
  check "$engine" exec -u user -w /tmp -e WORD=x box sh -c 'echo $(id -un) $(pwd) $WORD'
  check_eq "user /tmp x" "$out"
  check "$engine" exec -d box touch /tmp/detached
  wait_for 5 "$engine" exec box test -e /tmp/detached
  run "$engine" exec box /no/such/program
  # dockerd 20.10 makes 126 of it.
  [ "$status" = 127 ] || [ "$status" = 126 ] || fail "exit status of exec when the program is missing: $status"
  check "$engine" top box
  check_contains "$out" "sleep 1000"
  check "$engine" rm -f box
}

case_terminal() {
  check "$engine" run --rm -t "${run_options[@]}" bb sh -c 'test -t 0 && test -t 1 && test -c /dev/console && echo terminal'
  check_eq $'terminal\r' "$out"
  check "$engine" run -d -t --name box "${run_options[@]}" bb sleep 1000
  check "$engine" exec -t box sh -c 'test -t 1 && tty'
  check_contains "$out" /dev/pts/
  check "$engine" rm -f box
}

case_attach() {
  check "$engine" run -d -i --name box "${run_options[@]}" bb sh -c 'read line; echo "got $line"; exit 3'
  typed() {
    echo hello
    sleep 1
  }
  run "$engine" attach box < <(typed)
  check_contains "$out" "got hello"
  # podman 4.3's attach does not always take the status over.
  [ "$engine" != docker ] || check_eq 3 "$status" "exit status of attach"
  check "$engine" wait box
  check_eq 3 "$out" "status that wait prints"
  check "$engine" rm box
}

case_kill_and_stop() {
  check "$engine" run -d --name box "${run_options[@]}" bb sh -c 'trap "echo hup; exit 5" HUP; while :; do sleep 0.1; done'
  sleep 0.3
  check "$engine" kill -s HUP box
  check "$engine" wait box
  check_eq 5 "$out" "status that wait prints"
  check "$engine" logs box
  check_eq hup "$out"
  check "$engine" start box
  check "$engine" stop -t 1 box
  check "$engine" inspect --format '{{.State.ExitCode}} {{.State.Running}}' box
  check_eq "137 false" "$out"
  check "$engine" restart -t 1 box
  check "$engine" inspect --format '{{.State.Running}}' box
  check_eq true "$out"
  check "$engine" rm -f box
}

case_pause() {
  check "$engine" run -d --name box "${run_options[@]}" bb sh -c 'i=0; while :; do i=$((i+1)); echo $i >/tmp/n; sleep 0.02; done'
  sleep 0.3
  check "$engine" pause box
  check "$engine" inspect --format '{{.State.Paused}}' box
  check_eq true "$out"
  local file before
  file=/proc/$("$engine" inspect --format '{{.State.Pid}}' box)/root/tmp/n
  before=$(cat "$file")
  sleep 0.3
  check_eq "$before" "$(cat "$file")" "counter of a paused container"
  check "$engine" unpause box
  sleep 0.3
  [ "$(cat "$file")" != "$before" ] || fail "unpause: nothing moves"
  check "$engine" rm -f box
}

# The value of a limit of container box, read on the host. v1 and v2 name the file differently.
limit() { # CONTROLLER V1-FILE V2-FILE
  local root pid group
  root=$(cgroup_of "$1")
  pid=$("$engine" inspect --format '{{.State.Pid}}' box)
  if [ -e "$root/cgroup.controllers" ]; then
    group=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    cat "$root$group/$3"
  else
    group=$(awk -F: -v want="$1" '{ n = split($2, c, ","); for (i = 1; i <= n; i++) if (c[i] == want) print $3 }' "/proc/$pid/cgroup")
    cat "$root$group/$2"
  fi
}

case_limits() {
  check "$engine" run -d --name box -m 64m --pids-limit 50 --cpu-shares 512 "${run_options[@]}" bb sleep 1000
  check_eq 67108864 "$(limit memory memory.limit_in_bytes memory.max)" "memory limit"
  check_eq 50 "$(limit pids pids.max pids.max)" "pids limit"
  if figures_can_be_found; then
    check "$engine" stats --no-stream --format '{{.Name}} {{.PIDs}}' box
    check_eq "box 1" "$out"
  fi
  if [ "$engine" = docker ]; then
    check "$engine" update -m 96m --memory-swap 192m box
    check_eq 100663296 "$(limit memory memory.limit_in_bytes memory.max)" "memory limit after update"
  fi
  check "$engine" rm -f box
}

case_oom() {
  run "$engine" run --name box -m 16m --memory-swap 16m "${run_options[@]}" bb \
    sh -c 'tail /dev/zero'
  check_eq 137 "$status" "exit status after running out of memory"
  check "$engine" rm -f box
}

case_isolation() {
  run "$engine" run --rm --read-only "${run_options[@]}" bb touch /x
  check_eq 1 "$status" "writing to a read-only root"
  check_contains "$err" "Read-only file system"
  check "$engine" run --rm -u 1000:50 "${run_options[@]}" bb id
  check_contains "$out" "uid=1000(user) gid=50(staff)"
  check "$engine" run --rm --cap-drop ALL --cap-add NET_BIND_SERVICE "${run_options[@]}" bb grep CapEff /proc/self/status
  check_contains "$out" 0000000000000400
  check "$engine" run --rm --security-opt no-new-privileges "${run_options[@]}" bb grep NoNewPrivs /proc/self/status
  check_contains "$out" 1
  check "$engine" run --rm "${run_options[@]}" bb grep Seccomp: /proc/self/status
  check_contains "$out" 2
  if [ "$engine" = docker ]; then  # podman's profile allows it
    run "$engine" run --rm "${run_options[@]}" bb unshare -r true
    check_eq 1 "$status" "unshare under the default seccomp profile"
    check_contains "$err" "Operation not permitted"
  fi
  # Not --privileged, which asks for capabilities that a test machine may lack itself.
  check "$engine" run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
    "${run_options[@]}" bb sh -c 'mount -t tmpfs x /tmp && grep Seccomp: /proc/self/status'
  check_contains "$out" 0
  check "$engine" run --rm -h name "${run_options[@]}" bb hostname
  check_eq name "$out"
  check "$engine" run --rm --pid host "${run_options[@]}" bb sh -c 'test -d /proc/$$'
  mkdir -p "$TMPDIR/volume"
  check "$engine" run --rm -v "$TMPDIR/volume:/v" --tmpfs /t:size=64k "${run_options[@]}" bb sh -c 'echo x >/v/file; grep " /t " /proc/mounts'
  check_contains "$out" "size=64k"
  check_eq x "$(cat "$TMPDIR/volume/file")"
}

case_restart_policy() {
  check "$engine" run -d --name box --restart on-failure:2 "${run_options[@]}" bb sh -c 'echo run; exit 1'
  restarted() { [ "$("$engine" logs box 2>/dev/null | grep -c run)" = 3 ]; }
  wait_for 20 restarted
  check "$engine" rm -f box
}

case_load() {
  local i pids=()
  for i in 1 2 3 4 5 6 7 8; do
    "$engine" run -d --name "load$i" "${run_options[@]}" bb sh -c 'trap exit TERM; while :; do :; done' >/dev/null &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  check_eq 8 "$("$engine" ps -q --filter name=load | wc -l)" "containers running"
  pids=()
  for i in 1 2 3 4 5 6 7 8; do
    "$engine" rm -f "load$i" >/dev/null &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  check_eq "" "$("$engine" ps -aq)" "containers left"
}

run_cases() { # CASE...
  local name
  for name; do
    echo "case $name"
    "case_$name"
  done
}
