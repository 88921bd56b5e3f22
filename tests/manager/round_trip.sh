#!/bin/bash
# labels: root
# timeout: 240
# apply(diff(x)) = x: random trees with every kind of entry, changed at random, committed, and compared entry by
# entry on a driver with full copies and on one with whiteouts.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3 jq

cat >"$TMPDIR/tree.py" <<'PYTHON'
import os, random, stat, sys
action, root, seed = sys.argv[1], os.fsencode(sys.argv[2]), int(sys.argv[3])
r = random.Random(seed)
names = [b'a', b'b', b'c', b'd d', b'new\nline', b'caf\xe9', b'x' * 255, b'-rf', b'\\', 'ü'.encode()]

fresh = []  # files that this run made

def set_meta(p):
    if os.path.islink(p):
        os.lchown(p, r.choice([0, 1000, 3000000]), 0)
    else:
        os.chown(p, r.choice([0, 7, 3000000]), r.choice([0, 50]))
        os.chmod(p, r.choice([0o644, 0o755, 0o4755, 0o2711, 0o1777, 0o600]))
        if r.random() < .2 and (os.path.isfile(p) or os.path.isdir(p)):
            os.setxattr(p, b'user.' + r.choice([b'one', b'two']), os.urandom(r.choice([0, 5, 300])))
    t = r.randrange(-10**9, 4 * 10**9) * 10**9 + r.randrange(10**9)
    os.utime(p, ns=(t, t), follow_symlinks=False)

def files(d):
    return [os.path.join(b, f) for b, _, fs in os.walk(d) for f in fs if os.path.isfile(os.path.join(b, f))]

def make(p, depth):
    kind = r.random()
    if kind < .4:
        with open(p, 'wb') as f:
            how = r.random()
            if how < .8: f.write(os.urandom(r.choice([0, 1, 511, 512, 513, 5000])))
            else: f.seek(r.choice([10000, 3000000])); f.write(b'end'); 
            if how > .9: f.truncate(5000000)
    elif kind < .6 and depth < 4:
        os.mkdir(p)
        for n in r.sample(names, r.randrange(0, 6)): make(os.path.join(p, n), depth + 1)
    elif kind < .75: os.symlink(r.choice([b'a', b'/etc', b'../..', b'y' * 200, b'b/c']), p)
    elif kind < .8: os.mkfifo(p)
    elif kind < .85: os.mknod(p, stat.S_IFCHR | 0o600, os.makedev(r.randrange(1, 300), r.randrange(300)))
    else:
        # A new name for a file that did not change is a file of its own in a layer, as in docker's: the layers of
        # others must not need hard links to the layers below.
        have = [f for f in (files(root) if action == 'make' else fresh) if os.path.isfile(f) and not os.path.islink(f)]
        if not have: return
        os.link(r.choice(have), p)
        return
    if os.path.isfile(p) and not os.path.islink(p): fresh.append(p)
    set_meta(p)

def remove(p):
    if os.path.isdir(p) and not os.path.islink(p):
        for n in os.listdir(p): remove(os.path.join(p, n))
        os.rmdir(p)
    else: os.unlink(p)

if action == 'make':
    for n in names: make(os.path.join(root, n), 0)
else:
    for _ in range(30):
        every = [os.path.join(b, n) for b, ds, fs in os.walk(root) for n in ds + fs]
        dirs = [root] + [p for p in every if os.path.isdir(p) and not os.path.islink(p)]
        what = r.random()
        if what < .4 or not every:
            p = os.path.join(r.choice(dirs), r.choice(names))
            if not os.path.lexists(p): make(p, 2)
        elif what < .6: remove(r.choice(every))
        elif what < .7:  # another kind in its place
            p = r.choice(every); remove(p); make(p, 2)
        elif what < .85: set_meta(r.choice(every))
        else:
            have = files(root)
            if have:
                with open(r.choice(have), 'ab') as f: f.write(b'more')
PYTHON

# What a tree is, but for the times of directories that only their entries changed, and of the root.
on() { # DRIVER ARGUMENTS...
  local driver=$1
  shift
  "$SLIPWAY" --storage-driver "$driver" --root "$TMPDIR/$driver" --run-root "$TMPDIR/run-$driver" "$@"
}
for seed in $(seq 1 ${ROUNDS:-6}); do
  tree=$TMPDIR/tree-$seed
  mkdir "$tree"
  python3 "$TMPDIR/tree.py" make "$tree" "$seed"
  on vfs import -c 'CMD ["x"]' "$tree" "t$seed" >/dev/null
  # Changes by hand, in the read-write layer that vfs has as a plain directory: no file system says what they are.
  id=$(on vfs create --name "c$seed" "t$seed")
  python3 "$TMPDIR/tree.py" change "$TMPDIR/vfs/vfs/dir/$id" "$seed"
  on vfs commit "c$seed" "u$seed" >/dev/null
  on vfs export -o "$TMPDIR/want.tar" "c$seed"
  on vfs create --name "d$seed" "u$seed" >/dev/null
  on vfs export -o "$TMPDIR/got.tar" "d$seed"
  cmp "$TMPDIR/want.tar" "$TMPDIR/got.tar" || fail "seed $seed: the committed tree is not the container's"
  on vfs save -o "$TMPDIR/u.tar" "u$seed"
  on overlay2 load -i "$TMPDIR/u.tar" >/dev/null
  on overlay2 create --name "d$seed" "u$seed" >/dev/null
  on overlay2 export -o "$TMPDIR/got.tar" "d$seed"
  cmp "$TMPDIR/want.tar" "$TMPDIR/got.tar" || fail "seed $seed: the tree in overlay2 is not the same"
done
