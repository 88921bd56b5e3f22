#!/bin/bash
# Descriptors that a caller hands down: --preserve-fds, and LISTEN_FDS of a service manager.
# labels: root cgroup
# timeout: 60
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'ls /proc/self/fd | sort -n | xargs; echo "${LISTEN_FDS-none} ${LISTEN_PID-none}"; cat <&3'
echo three >"$TMPDIR/three"
echo four >"$TMPDIR/four"
# Inside, the directory that ls reads is one more descriptor.
inside() { slip run --bundle "$bundle" "$@" "$(new_id fd)"; }

# None without asking, whatever is open here.
edit_config "$bundle" '.process.args[2] = "ls /proc/self/fd | sort -n | xargs"'
check_eq "0 1 2 3" "$(inside 3<"$TMPDIR/three" 4<"$TMPDIR/four" 7</)"
check_eq "0 1 2 3 4" "$(inside --preserve-fds 1 3<"$TMPDIR/three" 4<"$TMPDIR/four" 7</)"
check_eq "0 1 2 3 4 5" "$(inside --preserve-fds 2 3<"$TMPDIR/three" 4<"$TMPDIR/four" 7</)"
check_fails 1 'unable to stat preserved-fd 1 (of 2)' inside --preserve-fds 2 3<"$TMPDIR/three" 4<&-
# The log is not taken for one of them.
check_fails 1 'unable to stat preserved-fd 0 (of 1)' slip --log "$TMPDIR/log" run --bundle "$bundle" --preserve-fds 1 "$(new_id fd)" 3<&-

edit_config "$bundle" '.process.args[2] = "echo ${LISTEN_FDS-none} ${LISTEN_PID-none}; cat <&3; cat <&4"'
with_sockets() { # PID RUN-OPTION...: as a service manager does, which knows the pid of its child
  local pid=$1
  shift
  bash -c 'export LISTEN_FDS=1 LISTEN_PID='"$pid"'; exec "$@"' - \
    "$SLIP" --root "$TMPDIR/slip-run" run --bundle "$bundle" "$@" "$(new_id fd)"
}
check with_sockets '$$' --preserve-fds 1 3<"$TMPDIR/three" 4<"$TMPDIR/four"
check_eq "1 1 three four" "$(xargs <<<"$out")"
# For somebody else.
edit_config "$bundle" '.process.args[2] = "echo ${LISTEN_FDS-none} ${LISTEN_PID-none}; ls /proc/self/fd | sort -n | xargs"'
check with_sockets 1 3<"$TMPDIR/three"
check_eq "none none 0 1 2 3" "$(xargs <<<"$out")"

# exec
edit_config "$bundle" '.process.args = ["sleep", "1000"]'
id=$(new_id)
check slip run --detach --bundle "$bundle" "$id" 3<"$TMPDIR/three"
check_eq "three" "$(slip exec --preserve-fds 1 "$id" sh -c 'cat <&3' 3<"$TMPDIR/three")"
check_eq "0 1 2 3" "$(slip exec "$id" sh -c 'ls /proc/self/fd | sort -n | xargs' 3<"$TMPDIR/three" 9</)"
# What waits for start holds nothing of the host's.
check slip create --bundle "$bundle" "$id-2" 3<"$TMPDIR/three" 8</
for fd in /proc/"$(slip state "$id-2" | jq .pid)"/fd/*; do
  where=$(readlink "$fd")
  case $where in "$TMPDIR/three" | /) fail "descriptor ${fd##*/} of the waiting init is $where" ;; esac
done
check slip delete --force "$id"
check slip delete --force "$id-2"

# A pidfd of the process is sent to a socket, which an option names or crun's annotation.
require_command python3
cat >"$TMPDIR/receiver.py" <<'X'
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1]); server.listen(1)
open(sys.argv[1] + ".ready", "w").close()
connection, _ = server.accept()
_, fds, _, _ = socket.recv_fds(connection, 4096, 4)
for fd in fds:
    print(next(line for line in open(f"/proc/self/fdinfo/{fd}") if line.startswith("Pid:")), end="")
X
receive() {
  rm -f "$TMPDIR/s" "$TMPDIR/s.ready"
  python3 "$TMPDIR/receiver.py" "$TMPDIR/s" >"$TMPDIR/received" &
  receiver=$!
  wait_for 10 test -e "$TMPDIR/s.ready"
}
sent_pidfd() { # OPTION...
  receive
  check slip create --bundle "$bundle" --pid-file "$TMPDIR/pid" "$@" "$id"
  wait "$receiver"
  check_eq "Pid: $(cat "$TMPDIR/pid")" "$(xargs <"$TMPDIR/received")" "pidfd with $*"
}
sent_pidfd --pidfd-socket "$TMPDIR/s"
check slip start "$id"
receive
check slip exec --detach --pidfd-socket "$TMPDIR/s" --pid-file "$TMPDIR/pid" "$id" sleep 1000
wait "$receiver"
check_eq "Pid: $(cat "$TMPDIR/pid")" "$(xargs <"$TMPDIR/received")" "pidfd of exec"
check slip delete --force "$id"
edit_config "$bundle" '.annotations = {"run.oci.pidfd_receiver": $path}' --arg path "$TMPDIR/s"
sent_pidfd
check slip delete --force "$id"

# The completions are programs that their shells can read.
"$SLIP" --completion bash | bash -n
for shell in zsh fish; do [ -n "$("$SLIP" --completion $shell)" ]; done
