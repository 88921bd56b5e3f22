# shellcheck shell=bash
# A registry of a test's own: Debian's docker-registry, on a port of this machine, with its data in $TMPDIR.

# start_registry NAME [YAML]: sets registry to HOST:PORT. YAML is added to its configuration.
start_registry() {
  local dir=$TMPDIR/registry-$1 try
  require_command docker-registry curl
  mkdir -p "$dir/data"
  for try in 1 2 3 4 5; do
    registry=localhost:$((20000 + (RANDOM * 3 + $$ + try) % 30000))
    cat >"$dir/config.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: $dir/data}, delete: {enabled: true}, redirect: {disable: true}}
http:
  addr: $registry
  secret: test
${2:-}
END
    docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 &
    registry_pid=$!
    registry_pids+=" $registry_pid"
    for _ in $(seq 100); do
      curl -sk -o /dev/null "http://$registry/v2/" && return
      kill -0 $registry_pid 2>/dev/null || break
      sleep 0.1
    done
  done
  cat "$dir/log" >&2
  fail "no registry came up"
}
registry_pids=
stop_registries() {
  local pid
  for pid in $registry_pids; do
    kill "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
  registry_pids=
}
trap 'stop_registries; delete_containers' EXIT
