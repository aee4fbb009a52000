"""Evidence bundles: what `verify.py` finds in a bag that somebody altered, alone on a machine without Menqian."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bagit
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.merkle import leaf_hash
from sync.notes import key_line as line_of
from sync.notes import sign_checkpoint
from sync.proofs import proof_text
from sync.signing import jwk_of
from tests import bundles
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited

SCOPE = "320412100"


class Sound(NamedTuple):
    """A bundle as it was exported, never changed."""

    base: Path
    case: bundles.Case
    key: str


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("bundles")) as office:
        yield office


@pytest.fixture(scope="module")
def sound(office: Indoors, tmp_path_factory: pytest.TempPathFactory) -> Sound:
    case = bundles.a_case(office, SCOPE, text="门前堆物")
    bundles.a_document(case, SCOPE)
    bundles.accepted(office, case, SCOPE)
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    answer = reviewer.get(f"/reviews/{case.finding}/bundle?profile=court&reason=移送法院")
    return Sound(bundles.unpacked(answer, tmp_path_factory.mktemp("court")), case, bundles.key_line(office))


@pytest.fixture
def bag(sound: Sound, tmp_path: Path) -> Path:
    """A copy to alter."""
    return Path(shutil.copytree(sound.base, tmp_path / "bag"))


def failures(base: Path, *arguments: str, program: Path | None = None) -> list[str]:
    """The findings that do not hold, but the last, which counts them."""
    done = bundles.verify(base, *arguments, program=program)
    assert done.stderr == ""
    found = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert done.returncode == (1 if found else 0), done.stdout
    return found[:-1]


def relisted(base: Path, *, contents: bool = False) -> None:
    """Write manifests anew, as whoever replaced a file would; the list of contents too, where he thinks of it."""
    def lines(paths: list[str]) -> str:
        return "".join(f"{hashlib.sha256((base / path).read_bytes()).hexdigest()}  {path}\n" for path in paths)

    every = sorted(path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file())
    tags = [path for path in every if not path.startswith("data/") and path != "tagmanifest-sha256.txt"]
    if contents:
        (base / "data/journal/contents.txt").write_text(lines(
            [path for path in every if not path.startswith(("data/journal/", "bag", "manifest", "tagmanifest"))]))
    payload = [path for path in every if path.startswith("data/")]
    (base / "manifest-sha256.txt").write_text(lines(payload))
    size = sum((base / path).stat().st_size for path in payload)
    info = [line for line in (base / "bag-info.txt").read_text().splitlines() if not line.startswith("Payload-Oxum")]
    (base / "bag-info.txt").write_text("\n".join([*info, f"Payload-Oxum: {size}.{len(payload)}"]) + "\n")
    (base / "tagmanifest-sha256.txt").write_text(lines(tags))


def test_a_bundle_holds_where_there_is_no_menqian(sound: Sound, tmp_path: Path) -> None:
    done = bundles.verify(sound.base, "--key", sound.key, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "✗" not in done.stdout
    assert done.stdout.count("holds: bytes, chain, signature") == 2
    assert "Key: the one that was given" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("✓ 结论")


def test_the_audit_of_the_installation_takes_exports_as_they_are(office: Indoors, sound: Sound) -> None:
    assert audited(office)["ok"] is True


def test_the_bagit_package_takes_it(sound: Sound) -> None:
    opened = bagit.Bag(str(sound.base))
    opened.validate()
    assert opened.version_info == (1, 0)
    assert opened.info["Payload-Oxum"]


def test_without_a_key_it_says_on_whose_word_all_rests(sound: Sound) -> None:
    done = bundles.verify(sound.base)
    assert done.returncode == 0
    assert f"compare it: {sound.key}" in done.stdout


def test_a_console_without_chinese_is_told_in_english(sound: Sound) -> None:
    done = bundles.verify(sound.base, options=("-X", "utf8=0"), LC_ALL="C", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert done.stdout.startswith("[ok] Files")


def test_a_changed_byte_in_any_file_is_found_and_named(sound: Sound, bag: Path) -> None:
    names = sorted(path.relative_to(bag).as_posix() for path in bag.rglob("*") if path.is_file())
    assert len(names) > 30
    for turn, name in enumerate(names):
        content = (bag / name).read_bytes()
        place = (0, len(content) // 2, len(content) - 1)[turn % 3]
        (bag / name).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1:])
        found = failures(bag, program=sound.base / "verify.py")
        assert any(name in line for line in found), (name, place, found)
        (bag / name).write_bytes(content)
    assert failures(bag) == []


def test_a_missing_and_an_additional_file_are_named(bag: Path) -> None:
    case = json.loads((bag / "data/case.json").read_text())
    original = case["photos"][0]["original"]
    (bag / original).unlink()
    (bag / "data/note.txt").write_text("x")
    (bag / "data/.DS_Store").write_text("x")
    found = failures(bag)
    assert any(original in line and "missing" in line for line in found)
    assert any("data/note.txt is in no manifest" in line for line in found)
    assert not any("DS_Store" in line for line in found)


@pytest.mark.parametrize("contents", [False, True], ids=["manifests", "contents too"])
def test_a_photo_replaced_together_with_its_manifests_is_found(bag: Path, contents: bool) -> None:
    case = json.loads((bag / "data/case.json").read_text())
    original = case["photos"][0]["original"]
    (bag / original).write_bytes(b"\xff\xd8 another picture")
    relisted(bag, contents=contents)
    bagit.Bag(str(bag)).validate()
    found = failures(bag)
    assert any(f"{original} is not the photo that the record names" in line for line in found)
    assert any("contents.txt is not what the journal" in line if contents else
               f"{original} is not the file that was exported" in line for line in found)


def test_what_does_not_belong_to_the_journal_s_part_is_named(sound: Sound, bag: Path) -> None:
    """Manifests are made anew each time: the list of contents says nothing of data/journal."""
    journal, entries = bag / "data/journal", bag / "data/journal/entries.jsonl"
    some_proof = next((journal / "proofs").iterdir()).read_bytes()
    for name in ("extra.txt", "proofs/999999.tlog-proof", "beacons/00.tlog-proof", "stamped.tsr"):
        (journal / name).write_bytes(some_proof)
        relisted(bag)
        assert any(f"data/journal/{name} is missing, or does not belong there" in line for line in failures(bag)), name
        (journal / name).unlink()
    lines = entries.read_text().splitlines()
    spoken = next(line for line in lines if '"aside"' in line.partition('"leaf"')[2] and json.loads(line).get("aside"))
    silent = {name: part for name, part in json.loads(spoken).items() if name != "aside"}
    for changed, said in (([*lines, lines[0]], "stands twice"), (
            [json.dumps(silent, ensure_ascii=False) if line == spoken else line for line in lines], "says aside is")):
        entries.write_text("\n".join(changed) + "\n")
        relisted(bag)
        assert any(said in line for line in failures(bag)), said
    entries.write_text("\n".join(lines) + "\n")
    relisted(bag)
    assert failures(bag) == []
    (bag / "data" / "elsewhere").symlink_to(sound.base)
    assert any("data/elsewhere is a link" in line for line in failures(bag))


def edited(bag: Path, path: str, change: Callable[[Any], None]) -> None:
    """Change a JSON file and list everything anew."""
    told = json.loads((bag / path).read_text())
    change(told)
    (bag / path).write_text(json.dumps(told, ensure_ascii=False))
    relisted(bag, contents=True)


def test_a_history_in_other_words_is_found(bag: Path) -> None:
    path = bag / "data/history.jsonl"
    path.write_text(path.read_text().replace("门前堆物", "门前整洁", 1))
    edited(bag, "data/case.json", lambda told: told["records"][0]["fields"].update(text="门前整洁"))
    assert any("is not what the journal is committed to" in line for line in failures(bag))


def test_a_record_that_does_not_follow_from_its_history_is_found(bag: Path) -> None:
    edited(bag, "data/case.json", lambda told: told["records"][0]["fields"].update(text="门前整洁"))
    assert any("text does not follow from the history" in line for line in failures(bag))


def test_a_version_left_out_is_found(bag: Path) -> None:
    lines = (bag / "data/history.jsonl").read_text().splitlines(keepends=True)
    (bag / "data/history.jsonl").write_text("".join(lines[:-1]))
    relisted(bag, contents=True)
    assert any("which the journal has" in line for line in failures(bag))


def test_another_device_key_is_found(bag: Path) -> None:
    other = jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    (path,) = (bag / "data/devices").iterdir()
    edited(bag, f"data/devices/{path.name}", lambda told: told.update(public_key=other))
    assert any("not the key with which the journal says" in line for line in failures(bag))


def test_an_entry_that_the_device_did_not_sign_is_found(bag: Path) -> None:
    path = sorted((bag / "data/sidecars").glob("*.json"))[0]
    edited(bag, f"data/sidecars/{path.name}", lambda told: told.update(captured_at="2020-01-01T00:00:00.000Z"))
    found = failures(bag)
    assert any("is not the signature of the device" in line for line in found)
    assert any("captured_at is not as in the record" in line for line in found)
    assert any("is not in the chain of its device" in line for line in found)


def test_an_entry_of_the_journal_left_out_is_found(bag: Path) -> None:
    path = bag / "data/journal/entries.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    dropped = next(line for line in lines if '\\"kind\\":\\"decision\\"' in line)
    path.write_text("".join(line for line in lines if line != dropped))
    (bag / f"data/journal/proofs/{json.loads(dropped)['index']}.tlog-proof").unlink()
    relisted(bag)
    assert any("is missing from data/journal/entries.jsonl" in line for line in failures(bag))


def test_a_journal_of_somebody_else_is_found_by_the_key(sound: Sound, bag: Path) -> None:
    """Everything forged and signed anew: one leaf after the other, each the whole log of its size."""
    forger = Ed25519PrivateKey.generate()
    journal = bag / "data/journal"
    name = sound.key.partition("+")[0]
    (journal / "key.txt").write_text(line_of(name, forger.public_key()) + "\n")
    lines = (journal / "entries.jsonl").read_text().splitlines()
    leaves = [leaf_hash(json.loads(line)["leaf"].encode()) for line in lines]
    note = sign_checkpoint(name, 1, leaves[0], forger)
    (journal / "checkpoint.txt").write_text(note)
    relisted(bag)
    assert any("proofs" in line for line in failures(bag))
    for line in lines:
        index = json.loads(line)["index"]
        (journal / f"proofs/{index}.tlog-proof").write_text(proof_text(index, [], note))
    relisted(bag)
    assert any("key.txt is not the key that was given" in line for line in failures(bag, "--key", sound.key))
