# shellcheck shell=bash
# What the crash tests share: commands that are killed (SIGKILL) at a random instant of their life.
# CRASH_ROUNDS is how many must die on the way, of each kind.
rounds=${CRASH_ROUNDS:-${STRESS:+200}}
rounds=${rounds:-40}

# Nobody ever writes into it: a wait for it with a limit is a sleep that starts no process.
mkfifo "$TMPDIR/never$BASHPID"
exec {never}<>"$TMPDIR/never$BASHPID"

# Waits for up to this many microseconds.
pause_below() { # MICROSECONDS
  local n=$((RANDOM * 32768 + RANDOM)) delay
  printf -v delay '%d.%06d' $((n % $1 / 1000000)) $((n % $1 % 1000000))
  read -r -t "$delay" -u "$never" || true
}

# strike COMMAND...: starts it and kills it in less than $within microseconds. The limit follows the time that the
# command takes, but not beyond $longest, so that five of six strikes hit, early and late ones. Sets struck to 1 or 0.
strike() {
  local pid status=0
  "$@" </dev/null >/dev/null 2>&1 &
  pid=$!
  pause_below "$within"
  kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || status=$?
  struck=0
  if [ $status = 137 ]; then
    struck=1
    within=$((within + within / 100 + 1))
    [ "$within" -lt "$longest" ] || within=$longest
  else
    within=$((within - within / 20))
  fi
}

# duration COMMAND...: how many microseconds it takes, with some room.
duration() {
  local start=${EPOCHREALTIME/./}
  "$@" >/dev/null
  echo $(((${EPOCHREALTIME/./} - start) * 3 / 2))
}
