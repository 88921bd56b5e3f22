#!/usr/bin/python3
"""layer_corpus.py DIR: writes the tars that layer_fuzz begins with (tests/fuzz/corpus/layer_fuzz)."""
import io, sys, tarfile
out = sys.argv[1]
def make(name, style, build, fmt=tarfile.PAX_FORMAT):
    data = io.BytesIO()
    tar = tarfile.open(fileobj=data, mode='w', format=fmt)
    def e(path, body=None, **kw):
        info = tarfile.TarInfo(path); info.mode = kw.pop('mode', 0o644)
        if body is not None: info.size = len(body)
        for k, v in kw.items(): setattr(info, k, v)
        tar.addfile(info, io.BytesIO(body) if body is not None else None)
    build(e)
    data = data.getvalue().rstrip(b'\0'); data += bytes(-len(data) % 512) + bytes(1024)
    open(f'{out}/{name}', 'wb').write(bytes([style]) + data)
D, L, H = dict(type=tarfile.DIRTYPE, mode=0o755), lambda to: dict(type=tarfile.SYMTYPE, linkname=to), lambda to: dict(type=tarfile.LNKTYPE, linkname=to)
make('tree', 0, lambda e: [e('a', **D), e('a/f', b'text'), e('a/l', **L('f')), e('h', **H('a/f')), e('p', type=tarfile.FIFOTYPE), e('n', type=tarfile.CHRTYPE, devmajor=1, devminor=3)])
make('whiteouts', 1, lambda e: [e('a/.wh.b', b''), e('a/b', **D), e('a/b/c', b'x'), e('d', **D), e('d/.wh..wh..opq', b''), e('.wh.gone', b''), e('.wh..wh.plnk', b'')])
make('aufs', 2, lambda e: [e('a/.wh.b', b''), e('a/b', b'x'), e('d/.wh..wh..opq', b''), e('d/e', b'y')])
make('escape', 3, lambda e: [e('a', **L('..')), e('a/canary', b'evil'), e('b', **L('/')), e('b/canary', b'evil'), e('c', **H('a/canary')), e('c', b'evil')])
make('swap', 3, lambda e: [e('a', **D), e('a/b', b'1'), e('a', b'2'), e('a', **L('c')), e('a/x', b'3'), e('a', **D), e('a/y', b'4')])
make('attributes', 0, lambda e: [e('a', b'x', pax_headers={'SCHILY.xattr.user.x': 'y', 'SCHILY.xattr.trusted.overlay.redirect': '/', 'mtime': '-1.5', 'uid': '3000000', 'SCHILY.acl.access': 'user::rw-,group::r--,other::---'})])
make('gnu', 0, lambda e: [e('x' * 150 + '/' + 'y' * 150, b'z'), e('l', **L('t' * 200))], tarfile.GNU_FORMAT)
make('sparse', 3, lambda e: [e('GNUSparseFile.0/f', b'1\n100\n4\n'.ljust(512, b'\0') + b'data', pax_headers={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'f', 'GNU.sparse.realsize': '104'})])
make('ustar', 2, lambda e: [e('d' * 90 + '/' + 'f' * 90, b'x'), e('..', **D), e('.', **D), e('/abs', b'y')], tarfile.USTAR_FORMAT)
