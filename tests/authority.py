"""A time-stamping authority on this machine: OpenSSL's own (`openssl ts`), behind HTTP."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[signer]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ordering = no
tsa_name = yes
ess_cert_id_chain = no
"""


class Authority:
    """Where it listens, its CA (PEM), and what its clients sent; while `away` it answers 503."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url, self.away = folder, "", False
        self.ca = folder / "ca.pem"
        self.asked: list[bytes] = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "serial").write_text("01\n")
        self.config = folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=folder))
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                      "3650", "-subj", "/CN=Test CA", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test TSA", "-keyout", "tsa.key", "-out",
                      "tsa.csr")
        self._openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "3650", "-extfile", str(self.config), "-extensions", "signer", "-out", "tsa.pem",
                      configured=False)

    def reply(self, query: bytes) -> bytes:
        """The TimeStampResp that OpenSSL gives to a TimeStampReq."""
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-queryfile", "query.tsq", "-out", "reply.tsr")
        return (self.folder / "reply.tsr").read_bytes()

    def verifies(self, response: bytes, content: bytes) -> bool:
        """OpenSSL's own word on an answer over these bytes."""
        (self.folder / "kept.tsr").write_bytes(response)
        (self.folder / "content").write_bytes(content)
        done = subprocess.run(["openssl", "ts", "-verify", "-data", "content", "-in", "kept.tsr", "-CAfile", "ca.pem"],
                              cwd=self.folder, capture_output=True, text=True)
        return done.returncode == 0 and "Verification: OK" in done.stdout

    def _openssl(self, *arguments: str, configured: bool = True) -> None:
        subprocess.run(["openssl", *arguments, *(("-config", str(self.config)) if configured else ())],
                       cwd=self.folder, check=True, capture_output=True)


@contextmanager
def running_authority(folder: Path) -> Iterator[Authority]:
    """An authority that answers on 127.0.0.1 while the context lasts."""
    authority = Authority(folder)

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            query = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked.append(query)
            self.send_response(503 if authority.away else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            if not authority.away:
                self.wfile.write(authority.reply(query))

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        authority.url = f"http://127.0.0.1:{server.server_port}/tsr"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()
