#!/bin/bash
# seccomp notifications: listenerPath gets the state and one descriptor, and its agent's answers hold.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

agent=$BUILD/tests/lib/notify_agent
[ -x "$agent" ] || skip "no $agent"
socket=$TMPDIR/agent.sock
got=$TMPDIR/got
"$agent" "$socket" "$got" &
agent_pid=$!
trap 'kill $agent_pid 2>/dev/null; delete_containers' EXIT
wait_for 5 test -S "$socket"

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
use() { # SYSCALLS NO-NEW-PRIVILEGES
  edit_config "$bundle" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path, listenerMetadata: "{\"a\": 1}",
      syscalls: [{names: ($names | split(" ")), action: "SCMP_ACT_NOTIFY"}]}
    | .process.noNewPrivileges = ($nnp == "true") | .annotations = {key: "value"}' \
    --arg path "$socket" --arg names "$1" --arg nnp "$2"
}
message() { # NUMBER: the JSON of it
  sed -n "$1s/ fds=1\$//p" "$got"
}

id=$(new_id)
for nnp in true false; do
  use "mkdir mkdirat" $nnp
  kill $agent_pid
  rm -f "$got" "$socket"
  : >"$got"
  "$agent" "$socket" "$got" &
  agent_pid=$!
  wait_for 5 test -S "$socket"
  check slip run --detach --bundle "$bundle" "$id"
  pid=$(slip state "$id" | jq .pid)
  # init: told while the container is being created
  check_eq "seccompFd" "$(message 1 | jq -r '.fds | join(" ")')" "fds"
  check_eq "$pid" "$(message 1 | jq .pid)" "pid"
  check_eq '{"a": 1}' "$(message 1 | jq -r .metadata)" "metadata"
  check_eq "$id creating $pid $bundle value" \
    "$(message 1 | jq -r '.state | "\(.id) \(.status) \(.pid) \(.bundle) \(.annotations.key)"')" "state"
  check_eq true "$(message 1 | jq 'has("ociVersion") and (.state | has("ociVersion"))')"
  # exec has a filter of its own, and its own message
  run slip exec "$id" mkdir /tmp/x
  check_eq 1 "$status"
  check_contains "$err" "No medium found"
  check_eq 2 "$(wc -l <"$got")" "messages"
  check_eq "$id running $pid" "$(message 2 | jq -r '.state | "\(.id) \(.status) \(.pid)"')" "state of exec"
  [ "$(message 2 | jq .pid)" != "$pid" ] || fail "exec's message has init's pid"
  check slip exec "$id" mkfifo /tmp/fifo-$nnp
  check slip delete --force "$id"
done

# An agent may be asked about what the runtime itself does between the filter and the program.
edit_config "$bundle" '.process.args = ["sh", "-c", "mkdir /tmp/x; exit 7"]'
for nnp in true false; do
  use "mkdir mkdirat openat open close read chdir getcwd setgid setuid setgroups capset prctl rt_sigaction sendto sendmsg recvmsg \
    execve fstat newfstatat close_range umask fcntl" $nnp
  run slip run --bundle "$bundle" "$id"
  check_eq 7 "$status" "run with an agent for everything ($nnp)"
  check_contains "$err" "No medium found"
done
# startContainer hooks come after it.
printf '#!/bin/sh\nmkdir /tmp/y 2>/tmp/hook-said\nexit 0\n' >"$bundle/rootfs/hook"
chmod 755 "$bundle/rootfs/hook"
use "mkdir mkdirat" false
edit_config "$bundle" '.hooks = {startContainer: [{path: "/hook"}]}'
run slip run --bundle "$bundle" "$id"
check_eq 7 "$status"
check_contains "$(cat "$bundle/rootfs/tmp/hook-said")" "No medium found"
edit_config "$bundle" 'del(.hooks)'

# What is refused.
check_refused() { # TEXT FILTER
  jq "$2" "$bundle/config.json" >"$bundle/other.json"
  check_fails 1 "$1" slip run --bundle "$bundle" --config other.json "$id"
  check_eq "" "$(slip list -q)"
}
check_refused "linux.seccomp.listenerPath: is required with SCMP_ACT_NOTIFY" \
  'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
check_refused "SCMP_ACT_NOTIFY cannot be used as default action" '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"'
check_refused "cannot be used for the write syscall" '.linux.seccomp.syscalls[0].names += ["write"]'
touch "$TMPDIR/none"
check_refused "linux.seccomp.listenerPath: connect to \`$TMPDIR/none\`: Connection refused" \
  ".linux.seccomp.listenerPath = \"$TMPDIR/none\""
check_refused "linux.seccomp.listenerPath" '.linux.seccomp.listenerPath = "/no/such"'
# crun's annotation for the same.
edit_config "$bundle" '.annotations["run.oci.seccomp.receiver"] = .linux.seccomp.listenerPath
  | del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
run slip run --bundle "$bundle" "$id"
check_eq 7 "$status" "run with run.oci.seccomp.receiver"
check_contains "$err" "No medium found"
edit_config "$bundle" 'del(.annotations)'

# Without a rule that notifies nobody listens.
edit_config "$bundle" '.linux.seccomp |= (.syscalls = [] | .listenerPath = "/no/such") | .process.args = ["true"]'
check slip run --bundle "$bundle" "$id"
check_contains "$err" "no rule uses SCMP_ACT_NOTIFY"

# Every action.
act() { # ACTION [ERRNO]: mkdir's end
  edit_config "$bundle" 'del(.linux.seccomp) | .process.args = ["sh", "-c", "mkdir /tmp/z; echo $?; rmdir /tmp/z 2>/dev/null; true"]
    | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: $action}
      + (if $errno == "" then {} else {errnoRet: ($errno | tonumber)} end)]}' --arg action "$1" --arg errno "${2:-}"
  check slip run --bundle "$bundle" "$id"
}
for action in SCMP_ACT_KILL SCMP_ACT_KILL_THREAD SCMP_ACT_KILL_PROCESS SCMP_ACT_TRAP; do
  act $action
  check_eq 159 "$out" $action  # 128 + SIGSYS
done
act SCMP_ACT_ERRNO
check_contains "$err" "Operation not permitted" "errno of SCMP_ACT_ERRNO"
act SCMP_ACT_ERRNO 123
check_contains "$err" "No medium found" "errnoRet"
act SCMP_ACT_ERRNO 0
check_eq 0 "$out" "an errno of 0: nothing done, success"
act SCMP_ACT_TRACE
check_contains "$err" "Function not implemented" "SCMP_ACT_TRACE without a tracer"
for action in SCMP_ACT_LOG SCMP_ACT_ALLOW; do
  act $action
  check_eq 0 "$out" $action
done
# Every flag.
for flag in TSYNC LOG SPEC_ALLOW; do
  edit_config "$bundle" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: [$flag],
      syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 123}]}' --arg flag "SECCOMP_FILTER_FLAG_$flag"
  check slip run --bundle "$bundle" "$id"
  check_contains "$err" "No medium found" "with $flag"
done
use "mkdir mkdirat" true
edit_config "$bundle" '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
if slip features | jq -e '.linux.seccomp.supportedFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' >/dev/null; then
  check slip run --bundle "$bundle" "$id"
  check_contains "$err" "No medium found" "all flags with a listener"
else
  check_fails 1 "does not have SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" slip run --bundle "$bundle" "$id"
fi
