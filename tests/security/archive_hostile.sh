#!/bin/bash
# labels: root
# timeout: 120
# Hostile layers: whatever an archive says, nothing outside the layer's tree is made, changed or shown.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3 jq

canary=$TMPDIR/canary
mkdir -p "$canary/dir"
echo untouched >"$canary/file"
chmod 640 "$canary/file"
state() { find "$canary" -printf '%P %y %m %n %s %T@ %l\n' | sort; }
before=$(state)

# make NAME: a tar of the entries that the Python text on standard input adds with e(name, **attributes).
make() {
  python3 - "$TMPDIR/$1.tar" "$canary" 3<&0 <<'PYTHON'
import io, os, sys, tarfile
out, canary = sys.argv[1:3]
tar = tarfile.open(out, 'w', format=tarfile.PAX_FORMAT)
def e(name, data=None, **attributes):
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    if data is not None:
        data = data.encode() if isinstance(data, str) else data
        info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data) if data is not None else None)
def d(name, **attributes): e(name, type=tarfile.DIRTYPE, mode=attributes.pop('mode', 0o755), **attributes)
def l(name, to, **attributes): e(name, type=tarfile.SYMTYPE, linkname=to, **attributes)
def h(name, to, **attributes): e(name, type=tarfile.LNKTYPE, linkname=to, **attributes)
exec(os.fdopen(3).read())
tar.close()
PYTHON
}
# The tree of the one layer that was imported last.
root=$TMPDIR/slipway
import() { # NAME
  check slipway import "$TMPDIR/$1.tar" "$1"
  layer=$root/overlay2/$(slipway image inspect -f '{{index .RootFS.Layers 0}}' "$1" | cut -d: -f2)/diff
  [ -d "$layer" ] || fail "no layer $layer"
}
contained() { # NAME: imports it, and the canary is as before.
  import "$1"
  check_eq "$before" "$(state)" "the canary after $1"
}
refused() { # NAME TEXT
  check_fails 1 "$2" slipway import "$TMPDIR/$1.tar"
  check_eq "$before" "$(state)" "the canary after $1"
}

# Names.
make absolute <<<"e(canary + '/file', 'evil')"
contained absolute
check_eq evil "$(cat "$layer$canary/file")"
make dotdot <<<"e('../../../../../../..' + canary + '/file', 'evil')"
refused dotdot "leads out of the layer"
make inner <<<"d('a'); e('a/../b/./c//d', 'x')"
contained inner
check_eq x "$(cat "$layer/b/c/d")"
for name in "'/'" "'.'" "'./'" "'a/..'"; do
  make rootlink <<<"l($name, canary)"
  refused rootlink "root of the layer is not a directory"
  make rootfile <<<"e($name, 'x')"
  run slipway import "$TMPDIR/rootfile.tar"
  check_eq "$before" "$(state)"
done

# Links that lead out.
make symlink <<<"l('a', '/'); e('a' + canary + '/file', 'evil'); e('a' + canary + '/new', 'evil')"
contained symlink
check_eq evil "$(cat "$layer$canary/file")" # inside the layer, as in a chroot
make abslink <<<"l('a', canary); d('a/dir/sub'); e('a/file', 'evil')"
run slipway import "$TMPDIR/abslink.tar"
check_eq "$before" "$(state)"
make uplink <<<"l('a', '../../../../../../../../..' + canary); e('a/file', 'evil')"
run slipway import "$TMPDIR/uplink.tar"
check_eq "$before" "$(state)"
make chain <<<"l('a', 'b'); l('b', '/..'); l('c', 'a/..'); e('c' + canary + '/file', 'evil')"
run slipway import "$TMPDIR/chain.tar"
check_eq "$before" "$(state)"
make last <<<"l('a', canary + '/file'); e('a', 'evil')"
contained last
[ -f "$layer/a" ] && [ ! -L "$layer/a" ] || fail "the link was not replaced"
make modelink <<<"l('a', canary + '/file', mode=0o777, uid=1, gid=1)"
contained modelink
make xattrlink <<<"l('a', canary + '/file', pax_headers={'SCHILY.xattr.user.x': 'y'})"
run slipway import "$TMPDIR/xattrlink.tar"
check_eq "$before" "$(state)"
check_eq "" "$(getfattr -d "$canary/file" 2>/dev/null || true)"

# Hard links.
make hard-up <<<"h('a', '../../../../../../..' + canary + '/file')"
refused hard-up "leads out of the layer"
make hard-abs <<<"h('a', canary + '/file')"
refused hard-abs "hard link"
make hard-through <<<"l('d', canary); h('a', 'd/file'); e('a', 'evil')"
run slipway import "$TMPDIR/hard-through.tar"
check_eq "$before" "$(state)"
make hard-symlink <<<"l('s', canary + '/file'); h('a', 's'); e('a', 'evil', mode=0o777)"
contained hard-symlink
make hard-dir <<<"d('d'); h('a', 'd')"
refused hard-dir "hard link"
make hard-root <<<"h('a', '/')"
refused hard-root "links to the root"

# Attributes of overlay mounts, by which a layer could show files of the host.
make overlay <<<"d('d', pax_headers={'SCHILY.xattr.trusted.overlay.redirect': canary,
  'SCHILY.xattr.security.selinux': 'system_u:object_r:shadow_t:s0', 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.overlay.opaque': 'y', 'SCHILY.xattr.user.kept': '1'})
e('f', 'x', pax_headers={'SCHILY.xattr.trusted.overlay.metacopy': '', 'SCHILY.xattr.trusted.overlay.redirect': '/etc/passwd'})"
contained overlay
if command -v getfattr >/dev/null; then
  attributes=$(getfattr --absolute-names -m - "$layer/d" 2>&1)
  check_contains "$attributes" user.kept
  check_lacks "$attributes" .overlay.
  check_lacks "$attributes" shadow_t
  check_lacks "$(getfattr --absolute-names -m - "$layer/f" 2>&1)" .overlay.
fi

# Kinds that replace each other.
make swap <<<"d('a'); e('a/b', '1'); e('a', 'file'); l('c', canary); d('c'); e('c/x', '2'); d('f'); l('f', canary); e('f/file', 'evil')"
run slipway import "$TMPDIR/swap.tar"
check_eq "$before" "$(state)"
make twice <<<"e('a', 'first'); e('a', 'second'); d('d', mode=0o700); d('d', mode=0o711)"
contained twice
check_eq second "$(cat "$layer/a")"
check_eq 711 "$(stat -c %a "$layer/d")"

# Whiteouts.
for name in .wh. .wh... .wh..; do
  make whiteout <<<"e('$name')"
  run slipway import "$TMPDIR/whiteout.tar"
  check_eq "$before" "$(state)"
done
make whiteout-link <<<"l('a', canary); e('a/.wh.file'); e('a/.wh..wh..opq')"
run slipway import "$TMPDIR/whiteout-link.tar"
check_eq "$before" "$(state)"
make plink <<<"e('.wh..wh.plnk/1.2', 'x'); e('.wh..wh.aufs'); e('ok', 'x')"
contained plink
[ ! -e "$layer/.wh..wh.aufs" ] || fail "aufs' own files are kept"

# Devices are made as they are; users of the host cannot reach them.
make device <<<"e('null', type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666); e('white', type=tarfile.CHRTYPE)"
contained device
[ -c "$layer/null" ] || fail "no device"
case $(stat -c %a "$root/overlay2" "$root/graph" "$root/images" | sort -u | tr '\n' ' ') in
  *[1-7]\ ) case $(stat -c %a "$root/overlay2") in 7[0-7]0) ;; *) fail "overlay2 can be traversed by all" ;; esac ;;
esac

# Numbers, names and archives that are not what they say.
make long <<<"e('/'.join(['x' * 250] * 30), 'x')"
run slipway import "$TMPDIR/long.tar"
[ "$status" != 0 ] || fail "a path of 7500 bytes was accepted"
make deep <<<"e('/'.join(['d'] * 2000) + '/x', 'x')"
contained deep
make ids <<<"e('a', 'x', uid=2**31, gid=2**32 - 2); e('b', 'x', mtime=-5.25); e('c', 'x', mtime=2**34)"
contained ids
check_eq "2147483648 4294967294" "$(stat -c '%u %g' "$layer/a")"
make badid <<<"e('a', 'x', pax_headers={'uid': '-1'})"
run slipway import "$TMPDIR/badid.tar"
make size <<<"e('a', 'x', pax_headers={'size': '99999999999'})"
run slipway import "$TMPDIR/size.tar"
[ "$status" != 0 ] || fail "a file that is longer than the archive was accepted"
make newline <<<"e('a\nb', 'x'); e('-rf', 'x'); e(' ', 'x'); e('\\\\', 'x')"
contained newline
for magic in '\x1f\x8b\x08' '\xfd7zXZ\x00' 'BZh9' '\x28\xb5\x2f\xfd'; do
  { printf "$magic"; head -c 4000 /dev/urandom; } >"$TMPDIR/garbage"
  run timeout 10 "$SLIPWAY" --root "$root" --run-root "$TMPDIR/run" import "$TMPDIR/garbage"
  [ "$status" = 1 ] || fail "garbage: exit status $status"
done

# Nothing of what was refused is left; what was accepted can be removed, however deep.
check_eq "" "$(find "$root/overlay2/tmp" -mindepth 1)"
check slipway rmi -f $(slipway images -q --no-trunc)
check_eq 0 "$(find "$root/content/blobs" -type f | wc -l)"
check_eq "" "$(ls "$root/graph")"
