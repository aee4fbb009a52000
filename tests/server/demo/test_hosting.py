"""Where the demonstration's server runs and what it is given."""

import socket

import pytest

from server.demo.hosting import HOST, Hosted, NotServing, environment, free_port


def test_a_port_that_is_taken_is_passed_over():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 50


def test_without_a_free_port_it_says_so(monkeypatch):
    monkeypatch.setattr("server.demo.hosting.PORTS_TRIED", 1)
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(NotServing, match="no free port"):
            free_port(taken.getsockname()[1])


def test_no_setting_of_another_installation_reaches_the_server(tmp_path):
    inherited = {"PATH": "/bin", "MENQIAN_DATABASE_URL": "postgresql://elsewhere", "PYTHONPATH": "mine"}
    given = environment(inherited, tmp_path)
    assert [name for name in given if name.startswith("MENQIAN_")] == ["MENQIAN_DATA"]
    assert given["MENQIAN_DATA"] == str(tmp_path)
    assert given["PATH"] == "/bin"
    assert given["PYTHONPATH"].endswith(":mine")


def test_what_the_server_refuses_is_said(tmp_path):
    with pytest.raises(NotServing, match="user add"):
        Hosted(tmp_path, 1).cli("user", "add")
