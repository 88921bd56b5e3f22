#!/bin/bash
# labels: root cgroup
# timeout: 120
# Small things that scripts meet, each as Debian's docker 20.10 shows it.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox

# What is nil in Go.
check slipway create --name nil --pids-limit 5 busybox true
check slipway inspect -f '{{.Config.Entrypoint}} {{.HostConfig.CapAdd}} {{.HostConfig.MemorySwappiness}} {{.Config.Volumes}} {{.HostConfig.PidsLimit}}' nil
check_eq "[] [] <nil> map[] 5" "$out"
check slipway inspect -f '{{json .Config.Entrypoint}} {{json .HostConfig.CapAdd}}' nil
check_eq "null null" "$out"
check slipway inspect -f '{{.Config.Entrypoint}} {{.Config.ExposedPorts}} {{.Config.Healthcheck}} [{{.Config.StopSignal}}] {{.Config.Shell}}' busybox
check_eq "[] map[] <nil> [] []" "$out"
check slipway inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.SizeRw}} [{{.Config.StopSignal}}]' nil
check_eq "none <nil> []" "$out"
check slipway inspect nil busybox
check_eq "[null,null,null,null]" "$(jq -c '[.[0].State.Health, .[0].SizeRw, .[1].Config.Shell, .[1].Config.ExposedPorts]' <<<"$out")"
check_lacks "$out" '"Health"'
check slipway ps -a --format '{{split "bb" "b"}}'
check_eq "[  ]" "$out"
# Rows as JSON are sorted by their keys.
check slipway ps -a --format '{{json .}}'
check_eq "$(jq -S -c . <<<"$out")" "$(jq -c . <<<"$out")" "row as JSON"
check slipway images --format json
check_eq "$(jq -S -c . <<<"$out")" "$(jq -c . <<<"$out")" "row as JSON"

# wait does not wait for a container that has never run.
check slipway wait nil
check_eq 0 "$out"
# A terminal that is none, and what only the daemon would have refused.
check_fails 1 "the input device is not a TTY" slipway run --rm -it busybox true
check_fails 1 "Minimum memory limit allowed is 6MB" slipway create -m 1m busybox
check_fails 125 "Minimum memory limit allowed is 6MB" slipway run -m 1m busybox
check_fails 1 "invalid restart policy" slipway update --restart nope nil
check_fails 1 "invalid capability" slipway create --cap-add NOPE busybox
check_fails 1 "Nano CPUs and CPU Quota" slipway update --cpus 1 --cpu-quota 10000 nil
check_fails 1 "failed to parse value as time or duration" slipway logs --since soon nil
check_fails 1 "failed to parse value as time or duration" slipway events --since soon
# --force makes a missing image no error, but says so.
check slipway rmi -f nope
check_contains "$err" "No such image: nope"

# stats calls a container as the user does.
check slipway stats --no-stream --format '{{.Container}} {{.Name}} {{.PIDs}}' nil
check_eq "nil nil 0" "$out"
# Who shares another's network has its host name.
check slipway run -d --name host -h called busybox sleep 1000
check slipway run --rm --network container:host busybox hostname
check_eq called "$out"
check slipway rm -f host
check slipway history --human=false --format '{{.CreatedSince}}' busybox
case $out in 20??-??-??T??:??:??Z) ;; *) fail "time in history: $out" ;; esac
check slipway info --format '{{.Swarm.LocalNodeState}} {{.MemoryLimit}} {{.LoggingDriver}}'
check_eq "inactive true json-file" "$out"
check slipway info --format '{{.ID}}'
[[ $out =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$ ]] || fail "id of the store: $out"
check_contains "$(slipway info)" "ID: $out"
check slipway version --format '{{.Client.APIVersion}} {{.Server.Os}}'
check_contains "$out" linux

# docker's global options, for whom it is an alias: there is no other daemon, and the credentials may be elsewhere.
check slipway -D -l fatal -H unix:///var/run/docker.sock --context default --tlsverify ps
check_fails 1 "slipway has no daemon: --host tcp://there:2375 is nothing to connect to" slipway -H tcp://there:2375 ps
check_fails 1 "slipway has no daemon: --context there" slipway --context there ps
mkdir "$TMPDIR/credentials"
echo '{"auths": {"registry.example": {"auth": "dXNlcjpwYXNz"}}}' >"$TMPDIR/credentials/config.json"
check slipway --config "$TMPDIR/credentials" logout registry.example
check_eq "Removing login credentials for registry.example" "$out"
check_lacks "$(cat "$TMPDIR/credentials/config.json")" registry.example

# Words that scripts look for.
check slipway history -H=false busybox
check_contains "$out" "CREATED AT"
check_fails 1 "No public port '80/tcp' published for nil" slipway port nil 80
check_fails 1 'template parsing error: can'"'"'t evaluate field Nope: map has no entry for key "Nope"' slipway inspect -f '{{.Nope}}' nil
check_fails 1 'invalid reference format: repository name must be lowercase' slipway tag busybox Upper
check_fails 125 'invalid IP address in add-host: "there"' slipway run --add-host here:there busybox
check_fails 125 'invalid argument "" for --label' slipway run --label '' busybox
for answer in n ''; do
  check slipway container prune <<<"$answer"
  check_eq "Are you sure you want to continue? [y/N] Total reclaimed space: 0B" "$(tail -n 1 <<<"$out")"
done
check slipway inspect nil

# The name of a container leads somewhere although it is on no network; its files are as read-only as its root.
check slipway run --rm -h name --domainname example.com busybox sh -c 'tail -n 1 /etc/hosts; hostname -f'
check_eq $'127.0.0.1\tname.example.com name\nname.example.com' "$out"
run slipway run --rm --read-only busybox sh -c 'echo >>/etc/hosts'
check_contains "$err" "Read-only file system"
check slipway run --rm --shm-size 0 busybox sh -c 'df -k /dev/shm | grep -o 65536 | head -n 1'
check_eq 65536 "$out"
# Who attaches standard input alone is told the id.
run slipway run -i -a stdin busybox cat <<<text
[[ $out =~ ^[0-9a-f]{64}$ ]] || fail "run -a stdin: $out"
check slipway rm "$out"
check slipway network create net
check slipway create --name attached --network net busybox true
check_eq null "$(slipway inspect -f '{{json .NetworkSettings.Networks.net.Aliases}}' attached)"
check slipway rm attached
check slipway network rm net

# An image that has lost its name, or has left it to another one, is shown by its ID.
check slipway run --name changed busybox touch /file
check slipway commit changed image
id=$(slipway images -q image)
check slipway create --name user image true
check slipway create --name by-id "$id" true
shown() { slipway ps -a --format '{{.Image}}' -f name="$1" "${@:2}"; }
check_eq "image $id" "$(shown user) $(shown by-id)"
check slipway tag busybox image
check_eq "$id $id" "$(shown user) $(shown by-id)"
check_eq "sha256:$id" "$(shown user --no-trunc | cut -c1-19)"
check slipway rmi image
check_eq "$id" "$(shown user)"
check slipway pause "$(slipway run -d --name paused busybox sleep 1000)"
check_fails 1 "You cannot remove a paused container $(slipway inspect -f '{{.Id}}' paused). Unpause and then stop" slipway rm paused
check slipway rm -f paused

# Words of options that docker checks.
check_fails 125 "Invalid ip address: 8080" slipway create -p 8080:80:80 busybox
check_fails 125 "cannot mix 'tmpfs-*' options with mount type 'bind'" slipway create --mount type=bind,src=/tmp,dst=/t,tmpfs-size=1 busybox
check_fails 125 "cannot mix 'bind-*' options with mount type 'volume'" slipway create --mount src=v,dst=/t,bind-propagation=slave busybox
mkdir "$TMPDIR/a,b"
check slipway run --rm --mount "type=bind,\"src=$TMPDIR/a,b\",dst=/t" busybox ls -d /t
check_fails 125 "logging mode not supported: nope" slipway create --log-opt mode=nope busybox
printf '\xef\xbb\xbfA=mark\n' >"$TMPDIR/env"
check slipway run --rm --env-file "$TMPDIR/env" busybox sh -c 'echo $A'
check_eq mark "$out"
echo '=x' >"$TMPDIR/env"
check_fails 125 "no variable name on line '=x'" slipway run --rm --env-file "$TMPDIR/env" busybox true
# A profile is read when the container is made, from where the user is.
echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}' >profile.json
check slipway create --name profiled --security-opt seccomp=profile.json busybox mkdir /directory
rm profile.json
run slipway start -a profiled
check_contains "$err" "Operation not permitted"
check_eq '[seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}]' \
  "$(slipway inspect -f '{{.HostConfig.SecurityOpt}}' profiled)"
echo nonsense >profile.json
check_fails 125 "seccomp profile (profile.json) failed" slipway run --security-opt seccomp=profile.json busybox
