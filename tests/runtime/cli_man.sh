#!/bin/bash
# The manual and the program say the same: every option is in both, and each row of the manual's tables of
# properties is tried.
# labels: root cgroup
# timeout: 240
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq script

manual=$SOURCE/man/slip.8
plain=$(sed 's/\\-/-/g; s/\\:/​/g; s/​//g; s/\\e/\\/g' "$manual")

# --- options: the tables of the program against the sections of the manual
in_program=$("$SLIP" --completion list | awk -F'\t' 'NF > 1 { print $1 " " $2 (NF > 2 ? " " $3 : "") }' |
  grep -v -- '--no-subreaper' | sort)
in_manual=$(awk '
    /^\.SH "GLOBAL OPTIONS"/ { verb = "-" }
    /^\.SH CONFIGURATION/ { exit }
    /^\.SS "slip / { split($0, word, " "); verb = word[3]; sub(/"$/, "", verb) }
    /^\\fB-/ { gsub(/\\f[BRI]|,/, ""); short = $1 ~ /^--/ ? "" : " " $1; print verb " " ($1 ~ /^--/ ? $1 : $2) short }
  ' <<<"$plain" | grep -v -- '--no-subreaper' | sort)
check_eq "" "$(diff <(echo "$in_program") <(echo "$in_manual"))" "options of the program (<) and of the manual (>)"

# --- properties: "PROPERTY <tab> EXAMPLE <tab> OUTCOME" of each table
rows=$(awk '/^\.SH CONFIGURATION/ { on = 1 } /^\.SH "EXIT STATUS"/ { exit } on' <<<"$plain" |
  awk '
    /^T\{$/ { cell = ""; next }
    /^T\}/ { row = row (column++ ? "\t" : "") cell; cell = ""; if ($0 == "T}") { print row; row = ""; column = 0 } next }
    { cell = cell (cell == "" ? "" : " ") $0 }')
[ "$(wc -l <<<"$rows")" -gt 100 ] || fail "only $(wc -l <<<"$rows") rows found"

bundle=$TMPDIR/b
make_bundle "$bundle" true
edit_config "$bundle" '.linux.namespaces |= map(select(.type != "cgroup"))'
cp "$bundle/config.json" "$TMPDIR/good.json"

# What else a configuration needs for the property to make sense.
context() { # PROPERTY
  local ids='[{"containerID": 0, "hostID": 0, "size": 100000}]'
  case $1 in
    'mounts[]'.*) echo '.mounts += [{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]}]' ;;
    linux.uidMappings) echo ".linux.namespaces += [{type: \"user\"}] | .linux.gidMappings = $ids" ;;
    linux.gidMappings) echo ".linux.namespaces += [{type: \"user\"}] | .linux.uidMappings = $ids" ;;
    linux.timeOffsets | *timens_offset]) echo '.linux.namespaces += [{"type": "time"}]' ;;
    linux.personality.flags) echo '.linux.personality.domain = "LINUX"' ;;
    linux.seccomp.defaultErrnoRet) echo '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls":
      [{"names": ["fork", "clone", "clone3", "execve", "exit_group", "prctl", "brk", "arch_prctl", "mmap", "mprotect", "munmap",
        "read", "write", "close", "exit", "uname", "readlink", "getuid", "getrandom", "set_tid_address", "set_robust_list",
        "rseq", "prlimit64", "ioctl", "getgid", "setuid", "setgid", "setgroups", "futex", "fstat", "newfstatat", "geteuid",
        "getegid", "rt_sigaction", "rt_sigprocmask", "open", "openat", "lseek", "fcntl", "getpid", "getppid", "sigaltstack",
        "readlinkat", "capget", "capset", "gettid", "tgkill", "rt_sigreturn"], "action": "SCMP_ACT_ALLOW"}]}' ;;
    linux.seccomp.*) echo '.linux.seccomp.defaultAction = "SCMP_ACT_ALLOW"' ;;
    linux.resources.memory.swap) echo '.linux.resources.memory.limit = 67108864' ;;
    linux.resources.cpu.burst) echo '.linux.resources.cpu += {"quota": 50000, "period": 100000}' ;;
    process.consoleSize) echo '.process.terminal = true' ;;
    process.capabilities.ambient) echo '.process.capabilities.inheritable = ["CAP_KILL"]' ;;
    process.capabilities.permitted) echo '.process.capabilities.effective = ["CAP_KILL"]' ;;
    process.user.*) echo '.process.noNewPrivileges = true' ;;
    *) echo . ;;
  esac
}
# The filter that sets the property to $value.
setter() { # PROPERTY
  case $1 in
    'mounts[]'.uidMappings | 'mounts[]'.gidMappings)
      echo '.mounts += [{"destination": "/mnt", "type": "bind", "source": "/tmp", "options": ["bind"],
        "uidMappings": $value, "gidMappings": $value}]'
      ;;
    'mounts[]'.*) echo ".mounts[-1].${1#*].} = \$value" ;;
    'linux.namespaces[]')
      echo 'if $value.type == "user" then .linux |= (.uidMappings = [{"containerID": 0, "hostID": 0, "size": 100000}] |
        .gidMappings = .uidMappings) else . end | .linux.namespaces += [$value]'
      ;;
    'linux.namespaces[].path') echo '.linux.namespaces |= map(if .type == "ipc" then .path = $value else . end) |
      .mounts |= map(select(.type != "mqueue"))' ;;
    'annotations['*) echo '.annotations[$name] = $value' ;;
    *) echo ".$1 = \$value" ;;
  esac
}

try() { # PROPERTY EXAMPLE OUTCOME
  local property=$1 value=$2 outcome=$3 id
  id=$(new_id m)
  local name=${property#annotations[}
  jq --argjson value "$value" --arg name "${name%]}" "$(context "$property") | $(setter "$property")" "$TMPDIR/good.json" >"$bundle/config.json" ||
    fail "$property: the example is not JSON: $value"
  run slip run --bundle "$bundle" "$id"
  case $outcome in
    yes)
      [ "$status" = 0 ] && [ -z "$err" ] || { show; fail "$property $value is not supported"; }
      ;;
    host)
      # It works, or the error says which property does not.
      if [ "$status" != 0 ]; then
        local word=${property##*.}
        word=${word%\[\]}
        case $err in *"$word"*) ;; *) show; fail "$property: the error does not name it" ;; esac
        echo "host: $property: $err"
      fi
      ;;
    warns:*)
      [ "$status" = 0 ] || { show; fail "$property $value is refused"; }
      check_contains "$err" "${outcome#warns: }" "$property"
      ;;
    refused:*)
      [ "$status" = 1 ] || { show; fail "$property $value is not refused"; }
      check_contains "$err" "${outcome#refused: }" "$property"
      ;;
    *) fail "$property: no such outcome: $outcome" ;;
  esac
}

while IFS=$'\t' read -r property value outcome; do
  try "$property" "$value" "$outcome" </dev/null
done <<<"$rows"
check_eq "" "$(slip list -q)"
