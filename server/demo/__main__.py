"""`bin/demo`: a town, its people and a shift of inspections, all synthetic, on a real server of its own.

Owns the command line and the order of things. `--once` ends after the shift, with 0 when all counts agree.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.demo.camera import Camera
from server.demo.hosting import Hosted, NotServing, free_port
from server.demo.installation import Installation, NotReusable
from server.demo.people import GUEST, Person, enrolment_address
from server.demo.shift import StillBusy
from server.demo.telling import Telling
from server.demo.told import run_shift
from sync.device.client import Problem, Unreachable
from sync.device.witness import LogRefused

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration and give the exit code."""
    asked = _asked(arguments)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Chinese shows question marks
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    telling = Telling(sys.stdout)
    try:
        camera = Camera(asked.photos)
        with _directory(asked.data) as directory:
            return _demonstrate(telling, asked, camera, Installation.at(directory))
    except KeyboardInterrupt:
        telling.say("已停止 stopped")
        return INTERRUPTED
    except (NotReusable, OSError) as error:
        print(f"错误 error: {error}", file=sys.stderr)
        return 2
    except (NotServing, Problem, Unreachable, LogRefused, StillBusy) as error:
        print(f"错误 error: {error}", file=sys.stderr)
        return 1


def _demonstrate(telling: Telling, asked: argparse.Namespace, camera: Camera, installation: Installation) -> int:
    telling.title("门前 Menqian · 演示 demonstration · 全部数据为虚构 all of it synthetic")
    if installation.told and asked.once:
        telling.say("此目录的班次已演示过,不再重复;当时所述如下  the shift was run before, this is what was told:")
        telling.say(installation.told)
        return 0
    port = free_port(asked.port)
    if port != asked.port:
        telling.fact(f"端口 {asked.port} 被占用,改用 {port}  port {asked.port} is taken, {port} it is")
    server, began, agreed = Hosted(installation.directory, port), time.monotonic(), True
    try:
        if installation.told:
            telling.step("此目录的班次已演示过,只提供页面", "the shift was run before: only serving")
            server.start()
        else:
            agreed = run_shift(telling, server, installation, camera)
        telling.fact(f"用时 took {time.monotonic() - began:.0f} s")
        if not asked.once:
            _serve(telling, server, installation.people, kept=asked.data is not None)
        return 0 if agreed else 1
    except (Problem, Unreachable, LogRefused, StillBusy):
        telling.say(f"服务器日志末尾 the server's log ends with\n{server.tail()}")
        raise
    finally:
        server.stop()


def _serve(telling: Telling, server: Hosted, people: list[Person], *, kept: bool) -> None:
    """Serve the pages until Ctrl-C or SIGTERM; raises NotServing when the server ends by itself."""
    telling.table("登录", "Logins (of this demonstration only)",
                  ("用户名 username", "密码 password", "角色 role", "姓名 name"), [
                      (person.username, person.password, person.role, person.name) for person in people])
    enrolment = enrolment_address(server.url, people)
    telling.say()
    telling.say(f"手持端 handheld, for {GUEST}: {enrolment}")
    telling.say(f"页面 pages: {server.url}/    接口文档 API: {server.url}/api/v1/docs    按 Ctrl-C 结束 Ctrl-C ends")
    if not kept:
        telling.say("结束时数据随之删除;要保留请用 --data DIR  the data is removed at the end; --data DIR keeps it")
    try:
        while not server.ended():
            time.sleep(0.2)
    except KeyboardInterrupt:
        telling.say("正在停止 stopping")
        return
    raise NotServing(f"the server ended by itself; its log ends with\n{server.tail()}")


@contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    """The given directory, or a fresh one that is removed at the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    fresh = Path(tempfile.mkdtemp(prefix="menqian-demo-"))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh)


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description="门前的演示:虚构小镇的一班巡查 "
                                     "a shift of inspections in a synthetic town, on a real server of its own")
    parser.add_argument("--once", action="store_true", help="end after the shift; exit 0 when all counts agree")
    parser.add_argument("--port", type=_port, default=8000, help="of the pages (8000); the next free one when taken")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the demonstration here and reuse it")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photographs (JPEG, PNG, WebP) to use as evidence")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("a number from 1 to 65535")
    return int(text)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
