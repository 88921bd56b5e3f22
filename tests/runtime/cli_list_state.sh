#!/bin/bash
# list, state, features, spec and --version: what engines parse.
# labels: root
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq

# --version: dockerd splits at "NAME version " and "commit: ".
check "$SLIP" --version
[[ $out =~ ^slip\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "--version: $out"
check_eq "slip commit: spec: libseccomp:" "$(cut -d" " -f1 <<<"$out" | xargs)" "lines of --version"
check_contains "$out" $'\ncommit: '
check_contains "$out" $'\nspec: 1.'
check_eq "$out" "$("$SLIP" -v)"
for word in --help -h help; do check "$SLIP" $word; check_contains "$out" "Usage: slip"; done
for verb in create run exec kill list; do check "$SLIP" $verb --help; check_contains "$out" "Usage: slip $verb"; done

# Without any rights, cgroups or directories.
check env -i "$SLIP" features
check_eq "" "$err"
check_eq '"1.0.0" "1.3.0"' "$(jq -c '.ociVersionMin, .ociVersionMax' <<<"$out" | xargs -d '\n')"
for option in rro rnosuid idmap bind tmpcopyup nosymfollow; do
  check_eq true "$(jq --arg o $option '.mountOptions | index($o) != null' <<<"$out")" "mountOptions has $option"
done
check_eq 6 "$(jq '.hooks | length' <<<"$out")"
for path in .linux.seccomp.enabled .linux.cgroup.v1 .linux.cgroup.v2 .linux.mountExtensions.idmap.enabled; do
  check_eq true "$(jq "$path" <<<"$out")" "$path"
done
check_eq true "$(jq '.linux.namespaces | index("time") != null' <<<"$out")"
check_eq true "$(jq '.linux.seccomp.actions | index("SCMP_ACT_NOTIFY") != null' <<<"$out")"

# list: the default root may be missing, one that was named may not.
check_fails 1 "root" "$SLIP" --root "$TMPDIR/none" list
check_eq "" "$out"
mkdir "$TMPDIR/empty"
check_eq "ID PID STATUS BUNDLE CREATED OWNER" "$("$SLIP" --root "$TMPDIR/empty" list | xargs)"
check_eq "[]" "$("$SLIP" --root "$TMPDIR/empty" list --format json)"
check_eq "" "$("$SLIP" --root "$TMPDIR/empty" list -q)"
check_fails 1 'invalid format' "$SLIP" --root "$TMPDIR/empty" list -f xml

# An ordinary user's root is in XDG_RUNTIME_DIR.
if command -v setpriv >/dev/null; then
  mkdir -m 755 "$TMPDIR/xdg"
  chown 1000:1000 "$TMPDIR/xdg"
  check setpriv --reuid 1000 --regid 1000 --clear-groups env XDG_RUNTIME_DIR="$TMPDIR/xdg" "$SLIP" list
  check_eq "ID PID STATUS BUNDLE CREATED OWNER" "$(xargs <<<"$out")"
  # So it is as root of a user namespace, as whom podman calls without USER, but not for one that is called root.
  rm -rf "$TMPDIR/xdg/slip"
  touch "$TMPDIR/xdg/slip"
  install -m 755 "$SLIP" "$TMPDIR/xdg/program"
  chmod 755 "$TMPDIR"
  as_mapped_root() { # ENV-ARGUMENT...
    setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user --map-root-user env "$@" XDG_RUNTIME_DIR="$TMPDIR/xdg" \
      "$TMPDIR/xdg/program" list
  }
  check_fails 1 "$TMPDIR/xdg/slip" as_mapped_root -u USER
  check_fails 1 "$TMPDIR/xdg/slip" as_mapped_root USER=joe
  run as_mapped_root USER=root
  check_lacks "$err" "$TMPDIR/xdg/slip"
fi

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
edit_config "$bundle" '.annotations = {"org.example.a": "b c"}'
id=$(new_id)
check slip create --bundle "$bundle" "$id"
check slip state "$id"
check_eq "b c" "$(jq -r '.annotations."org.example.a"' <<<"$out")"
check_eq "$bundle/rootfs" "$(jq -r .rootfs <<<"$out")"
pid=$(jq .pid <<<"$out")
check_eq "$(jq -c . <<<"$out")" "$(slip list --format json | jq -c ".[0]")" "list and state"
check slip list
check_eq "$id $pid created $bundle" "$(awk 'NR == 2 { print $1, $2, $3, $4 }' <<<"$out")"
check_eq "$id" "$(slip list -q)"
# A relative bundle, through a symbolic link.
ln -s b "$TMPDIR/link"
(cd "$TMPDIR" && check slip create --bundle link --pid-file pid "$id-2")
check_eq "$bundle" "$(slip state "$id-2" | jq -r .bundle)"
check_eq "$(slip state "$id-2" | jq .pid)" "$(cat "$TMPDIR/pid")" "relative pid file"
check slip delete --force --regex "^$id"
check_eq "" "$(slip list -q)"

# spec does not overwrite, and says what runc says.
mkdir "$TMPDIR/s"
check slip spec --bundle "$TMPDIR/s"
check_fails 1 'File config.json exists. Remove it first' slip spec -b "$TMPDIR/s"
(cd "$TMPDIR/s" && check slip spec -f other.json)
check_eq "" "$(diff "$TMPDIR/s/config.json" "$TMPDIR/s/other.json")"
if command -v runc >/dev/null; then
  # The same but for the name, the version, what runc has come to leave out (ambient) and to mask since.
  mkdir "$TMPDIR/r"
  for mode in '' --rootless; do
    rm -f "$TMPDIR"/[rs]/config.json
    runc spec -b "$TMPDIR/r" $mode
    slip spec -b "$TMPDIR/s" $mode
    filter='del(.ociVersion, .hostname, .process.capabilities.ambient) | .linux.maskedPaths -= ["/sys/devices/virtual/tpm"]'
    check_eq true "$(jq -s "map($filter) | .[0] == .[1]" "$TMPDIR/r/config.json" "$TMPDIR/s/config.json")" "spec $mode"
  done
fi
