"""Stock OHIF as its makers publish it, served by nginx in front of a DICOMweb server. Nothing of it is changed.

OHIF knows no API keys: nginx adds the header, as a hospital's proxy would.
"""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.platforms import free_port

ROOT = Path(__file__).parents[1]
VERSION = "3.12.10"
SHA512 = "0kuF66Mq9c9dMD++bUsTjMrJpXJwaZhz9B4uS244DawAjSkTwIYFU93pxPuRUQixaRi7QAHlF3Fe1qudBlZrmA=="
KEPT = ROOT / "var" / "peers" / f"ohif-{VERSION}"

SOURCE = {
    "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
    "sourceName": "dicomweb",
    "configuration": {
        "friendlyName": "archive",
        "name": "archive",
        "qidoRoot": "/dicom-web",
        "wadoRoot": "/dicom-web",
        "wadoUriRoot": "/dicom-web",
        "qidoSupportsIncludeField": True,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "supportsFuzzyMatching": True,
        "supportsWildcard": True,
        "bulkDataURI": {"enabled": True},
        "omitQuotationForMultipartRequest": True,
    },
}
CONFIGURATION = {
    "routerBasename": None,
    "extensions": [],
    "modes": [],
    "showStudyList": True,
    "maxNumberOfWebWorkers": 3,
    "showLoadingIndicator": True,
    "strictZSpacingForVolumeViewport": True,
    "defaultDataSourceName": "dicomweb",
    "dataSources": [SOURCE],
}


def dist() -> Path:
    """The folder with its pages, fetched from the npm registry once and compared with the digest above."""
    if not KEPT.exists():
        path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
        with tempfile.TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", f"@ohif/app@{VERSION}"]
            subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL)
            (archive,) = Path(folder).glob("*.tgz")
            if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != SHA512:
                raise RuntimeError("this is not the OHIF that was looked at")
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
            KEPT.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(folder) / "package" / "dist", KEPT)
    return KEPT


@contextlib.contextmanager
def served(dicomweb_url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The address of OHIF's pages in front of ``dicomweb_url``, whose requests get ``headers``."""
    port, pages = free_port(), dist()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "app-config.js").write_text(f"window.config = {json.dumps(CONFIGURATION)};")
        (home / "nginx.conf").write_text(_configuration(home, pages, port, dicomweb_url, headers))
        binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if binary is None:
            raise RuntimeError("nginx is missing: run script/packages as root on Debian")
        process = subprocess.Popen([binary, "-p", folder, "-c", str(home / "nginx.conf")])
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _configuration(home: Path, pages: Path, port: int, dicomweb_url: str, headers: Mapping[str, str]) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    added = " ".join(f'proxy_set_header {name} "{value}";' for name, value in headers.items())
    mime = "/etc/nginx/mime.types"
    return f"""
    user root; worker_processes 1; daemon off; pid {home}/pid; error_log {home}/error.log;
    events {{ worker_connections 256; }}
    http {{
      include {mime}; access_log off; sendfile on; {temporary}
      gzip on; gzip_types text/css application/javascript application/wasm; client_max_body_size 0;
      server {{
        listen 127.0.0.1:{port};
        add_header Cross-Origin-Opener-Policy same-origin;
        add_header Cross-Origin-Embedder-Policy require-corp;
        location = /app-config.js {{ alias {home}/app-config.js; default_type application/javascript;
          add_header Cross-Origin-Resource-Policy same-origin; }}
        location /dicom-web {{ proxy_pass {dicomweb_url}; proxy_set_header Host $http_host; {added}
          proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
        location / {{ root {pages}; try_files $uri /index.html; }}
      }}
    }}
    """
