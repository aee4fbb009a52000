import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.device.client import Client, Problem
from sync.device.events import Events
from sync.device.witness import LogRefused, Witness
from sync.merkle import consistency_path, leaf_hash, root_of
from sync.notes import key_line, sign_checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "menqian.test/journal"


class Log:
    """A server that shows checkpoints of these leaves; `busy` makes it refuse for a while."""

    def __init__(self, *leaves):
        self.leaves = [leaf_hash(leaf) for leaf in leaves]
        self.busy = False

    def note(self, size=None, key=KEY):
        size = len(self.leaves) if size is None else size
        return sign_checkpoint(ORIGIN, size, root_of(self.leaves[:size]), key)

    def answer(self, request):
        if self.busy:
            return httpx.Response(503, json={"code": "busy", "action": "retry"})
        if request.url.path.endswith("/key"):
            return httpx.Response(200, text=key_line(ORIGIN, KEY.public_key()) + "\n")
        old, new = int(request.url.params["from"]), int(request.url.params["to"])
        if new > len(self.leaves):
            return httpx.Response(422, json={"code": "size_invalid", "action": "none"})
        path = consistency_path(old, new, lambda level, at: root_of(self.leaves[at << level:at + 1 << level]))
        return httpx.Response(200, json={"hashes": [each.hex() for each in path]})


@pytest.fixture
def log():
    return Log(b"a", b"b", b"c", b"d", b"e")


@pytest.fixture
def witness(store, clock, log):
    store.put("epoch", "e1")
    witness = Witness(store, Client("http://menqian", transport=httpx.MockTransport(log.answer)), clock,
                      Events(store, clock))
    witness.meet()
    return witness


def test_the_beacon_is_the_root_of_the_newest_checkpoint(witness, log):
    assert witness.beacon is None
    for size in (3, 5):
        witness.see(log.note(size), "e1")
        assert witness.beacon == root_of(log.leaves[:size]).hex()


def test_an_empty_journal_shows_nothing(witness):
    witness.see(None, "e1")
    assert witness.beacon is None


def test_an_answer_that_comes_late_is_no_shrunken_log(witness, log):
    witness.see(log.note(), "e1")
    witness.see(log.note(3), "e1")
    assert witness.beacon == root_of(log.leaves).hex()


def test_a_log_that_shrank_is_refused(witness, log):
    witness.see(log.note(), "e1")
    del log.leaves[3:]
    with pytest.raises(LogRefused, match="no proof that 5"):
        witness.see(log.note(), "e1")


@pytest.mark.parametrize("more", [(), (b"f", b"g")])
def test_a_log_that_forked_is_refused(witness, log, more):
    witness.see(log.note(), "e1")
    log.leaves = [leaf_hash(leaf) for leaf in (b"a", b"b", b"X", b"d", b"e", *more)]
    with pytest.raises(LogRefused, match="does not hold"):
        witness.see(log.note(), "e1")
    assert witness.beacon != root_of(log.leaves).hex()


def test_a_checkpoint_of_another_key_is_refused(witness, log):
    with pytest.raises(LogRefused):
        witness.see(log.note(key=Ed25519PrivateKey.generate()), "e1")


def test_a_proof_that_cannot_be_had_now_is_no_verdict(witness, log):
    witness.see(log.note(3), "e1")
    log.busy = True
    with pytest.raises(Problem, match="busy"):
        witness.see(log.note(), "e1")
    log.busy = False
    witness.see(log.note(), "e1")


@pytest.mark.parametrize(("leaves", "shared"), [
    ((b"a", b"b", b"c"), 3), ((b"a", b"b", b"c", b"restored"), 3), ((b"X", b"b"), 0), ((b"a", b"X", b"c", b"d"), 1)],
    ids=["shrunk", "goes on", "another", "altered"])
def test_a_restored_server_begins_a_new_line_and_it_is_told_how_much_of_the_old_one_it_holds(
        witness, log, store, clock, leaves, shared):
    for size in (1, 2, 3, 4, 5):
        witness.see(log.note(size), "e1")
    log.leaves = [leaf_hash(leaf) for leaf in leaves]
    store.put("epoch", "e2")
    for _ in range(2):
        witness.see(log.note(), "e2")
    assert witness.beacon == root_of(log.leaves).hex()
    assert store.one("SELECT count(*) FROM checkpoint") == 6
    told, = Events(store, clock).all()
    assert (told["kind"], told["seen"], told["shared"], told["size"]) == ("journal_replaced", 5, shared, len(leaves))
