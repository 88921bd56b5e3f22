#!/bin/bash
# labels: root cgroup
# timeout: 240
# What each option of `run` does, as a table: the options, what is run with them, and what it then says of itself (a regular
# expression). At the end: no option is without a test.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq
busybox_image busybox

# shows OPTIONS COMMAND WANT: the output of COMMAND, with sh -c, in a container with the options.
shows() {
  run bash -c "exec \"\$@\" $1 busybox sh -c \"\$0\"" "$2" "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" run --rm </dev/null
  grep -qE -- "$3" <<<"$out
$err" || { show; fail "run $1: no '$3'"; }
}
# refused OPTIONS TEXT: the error.
refused() {
  check_fails 125 "$2" bash -c "exec \"\$@\" $1 busybox true" - "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" run --rm
}
# recorded OPTIONS TEMPLATE WANT: what inspect shows of it.
recorded() {
  local id
  id=$(bash -c "exec \"\$@\" $1 busybox true" - "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" create)
  check_eq "$3" "$(slipway inspect -f "$2" "$id")" "inspect after create $1"
  slipway rm "$id" >/dev/null
}
# Where a limit is, in the container: limit CONTROLLER V1-FILE V2-FILE.
limit() { echo "cat /sys/fs/cgroup/$1/$2 2>/dev/null || cat /sys/fs/cgroup/$3"; }

# --- identity and streams
shows '-i' 'cat; echo end' '^end$'
shows '--user 1000:50' id 'uid=1000\(user\) gid=50\(staff\)'
shows '--group-add staff --group-add 77' id '50\(staff\).*77'
shows '--workdir /made/here' pwd '^/made/here$'
shows '--hostname box --domainname example.org' 'echo $(hostname; cat /proc/sys/kernel/domainname)' '^box example.org$'
shows '--env A=1 -e B=two' 'echo $A$B' '^1two$'
OUTSIDE=there shows '-e OUTSIDE -e NOWHERE' 'env | grep -E "OUTSIDE|NOWHERE"; echo' '^OUTSIDE=there$'
check_lacks "$out" NOWHERE 'a variable that is not set'
shows "--env-file <(echo X=from-file)" 'echo $X' '^from-file$'
shows '--entrypoint echo' ignored '^sh -c ignored$'
shows '--cidfile $TMPDIR/cid' 'echo x' '^x$'
check_eq 64 "$(head -c 100 "$TMPDIR/cid" | wc -c)" "characters of --cidfile"
shows '-a stdout' 'echo out; echo err >&2' '^out$'
check_eq '' "$err" 'standard error with -a stdout'
shows '-a stderr' 'echo out; echo err >&2' '^err$'
check_lacks "$out" out 'standard output with -a stderr'
! slip_is_static || shows '--init' 'cat /proc/1/comm' 'init'
recorded '--label a=b --label-file <(echo c=d)' '{{json .Config.Labels}}' '{"a":"b","c":"d"}'
recorded '--annotation com.example/key=value' '{{json .HostConfig.Annotations}}' '{"com.example/key":"value"}'
recorded '--name named' '{{.Name}}' /named
# What stop options and health checks do is in health.sh.
recorded '--stop-signal INT --stop-timeout 3' '{{.Config.StopSignal}} {{.Config.StopTimeout}}' 'INT 3'
recorded '--no-healthcheck' '{{json .Config.Healthcheck.Test}}' '["NONE"]'
recorded '--health-cmd true --health-interval 2s --health-timeout 3s --health-retries 4 --health-start-period 5s --health-start-interval 6s' \
  '{{json .Config.Healthcheck}}' '{"Test":["CMD-SHELL","true"],"Interval":2000000000,"Timeout":3000000000,"StartPeriod":5000000000,"StartInterval":6000000000,"Retries":4}'

# --- networks without a bridge (those with one are in network.sh)
shows '--network none' 'ls /sys/class/net | grep -v bonding_masters' '^lo$'
shows '--net host' 'readlink /proc/self/ns/net' "$(readlink /proc/self/ns/net | tr -d '[]' | sed 's/:/.*/')"
shows '--network ns:/proc/self/ns/net' 'readlink /proc/self/ns/net' "$(readlink /proc/self/ns/net | tr -d '[]' | sed 's/:/.*/')"
shows '--add-host db:10.1.2.3' 'cat /etc/hosts' '^10.1.2.3.db'
shows '--dns 9.9.9.9 --dns-search corp --dns-option ndots:3' 'cat /etc/resolv.conf | xargs' 'search corp nameserver 9.9.9.9 options ndots:3$'
shows '--dns-opt ndots:3' 'cat /etc/resolv.conf' 'ndots:3'
recorded '--expose 90' '{{json .Config.ExposedPorts}}' '{"90/tcp":{}}'
refused '--dns bad' 'IP address is not correctly formatted'
refused '--network-alias x --network none' '--network-alias needs a bridge network'
refused '--ip 10.0.0.2 --network none' '--ip needs a bridge network'
refused '--mac-address 02:00:00:00:00:01 --network none' '--mac-address needs a bridge network'
refused '--network name=net,foo=y' 'invalid field key foo'
refused '--network name=net,alias' 'invalid field alias'
refused '--network alias=x' 'network name/id is not specified'
refused '--network name=net,driver-opt=a=b' 'driver-opt is not supported'
refused '--network name=none,alias=x' '--network-alias needs a bridge network'
refused '--network name=net,ip=10.0.0.2 --ip 10.0.0.3' 'conflicting options: cannot specify both --ip and per-network IPv4'
refused '--network net --network name=net' 'network "net" is specified multiple times'
refused '--network net --ip lots' 'invalid IPv4 address: lots'
refused '--network net --mac-address 02:zz' '02:zz is not a valid mac address'
refused '--link web' '--link is not supported'

# --- namespaces
shows '--pid host' 'readlink /proc/self/ns/pid' "$(readlink /proc/self/ns/pid | tr -dc 0-9)"
shows '--uts host' 'readlink /proc/self/ns/uts' "$(readlink /proc/self/ns/uts | tr -dc 0-9)"
shows '--ipc host' 'readlink /proc/self/ns/ipc' "$(readlink /proc/self/ns/ipc | tr -dc 0-9)"
shows '--ipc private' 'grep " /dev/shm " /proc/mounts' '^shm /dev/shm'
shows '--ipc none' 'grep -c " /dev/shm " /proc/mounts' '^0$'
shows '--userns host' 'cat /proc/self/uid_map' '4294967295'
shows '--cgroupns private' 'cat /proc/self/cgroup | head -n 1' ':/$'
shows '--cgroupns host' 'cat /proc/self/cgroup' '/slipway/[0-9a-f]{64}$'
shows "--cgroupns host --cgroup-parent /$TEST_ID" 'cat /proc/self/cgroup' "/$TEST_ID/[0-9a-f]{64}$"
find /sys/fs/cgroup -depth -name "$TEST_ID" -type d -exec rmdir {} +
refused '--cgroup-parent ../out' 'leads out of the cgroup tree'
check slipway run -d --name donor --ipc shareable busybox sh -c 'echo shared >/dev/shm/file; sleep 100'
check slipway run -d --name owner busybox sleep 100
shows '--ipc container:donor' 'cat /dev/shm/file' '^shared$'
shows '--pid container:donor' 'ps' 'sleep 100'
shows '--uts container:donor' hostname "$(slipway exec donor hostname)"
shows '--network container:donor' 'readlink /proc/self/ns/net' "$(slipway exec donor readlink /proc/self/ns/net | tr -dc 0-9)"
refused '--ipc container:owner' 'non-shareable IPC'
refused '--ipc container:nobody' 'No such container: nobody'
refused '--ipc odd' 'invalid IPC mode'
refused '--pid odd' 'invalid PID mode'
refused '--uts odd' 'invalid UTS mode'
refused '--cgroupns odd' 'invalid CGROUP mode'
refused '--userns keep-id' 'only "host" is supported'
check slipway rm -f donor owner

# --- files
mkdir "$TMPDIR/dir" "$TMPDIR/dir/below"
mount -t tmpfs none "$TMPDIR/dir/below"
echo text >"$TMPDIR/dir/file"
echo under >"$TMPDIR/dir/below/file"
shows '--volume $TMPDIR/dir:/v' 'cat /v/file /v/below/file | xargs' '^text under$'
shows '-v $TMPDIR/dir:/v:ro' 'touch /v/x; touch /v/below/x' 'Read-only file system'
shows '-v $TMPDIR/dir:/v:rslave' 'grep -o " /v .* - " /proc/self/mountinfo' 'master:'
shows '--mount type=bind,src=$TMPDIR/dir,dst=/v,readonly' 'touch /v/x' 'Read-only file system'
shows '--mount type=bind,src=$TMPDIR/dir,dst=/v,bind-propagation=rshared' 'grep " /v " /proc/self/mountinfo' 'shared:'
mkdir "$TMPDIR/private"
mount --bind "$TMPDIR/private" "$TMPDIR/private"
mount --make-private "$TMPDIR/private"
for propagation in shared rshared; do
  text="path $TMPDIR/private is mounted on $TMPDIR/private but it is not a shared mount"
  refused "-v $TMPDIR/private:/v:$propagation" "$text"
  refused "--mount type=bind,src=$TMPDIR/private,dst=/v,bind-propagation=$propagation" "$text"
done
refused '-v $TMPDIR/private:/v:ro,rslave' 'but it is not a shared or slave mount'
refused '--mount type=bind,src=$TMPDIR/private,dst=/v,bind-propagation=slave' 'but it is not a shared or slave mount'
shows '-v $TMPDIR/private:/v:rprivate' 'grep -c " /v .* master:\| /v .* shared:" /proc/self/mountinfo' '^0$'
umount "$TMPDIR/private"
rmdir "$TMPDIR/private"
shows '--mount type=bind,source=$TMPDIR/dir,target=/v,bind-nonrecursive' 'cat /v/below/file || echo flat' '^flat$'
shows '--mount type=bind,source=$TMPDIR/dir,target=/v,bind-recursive=disabled' 'cat /v/below/file || echo flat' '^flat$'
shows '--mount type=volume,src=vol,dst=/v,volume-label=k=w' 'echo kept >/v/file && cat /v/file' '^kept$'
check_eq w "$(slipway volume inspect -f '{{.Labels.k}}' vol)"
shows '--mount type=volume,src=etc,dst=/etc,volume-nocopy' 'test -e /etc/passwd || echo empty' '^empty$'
shows '--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770' 'stat -c %a /t; grep " /t " /proc/mounts' 'size=1024k'
shows '--mount type=tmpfs,dst=/t,tmpfs-mode=1770' 'stat -c %a /t' '^1770$'
shows '--tmpfs /t' 'grep " /t " /proc/mounts' 'nosuid,nodev,noexec'
shows '--tmpfs /t:exec,size=64k,mode=700,uid=5' 'stat -c "%a %u" /t; cp /bin/busybox /t 2>&1; grep " /t " /proc/mounts | grep -c noexec' '^0$'
shows '--tmpfs /t:mode=700,uid=5' 'stat -c "%a %u" /t' '^700 5$'
shows '--read-only' 'touch /x' 'Read-only file system'
shows '--read-only --tmpfs /tmp' 'touch /tmp/x && echo wrote' '^wrote$'
shows '--storage-opt size=1m' 'dd if=/dev/zero of=/big bs=1M count=3 2>&1' 'No space left|no quota|not supported|pquota|Quota|[Qq]uota'
check slipway create --name holder -v vol:/held busybox true
shows '--volumes-from holder' 'cat /held/file' '^kept$'
shows '--volumes-from holder:ro' 'touch /held/x' 'Read-only file system'
check slipway rm holder
refused '--mount type=bind,src=/none,dst=/v' 'bind source path does not exist'
refused '--mount type=tmpfs,dst=/v,tmpfs-mode=9' "invalid field 'tmpfs-mode=9'"
refused '--mount type=volume,dst=/v,volume-opt=o=x' 'volumes are directories'
refused '--mount type=bind,src=/tmp,dst=/v,odd=1' "invalid field 'odd=1'"
refused '--mount type=npipe,dst=/v' 'mount type unknown'
refused '--volume-driver nfs' 'only local is supported'
refused '--volumes-from holder:xx' 'invalid mode for volumes-from'
umount "$TMPDIR/dir/below"

# --- limits
shows '--memory 32m' "$(limit memory memory.limit_in_bytes memory.max)" '^33554432$'
shows '-m 32m --memory-swap 48m' "cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.swap.max" '^(50331648|16777216)$'
shows '-m 32m --memory-reservation 16m' "$(limit memory memory.soft_limit_in_bytes memory.low)" '^16777216$'
if [ -e "$(cgroup_of memory)/memory.swappiness" ]; then
  shows '--memory-swappiness 7' 'cat /sys/fs/cgroup/memory/memory.swappiness' '^7$'
  shows '-m 32m --oom-kill-disable' 'cat /sys/fs/cgroup/memory/memory.oom_control' '^oom_kill_disable 1$'
fi
shows '--cpus 0.5' "$(limit cpu cpu.cfs_quota_us cpu.max)" '^50000'
shows '--cpu-shares 512' "$(limit cpu cpu.shares cpu.weight)" '^(512|20|59)$'
shows '--cpu-period 50000 --cpu-quota 20000' "$(limit cpu cpu.cfs_quota_us cpu.max)" '^20000'
shows '--cpuset-cpus 0' 'grep Cpus_allowed_list /proc/self/status' '[^0-9]0$'
shows '--cpuset-mems 0' 'grep Mems_allowed_list /proc/self/status' '[^0-9]0$'
if [ -e "$(cgroup_of cpu)/cpu.rt_period_us" ]; then
  shows '--cpu-rt-period 500000' 'cat /sys/fs/cgroup/cpu/cpu.rt_period_us' '^500000$'
else
  refused '--cpu-rt-period 500000 --cpu-rt-runtime 1000' 'rt'
fi
shows '--pids-limit 33' "$(limit pids pids.max pids.max)" '^33$'
device=$(ls /dev/vd? /dev/sd? /dev/nvme?n? /dev/loop? 2>/dev/null | head -n 1 || true)
number=$((0x$(stat -c %t "$device"))):$((0x$(stat -c %T "$device")))
for rule in --device-read-bps:read_bps:rbps --device-write-bps:write_bps:wbps --device-read-iops:read_iops:riops --device-write-iops:write_iops:wiops; do
  IFS=: read -r flag one two <<<"$rule"
  shows "$flag $device:1048576" "cat /sys/fs/cgroup/blkio/blkio.throttle.${one}_device 2>/dev/null || cat /sys/fs/cgroup/io.max" \
    "^$number (1048576|.*$two=1048576)"
done
# A weight needs a scheduler that knows weights: the files say whether there is one.
if [ -n "$(slipway run --rm busybox sh -c 'ls /sys/fs/cgroup/blkio/blkio*weight /sys/fs/cgroup/io*weight 2>/dev/null || true')" ]; then
  shows '--blkio-weight 300' 'cat /sys/fs/cgroup/blkio/blkio*weight 2>/dev/null || cat /sys/fs/cgroup/io*weight' '300'
fi
shows '--ulimit nofile=77:88' 'echo $(ulimit -n; ulimit -H -n)' '^77 88$'
shows '--shm-size 1m' 'df -k /dev/shm' ' 1024 '
shows '--oom-score-adj 500' 'cat /proc/self/oom_score_adj' '^500$'
refused '-m 1m' 'Minimum memory limit allowed is 6MB'
refused '--cpus 1000' 'Range of CPUs is from 0.01 to'
refused '--memory-swappiness 101' 'Valid memory swappiness range is 0-100'
refused '--blkio-weight 5' 'from 10 to 1000'
refused "--blkio-weight-device $device:5" '10 to 1000'
# It needs a scheduler of that device that knows weights.
shows "--blkio-weight-device $device:300" 'cat /sys/fs/cgroup/blkio/blkio*weight_device /sys/fs/cgroup/io*weight 2>/dev/null' \
  "^$number 300$|blockIO.weightDevice: .*Operation not supported"
refused "--device-read-bps /dev/null:1m" 'is not a block device'
refused '--oom-score-adj 2000' 'oom-score-adj'
refused '--kernel-memory 10m' '--kernel-memory is not supported'

# --- rights and devices
shows '--cap-drop ALL --cap-add NET_ADMIN' 'grep CapEff /proc/self/status' '0000000000001000'
shows '--security-opt seccomp=unconfined' 'grep Seccomp: /proc/self/status' '0$'
shows '--security-opt no-new-privileges' 'grep NoNewPrivs /proc/self/status' '1$'
shows '--security-opt systempaths=unconfined' 'grep -c " /proc/sys " /proc/mounts' '^0$'
shows '--security-opt apparmor=unconfined' 'echo runs' 'runs'
[ -d /sys/kernel/security/apparmor ] || refused '--security-opt apparmor=some' 'AppArmor is not enabled'
shows '--security-opt label=disable' 'echo runs' 'runs'
shows '--privileged' 'grep -c " /proc/sys " /proc/mounts; grep Seccomp: /proc/self/status' '0$'
shows '--privileged' 'grep CapEff /proc/self/status' "$(awk '/CapBnd/ { print $2 }' /proc/self/status)$"
shows '--privileged' ': </dev/loop-control && echo opened' '^opened$'
shows '--device /dev/loop-control:/dev/mine:r' 'test -c /dev/mine && : >/dev/mine' 'Operation not permitted'
shows '' 'mknod /dev/lc c 10 237; : </dev/lc && echo opened' 'Operation not permitted'
shows '--device-cgroup-rule "c 10:237 rwm"' 'mknod /dev/lc c 10 237; : </dev/lc && echo opened' '^opened$'
shows '--sysctl kernel.msgmax=12345' 'cat /proc/sys/kernel/msgmax' '^12345$'
refused '--sysctl kernel.panic=1' 'the sysctl is not allowed'
refused '--sysctl net.ipv4.ip_forward=1 --network host' 'not allowed when its namespace is the host'
refused '--device-cgroup-rule bad' 'invalid device cgroup rule'
refused '--gpus all' '--gpus is not supported'

# --- images and runtimes
shows '--pull never' 'echo here' '^here$'
shows '--pull missing --quiet' 'echo here' '^here$'
check_fails 125 'connection refused' slipway run --rm --pull always localhost:1/nothing
refused '--pull sometimes' 'must be one of "always", "missing" or "never"'
check_fails 125 'No such image: nothing' slipway run --rm --pull never nothing
check_fails 125 'No such image: localhost:1/nothing' slipway run --rm --pull missing --quiet localhost:1/nothing
shows "--platform linux/$(slipway image inspect -f '{{.Architecture}}' busybox)" 'echo here' '^here$'
refused '--platform linux/z80' 'does not match the specified platform'
refused '--isolation hyperv' "linux only supports 'default'"
shows '--isolation default --volume-driver local --disable-content-trust' 'echo here' '^here$'
# An annotation reaches the runtime; so does everything else, whichever it is.
for runtime in runc crun; do
  runtime=$(command -v $runtime) || continue
  "$runtime" --version >/dev/null
  run slipway run --rm --runtime "$runtime" --hostname other --annotation a=b --memory 32m busybox sh -c \
    "hostname; $(limit memory memory.limit_in_bytes memory.max)"
  # (crun refuses a hybrid cgroup tree.)
  [ "$status" = 0 ] || [ "${runtime##*/}" = crun ] || { show; fail "--runtime $runtime"; }
  [ "$status" != 0 ] || check_eq $'other\n33554432' "$out" "--runtime $runtime"
done
refused '--runtime /no/such/runtime' 'no such program'
check slipway create --name noted --annotation a=b --runtime "$SLIP" busybox sleep 100
check slipway start noted
check_eq b "$(jq -r .annotations.a "$TMPDIR/slipway/containers/$(slipway inspect -f '{{.Id}}' noted)/config.json")" 'annotation'
check slipway rm -f noted

slipway ps -aq | xargs -r "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" rm -f >/dev/null

# --- options of other verbs that no other test has
check slipway create --name other busybox sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
check slipway start other
check slipway stop --timeout 5 other
check_eq 5 "$(slipway inspect -f '{{.State.ExitCode}}' other)" 'exit code after stop --timeout'
check slipway start other
check slipway stop --signal KILL other
check_eq 137 "$(slipway inspect -f '{{.State.ExitCode}}' other)" 'exit code after stop --signal'
check slipway logs --details other
check slipway rm other
check_contains "$(slipway images --digests)" DIGEST
# Signals for the container, or with --sig-proxy=false for the command.
for proxy in true false; do
  "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" run --name proxied --sig-proxy=$proxy busybox \
    sh -c 'trap "exit 9" USR1 TERM; while :; do sleep 0.1; done' >/dev/null &
  wait_for 5 slipway exec proxied true
  sleep 0.3
  kill -TERM $!
  status=0
  wait $! || status=$?
  [ $proxy = true ] && check_eq 9 "$status" 'exit code with --sig-proxy'
  [ $proxy = true ] || { check_eq 143 "$status" 'exit code without --sig-proxy' && check_eq running "$(slipway inspect -f '{{.State.Status}}' proxied)"; }
  check slipway rm -f proxied
done

# --- every option of these verbs is in some test of this directory, in its long form or its short one
missing=
for verb in run exec ps logs commit cp stop kill rm save load import images; do
  while read -r short long; do
    grep -qE -- "--$long([^a-z-]|$)" "$SOURCE"/tests/manager/*.sh && continue
    [ -n "$short" ] && [ "$short" != - ] && grep -qE -- "slipway $verb .*-[a-z]*$short|-$short " "$SOURCE"/tests/manager/*.sh && continue
    missing+=" $verb --$long"
  done < <("$SLIPWAY" "$verb" --help | sed -nE 's/^ +(-([a-zA-Z]), )?--([a-z-]+).*/\2 \3/p' | sed 's/^ /- /')
done
check_eq '' "$missing" 'options without a test'
