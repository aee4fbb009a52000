"""Every setting, in one class, read from environment variables `MENQIAN_…` at start-up.

Start-up refuses combinations that would lose or betray work, and says which.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

JOURNAL_KEY = Path("keys") / "journal"  # in the data directory; every installation has one
RESTORING = "restoring.json"  # in the data directory while a restore is under way
THREADS, THREADS_FREE = 16, 4  # of a web process; those that never receive photos
TILES = re.compile(r"https?://(\{s\}\.)?[A-Za-z0-9.-]+(:\d+)?/(?=\S*\{z\})(?=\S*\{x\})(?=\S*\{y\})\S+")
NOT_YET = "0" * 32  # stands for the secret while nothing may be written


class NotInitialised(Exception):
    """There is no installation where the settings point; the text says what is not there."""

    def __init__(self, lacking: object) -> None:
        super().__init__(f"尚未初始化,请先运行 not initialised: run menqian init first "
                         f"(不存在 there is no {lacking})")


class RestoreUnfinished(NotInitialised):
    """A restore is under way here, or was interrupted: there are keys, but not yet the rows that go with them."""

    def __init__(self, mark: Path) -> None:
        Exception.__init__(self, f"恢复尚未完成 a restore has not finished here: wait for it or, if it was "
                                 f"interrupted, run menqian restore again with the backup that {mark} names")


class UnsafeSettings(Exception):
    """The settings contradict each other or would be unsafe; the text says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one installation; each line's comment is its manual."""

    data: Path                              # MENQIAN_DATA: directory for database, keys, photos, spool, queue
    database_url: str                       # MENQIAN_DATABASE_URL: SQLAlchemy URL; default SQLite in the data directory
    media_url: str                          # MENQIAN_MEDIA_URL: file:///… or s3://bucket?endpoint_url=…
    queue_url: str                          # MENQIAN_QUEUE_URL: sqlite:///…, redis://…, or immediate: (tests)
    spool: Path                             # MENQIAN_SPOOL: uploads in progress; shared by all workers
    snapshots: Path                         # MENQIAN_SNAPSHOTS: prepared snapshots for first pulls; shared by workers
    secret_key: bytes = field(repr=False)   # MENQIAN_SECRET_KEY: signs cursors and page sessions; made and kept in data
    origin: str                             # MENQIAN_ORIGIN: name of the journal in its signed checkpoints
    login_hours: int                        # MENQIAN_LOGIN_HOURS: how long a person's session lasts
    login_attempts: str                     # MENQIAN_LOGIN_ATTEMPTS: failed logins per person and address: 5/minute
    invitation_hours: int                   # MENQIAN_INVITATION_HOURS: how long an invitation code works
    compact_days: int                       # MENQIAN_COMPACT_DAYS: compact daily what is older; 0 never does
    tsa_url: str                            # MENQIAN_TSA_URL: time-stamping authority (RFC 3161) of checkpoints
    tsa_ca: Path | None                     # MENQIAN_TSA_CA: PEM file of the certificates that its stamps must lead to
    verify_at: time | None                  # MENQIAN_VERIFY_AT: when the nightly audit begins in the city; off never
    verify_read_percent: float              # MENQIAN_VERIFY_READ_PERCENT: older photos that an audit reads again
    upload_hours: int                       # MENQIAN_UPLOAD_HOURS: how long an unfinished upload is kept
    spool_free_mb: int                      # MENQIAN_SPOOL_FREE_MB: what uploads leave free on the spool's disk
    upload_bodies: int                      # MENQIAN_UPLOAD_BODIES: photos that one web process receives at once
    uploads_unfinished: int                 # MENQIAN_UPLOADS_UNFINISHED: unfinished uploads of one device, at most
    handover_days: int                      # MENQIAN_HANDOVER_DAYS: how long work of a withdrawn scope may come late
    unsent_hours: int                       # MENQIAN_UNSENT_HOURS: unsent work older than this is marked on the page
    clock_off_seconds: int                  # MENQIAN_CLOCK_OFF_SECONDS: a device's clock off by more is marked
    snapshot_records: int                   # MENQIAN_SNAPSHOT_RECORDS: fewest records that a snapshot is made for
    snapshot_tail_percent: int              # MENQIAN_SNAPSHOT_TAIL_PERCENT: changes since, at which it is made anew
    snapshot_hours: int                     # MENQIAN_SNAPSHOT_HOURS: how long it is kept after it was last offered
    poke_minutes: int                       # MENQIAN_POKE_MINUTES: how long a live line lasts before it comes again
    poke_lines: int                         # MENQIAN_POKE_LINES: live lines that one web process holds at most
    checkpoint_seconds: int                 # MENQIAN_CHECKPOINT_SECONDS: oldest a checkpoint may be while entries come
    heif: bool                              # MENQIAN_HEIF: 1 takes HEIC and AVIF pictures (needs pillow-heif)
    public_url: str | None                  # MENQIAN_PUBLIC_URL: where people reach the pages; stands in QR codes
    tile_url: str                           # MENQIAN_TILE_URL: map tiles under the handheld's zones; absent, only lines
    secure_cookies: bool                    # MENQIAN_SECURE_COOKIES: 1 behind HTTPS, so that cookies never go in clear
    proxies: int                            # MENQIAN_PROXIES: reverse proxies in front, whose addresses are believed
    log_level: str                          # MENQIAN_LOG_LEVEL: debug, info, warning, error
    mutations_per_push: int = 500
    push_bytes: int = 8_388_608
    mutation_bytes: int = 65_536
    changes_per_pull: int = 1_000
    upload_bytes: int = 67_108_864

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, restoring: bool = False) -> Self:
        """Read the settings; raises UnsafeSettings and, unless `restoring`, RestoreUnfinished."""
        def read(name: str, default: str) -> str:
            return environ.get(f"MENQIAN_{name}") or default

        data = Path(read("DATA", "data")).expanduser().resolve()
        if not restoring and (data / RESTORING).exists():
            raise RestoreUnfinished(data / RESTORING)
        settings = cls(
            data=data, database_url=_psycopg(read("DATABASE_URL", f"sqlite:///{data / 'menqian.db'}")),
            media_url=read("MEDIA_URL", (data / "media").as_uri()),
            queue_url=read("QUEUE_URL", f"sqlite:///{data / 'queue.db'}"),
            spool=Path(read("SPOOL", str(data / "spool"))),
            snapshots=Path(read("SNAPSHOTS", str(data / "snapshots"))),
            snapshot_records=_number(read("SNAPSHOT_RECORDS", "1000"), "SNAPSHOT_RECORDS"),
            snapshot_tail_percent=_number(read("SNAPSHOT_TAIL_PERCENT", "10"), "SNAPSHOT_TAIL_PERCENT"),
            snapshot_hours=_number(read("SNAPSHOT_HOURS", "24"), "SNAPSHOT_HOURS"),
            poke_minutes=_number(read("POKE_MINUTES", "5"), "POKE_MINUTES"),
            poke_lines=_number(read("POKE_LINES", "500"), "POKE_LINES"),
            origin=read("ORIGIN", "menqian.local/journal"),
            secret_key=_secret(data, environ.get("MENQIAN_SECRET_KEY")),
            login_hours=_number(read("LOGIN_HOURS", "12"), "LOGIN_HOURS"),
            login_attempts=read("LOGIN_ATTEMPTS", "5/minute"),
            invitation_hours=_number(read("INVITATION_HOURS", "72"), "INVITATION_HOURS"),
            compact_days=_number(read("COMPACT_DAYS", "0"), "COMPACT_DAYS"),
            tsa_url=read("TSA_URL", ""), tsa_ca=Path(read("TSA_CA", "")) if read("TSA_CA", "") else None,
            verify_at=_hour(read("VERIFY_AT", "02:30"), "VERIFY_AT"),
            verify_read_percent=_percent(read("VERIFY_READ_PERCENT", "1"), "VERIFY_READ_PERCENT"),
            upload_hours=_number(read("UPLOAD_HOURS", "168"), "UPLOAD_HOURS"),
            spool_free_mb=_number(read("SPOOL_FREE_MB", "512"), "SPOOL_FREE_MB"),
            upload_bodies=_number(read("UPLOAD_BODIES", "10"), "UPLOAD_BODIES"),
            uploads_unfinished=_number(read("UPLOADS_UNFINISHED", "500"), "UPLOADS_UNFINISHED"),
            handover_days=_number(read("HANDOVER_DAYS", "14"), "HANDOVER_DAYS"),
            unsent_hours=_number(read("UNSENT_HOURS", "24"), "UNSENT_HOURS"),
            clock_off_seconds=_number(read("CLOCK_OFF_SECONDS", "120"), "CLOCK_OFF_SECONDS"),
            checkpoint_seconds=_number(read("CHECKPOINT_SECONDS", "5"), "CHECKPOINT_SECONDS"),
            public_url=read("PUBLIC_URL", "").rstrip("/") or None,
            tile_url=read("TILE_URL", ""),
            heif=read("HEIF", "0") == "1", secure_cookies=read("SECURE_COOKIES", "0") == "1",
            proxies=_number(read("PROXIES", "0"), "PROXIES"), log_level=read("LOG_LEVEL", "info").lower())
        settings.check()
        return settings

    @classmethod
    def of_existing(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings of an installation that stands already; raises NotInitialised, and makes nothing then."""
        given = environ.get("MENQIAN_SECRET_KEY")
        looked_at = cls.from_environment({**environ, "MENQIAN_SECRET_KEY": given or NOT_YET})
        for needed in (looked_at.data / JOURNAL_KEY, looked_at.database_file):
            if needed is not None and not needed.exists():
                raise NotInitialised(needed)
        return cls.from_environment(environ)

    def check(self) -> None:
        """Refuse what is unsafe together."""
        if self.media_url.startswith("s3:") and "endpoint_url=http://" in self.media_url \
                and not any(host in self.media_url for host in ("//127.0.0.1", "//localhost", "//[::1]")) \
                and os.environ.get("MENQIAN_ALLOW_PLAIN_S3") != "1":
            raise UnsafeSettings("MENQIAN_MEDIA_URL 以明文访问远程存储:请用 https,或设 MENQIAN_ALLOW_PLAIN_S3=1 "
                                 "the media store is remote and unencrypted: use https or set MENQIAN_ALLOW_PLAIN_S3=1")
        if not self.database_url.startswith(("sqlite:", "postgresql+psycopg:")):
            raise UnsafeSettings("MENQIAN_DATABASE_URL 须为 sqlite 或 postgresql must be sqlite or postgresql")
        if not self.queue_url.startswith(("sqlite:", "redis:", "rediss:", "immediate:")):
            raise UnsafeSettings("MENQIAN_QUEUE_URL 须为 sqlite、redis 或 immediate must be sqlite, redis or immediate")
        if not 1 <= self.upload_bodies <= THREADS - THREADS_FREE:
            raise UnsafeSettings(f"MENQIAN_UPLOAD_BODIES 须为 1 至 {THREADS - THREADS_FREE} must be 1 to "
                                 f"{THREADS - THREADS_FREE}, so that threads are left for everybody else")
        if self.tsa_ca is not None and not self.tsa_ca.is_file():
            raise UnsafeSettings(f"MENQIAN_TSA_CA 不存在 there is no file {self.tsa_ca}")
        if self.tsa_url and (self.tsa_ca is None or not self.tsa_url.startswith(("http://", "https://"))):
            raise UnsafeSettings("MENQIAN_TSA_URL 须为 http(s) 并有 MENQIAN_TSA_CA must be http or https, and wants "
                                 "MENQIAN_TSA_CA, against which its stamps are held")
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise UnsafeSettings("MENQIAN_PUBLIC_URL 须为网址 must be an address such as https://menqian.example")
        if self.tile_url and not TILES.fullmatch(self.tile_url):
            raise UnsafeSettings("MENQIAN_TILE_URL 须为含 {z}、{x}、{y} 的网址 must be an address with {z}, {x} "
                                 "and {y} such as https://tiles.example/{z}/{x}/{y}.png")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise UnsafeSettings("MENQIAN_LOG_LEVEL must be debug, info, warning or error")

    @property
    def embedded(self) -> bool:
        """True on SQLite: one process writes (gthread worker), however many were asked for."""
        return self.database_url.startswith("sqlite:")

    @property
    def database_file(self) -> Path | None:
        """The file of the database, where it is one."""
        named = make_url(self.database_url).database if self.embedded else None
        return Path(named) if named and named != ":memory:" and not named.startswith("file:") else None

    def limits(self) -> dict[str, int]:
        """The limits that `GET /hello` tells."""
        return {name: getattr(self, name) for name in
                ("mutations_per_push", "push_bytes", "mutation_bytes", "changes_per_pull", "upload_bytes")}


def _psycopg(url: str) -> str:
    """PostgreSQL is spoken to by psycopg 3, however its URL is spelled."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix):]
    return url


def _number(text: str, name: str) -> int:
    if not text.isdigit():
        raise UnsafeSettings(f"MENQIAN_{name} 须为数字 must be a number, is {text!r}")
    return int(text)


def _hour(text: str, name: str) -> time | None:
    try:
        return None if text == "off" else datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise UnsafeSettings(f"MENQIAN_{name} 须为 HH:MM 或 off must be HH:MM or off, is {text!r}") from None


def _percent(text: str, name: str) -> float:
    if re.fullmatch(r"\d{1,3}(\.\d+)?", text) and float(text) <= 100:
        return float(text)
    raise UnsafeSettings(f"MENQIAN_{name} 须为 0 至 100 must be 0 to 100, is {text!r}")


def _secret(data: Path, given: str | None) -> bytes:
    """The given secret, or the one that stands in the data directory, made at first use."""
    if given is not None:
        if len(given) < 32:
            raise UnsafeSettings("MENQIAN_SECRET_KEY 过短:至少 32 个字符 is too short: at least 32 characters")
        return given.encode()
    return kept_secret(data / "keys" / "secret", lambda: secrets.token_bytes(32))


def kept_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """A secret that is made once and kept in a file that only its owner may read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its secret is the one
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()
