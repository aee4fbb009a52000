"""The directory of a demonstration: begun, told, served again, never taken from somebody else."""

import stat

import pytest

from server.demo.installation import FILE_NAME, Installation, NotReusable


def test_what_was_told_is_there_when_it_is_opened_again(tmp_path):
    begun = Installation.at(tmp_path)
    assert begun.told is None
    begun.write("26 all agree")
    again = Installation.at(tmp_path)
    assert (again.told, again.people) == ("26 all agree", begun.people)


def test_only_the_owner_reads_the_passwords(tmp_path):
    Installation.at(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_demonstration_that_was_broken_off_is_not_served(tmp_path):
    Installation.at(tmp_path)
    with pytest.raises(NotReusable, match="broken off"):
        Installation.at(tmp_path)


def test_somebody_elses_directory_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(NotReusable, match="neither empty nor a demonstration"):
        Installation.at(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
