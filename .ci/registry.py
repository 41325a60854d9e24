"""Serves a folder on this machine, and on request the packages of npm in it as a registry does. Prints its port and serves until it is
ended.

    registry.py FOLDER [PACKAGES]

PACKAGES holds folders with a package.json, whose tarballs lie in FOLDER. A package without a tarball is listed all the same, so that who
installs what another system needs finds out.
"""

import base64
import functools
import hashlib
import http.server
import json
import sys
from pathlib import Path



class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


folder = Path(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
address = f"http://127.0.0.1:{server.server_port}"
for file in Path(sys.argv[2]).glob("*/package.json") if len(sys.argv) > 2 else []:
    package = json.loads(file.read_text(encoding="utf-8"))
    tarball = f"{package['name'].lstrip('@').replace('/', '-')}-{package['version']}.tgz"
    content = (folder / tarball).read_bytes() if (folder / tarball).is_file() else b""
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    dist = {"tarball": f"{address}/{tarball}", "integrity": f"sha512-{digest}"}
    page = {
        "name": package["name"],
        "dist-tags": {"latest": package["version"]},
        "versions": {package["version"]: package | {"dist": dist}},
    }
    (folder / package["name"]).parent.mkdir(exist_ok=True)
    (folder / package["name"]).write_text(json.dumps(page), encoding="utf-8")
print(server.server_port, flush=True)
server.serve_forever()
