#!/usr/bin/python3
"""Trees and images for tests, made and read without our own code.

trees.py image BASE OUT     a docker-archive of three layers: the tar BASE, and two that change it in every way there is
trees.py unpack IMAGE DIR   the tree of a docker-archive, by the words of the image specification and nothing else
trees.py untar DIR          the tar on standard input, with all that it says of each entry
trees.py manifest DIR       one line for each entry, with all that it has; directories without their times
"""
import hashlib, io, json, os, shutil, stat, struct, sys, tarfile

CAPABILITY = struct.pack('<IIIII', 0x02000001, 1 << 10, 0, 0, 0)  # v2, effective, CAP_NET_BIND_SERVICE


class Layer:
    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode='w', format=tarfile.PAX_FORMAT)

    def add(self, name, kind=tarfile.REGTYPE, data=b'', mode=0o644, xattrs=None, **attributes):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime, info.size = kind, mode, 1.6e9, len(data)
        for key, value in (xattrs or {}).items():
            info.pax_headers['SCHILY.xattr.' + key] = value.decode('utf-8', 'surrogateescape')
        for key, value in attributes.items():
            setattr(info, key, value)
        self.tar.addfile(info, io.BytesIO(data))

    def directory(self, name, **attributes):
        self.add(name, tarfile.DIRTYPE, mode=attributes.pop('mode', 0o755), **attributes)

    def link(self, name, to):
        self.add(name, tarfile.LNKTYPE, linkname=to)

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


def second_layer():
    at = Layer()
    at.add('usr/share/.wh.debianutils')                    # a file or directory deleted
    at.add('etc/.wh.debian_version')
    at.directory('etc/alternatives', mode=0o700, uid=7)    # replaced by an empty one
    at.add('etc/alternatives/.wh..wh..opq')
    at.add('etc/alternatives/only', data=b'this')
    at.add('srv', data=b'a file in the place of a directory')
    at.add('media', tarfile.SYMTYPE, linkname='mnt')
    at.directory('usr/local/one')
    at.add('usr/local/one/a', data=b'linked' * 1000, mode=0o4711, uid=3_000_000, gid=4_000_000, mtime=1234567890.987654321)
    at.link('usr/local/one/b', 'usr/local/one/a')
    at.link('usr/local/c', 'usr/local/one/a')
    at.link('usr/local/shell', 'usr/bin/dash')             # to a file of the layer below
    at.add('usr/local/one/capable', data=b'\x7fELF', mode=0o755, xattrs={'security.capability': CAPABILITY})
    at.add('usr/local/one/noted', data=b'x', xattrs={'user.note': b'a \xff b', 'user.empty': b'', 'trusted.t': b'1'})
    at.directory('usr/local/one/dir', mode=0o2775, gid=50, xattrs={'user.dir': b'd'})
    at.add('usr/local/one/acl', data=b'x', mode=0o640, pax_headers={'SCHILY.acl.access': 'user::rw-,user::r--:1234,group::r--,mask::r--,other::---'})
    at.directory('usr/local/inherit', pax_headers={'SCHILY.acl.default': 'user::rwx,user::r-x:1234,group::r-x,mask::r-x,other::---'})
    at.add('usr/local/one/null', tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3)
    at.add('usr/local/one/disk', tarfile.BLKTYPE, mode=0o660, gid=6, devmajor=300, devminor=70000)
    at.add('usr/local/one/fifo', tarfile.FIFOTYPE, mode=0o600)
    at.add('usr/local/one/caf\udce9\nline', data=b'', mtime=-5.25)
    at.add('usr/local/one/' + 'x' * 255, data=b'long')
    return at.finish()


def third_layer():
    at = Layer()
    at.add('usr/local/one/.wh.b')                          # one of three names of a file
    at.add('usr/local/.wh.shell')
    at.directory('usr/local/one/dir', mode=0o1777)         # metadata only
    for kind, name in (tarfile.REGTYPE, 'file'), (tarfile.DIRTYPE, 'dir'), (tarfile.FIFOTYPE, 'fifo'):
        at.add('usr/local/inherit/' + name, kind, mode=0o755)  # they have what their entries say, not what they would inherit
    at.directory('media')                                  # a directory again
    at.add('media/file', data=b'x')
    at.directory('srv')
    at.add('srv/file', data=b'y')
    at.add('usr/local/one/null', data=b'no device any more')
    at.directory('usr/share/debianutils')                  # deleted below, made again
    at.add('usr/share/debianutils/new', data=b'z')
    at.add('usr/share/.wh.base-files')
    at.add('etc/alternatives/.wh..wh..opq')
    at.add('etc/alternatives/later', data=b'that')
    return at.finish()


def image(base, out):
    with open(base, 'rb') as file:
        layers = [file.read(), second_layer(), third_layer()]
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['sh'], 'Env': ['PATH=/usr/sbin:/usr/bin:/sbin:/bin']},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(l).hexdigest() for l in layers]}}).encode()
    names = ['%d.tar' % i for i in range(len(layers))]
    manifest = json.dumps([{'Config': 'config.json', 'RepoTags': ['debian3:latest'], 'Layers': names}]).encode()
    with tarfile.open(out, 'w') as tar:
        for name, data in zip(names + ['config.json', 'manifest.json'], layers + [config, manifest]):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def encode_acl(text):
    """SCHILY.acl.* as system.posix_acl_*: what libacl would make of it."""
    tags = {('user', False): 1, ('user', True): 2, ('group', False): 4, ('group', True): 8, ('mask', False): 16, ('other', False): 32}
    entries = []
    for part in text.split(','):
        tag, _, rest = part.partition(':')
        fields = rest.split(':')
        number = int(fields[2]) if len(fields) > 2 else None
        bits = sum({'r': 4, 'w': 2, 'x': 1}.get(c, 0) for c in fields[1])
        entries.append((tags[tag, number is not None], bits, 0xffffffff if number is None else number))
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in sorted(entries))


def set_all(path, info):
    os.lchown(path, info.uid, info.gid)
    for key in os.listxattr(path, follow_symlinks=False):  # inherited, or what a directory had before
        os.removexattr(path, key, follow_symlinks=False)
    if not info.issym():
        os.chmod(path, info.mode)
    for key, value in info.pax_headers.items():
        if key.startswith('SCHILY.xattr.'):
            os.setxattr(path, key[13:], value.encode('utf-8', 'surrogateescape'), follow_symlinks=False)
        elif key.startswith('SCHILY.acl.'):
            os.setxattr(path, 'system.posix_acl_' + key[11:], encode_acl(value))
    time = info.pax_headers.get('mtime', str(info.mtime))
    whole, _, part = time.partition('.')
    ns = int(whole.lstrip('-')) * 10**9 + int(part.ljust(9, '0')[:9] or 0)
    ns = -ns if time.startswith('-') else ns
    os.utime(path, ns=(ns, ns), follow_symlinks=False)


def apply(tar, root):
    mine, directories = set(), []
    for info in tar:
        name = os.path.normpath(info.name)
        path = root if name == '.' else os.path.join(root, name)
        parent, last = os.path.split(path)
        if last == '.wh..wh..opq':
            for entry in os.listdir(parent):
                if os.path.join(parent, entry) not in mine:
                    remove(os.path.join(parent, entry))
            continue
        if last.startswith('.wh.'):
            remove(os.path.join(parent, last[4:]))
            continue
        mine.add(path)
        if info.isdir():
            if os.path.islink(path) or not os.path.isdir(path):
                remove(path)
                os.mkdir(path)
            directories.append((path, info))
            continue
        remove(path)
        if info.islnk():
            os.link(os.path.join(root, info.linkname), path, follow_symlinks=False)
            continue
        if info.isreg():
            with open(path, 'wb') as file:
                shutil.copyfileobj(tar.extractfile(info), file)
        elif info.issym():
            os.symlink(info.linkname, path)
        else:
            kind = stat.S_IFCHR if info.ischr() else stat.S_IFBLK if info.isblk() else stat.S_IFIFO
            os.mknod(path, kind, os.makedev(info.devmajor, info.devminor))
        set_all(path, info)
    for path, info in reversed(directories):
        if path in mine and os.path.isdir(path) and not os.path.islink(path):
            set_all(path, info)


def unpack(archive, root):
    os.makedirs(root, exist_ok=True)
    with tarfile.open(archive) as outer:
        for name in json.load(outer.extractfile('manifest.json'))[0]['Layers']:
            with tarfile.open(fileobj=outer.extractfile(name)) as tar:
                apply(tar, root)


def untar(root):
    with tarfile.open(fileobj=sys.stdin.buffer, mode='r|') as tar:
        apply(tar, root)


def manifest(root):
    root = os.fsencode(root)
    seen = {}
    for base, dirs, files in os.walk(root):
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(base, name)
            shown = os.path.relpath(path, root)
            info = os.lstat(path)
            line = ['%06o' % info.st_mode, '%d:%d' % (info.st_uid, info.st_gid)]
            if not stat.S_ISDIR(info.st_mode):
                line.append('t%d' % info.st_mtime_ns)
                if info.st_nlink > 1:
                    line.append('=%s' % repr(seen.setdefault(info.st_ino, shown))[1:])
            if stat.S_ISREG(info.st_mode):
                with open(path, 'rb') as file:
                    line.append('%d %s' % (info.st_size, hashlib.sha256(file.read()).hexdigest()[:16]))
            elif stat.S_ISLNK(info.st_mode):
                line.append('-> %s' % repr(os.readlink(path))[1:])
            elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
                line.append('%d,%d' % (os.major(info.st_rdev), os.minor(info.st_rdev)))
            for key in sorted(os.listxattr(path, follow_symlinks=False)):
                line.append('%s=%s' % (key, os.getxattr(path, key, follow_symlinks=False).hex()))
            print(repr(shown)[1:], *line)


if __name__ == '__main__':
    {'image': image, 'unpack': unpack, 'untar': untar, 'manifest': manifest}[sys.argv[1]](*sys.argv[2:])
