"""nginx before two web processes of a site, as deploy/nginx.conf.template sets it up, with TLS."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import signal
import socket
import subprocess
from ipaddress import ip_address
from pathlib import Path
from string import Template

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.site import ROOT, Site, free_port, wait_until

#: Debian keeps it where only root's PATH leads.
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")

BODY_MEGABYTES = 3
_MAIN = Template("""
daemon off;
pid $folder/nginx.pid;
error_log $folder/error.log;
$user
events {}
http {
    types { text/css css; text/javascript js; image/svg+xml svg; image/jpeg jpg; }
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    include $folder/visage.conf;
}
""")


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
                f"server 127.0.0.1:{port};" for port in (self.port, self.second_port)
            ),
            "VISAGE_SERVER_NAME": "localhost",
            "VISAGE_HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
            "VISAGE_HTTPS_LISTEN": f"127.0.0.1:{https}",
            "VISAGE_CERTIFICATE": f"{folder}/certificate.pem",
            "VISAGE_CERTIFICATE_KEY": f"{folder}/key.pem",
            "VISAGE_DATA_DIR": str(folder),
            "VISAGE_BODY_MEGABYTES": str(BODY_MEGABYTES),
        }
        template = (ROOT / "deploy" / "nginx.conf.template").read_text()
        filled = re.sub(r"\$\{(VISAGE_\w+)\}", lambda found: values[found[1]], template)
        (folder / "visage.conf").write_text(filled)
        # The files are for the site's user alone; nginx is that user here.
        user = "user root;" if Path("/").owner() == Path(folder).owner() == "root" else ""
        (folder / "nginx.conf").write_text(_MAIN.substitute(folder=folder, user=user))

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


def certificate(folder: Path) -> None:
    """A key and a certificate for localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
