"""The whole audit of an installation, for `bin/menqian verify`: journal, history, records, the office's tables, chains
of captures, photos."""

from __future__ import annotations

from typing import Any

from media.audit import check_chains, check_photos
from media.check_audit import check_checks
from media.derivatives import check_derivatives
from media.reuse_audit import check_reuse
from media.source_audit import check_sources
from media.stores import StoreUnavailable
from server import timestamps, witness
from server.db import db, reading
from server.device_audit import check_devices, check_logins
from server.hold_audit import check_holds
from server.house import house
from server.keeping.disposal_audit import check_disposed
from server.keeping.orders import check_orders
from server.keeping.proposals import check_proposals
from server.people_audit import check_people
from server.review_audit import check_reviews
from server.run_audit import check_runs
from server.spot_check_audit import check_spot_checks
from server.zone_audit import check_zones
from sync import notes
from sync.audit import Audit, check_asides, check_commitments, check_guards, check_journal, check_times
from sync.erased import erasures
from sync.receipt_audit import check_quarantine, check_receipts
from sync.record_audit import check_records
from sync.witnesses import Witness, check_witnesses, standing


def audit(found: Audit | None = None) -> dict[str, Any]:
    """`{ok, checked: {what: count}, found, holding, erased, problems: [{code, about, detail}], notes: [the same]}`,
    from one snapshot; writes nothing.

    Of one kind of fault at most 100 are listed; `found` counts them all. `notes` name what nothing vouches for, mostly
    rows of older releases; `checked` counts them. `holding` says whether the store is asked to
    hold the photos of open cases; where it is not, whoever may write there may remove them. `erased` are the
    entries of lawful erasures, by which values are accounted for that stand nowhere. Whoever gives an Audit sees
    how far it came.
    """
    state, found = house(), found or Audit()
    key_line = notes.key_line(state.signer.origin, state.signer.key.public_key())
    with reading():
        session = db.session()
        check_guards(found, session)
        kept = _kept(found)
        roots = check_journal(found, session, key_line, {each.size for each in kept} | timestamps.sizes(session))
        check_times(found, session, state.clock())
        check_witnesses(found, standing(session, roots.get), kept, witness.note_of, key_line)
        timestamps.check_timestamps(found, session, roots, key_line)
        erased = erasures(session)
        check_asides(found, session, erased)
        check_commitments(found, session, erased)
        check_records(found, session, state.rules)
        check_reviews(found, session)
        check_receipts(found, session)
        check_quarantine(found, session, erased)
        check_zones(found, session)
        check_spot_checks(found, session, erased)
        check_people(found, session)
        check_devices(found, session)
        check_logins(found, session)
        check_runs(found, session)
        check_chains(found, session)
        check_checks(found, session)
        check_sources(found, session)
        check_derivatives(found, session)
        check_photos(found, session, state.store, state.clock(), state.random_bytes,
                     state.settings.verify_read_percent)
        check_holds(found, session, state.store)
        check_orders(found, session)
        check_proposals(found, session)
        check_disposed(found, session, state.store)
        check_reuse(found, session)
    return {"ok": not found.problems, "checked": dict(found.checked), "found": dict(found.found),
            "holding": state.store.holding, "erased": erased.told, "problems": found.problems, "notes": found.notes}


def _kept(found: Audit) -> list[Witness]:
    try:
        return list(witness.kept())
    except StoreUnavailable as error:
        found.wrong("store_unavailable", witness.FOLDER, str(error))
        return []
