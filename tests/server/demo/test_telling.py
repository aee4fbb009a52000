"""How the demonstration speaks: tables that stand straight although a Chinese character is two columns wide."""

import io

import pytest

from server.demo.telling import Telling, padded, shortened, table_lines, width


@pytest.mark.parametrize(("text", "columns"), [
    ("", 0), ("zone", 4), ("责任区", 6), ("冲突 both", 9), ("\uff0c", 2), ("e\u0301", 1), ("✓", 1), ("─", 1)])
def test_a_chinese_character_is_two_columns_wide(text, columns):
    assert width(text) == columns


@pytest.mark.parametrize(("text", "wide", "short"), [
    ("门前有两袋垃圾", 20, "门前有两袋垃圾"), ("门前有两袋垃圾", 8, "门前有…"), ("abcdef", 4, "abc…"), ("门", 1, "…")])
def test_a_long_text_is_cut_to_its_columns(text, wide, short):
    assert shortened(text, wide) == short
    assert width(short) <= wide


def test_numbers_stand_to_the_right_and_texts_to_the_left():
    assert table_lines(("判定", "n"), [("确定", 1204), ("none", 3)]) == [
        "判定  n", "────  ─────", "确定  1,204", "none      3"]
    assert padded("门", 4) == "门  "
    assert padded("门", 4, right=True) == "  门"


def test_what_was_told_is_printed_and_remembered():
    out = io.StringIO()
    telling = Telling(out)
    telling.step("抽查", "spot check")
    telling.table("冲突", "Conflicts", ("字段", "n"), [("text", 1)])
    assert out.getvalue().splitlines() == telling.lines
    assert telling.lines[0] == "● 抽查  spot check"
    assert telling.lines[-1] == "    text  1"
