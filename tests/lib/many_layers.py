#!/usr/bin/env python3
"""A registry with images of six layers. Prints its port.

many_layers.py DIR: in the repository "gate" nobody gets a layer before three are asked for at once and DIR/open exists;
DIR/waiting says how many wait, DIR/most how many were asked for at once. In "cut" each connection breaks half-way the first
time. In "missing" the last layer is not there.
"""
import hashlib
import http.server
import io
import json
import os
import random
import sys
import tarfile
import threading

DIR = sys.argv[1]
OCI = "application/vnd.oci.image."
COUNT = 6


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layer(number):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        data = random.Random(number).randbytes(200000)
        entry = tarfile.TarInfo(f"file{number}")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return tar.getvalue()


LAYERS = {digest(layer): layer for layer in map(make_layer, range(COUNT))}
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/file0"]},
                     "rootfs": {"type": "layers", "diff_ids": list(LAYERS)}}).encode()
MANIFEST = json.dumps({
    "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
    "config": {"mediaType": OCI + "config.v1+json", "digest": digest(CONFIG), "size": len(CONFIG)},
    "layers": [{"mediaType": OCI + "layer.v1.tar", "digest": name, "size": len(layer)}
               for name, layer in LAYERS.items()]}).encode()


class Gate:
    """Counts who is inside, and holds them back until there are three."""

    def __init__(self):
        self.changed = threading.Condition()
        self.inside = self.most = 0

    def note(self):
        for name, value in (("waiting", self.inside), ("most", self.most)):
            with open(f"{DIR}/.{name}", "w") as file:
                file.write(str(value))
            os.rename(f"{DIR}/.{name}", f"{DIR}/{name}")

    def enter(self):
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.note()
            self.changed.notify_all()
            return self.changed.wait_for(lambda: self.most >= 3 and os.path.exists(f"{DIR}/open"), 60)

    def leave(self):
        with self.changed:
            self.inside -= 1

    def opened(self):
        with self.changed:
            self.changed.notify_all()


GATE = Gate()
CUT = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/octet-stream"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        words = self.path.strip("/").split("/")
        if self.path == "/open":
            GATE.opened()
            return self.answer(200)
        if self.path == "/v2/":
            return self.answer(200)
        repository, kind, reference = words[1], words[2], words[3]
        if kind == "manifests":
            return self.answer(200, MANIFEST, OCI + "manifest.v1+json")
        if reference == digest(CONFIG):
            return self.answer(200, CONFIG)
        layer = LAYERS[reference]
        if repository == "missing" and reference == list(LAYERS)[-1]:
            return self.answer(404)
        if repository == "cut":
            return self.cut(reference, layer)
        if repository == "gate":
            passed = GATE.enter()
            # Before the answer: whoever has read it may ask for the next one at once.
            GATE.leave()
            if not passed:
                return self.answer(400)
        return self.answer(200, layer)

    def cut(self, reference, layer):
        start = int(self.headers.get("Range", "bytes=0-").split("=")[1].rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(layer) - start))
        self.end_headers()
        end = len(layer) if reference in CUT else len(layer) // 2
        CUT.add(reference)
        self.wfile.write(layer[start:end])
        self.close_connection = True


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
print(SERVER.server_address[1], flush=True)
SERVER.serve_forever()
