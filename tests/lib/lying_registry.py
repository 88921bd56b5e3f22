#!/usr/bin/env python3
"""A registry with one image, app:1, in repositories that each tell one lie. Prints its port.

lying_registry.py LOG: every request that came is a line there: "PORT METHOD PATH authorization|-".
"""
import gzip
import hashlib
import http.server
import io
import json
import random
import sys
import tarfile
import threading
import time

OCI = "application/vnd.oci.image."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layer():
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        data = random.Random(1).randbytes(3 << 20)
        entry = tarfile.TarInfo("large")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return plain.getvalue(), gzip.compress(plain.getvalue(), 1, mtime=0)


TAR, LAYER = make_layer()
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/large"]},
                     "rootfs": {"type": "layers", "diff_ids": [digest(TAR)]}}).encode()


def manifest(repository):
    layer = {"mediaType": OCI + "layer.v1.tar+gzip", "digest": digest(LAYER), "size": len(LAYER)}
    document = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "layers": [layer],
                "config": {"mediaType": OCI + "config.v1+json", "digest": digest(CONFIG), "size": len(CONFIG)}}
    if repository == "path":
        layer["digest"] = "sha256:../../../../../../tmp/evil"
    if repository == "both":
        document["manifests"] = []
    if repository == "huge":
        document["padding"] = "x" * (5 << 20)
    if repository == "size":
        layer["size"] = 1000
    if repository == "negative":
        layer["size"] = -1
    if repository == "schema1":
        document = {"schemaVersion": 1, "name": "app", "fsLayers": []}
    if repository == "artifact":
        document["config"]["mediaType"] = "application/vnd.example+json"
    return json.dumps(document).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        port = self.server.server_address[1]
        with open(sys.argv[1], "a") as log:
            print(port, self.command, self.path, self.headers.get("Authorization", "-"), file=log)
        path, _, query = self.path.partition("?")
        if path == "/token":
            return self.answer(200, json.dumps({"token": "the-token"}).encode())
        if path.startswith("/elsewhere/"):
            return self.blob("", path.split("/")[-1])
        if path == "/v2/":
            return self.answer(200)
        _, _, repository, kind, reference = path.split("/")
        if repository == "secret" and self.headers.get("Authorization") != "Bearer the-token":
            realm = f'Bearer realm="http://localhost:{port}/token",service="s",scope="repository:secret:pull"'
            return self.answer(401, WWW_Authenticate=realm)
        if kind == "manifests":
            return self.manifest(repository, reference)
        return self.blob(repository, reference)

    do_HEAD = do_GET

    def manifest(self, repository, reference):
        if repository == "busy" and counted("busy") < 3:
            return self.answer(503 if counted("kind") % 2 else 429, Retry_After="0")
        document = manifest(repository)
        headers = {"Content_Type": OCI + "manifest.v1+json"}
        if repository == "header":
            headers["Docker_Content_Digest"] = digest(b"something else")
        if repository == "words":
            return self.answer(400, b'{"errors": [{"code": "BAD", "message": "one\\ntwo\\u001b[31m"}]}')
        return self.answer(200, document, **headers)

    def blob(self, repository, reference):
        body = CONFIG if reference == digest(CONFIG) else LAYER
        if body is CONFIG:
            return self.answer(200, body)
        if repository == "digest":
            body = body[:-1] + bytes([body[-1] ^ 1])
        if repository == "short":
            body = body[:1000]
        if repository == "long":
            body = body + b"more"
        if repository == "loop":
            return self.answer(307, Location=self.path)
        if repository == "file":
            return self.answer(307, Location="file:///etc/passwd")
        if repository == "secret":
            return self.answer(307, Location=f"http://127.0.0.1:{OTHER.server_address[1]}/elsewhere/{reference}")
        if repository in ("cut", "slow"):
            return self.piecewise(repository, body)
        return self.answer(200, body)

    def piecewise(self, repository, body):
        """A connection that breaks after a third, or one that hardly moves."""
        start = 0
        if self.headers.get("Range"):
            start = int(self.headers["Range"].split("=")[1].rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        third = len(body) // 3 + 1
        self.wfile.write(body[start:start + third])
        self.wfile.flush()
        if repository == "slow":
            time.sleep(30)
        self.close_connection = True


COUNTS = {}


def counted(name):
    COUNTS[name] = COUNTS.get(name, 0) + 1
    return COUNTS[name]


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
OTHER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
for server in (SERVER, OTHER):
    server.daemon_threads = True
threading.Thread(target=OTHER.serve_forever, daemon=True).start()
print(SERVER.server_address[1], OTHER.server_address[1], flush=True)
SERVER.serve_forever()
