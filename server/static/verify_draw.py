"""Re-run a spot check's draw from its proof: `python3 -I verify_draw.py proof.json`, with Python 3.9 or newer alone.

What the proof promises, and what to hold it against, says docs/verify-a-draw.md.
"""

import hashlib
import hmac
import json
import sys
from collections import Counter


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def allocate(counts, size):
    total = sum(counts.values())
    share = {name: size * count // total for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (-(size * counts[name] % total), name))
    for name in by_remainder[:size - sum(share.values())]:
        share[name] += 1
    while size >= len(share) and 0 in share.values():
        largest = min(share, key=lambda name: (-share[name], name))
        empty = min(name for name in share if share[name] == 0)
        share[largest], share[empty] = share[largest] - 1, 1
    return share


def draw(frame, allocation, seed):
    for stratum in sorted(allocation):
        ids = [record_id for record_id, name in frame if name == stratum]
        ids.sort(key=lambda record_id: hmac.new(seed, record_id.encode("ascii"), "sha256").digest())
        for rank, record_id in enumerate(ids[:allocation[stratum]], 1):
            yield {"record_id": record_id, "stratum": stratum, "rank": rank}


with open(sys.argv[1], encoding="utf-8") as file:
    proof = json.load(file)
frame, secret = proof["frame"], bytes.fromhex(proof["secret"])
digest = sha256("".join(sorted(f"{record_id} {stratum}\n" for record_id, stratum in frame)).encode())
seed = sha256(bytes.fromhex(digest) + bytes.fromhex(proof["beacon"]) + secret)
allocation = allocate(Counter(stratum for _, stratum in frame), sum(proof["allocation"].values()))
expected = {"algorithm": "hmac-sort-1", "frame_digest": digest, "commitment": sha256(secret), "seed": seed,
            "allocation": allocation, "sample": list(draw(frame, allocation, bytes.fromhex(seed)))}
wrong = [name for name, value in expected.items() if proof[name] != value]
wrong += ["frame"] if len({record_id for record_id, _ in frame}) < len(frame) else []
print("wrong: " + ", ".join(wrong) if wrong else f"the draw of {len(proof['sample'])} from {len(frame)} is right")
sys.exit(1 if wrong else 0)
