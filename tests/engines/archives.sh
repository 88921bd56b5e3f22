#!/bin/bash
# labels: engine root
# timeout: 240
# Archives of images go both ways between slipway and Debian's docker.io, podman, skopeo and containerd, with the same image ID
# and the same layers, and what comes back is saved as the same bytes.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/engines.sh"
require_engine_runtime
require_program slipway
require_command dockerd docker containerd ctr podman skopeo

start_dockerd
prepare_podman
archives=$TMPDIR/archives
mkdir "$archives"

# What each tool has under a name: its ID and the diff IDs of its layers, in one line.
identity='{{.Id}} {{json .RootFS.Layers}}'
ours() { slipway image inspect -f "$identity" "$1"; }
dockers() { docker image inspect -f "$identity" "$1"; }
podmans() { podman image inspect -f "sha256:$identity" "$1"; }
forget() { # all images of slipway
  slipway image prune -af >/dev/null
  check_eq 0 "$(find "$TMPDIR/slipway/content/blobs" -type f | wc -l)" "blobs that are left"
}

# --- ours: three layers, of which one has a hard link, a symbolic link, an odd name, a hole and an xattr, one removes files, and
# one is empty.
busybox_image base
check slipway run --name one base sh -c 'mkdir /d && echo x >/d/file && ln /d/file /d/hard && ln -s file /d/soft &&
  dd if=/dev/zero of=/d/sparse bs=1 count=1 seek=3000000 2>/dev/null && touch "/d/new
line" && chmod 4711 /d/file && chown 7:50 /d/soft -h && mkdir -m 1777 /d/sticky'
! command -v setfattr >/dev/null || setfattr -n user.note -v text "$TMPDIR/slipway/overlay2/$(slipway inspect -f '{{.Id}}' one)/diff/d/hard"
check slipway commit -a "A. Author" -m "more files" -c 'ENV A=1' -c 'LABEL x=y' -c 'ENTRYPOINT ["/bin/sh"]' one two
check slipway run --name two --entrypoint rm two -rf /d/soft /home
check slipway commit -a 'A. Author' -c 'ENTRYPOINT []' -c 'CMD ["cat", "/d/file"]' two registry.example:5000/team/app:1
check slipway tag registry.example:5000/team/app:1 app:2
check slipway create --name three app:2
check slipway commit three empty:3
check slipway rm one two three
app=$(ours app:2)
empty=$(ours empty:3)
check slipway save -o "$archives/ours.tar" registry.example:5000/team/app:1 app:2 empty:3
check slipway save --format oci-archive -o "$archives/ours-oci.tar" app:2
check slipway save --format docker-archive -o "$archives/ours-docker.tar" registry.example:5000/team/app:1 app:2 empty:3

# docker reads what we wrote: names, IDs, layers, and the container says the same.
for file in ours ours-docker; do
  check docker load -i "$archives/$file.tar"
  check_eq "Loaded image: app:2 Loaded image: empty:3 Loaded image: registry.example:5000/team/app:1" \
    "$(sort <<<"$out" | xargs)" "$file"
  check_eq "$app" "$(dockers app:2)" "docker, $file.tar"
  check_eq "$app" "$(dockers registry.example:5000/team/app:1)" "docker, $file.tar"
  check_eq "$empty" "$(dockers empty:3)" "docker, $file.tar"
  check_eq x "$(docker run --rm --network none app:2)"
  check docker run --rm --network none app:2 find /d ! -type d
  check_eq "$(slipway run --rm app:2 find /d ! -type d | sort)" "$(sort <<<"$out")" "files in docker"
  check_eq "A. Author" "$(docker image inspect -f '{{.Author}}' app:2)"
  check_eq "$(slipway history -q --no-trunc app:2 | wc -l)" "$(docker history -q app:2 | wc -l)" "steps in docker's history"
  check docker save -o "$archives/docker.tar" app:2 empty:3 registry.example:5000/team/app:1
  check docker rmi -f app:2 empty:3 registry.example:5000/team/app:1
done

# podman, from both formats. (From OCI it names by the annotation.)
for file in ours ours-docker; do
  check podman load -q -i "$archives/$file.tar"
  check_eq "$app" "$(podmans localhost/app:2)" "podman, $file.tar"
  check_eq "$empty" "$(podmans localhost/empty:3)" "podman, $file.tar"
  rm -rf "$archives"/podman*
  check podman save -q -m -o "$archives/podman.tar" localhost/app:2 localhost/empty:3 registry.example:5000/team/app:1
  check podman rmi -f localhost/app:2 localhost/empty:3 registry.example:5000/team/app:1
done
check podman load -q -i "$archives/ours-oci.tar"
check_eq "$app" "$(podmans docker.io/library/app:2)" "podman, ours-oci.tar"
# (What it has of a docker-archive it would turn into another config for OCI.)
check podman save -q --format oci-archive -o "$archives/podman-oci.tar" docker.io/library/app:2
check podman save -q --format oci-dir -o "$archives/podman-dir" docker.io/library/app:2

# containerd.
check ctr_ images import "$archives/ours.tar"
check_contains "$(ctr_ images ls -q)" docker.io/library/app:2
check ctr_ images export "$archives/ctr.tar" docker.io/library/app:2

# skopeo.
check skopeo copy -q "docker-archive:$archives/ours.tar:app:2" "docker-archive:$archives/skopeo.tar:app:2"
check skopeo copy -q "oci-archive:$archives/ours-oci.tar" "oci-archive:$archives/skopeo-oci.tar:app:2"
check skopeo copy -q "oci-archive:$archives/ours-oci.tar" "oci:$archives/skopeo-dir:app:2"

# All of these come back as the image that they were, however they are compressed.
forget
for source in docker podman podman-oci podman-dir ctr skopeo skopeo-oci skopeo-dir; do
  file=$archives/$source
  if [ -d "$file" ]; then
    check slipway load -i "$file"
    name=$(sed -n 's/^Loaded image[^:]*: //p' <<<"$out" | head -1)
    check_eq "$app" "$(ours "$name")" "$source"
  else
    compressors='cat'
    [ "$source" != docker ] || compressors='cat gzip xz zstd bzip2'
    for compress in $compressors; do
      $compress <"$file.tar" | slipway load >"$TMPDIR/loaded" || fail "load $source.tar with $compress"
      name=$(grep -v empty "$TMPDIR/loaded" | sed 's/^Loaded image[^:]*: //' | head -1)
      check_eq "$app" "$(ours "$name")" "$source, $compress"
      forget
    done
  fi
  forget
done

# What comes back from docker is saved as it was.
check slipway load -i "$archives/ours.tar"
check slipway save -o "$archives/again.tar" registry.example:5000/team/app:1 app:2 empty:3
cmp "$archives/ours.tar" "$archives/again.tar" || fail "save differs after load"
forget
check slipway load -i "$archives/docker.tar"
check_eq 'Loaded image: app:2 Loaded image: empty:3 Loaded image: registry.example:5000/team/app:1' "$(sort <<<"$out" | xargs)"
check slipway save -o "$archives/again.tar" registry.example:5000/team/app:1 app:2 empty:3
cmp "$archives/ours.tar" "$archives/again.tar" || fail "save differs after docker had the image"
forget

# --- theirs: built by docker, with steps that make no layer, two images that share some.
mkdir "$TMPDIR/context"
echo data >"$TMPDIR/context/data"
printf '%s\n' 'FROM bb' 'ENV A=1' 'RUN echo one >/one' 'COPY data /data' 'RUN rm /one' 'VOLUME /v' 'HEALTHCHECK CMD true' \
  'CMD ["cat", "/data"]' >"$TMPDIR/context/Dockerfile"
tar -C "$(busybox_rootfs)" -c . | docker import - bb >/dev/null
export DOCKER_BUILDKIT=0
check docker build -q --network none -t theirs:1 "$TMPDIR/context"
echo 'RUN echo two >/two' >>"$TMPDIR/context/Dockerfile"
check docker build -q --network none -t theirs:2 "$TMPDIR/context"
check docker save -o "$archives/theirs.tar" theirs:1 theirs:2 bb
check slipway load -i "$archives/theirs.tar"
for name in theirs:1 theirs:2 bb; do check_eq "$(dockers $name)" "$(ours $name)"; done
check_eq data "$(slipway run --rm theirs:1)"
check_eq two "$(slipway run --rm theirs:2 cat /two)"
check_eq "$(docker history --no-trunc --format '{{.CreatedBy}}|{{.Size}}' theirs:2)" \
  "$(slipway history --no-trunc --format '{{.CreatedBy}}|{{.Size}}' theirs:2)" "history"
# And on to podman, which has the image that docker has.
check slipway save -o "$archives/passed-on.tar" theirs:2
check podman load -q -i "$archives/passed-on.tar"
check_eq "$(dockers theirs:2)" "$(podmans docker.io/library/theirs:2)" "podman, passed on"
# Both export the same tree.
forget
check slipway load -i "$archives/passed-on.tar"
check_eq "$(dockers theirs:2)" "$(ours theirs:2)" "loaded again"
id=$(slipway create theirs:2)
theirs=$(docker create --network none theirs:2)
check_eq "$(docker export "$theirs" | tar -t | grep -vE '^(\.dockerenv|dev/|proc/|sys/|etc/(hosts|hostname|resolv.conf|mtab)|v/)' | sort)" \
  "$(slipway export "$id" | tar -t | grep -vE '^(\.dockerenv|dev/|proc/|sys/|etc/(hosts|hostname|resolv.conf|mtab)|v/)' | sort)"
docker rm "$theirs" >/dev/null
slipway rm "$id" >/dev/null

# podman builds in its own way: config and manifest are OCI's.
check podman commit -q -c 'CMD ["ls"]' "$(podman create --network none docker.io/library/app:2)" localhost/own:1
for format in docker-archive oci-archive; do
  check podman save -q --format $format -o "$archives/own-$format.tar" localhost/own:1
  check slipway load -i "$archives/own-$format.tar"
  name=$(sed -n 's/^Loaded image[^:]*: //p' <<<"$out" | head -1)
  check_eq "$(podman image inspect -f '{{json .RootFS.Layers}}' localhost/own:1)" "$(slipway image inspect -f '{{json .RootFS.Layers}}' "$name")"
  [ $format = docker-archive ] || check_eq "$(podmans localhost/own:1)" "$(ours "$name")" "$format"
  check slipway rmi -f "$name"
done

podman rm -af >/dev/null
podman rmi -af >/dev/null
finish_podman
stop_dockerd
