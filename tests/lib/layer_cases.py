#!/usr/bin/python3
"""Layers that delete, replace, link to and reach through what the layer below has, in every order.

layer_cases.py image OUT     a docker-archive: one image for each case, of a base layer and the case's own
layer_cases.py names         the images' names
layer_cases.py check DIR     DIR/NAME, a tar of the image's tree, is what the case says; prints all that it has
"""
import hashlib, io, json, os, sys, tarfile


class Layer:
    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode='w', format=tarfile.PAX_FORMAT)

    def add(self, name, data=b'', kind=tarfile.REGTYPE, mode=0o644, mtime=1.5e9, **attributes):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime, info.size = kind, mode, mtime, len(data)
        for key, value in attributes.items():
            setattr(info, key, value)
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, name, mode=0o755, **attributes):
        return self.add(name, b'', tarfile.DIRTYPE, mode, **attributes)

    def sym(self, name, to):
        return self.add(name, kind=tarfile.SYMTYPE, linkname=to, mode=0o777)

    def link(self, name, to):
        return self.add(name, kind=tarfile.LNKTYPE, linkname=to)

    def char(self, name, major, minor):
        return self.add(name, kind=tarfile.CHRTYPE, devmajor=major, devminor=minor)

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


def base():
    return (Layer().dir('d').add('d/a', b'a').dir('d/sub', 0o711, uid=5).add('d/sub/x', b'x').add('f', b'f').sym('s', 'd')
            .add('p', kind=tarfile.FIFOTYPE, mode=0o620, gid=7).char('n', 1, 3))


def acl():
    return {'SCHILY.acl.access': 'user::rw-,user:1234:r--,group::r--,mask::r--,other::---'}


# Of each: its layer, and what it adds to the paths of the base layer (+) and takes from them (-).
cases = {
    'opaque-first': (lambda: Layer().add('d/.wh..wh..opq').add('d/sub/n'), '-d/a -d/sub/x +d/sub/n'),
    'opaque-last': (lambda: Layer().add('d/sub/n').add('d/.wh..wh..opq'), '-d/a -d/sub/x +d/sub/n'),
    'opaque-last-named': (lambda: Layer().dir('d').dir('d/sub').add('d/sub/n').add('d/.wh..wh..opq'), '-d/a -d/sub/x +d/sub/n'),
    'opaque-missing': (lambda: Layer().add('q/r/.wh..wh..opq'), '+q +q/r'),
    'opaque-root': (lambda: Layer().add('m').add('.wh..wh..opq').add('d/k'), '-d/a -d/sub -d/sub/x -f -s -p -n +m +d/k'),
    'whiteout-last': (lambda: Layer().add('d/sub/n').add('d/.wh.sub'), '-d/sub/x +d/sub/n'),
    'whiteout-first': (lambda: Layer().add('.wh.d').dir('d').add('d/n').add('.wh.f').add('f'), '-d/a -d/sub -d/sub/x +d/n'),
    'whiteout-implied': (lambda: Layer().add('.wh.d').add('d/sub/n', mtime=6), '-d/a -d/sub/x +d/sub/n'),
    'whiteout-missing': (lambda: Layer().add('.wh.nothing').add('q/.wh.r').add('f/.wh.x'), '+q'),
    'whiteout-device': (lambda: Layer().char('f', 0, 0).char('d', 0, 0).char('new', 0, 0), '-f -d -d/a -d/sub -d/sub/x'),
    'file-then-dir': (lambda: Layer().add('d').dir('d').add('d/n'), '-d/a -d/sub -d/sub/x +d/n'),
    'dir-file-dir': (lambda: Layer().dir('d').add('d').dir('d'), '-d/a -d/sub -d/sub/x'),
    'link-then-dir': (lambda: Layer().sym('d', 'x').dir('d').add('d/n'), '-d/a -d/sub -d/sub/x +d/n'),
    'file-then-implied': (lambda: Layer().add('d').add('d/n'), '-d/a -d/sub -d/sub/x +d/n'),
    'link-below': (lambda: Layer().add('s/n'), '+s/n'),
    'own-link': (lambda: Layer().sym('o', 'd').dir('o/n', 0o751, uid=3, mtime=77).add('o/n/x').add('o/q/y').add('o/.wh.a').link('h', 'o/n/x'),
                 '+o +d/n +d/n/x +d/q +d/q/y -d/a +h'),
    'own-links': (lambda: Layer().sym('o', '/../t').sym('t', './d/../d/sub').add('o/n').sym('v', 'o').link('w', 'v').add('w/m'),
                  '+o +t +d/sub/n +v +w +d/sub/m'),
    'own-link-to-link-below': (lambda: Layer().sym('o', 's').add('o/n').sym('u', '/s/sub/..').add('u/m'), '+o +d/n +u +d/m'),
    'own-link-gone': (lambda: Layer().sym('q/l', '/d').add('q').dir('q').add('q/l/x').sym('o', 'd').dir('o').add('o/y'), '+q +q/l +q/l/x +o +o/y'),
    'hard-link-below': (lambda: Layer().link('f2', 'f').link('s2', 's').link('p2', 'p').link('n2', 'n').link('d/x2', 'd/sub/x'),
                        '+f2 +s2 +p2 +n2 +d/x2'),
    'aufs': (lambda: Layer().dir('.wh..wh.plnk').add('.wh..wh.plnk/1.2', b'linked').add('.wh..wh.aufs').add('d/.wh..wh.orph').link('l', '.wh..wh.plnk/1.2'), '+l'),
    'acl': (lambda: Layer().add('c', pax_headers=acl()).add('.wh.c'), '+c'),
}


def image(out):
    layers, manifest = {'base.tar': base().finish()}, []
    for name, (make, _) in cases.items():
        layers[name + '.tar'] = make().finish()
        ids = ['sha256:' + hashlib.sha256(layers[layer]).hexdigest() for layer in ('base.tar', name + '.tar')]
        layers[name + '.json'] = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {}, 'created': '2020-01-01T00:00:00Z',
                                             'rootfs': {'type': 'layers', 'diff_ids': ids}}).encode()
        manifest.append({'Config': name + '.json', 'RepoTags': [name + ':latest'], 'Layers': ['base.tar', name + '.tar']})
    layers['manifest.json'] = json.dumps(manifest).encode()
    with tarfile.open(out, 'w') as tar:
        for name, data in layers.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def check(directory, name):
    want = {info.name for info in tarfile.open(fileobj=io.BytesIO(base().finish()))}
    for change in cases[name][1].split():
        (want.add if change[0] == '+' else want.remove)(change[1:])
    lines = {}
    with tarfile.open(os.path.join(directory, name)) as tar:
        for info in tar:
            headers = {key: value for key, value in info.pax_headers.items() if key.startswith('SCHILY.')}
            data = tar.extractfile(info).read() if info.isreg() else b''
            lines[os.path.normpath(info.name)] = [info.type, '%o' % info.mode, info.uid, info.gid, info.mtime, info.linkname,
                                                  info.devmajor, info.devminor, data, headers]
    lines.pop('.', None)
    if set(lines) != want:
        sys.exit('%s: missing %s, too many %s' % (name, sorted(want - set(lines)), sorted(set(lines) - want)))
    for path in sorted(lines):
        print(name, path, *lines[path])


if __name__ == '__main__':
    if sys.argv[1] == 'names':
        print(*cases)
    elif sys.argv[1] == 'image':
        image(sys.argv[2])
    else:
        for name in cases:
            check(sys.argv[2], name)
