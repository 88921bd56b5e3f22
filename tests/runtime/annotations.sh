#!/bin/bash
# Annotations of crun: those that are there do what they say, the others are refused.
# labels: root cgroup
# timeout: 60
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq python3
bundle=$TMPDIR/b
make_bundle "$bundle" true
cp "$bundle/config.json" "$TMPDIR/good.json"
id=$(new_id)
with() { # NAME VALUE [FILTER]
  jq --arg name "$1" --arg value "$2" ".annotations[\$name] = \$value | ${3:-.}" "$TMPDIR/good.json" >"$bundle/config.json"
}
refused() { # TEXT NAME VALUE [FILTER]
  with "$2" "$3" "${4:-.}"
  check_fails 1 "annotations[$2]" slip run --bundle "$bundle" "$id"
  check_contains "$err" "$1"
  [ ! -e "$TMPDIR/slip-run/$id" ] || fail "a refused container is left"
}
works() { # NAME VALUE [FILTER]
  with "$@"
  check slip run --bundle "$bundle" "$id"
  check_eq "" "$err" "standard error"
}

echo "# refused, for what they ask or for what they say"
for handler in wasm krun runsc; do refused "neither virtual machines nor WebAssembly" run.oci.handler $handler; done
refused "WebAssembly is not supported" module.wasm.image/variant compat
refused "WebAssembly is not supported" module.wasm.image/variant compat-smart '.process.args = ["/hello.wasm"]'
works module.wasm.image/variant compat-smart
refused "plugins are not supported" run.oci.seccomp.plugins /plugin.so
refused "compiled filters are not supported" run.oci.seccomp_bpf_data AAAA
refused "none of context" run.oci.mount_context_type label
refused "not an absolute path" run.oci.pidfd_receiver relative
refused "not an absolute path" run.oci.seccomp.receiver relative
for name in a/b .. .; do refused "not the name of a cgroup" run.oci.delegate-cgroup $name; done
refused "no cgroup file system is mounted there" run.oci.systemd.force_cgroup_v1 /proc
with run.oci.future x
check slip run --bundle "$bundle" "$id"
check_contains "$err" "annotations[run.oci.future]: unknown annotation of crun, ignored"
# Those of others are nobody's business.
works io.kubernetes.cri.container-name x
# What podman sends with --cgroups=split.
works run.oci.systemd.subgroup ""

echo "# the supplementary groups of the caller"
groups_of() { # VALUE
  with run.oci.keep_original_groups "$1" '.process.args = ["id", "-G"]'
  check python3 -c 'import os, sys; os.setgroups([0, 4242]); os.execv(sys.argv[1], sys.argv[1:])' \
    "$SLIP" --root "$TMPDIR/slip-run" run --bundle "$bundle" "$id"
}
groups_of 1
check_eq "0 4242" "$out"
groups_of 0
check_eq 0 "$out"

echo "# the named hierarchy of systemd in the place of the container's cgroups"
look='.process.args = ["sh", "-c", "grep -c . /sys/fs/cgroup/cgroup.procs; grep \" /sys/fs/cgroup \" /proc/self/mountinfo"] |
  .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
if grep -q "^[0-9]*:name=systemd:" /proc/self/cgroup && [ -d /sys/fs/cgroup/systemd ]; then
  works run.oci.systemd.force_cgroup_v1 /sys/fs/cgroup "$look"
  check_contains "$out" "name=systemd"
  [ "$(head -n 1 <<<"$out")" -ge 1 ] || fail "the container's processes are not seen"
else
  refused "no cgroup v1 hierarchy name=systemd" run.oci.systemd.force_cgroup_v1 /sys/fs/cgroup "$look"
fi

echo "# a cgroup for the container to manage: below its own, which has the limits"
filter='.linux.cgroupsPath = "/" + $ENV.id | .linux.resources += {pids: {limit: 77}} | .process.args = ["sleep", "1000"] |
  .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
export id
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  with run.oci.delegate-cgroup payload "$filter"
  check slip run --detach --bundle "$bundle" "$id" </dev/null
  check_eq "0::/$id/payload" "$(cat "/proc/$(slip state "$id" | jq .pid)/cgroup")"
  check_eq 77 "$(cat "/sys/fs/cgroup/$id/pids.max")"
  check_eq max "$(cat "/sys/fs/cgroup/$id/payload/pids.max")"
  check slip exec "$id" cat /proc/self/cgroup
  check_eq "0::/payload" "$out" "as the container sees it"
  check slip pause "$id"
  check slip resume "$id"
  check slip delete --force "$id"
  [ ! -e "/sys/fs/cgroup/$id" ] || fail "the cgroup is left"
else
  refused "needs cgroup v2" run.oci.delegate-cgroup payload "$filter"
fi
