#!/bin/bash
# labels: root
# timeout: 240
# pull, push, login, logout and search, with a real registry; skopeo and podman at the other end.
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
check slipway events --since 1m --until 0s -f event=pull --format '{{.ID}} {{.Actor.Attributes.name}}'
check_eq "$registry/team/app:1 $registry/team/app" "$out" "event"
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
  # LeakSanitizer would trace the process, too, and there can be one only.
  ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -e trace=openat -o "$TMPDIR/trace" "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" images >/dev/null
  ! grep -q libcurl "$TMPDIR/trace" || fail "images loads libcurl"
fi

# run and build bring what is missing, and say so on standard error.
make_rootfs "$TMPDIR/busybox"
check slipway import "$TMPDIR/busybox" "$registry/busybox:1"
busybox=$out
check slipway push -q "$registry/busybox:1"
check slipway rmi "$registry/busybox:1"
check slipway run --rm "$registry/busybox:1" echo hello
check_eq hello "$out"
check_contains "$err" "Unable to find image '$registry/busybox:1' locally"
check_contains "$err" "Status: Downloaded newer image for $registry/busybox:1"
check slipway run --rm --pull always --quiet "$registry/busybox:1" echo again
check_eq again "$out$err"
check slipway rmi "$registry/busybox:1"
check_fails 125 "No such image: $registry/busybox:1" slipway run --rm --pull never "$registry/busybox:1" true
check_fails 125 "manifest for $registry/busybox:2 not found" slipway run --rm --quiet "$registry/busybox:2" true
printf 'FROM %s\nLABEL a=b\n' "$registry/busybox:1" >"$TMPDIR/Dockerfile"
check slipway build -q - <"$TMPDIR/Dockerfile"

# --- push: what skopeo and podman read is what we have

check slipway tag "$registry/team/app:1" "$registry/pushed/app:1"
check slipway tag "$registry/team/app:1" "$registry/pushed/app:2"
check slipway push "$registry/pushed/app:1"
check_contains "$out" "The push refers to repository [$registry/pushed/app]"
check_contains "$out" ": Mounted from another repository"
check_contains "$out" "1: digest: $digest size: "
check slipway push -a "$registry/pushed/app"
check_contains "$out" ": Layer already exists"
check_contains "$out" "2: digest: $digest size: "
check_eq "$digest" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/pushed/app:2")"
skopeo copy -q --src-tls-verify=false "docker://$registry/pushed/app:1" "oci:$TMPDIR/copied:1"
check_eq "${id#sha256:}" "$(skopeo inspect --config --raw "oci:$TMPDIR/copied:1" | sha256sum | cut -d' ' -f1)"
check slipway images --digests --format '{{.Tag}} {{.Digest}}' "$registry/pushed/app"
check_contains "$out" "1 $digest"
# A layer that was made here, in a registry that has nothing of it.
check slipway push "$registry/busybox:1"
check_eq "$busybox" "sha256:$(skopeo inspect --tls-verify=false --config --raw "docker://$registry/busybox:1" | sha256sum | cut -d' ' -f1)"
if command -v podman >/dev/null; then
  podman=(podman --root "$TMPDIR/podman" --runroot "$TMPDIR/podman-run" --storage-driver vfs)
  check "${podman[@]}" pull -q --tls-verify=false "$registry/busybox:1"
  check_eq "${busybox#sha256:}" "$out" "podman's id"
  check "${podman[@]}" rmi -f "$out"
fi
check_fails 1 "does not exist locally" slipway push -q "$registry/nothing"
check slipway search "$registry/bus"
check_eq "$registry/busybox" "$(awk 'NR == 2 { print $1 }' <<<"$out")"

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
run slipway login -u user --password-stdin "$registry" <<<wrong
check_eq 1 "$status"
check_contains "$err" "unauthorized"
[ ! -e "$HOME/.docker/config.json" ] || fail "a wrong password was stored"
mkdir "$HOME/.docker"
echo '{"detachKeys": "ctrl-x", "auths": {"other.example": {"auth": "eDp5"}}}' >"$HOME/.docker/config.json"
check slipway login -u user --password-stdin "$registry" <<<secret
check_eq "Login Succeeded" "$out"
check_eq 600 "$(stat -c %a "$HOME/.docker/config.json")"
check_eq '["ctrl-x","eDp5","user:secret"]' \
  "$(jq -c --arg r "$registry" '[.detachKeys, .auths["other.example"].auth, (.auths[$r].auth | @base64d)]' "$HOME/.docker/config.json")"
check slipway pull -q "$registry/app:1"
check slipway images -q --no-trunc "$registry/app:1"
check_eq "$id" "$out"
check slipway tag "$registry/app:1" "$registry/again:1"
check slipway push "$registry/again:1"
check_contains "$out" "1: digest: $digest"
check skopeo inspect --tls-verify=false --authfile "$HOME/.docker/config.json" "docker://$registry/again:1"
check slipway logout "$registry"
check_eq "Removing login credentials for $registry" "$out"
check slipway logout "$registry"
check_eq "Not logged in to $registry" "$out"
check_eq '["other.example"]' "$(jq -c '.auths | keys' "$HOME/.docker/config.json")"
check_fails 1 "unauthorized" slipway pull -q "$registry/app:1"

# A credential helper, which is a program.
mkdir "$TMPDIR/bin"
cat >"$TMPDIR/bin/docker-credential-test" <<'END'
#!/bin/sh
cat >"$TMPDIR/helper-$1"
case $1 in get) echo '{"Username": "user", "Secret": "secret"}' ;; esac
END
chmod +x "$TMPDIR/bin/docker-credential-test"
jq -n --arg r "$registry" '{credHelpers: {($r): "test"}}' >"$HOME/.docker/config.json"
PATH=$TMPDIR/bin:$PATH check slipway pull -q "$registry/app:1"
check_eq "$registry" "$(cat "$TMPDIR/helper-get")"
PATH=$TMPDIR/bin:$PATH check slipway login -u user -p secret "$registry"
check_eq secret "$(jq -r .Secret "$TMPDIR/helper-store")"
check_lacks "$(cat "$HOME/.docker/config.json")" secret
check slipway system check
