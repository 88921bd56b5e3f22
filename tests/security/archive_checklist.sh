#!/bin/bash
# labels: root
# timeout: 180
# What has been got wrong elsewhere with images (the number names who): each is refused with a message, or does no harm. What
# an entry of a layer can do is in archive_hostile.sh.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3 jq xz gzip zstd

canary=$TMPDIR/canary
mkdir -p "$canary"
echo untouched >"$canary/file"
state() { find "$canary" -printf '%P %y %m %n %s %T@ %l\n' | sort; }
before=$(state)
harmless() { check_eq "$before" "$(state)" "the canary after $1"; }
# In a time that nobody takes for a hang, with one line of error.
refuses() { # TEXT ARGUMENTS OF SLIPWAY...
  local text=$1
  shift
  check_fails 1 "$text" timeout 20 "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" "$@"
}
layout() { # DIR: an OCI layout of one image of one empty layer, to be spoilt
  mkdir -p "$1/blobs/sha256"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
  head -c 1024 /dev/zero >"$1/layer"
  local diff_id config
  diff_id=$(sha256sum "$1/layer" | cut -d ' ' -f 1)
  mv "$1/layer" "$1/blobs/sha256/$diff_id"
  printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$diff_id" >"$1/config"
  config=$(blob "$1" "$1/config")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":1024}]}' \
    "$config" "$(stat -c %s "$1/config")" "$diff_id" >"$1/manifest"
  index "$1"
}
blob() { # DIR FILE: puts it among the blobs, says its digest
  local digest
  digest=$(sha256sum "$2" | cut -d ' ' -f 1)
  cp "$2" "$1/blobs/sha256/$digest"
  echo "sha256:$digest"
}
index() { # DIR: index.json for DIR/manifest
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s}]}' \
    "$(blob "$1" "$1/manifest")" "$(stat -c %s "$1/manifest")" >"$1/index.json"
}
edit() { # DIR FILE JQ-FILTER
  jq -c "$3" "$1/$2" >"$1/new"
  mv "$1/new" "$1/$2"
}
archive() { tar -C "$1" -cf "$TMPDIR/a.tar" .; }
layout "$TMPDIR/good"
archive "$TMPDIR/good"
check slipway load -i "$TMPDIR/a.tar"

# CVE-2014-9357: no program decompresses, whatever PATH says.
mkdir -p "$TMPDIR/bin" "$TMPDIR/t"
for name in xz unxz gzip gunzip pigz unpigz zstd unzstd bzip2; do
  printf '#!/bin/sh\necho %s >>%s/file\nexit 1\n' $name "$canary" >"$TMPDIR/bin/$name"
done
chmod +x "$TMPDIR/bin"/*
echo x >"$TMPDIR/t/file"
for compress in xz gzip zstd; do
  tar -C "$TMPDIR/t" -cf - . | $compress >"$TMPDIR/c.tar"
  PATH=$TMPDIR/bin:$PATH check slipway import "$TMPDIR/c.tar" "compressed:$compress"
done
harmless "compressed archives"

# CVE-2014-5282, CVE-2014-9358: ids and names are no paths.
mkdir "$TMPDIR/legacy"
for id in "../canary" "$canary" "..%2fcanary"; do
  printf '{"x":{"latest":"%s"}}' "$id" >"$TMPDIR/legacy/repositories"
  archive "$TMPDIR/legacy"
  run slipway load -i "$TMPDIR/a.tar"
  [ "$status" != 0 ] || fail "an image with the id $id was loaded"
  harmless "the id $id"
done

# CVE-2024-3727: digests that are none, wherever there is one.
good_digest=$(jq -r '.manifests[0].digest' "$TMPDIR/good/index.json")
for digest in "sha256:../../../../../..$canary/file" "sha256:${good_digest:7:40}" "sha256:${good_digest:7}00" "SHA256:${good_digest:7}" \
  "sha256:$(tr a-f A-F <<<"${good_digest:7}")" "sha512:${good_digest:7}" "" "sha256:" "md5:d41d8cd98f00b204e9800998ecf8427e"; do
  for where in 'index.json .manifests[0].digest' 'manifest .config.digest' 'manifest .layers[0].digest' 'config .rootfs.diff_ids[0]'; do
    rm -rf "$TMPDIR/bad"
    layout "$TMPDIR/bad"
    edit "$TMPDIR/bad" "${where%% *}" "${where#* } = \"$digest\""
    if [ "${where%% *}" = config ]; then
      edit "$TMPDIR/bad" manifest ".config.digest = \"$(blob "$TMPDIR/bad" "$TMPDIR/bad/config")\" | .config.size = $(stat -c %s "$TMPDIR/bad/config")"
    fi
    [ "${where%% *}" = index.json ] || index "$TMPDIR/bad"
    archive "$TMPDIR/bad"
    run timeout 20 "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" load -i "$TMPDIR/a.tar"
    [ "$status" = 1 ] || { show; fail "digest '$digest' at $where: exit status $status"; }
    harmless "digest '$digest' at $where"
  done
done

# CVE-2021-41190: a document that is a manifest and an index.
rm -rf "$TMPDIR/bad"
layout "$TMPDIR/bad"
edit "$TMPDIR/bad" manifest ".manifests = [{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$good_digest\",\"size\":1}]"
index "$TMPDIR/bad"
archive "$TMPDIR/bad"
refuses "manifest" load -i "$TMPDIR/a.tar"

# CVE-2023-25153: documents without end.
for name in index.json manifest.json; do
  rm -rf "$TMPDIR/bad"
  mkdir "$TMPDIR/bad"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$TMPDIR/bad/oci-layout"
  [ $name = index.json ] || rm "$TMPDIR/bad/oci-layout"
  { echo '['; head -c 100M /dev/zero | tr '\0' ' '; } >"$TMPDIR/bad/$name"
  archive "$TMPDIR/bad"
  refuses "larger than" load -i "$TMPDIR/a.tar"
done

# CVE-2017-14992: what unpacks to a thousand times its size takes disk, not memory.
python3 - "$TMPDIR/bomb.tar.gz" <<'PYTHON'
import gzip, sys, tarfile
class Zeros:
    def read(self, n): return bytes(n)
with gzip.open(sys.argv[1], 'wb', 1) as out, tarfile.open(fileobj=out, mode='w|') as tar:
    info = tarfile.TarInfo('zeros')
    info.size = 200 << 20
    tar.addfile(info, Zeros())
PYTHON
python3 - "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" import "$TMPDIR/bomb.tar.gz" bomb <<'PYTHON' >"$TMPDIR/rss"
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PYTHON
instrumented && limit=128 || limit=64
[ "$(cat "$TMPDIR/rss")" -lt $limit ] || fail "the import took $(cat "$TMPDIR/rss") MiB of memory"
check slipway rmi bomb

# CVE-2021-20291: archives that end too soon; nothing is held afterwards.
head -c 300000 /dev/urandom >"$TMPDIR/t/random"
for compress in cat xz gzip zstd; do
  tar -C "$TMPDIR/t" -cf - . | $compress >"$TMPDIR/c.tar"
  for part in 3 10 1000 200000; do
    head -c $part "$TMPDIR/c.tar" >"$TMPDIR/cut.tar"
    run timeout 20 "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" import "$TMPDIR/cut.tar"
    [ "$status" = 1 ] || { show; fail "$part bytes of a $compress archive: exit status $status"; }
    check timeout 5 "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" images -q
  done
done

# CVE-2025-58183: maps of sparse files that say more than there is.
python3 - "$TMPDIR" <<'PYTHON'
import io, sys, tarfile
def write(name, headers, data):
    with tarfile.open(f'{sys.argv[1]}/{name}.tar', 'w', format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo('GNUSparseFile.0/f')
        info.pax_headers = headers
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
one = {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'f'}
write('sparse1', one | {'GNU.sparse.realsize': '512'}, b'99999999999\n' + b'0\n1\n' * 100000)
write('sparse2', one | {'GNU.sparse.realsize': '512'}, b'1\n9223372036854775800\n100\n'.ljust(512, b'\0') + b'x' * 100)
write('sparse3', one | {'GNU.sparse.realsize': '-1'}, b'1\n0\n-5\n'.ljust(512, b'\0'))
write('sparse4', {'GNU.sparse.numblocks': '99999999', 'GNU.sparse.map': '0,1,' * 1000 + '0,1', 'GNU.sparse.size': '1'}, b'x')
PYTHON
for n in 1 2 3 4; do
  run timeout 20 "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" import "$TMPDIR/sparse$n.tar"
  [ "$status" -le 1 ] || { show; fail "sparse file $n: exit status $status"; }
done

# CVE-2022-23648: a volume is filled from the image, not from where the image's links lead.
make_rootfs "$TMPDIR/rootfs"
ln -s "../../../../../../../..$canary" "$TMPDIR/rootfs/link"
check slipway import -c 'VOLUME /link' -c "VOLUME /x/../../../../..$canary" "$TMPDIR/rootfs" volumes
run slipway run --name v volumes sh -c 'find / -name file -xdev 2>/dev/null; cat /link/file'
check_lacks "$out" untouched
harmless "volumes"
[ -z "$(find "$TMPDIR/slipway/volumes" -name file)" ] || fail "a volume was filled from the host"
run slipway rm -fv v

# CVE-2024-9676: files of the image that are read on the host.
for place in passwd group; do
  for to in /dev/zero /proc/self/mem "$canary/file" fifo; do
    rm -f "$TMPDIR/rootfs/etc/$place"
    if [ $to = fifo ]; then mkfifo "$TMPDIR/rootfs/etc/$place"; else ln -s $to "$TMPDIR/rootfs/etc/$place"; fi
    check slipway import "$TMPDIR/rootfs" users
    run timeout 20 "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" run --rm -u user:staff users true
    [ "$status" != 124 ] || fail "$place as $to: it hangs"
    [ "$status" != 0 ] || fail "$place as $to: a user was found in it"
  done
done
check slipway system check

# CVE-2021-41091: nobody else gets into the store, where programs of layers may be setuid.
check_eq "" "$(find "$TMPDIR/slipway" -mindepth 1 -maxdepth 1 -perm /007)" "what others may enter"
