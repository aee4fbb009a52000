"""What the bounded process lets a call do, and that its end is nobody else's."""

import os
import signal
import threading
import time

import pytest

from media import sandbox
from media.pictures import decode
from media.sandbox import CallFailed, ChildLost, OutOfBounds, run
from tests.darkroom import encoded, scene


def test_a_call_answers_what_the_function_returns():
    assert run(os.path.join, "a", "b") == "a/b"


def test_what_a_function_raises_comes_back_as_a_failure():
    with pytest.raises(CallFailed, match="FileNotFoundError"):
        run(os.path.getsize, "/nowhere/at/all")


def test_a_call_that_takes_too_long_is_ended():
    began = time.monotonic()
    with pytest.raises(OutOfBounds, match="too long"):
        run(time.sleep, 60, timeout=0.3)
    assert time.monotonic() - began < 5


def test_a_crash_costs_only_the_child():
    for _ in range(3):
        with pytest.raises(OutOfBounds, match="SIGABRT"):
            run(os.abort)
        assert run(os.path.join, "a", "b") == "a/b"


def test_a_child_that_was_killed_while_idle_is_noticed_and_replaced():
    run(os.getcwd)
    pid = sandbox._idle[-1].process.pid
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert run(os.getcwd)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_stopped_from_outside_says_nothing_about_the_picture(number):
    with pytest.raises(ChildLost, match=number.name):
        run(signal.raise_signal, number)


def test_memory_is_bounded(tmp_path):
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(4 * 1024**3)
    with pytest.raises(OutOfBounds, match="memory"):
        run(read_whole, str(huge))


def test_processor_time_is_bounded():
    with pytest.raises(OutOfBounds, match="processor"):
        run(spend_processor, 1)


def read_whole(name):
    with open(name, "rb") as file:
        return len(file.read())


def spend_processor(seconds):
    """Lower the limit in the child, as its server does for each call, then never end."""
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    while True:
        pass


def test_the_child_gets_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("MENQIAN_SECRET_KEY", "secret")
    sandbox.close()
    with pytest.raises(CallFailed, match="TypeError"):  # None is no path
        run(secret_length)


def secret_length():
    return len(os.environ.get("MENQIAN_SECRET_KEY"))


def test_children_are_reused_and_their_number_is_bounded(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(scene()))
    threads = [threading.Thread(target=decode, args=(path,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(sandbox._idle) <= sandbox.CHILDREN


def test_what_a_library_prints_does_not_disturb_the_answers():
    assert run(print, "noise on standard output") is None
    assert run(os.path.join, "a", "b") == "a/b"


def test_a_fork_starts_children_of_its_own():
    run(os.getcwd)
    ours = sandbox._idle[-1].process.pid
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            run(os.getcwd)
            status = int(sandbox._idle[-1].process.pid == ours)
        finally:
            sandbox.close()
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert run(os.getcwd)
