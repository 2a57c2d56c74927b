"""nginx before two web processes of a site, as deploy/ sets it up, with TLS."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.support.certificates import certificate
from tests.support.site import ROOT, Site, free_port, wait_until

#: Debian keeps it where only root's PATH leads.
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")

BODY_MEGABYTES = 3
#: Those of the files that pages load; not every machine has the image's list.
_TYPES = """types { text/css css; text/javascript js; image/svg+xml svg; image/jpeg jpg; }"""


class SiteBehindNginx(Site):
    """Two web processes that only nginx talks to; `url` is nginx's."""

    def __init__(self, data_dir: Path) -> None:
        https, self.http_port = free_port(), free_port()
        self.outside = f"https://localhost:{https}"
        super().__init__(
            data_dir,
            DEBUG="false",
            SECRET_KEY="a-secret-key-of-this-test-alone-0123456789-abcdefghijkl",
            ALLOWED_HOSTS="localhost,127.0.0.1",
            BEHIND_PROXY="true",
            SITE_URL=self.outside,
            CSRF_TRUSTED_ORIGINS=self.outside,
            ACCEL_REDIRECT="/protected/",
            LOG_FORMAT="json",
            REQUEST_GRACE_SECONDS="3",
        )
        self.second_port = free_port()
        self._write_configuration(data_dir, https)

    def _write_configuration(self, folder: Path, https: int) -> None:
        certificate(folder)
        values = {
            "VISAGE_UPSTREAMS": "".join(
                f"server 127.0.0.1:{port} max_fails=0;" for port in (self.port, self.second_port)
            ),
            "VISAGE_SERVER_NAME": "localhost",
            "VISAGE_HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
            "VISAGE_HTTPS_LISTEN": f"127.0.0.1:{https}",
            "VISAGE_CERTIFICATE": f"{folder}/certificate.pem",
            "VISAGE_CERTIFICATE_KEY": f"{folder}/key.pem",
            "VISAGE_DATA_DIR": str(folder),
            "VISAGE_BODY_MEGABYTES": str(BODY_MEGABYTES),
            "VISAGE_VIDEO_MEGABYTES": str(BODY_MEGABYTES),
        }
        template = (ROOT / "deploy" / "nginx.conf.template").read_text()
        filled = re.sub(r"\$\{(VISAGE_\w+)\}", lambda found: values[found[1]], template)
        filled = filled.replace("/var/log/nginx/", f"{folder}/")
        (folder / "visage.conf").write_text(filled)
        # The files are for the site's user alone; nginx is that user here.
        user = "user root;" if Path("/").owner() == Path(folder).owner() == "root" else ""
        main = (ROOT / "deploy" / "nginx.main.conf").read_text()
        for there, here in {
            "/tmp/": f"{folder}/",
            "/var/log/nginx/": f"{folder}/",
            "include /etc/nginx/mime.types;": _TYPES,
            "/etc/nginx/conf.d/*.conf": f"{folder}/visage.conf",
        }.items():
            assert there in main
            main = main.replace(there, here)
        (folder / "nginx.conf").write_text(f"daemon off;\n{user}\n{main}")

    def __enter__(self) -> SiteBehindNginx:
        super().__enter__()
        self.start("web", "web-2", SITE_PORT=str(self.second_port))
        configuration = str(self.data_dir / "nginx.conf")
        subprocess.run([str(NGINX), "-t", "-c", configuration], check=True, capture_output=True)
        self.nginx = subprocess.Popen([str(NGINX), "-c", configuration])
        wait_until(lambda: answers(self.second_port) and answers(self.http_port))
        self.url = self.outside
        return self

    def __exit__(self, *exception: object) -> None:
        self.nginx.send_signal(signal.SIGTERM)
        self.nginx.wait(timeout=20)
        super().__exit__()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
