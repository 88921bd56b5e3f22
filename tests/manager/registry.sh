#!/bin/bash
# labels: root
# timeout: 240
# pull: from a real registry.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/registry.sh"
require_root
require_program slipway
require_command jq skopeo openssl htpasswd

export HOME=$TMPDIR/home SLIPWAY_CONFIG=$TMPDIR/config.json
unset DOCKER_CONFIG XDG_CONFIG_HOME
mkdir -p "$HOME" "$TMPDIR/tree/bin"
echo '{}' >"$SLIPWAY_CONFIG"
head -c 2000000 /dev/urandom >"$TMPDIR/tree/bin/large"
check slipway import -c 'CMD ["/bin/large"]' "$TMPDIR/tree" app:1
id=$out
check slipway save --format oci-archive -o "$TMPDIR/app.tar" app:1
check slipway rmi app:1

# --- plain HTTP on this machine; skopeo pushes, we pull

start_registry open
skopeo copy -q --dest-tls-verify=false "oci-archive:$TMPDIR/app.tar" "docker://$registry/team/app:1"
digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/team/app:1")
layer=$(skopeo inspect --tls-verify=false --raw "docker://$registry/team/app:1" | jq -r '.layers[0].digest[7:19]')

check slipway pull "$registry/team/app:1"
check_eq "1: Pulling from team/app
$layer: Pulling fs layer
$layer: Download complete
$layer: Pull complete
Digest: $digest
Status: Downloaded newer image for $registry/team/app:1
$registry/team/app:1" "$out"
check_eq "" "$err" "stderr"
check slipway images --no-trunc --digests --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}'
check_eq "$id $registry/team/app 1 $digest" "$out"
check slipway inspect --format '{{.RepoTags}} {{.RepoDigests}}' "$registry/team/app:1"
check_eq "[$registry/team/app:1] [$registry/team/app@$digest]" "$out"
check slipway system check

# Again: nothing is fetched.
check slipway pull "$registry/team/app:1"
check_contains "$out" "Status: Image is up to date for $registry/team/app:1"
check_lacks "$out" "Downloading"
check slipway pull -q "$registry/team/app:1"
check_eq "$registry/team/app:1" "$out"

# By digest, and all tags.
slipway rmi -f "$id" >/dev/null
check slipway pull -q "$registry/team/app@$digest"
check slipway images -q --no-trunc
check_eq "$id" "$out"
check slipway images --format '{{.Tag}}'
check_eq "<none>" "$out"
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$registry/team/app:1" "docker://$registry/team/app:latest"
check slipway pull -a "$registry/team/app"
check slipway images --format '{{.Tag}}'
check_eq $'1\nlatest' "$(sort <<<"$out")"
check slipway pull "$registry/team/app"
check_eq "Using default tag: latest" "${out%%$'\n'*}"

# What is not there.
check_fails 1 "manifest for $registry/team/app:2 not found: manifest unknown" slipway pull -q "$registry/team/app:2"
check_fails 1 "manifest unknown" slipway pull -q "$registry/other"
check_fails 1 "connection refused" slipway pull -q localhost:1/app
check_fails 1 "no such host" slipway pull -q registry.invalid/app
check_fails 125 "tag can't be used with --all-tags" slipway pull -a "$registry/team/app:1"
check_fails 1 "no matching manifest for linux/sparc" slipway pull -q --platform linux/sparc "$(
  manifest=$TMPDIR/index.json
  jq -n --arg d "$digest" --argjson s "$(skopeo inspect --tls-verify=false --raw "docker://$registry/team/app:1" | wc -c)" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
      {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, platform: {os: "linux", architecture: "amd64"}}]}' >"$manifest"
  curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "@$manifest" \
    "http://$registry/v2/team/app/manifests/multi"
  echo "$registry/team/app:multi"
)"
if [ "$(uname -m)" = x86_64 ]; then
  check slipway pull -q "$registry/team/app:multi"
  check slipway images -q --no-trunc "$registry/team/app:multi"
  check_eq "$id" "$out"
fi

# Libraries are loaded by those who need them.
if command -v strace >/dev/null; then
  strace -f -e trace=openat -o "$TMPDIR/trace" "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" images >/dev/null
  ! grep -q libcurl "$TMPDIR/trace" || fail "images loads libcurl"
fi

# --- TLS, and a password

mkdir "$TMPDIR/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$TMPDIR/tls/key" -out "$TMPDIR/tls/crt" 2>/dev/null
htpasswd -Bbn user secret >"$TMPDIR/tls/htpasswd"
start_registry closed "  tls: {certificate: $TMPDIR/tls/crt, key: $TMPDIR/tls/key}
auth: {htpasswd: {realm: test, path: $TMPDIR/tls/htpasswd}}"
skopeo copy -q --dest-tls-verify=false --dest-creds user:secret "oci-archive:$TMPDIR/app.tar" "docker://$registry/app:1"
certs=$HOME/.config/docker/certs.d/$registry
mkdir -p "$certs"
# There is a directory for it, so that it has to be who it says.
check_fails 1 "certificate" slipway pull -q "$registry/app:1"
cp "$TMPDIR/tls/crt" "$certs/ca.crt"
check_fails 1 "unauthorized" slipway pull -q "$registry/app:1"
mkdir "$HOME/.docker"
jq -n --arg r "$registry" '{auths: {($r): {auth: ("user:wrong" | @base64)}}}' >"$HOME/.docker/config.json"
check_fails 1 "unauthorized" slipway pull -q "$registry/app:1"
jq -n --arg r "$registry" '{auths: {($r): {auth: ("user:secret" | @base64)}}}' >"$HOME/.docker/config.json"
check slipway pull -q "$registry/app:1"
check slipway images -q --no-trunc "$registry/app:1"
check_eq "$id" "$out"
