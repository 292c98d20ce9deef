"""A checkpoint that was kept elsewhere: what it names has to be there, and what came behind it can be looked at."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from authctl.errors import NotFound, Refused, UsageError
from authctl.server.audit import file_verification
from authctl.server.audit.checkpoints import Checkpoint, find_checkpoint, parse_document
from authctl.server.audit.findings import FindingKind, Status, Verdict
from authctl.server.audit.keys import TrailKeys
from tests.server.audit.stories import begin, newest_writer, prune
from tests.server.audit.workbench import CALLER, KEYS, an_event, reset

if TYPE_CHECKING:
    from tests.server.audit.workbench import Service, Site

K = FindingKind


def sign(service: Service, request_id: str = "r1") -> Checkpoint:
    return asyncio.run(service.trail.sign_checkpoint(replace(CALLER, request_id=request_id)))


def places(verdict: Verdict) -> list[tuple[FindingKind, int]]:
    return [(finding.kind, finding.seq) for finding in verdict.findings]


# Signing.


def test_a_checkpoint_is_an_event_of_who_asked_for_it(site: Site) -> None:
    """D-11, R-CL-03."""
    service = site.start()
    service.write(an_event(1), an_event(2))
    caller = replace(CALLER, address=None, request_id="r9", actor="os:root(0)")
    signed = asyncio.run(service.trail.sign_checkpoint(caller))
    (row,) = site.rows("SELECT * FROM audit_logs WHERE event_type = 'checkpoint'")
    assert (row["id"], row["actor"], row["anchors"]) == (signed.event_id, "os:root(0)", signed.text)
    assert [(head.writer_id, head.seq) for head in signed.anchors.heads] == [(row["writer_id"], 2)]


def test_the_last_checkpoint_is_given_when_nothing_has_moved(site: Site) -> None:
    service = site.start()
    service.write(an_event(1))
    first = sign(service)
    assert sign(site.start(kind="cli"), "r2") == first
    assert len(site.rows("SELECT * FROM audit_logs")) == 2
    service.write(an_event(2))
    assert sign(service, "r3") != first


def test_there_is_nothing_to_sign_when_the_trail_is_empty(site: Site) -> None:
    with pytest.raises(Refused, match="nothing to sign"):
        sign(site.start())


def test_anyone_can_check_a_document_with_nothing_but_the_public_key(site: Site) -> None:
    """D-11: without the secret key, and without authctl."""
    service = site.start()
    service.write(an_event(1))
    document = json.loads(json.dumps(sign(service).document()))
    assert document["public_key"] == KEYS.public_key.hex()
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(document["public_key"]))
    signed = b"authctl checkpoint\0" + document["anchors"].encode()
    public.verify(bytes.fromhex(document["signature"]), signed)
    assert "NUL" in document["signed"]
    content = json.loads(document["anchors"])
    assert document["heads"] == [{name: head[name] for name in ("writer", "seq", "mac")} for head in content["heads"]]
    assert (document["writer"], document["seq"], document["fingerprint"]) == (
        content["writer"],
        content["seq"],
        content["key"],
    )
    assert document["time"] == content["time"].replace(" ", "T") + "Z"


def test_a_document_comes_back_as_it_was(site: Site) -> None:
    service = site.start()
    service.write(an_event(1))
    signed = sign(service)
    assert parse_document(orjson.dumps(signed.document()), "x.json") == signed


@pytest.mark.parametrize(
    "member", ["instance", "generation", "writer", "seq", "time", "heads", "public_key", "fingerprint"]
)
def test_a_document_that_tells_its_reader_something_else_than_was_signed_is_refused(site: Site, member: str) -> None:
    service = site.start()
    service.write(an_event(1))
    document = sign(service).document()
    with pytest.raises(UsageError, match=f"contradicts what was signed, in {member}"):
        parse_document(orjson.dumps(document | {member: None}), "x.json")
    del document[member]
    assert parse_document(orjson.dumps(document), "x.json").document()[member] is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"[]",
        b"3",
        b"{}",
        b'{"anchors":3,"signature":"00"}',
        b'{"anchors":"{}","signature":"00"}',
        b'{"anchors":"x","signature":"zz"}',
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="is no checkpoint"):
        parse_document(data, "x.json")


def test_anchors_of_another_kind_are_no_checkpoint(site: Site) -> None:
    service = site.start()
    service.write(an_event(1))
    (row,) = site.rows("SELECT anchors FROM audit_logs")
    with pytest.raises(UsageError):
        parse_document(orjson.dumps({"anchors": row["anchors"], "signature": "00"}), "x.json")


def test_a_checkpoint_is_found_by_its_event_id(site: Site) -> None:
    service = site.start()
    service.write(an_event(1))
    signed = sign(service)
    event = site.rows("SELECT id FROM audit_logs WHERE seq = 1")[0]["id"]
    read = service.database.read_now
    assert read(lambda tx: find_checkpoint(tx, f" {signed.event_id.upper()} ")) == signed
    with pytest.raises(NotFound, match="no event x"):
        read(lambda tx: find_checkpoint(tx, "x"))
    with pytest.raises(UsageError, match="is no checkpoint"):
        read(lambda tx: find_checkpoint(tx, event))


def test_each_checkpoint_vouches_for_the_chain_of_the_one_before(site: Site) -> None:
    """D-11: an old chain that does not move any more is pinned by whichever checkpoint somebody has kept."""
    first, second = site.start(), site.start()
    first.write(an_event(1))
    before = sign(first)
    second.write(an_event(2))
    after = sign(second, "r2")
    heads = {head.writer_id: head.seq for head in after.anchors.heads}
    assert heads == {before.anchors.writer: before.anchors.seq, after.anchors.writer: 1}
    site.stop()
    assert site.verify().findings == ()


# Holding the trail against one.


def test_a_trail_is_intact_when_it_has_everything_that_a_kept_checkpoint_names(site: Site) -> None:
    service = site.start()
    service.write(an_event(1), an_event(2))
    kept = sign(service)
    service.write(an_event(3))
    service.stop()
    assert site.verify(kept=kept).findings == ()


def test_a_cut_that_the_trail_itself_does_not_show_is_named(site: Site) -> None:
    """D-11: cut before the last checkpoint that left the machine; head and file were cut as well."""
    service = site.start()
    service.write(*(an_event(n) for n in range(1, 6)))
    kept = sign(service)
    service.stop()
    site.damage(
        "DELETE FROM audit_logs WHERE seq > 3",
        "UPDATE audit_writers SET last_seq = 3, shipped_seq = 3, last_mac = (SELECT mac FROM audit_logs WHERE seq = 3)",
    )
    site.log_file.write_bytes(b"".join(site.log_file.read_bytes().splitlines(keepends=True)[:3]))
    assert site.verify().is_intact
    verdict = site.verify(kept=kept)
    assert verdict.status is Status.TRUNCATED
    assert places(verdict) == [(K.TAIL_MISSING, 5), (K.CHECKPOINT_MISSING, 6)]
    assert all(finding.writer_id == kept.anchors.writer for finding in verdict.findings)
    assert "is named by the checkpoint of" in verdict.findings[0].sentence


def test_a_rewritten_trail_is_named(site: Site) -> None:
    """An insider with the audit key: the chain fits, and the kept checkpoint does not."""
    service = site.start()
    service.write(an_event(1))
    kept = sign(service)
    other = replace(kept, text=kept.text.replace(kept.anchors.heads[0].mac.hex(), "00" * 32))
    forged = replace(other, signature=KEYS.sign(other.text))
    service.stop()
    verdict = site.verify(kept=forged)
    assert verdict.status is Status.ALTERED
    assert places(verdict) == [(K.CHECKPOINT_CONTRADICTED, 1), (K.CHECKPOINT_CONTRADICTED, 2)]
    assert verdict.findings[1].sentence.startswith("Something else stands in place of the checkpoint")


def test_what_a_kept_checkpoint_names_may_have_been_removed_in_order(site: Site) -> None:
    service = site.start()
    service.write(an_event(1), an_event(2))
    kept = sign(service)
    service.write(an_event(3))
    service.stop()
    site.clock.advance(3 * 86_400)
    cli = site.start(kind="cli")
    assert prune(cli) == 5
    cli.stop()
    verdict = site.verify(kept=kept)
    assert verdict.findings == ()
    assert verdict.counts.removed == 5


def test_a_removal_has_to_fit_a_kept_checkpoint(site: Site) -> None:
    story = begin(site)
    cli = site.start(kind="cli")
    kept = site.start().database.read_now(
        lambda tx: Checkpoint("x", tx.events.at(story.main, 14)[18], tx.events.at(story.main, 14)[19])  # type: ignore[index]
    )
    prune(cli)
    cli.stop()
    text = kept.text.replace(f'"seq":{kept.anchors.heads[0].seq},"count"', '"seq":7,"count"', 1)
    forged = replace(kept, text=text, signature=KEYS.sign(text))
    assert (K.CHECKPOINT_CONTRADICTED, 7) in places(site.verify(kept=forged))


def kept_of(site: Site) -> Checkpoint:
    service = site.start()
    service.write(an_event(1))
    kept = sign(service)
    service.stop()
    return kept


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"seq":1', '"seq":7', "signature is wrong"),
        ('"instance":"', '"instance":"x', "belong to another row"),
        ('"generation":1', '"generation":2', "of generation 2"),
        ('"key":"', '"key":"00', "not known"),
    ],
)
def test_a_checkpoint_that_proves_nothing_is_named(site: Site, old: str, new: str, sentence: str) -> None:
    kept = kept_of(site)
    text = kept.text.replace(old, new)
    for option in ("kept", "since"):
        changed: dict[str, Any] = {option: replace(kept, text=text)}
        verdict = site.verify(**changed)
        assert verdict.status is Status.ALTERED
        assert any(sentence in finding.sentence for finding in verdict.findings)
        assert verdict.counts.rows == 2  # everything was looked at all the same


def test_a_checkpoint_of_another_key_is_named(site: Site) -> None:
    kept = kept_of(site)
    other = TrailKeys(audit=KEYS.audit, checkpoint=Ed25519PrivateKey.generate())
    text = kept.text.replace(kept.anchors.key or "", "f00d")
    verdict = site.verify(kept=Checkpoint(kept.event_id, text, other.sign(text)))
    assert (K.KEY_UNKNOWN, 2) in places(verdict)


def test_a_checkpoint_from_before_a_reset_is_missing(site: Site) -> None:
    service = site.start()
    service.write(an_event(1))
    kept = sign(service)
    service.database.write_now(reset)
    service.stop()
    verdict = site.verify(kept=kept)
    assert verdict.status is Status.TRUNCATED
    assert places(verdict) == [(K.CHECKPOINT_MISSING, 2)]
    assert "begun anew" in verdict.findings[0].sentence


# Looking only behind one.


@pytest.fixture
def long(site: Site) -> tuple[Site, Checkpoint, str, str]:
    """Rows 1 to 5 and checkpoint 6 of a chain that goes on to 9; two that ended before, and one that came later."""
    idle_id = ""
    for number in (30, 32):
        idle = site.start(kind="cli")
        idle.write(an_event(number), an_event(number + 1))
        idle_id = newest_writer(idle) if number == 30 else idle_id  # the other one is named, for its checkpoint
        idle.stop()
        site.clock.advance(60)
    service = site.start()
    service.write(*(an_event(n) for n in range(1, 6)))
    kept = sign(service)
    site.clock.advance(60)
    service.write(an_event(7), an_event(8), an_event(9))
    later = site.start(kind="cli")
    site.clock.advance(60)
    later.write(an_event(40))
    later.stop()
    service.stop()
    return site, kept, idle_id, kept.anchors.writer


def test_only_what_came_behind_is_looked_at(long: tuple[Site, Checkpoint, str, str]) -> None:
    site, since, _, _ = long
    verdict = site.verify(since=since)
    assert verdict.findings == ()
    # The checkpoint itself, 7 to 9 and the last checkpoint; both rows of the later chain; the end of the idle one.
    assert (verdict.counts.rows, verdict.counts.writers) == (5 + 2 + 1, 4)
    assert verdict.counts.lines <= 8


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("writer_id = '{main}' AND seq = 3", []),
        ("writer_id = '{main}' AND seq = 8", [(K.ROW_ALTERED, 8)]),
        ("writer_id = '{idle}' AND seq = 1", []),
        ("user_email = 'user40@example.com'", [(K.ROW_ALTERED, 1)]),
    ],
)
def test_an_edit_is_named_when_it_is_behind(
    long: tuple[Site, Checkpoint, str, str], where: str, expected: list[Any]
) -> None:
    site, since, idle, main = long
    site.damage(f"UPDATE audit_logs SET user_id = 'x' WHERE {where.format(main=main, idle=idle)}")
    assert places(site.verify(file=False, since=since)) == expected
    assert not site.verify(file=False).is_intact


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("writer_id = '{main}' AND seq = 8", K.ROWS_MISSING),
        ("writer_id = '{main}' AND seq >= 9", K.TAIL_MISSING),
        ("writer_id = '{main}' AND seq = 5", K.TAIL_MISSING),  # which the checkpoint names
        ("writer_id = '{main}' AND seq = 6", K.CHECKPOINT_MISSING),
        ("writer_id = '{idle}' AND seq >= 3", K.TAIL_MISSING),
        ("writer_id = '{idle}'", K.TAIL_MISSING),
        ("writer_id = (SELECT writer_id FROM audit_logs WHERE user_email = 'user40@example.com')", K.TAIL_MISSING),
    ],
)
def test_a_cut_is_named_wherever_it_is(long: tuple[Site, Checkpoint, str, str], where: str, kind: FindingKind) -> None:
    """The ends of chains that have not moved are looked at too."""
    site, since, idle, main = long
    site.damage(f"DELETE FROM audit_logs WHERE {where.format(main=main, idle=idle)}")
    assert kind in [finding.kind for finding in site.verify(file=False, since=since).findings]


def test_a_chain_that_nobody_knows_is_named(long: tuple[Site, Checkpoint, str, str]) -> None:
    site, since, _, main = long
    site.damage(f"DELETE FROM audit_writers WHERE id = '{main}'")
    assert (K.WRITER_UNKNOWN, 6) in places(site.verify(file=False, since=since))


def test_the_file_is_compared_from_the_checkpoint_on(
    long: tuple[Site, Checkpoint, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, since, _, main = long
    monkeypatch.setattr(file_verification, "_ROTATION_MARGIN_MS", 0)
    lines = site.log_file.read_bytes().splitlines(keepends=True)
    place = f'"writer_id":"{main}","seq":'
    edited = [line.replace(b"user3@", b"user4@").replace(b"user8@", b"user9@") for line in lines]
    site.log_file.write_bytes(b"".join(edited))
    assert places(site.verify(since=since)) == [(K.LINE_ALTERED, 8)]
    assert places(site.verify()) == [(K.LINE_ALTERED, 3), (K.LINE_ALTERED, 8)]
    kept = [line for line in lines if f"{place}8,".encode() not in line]
    site.log_file.write_bytes(b"".join(kept))
    assert places(site.verify(since=since)) == [(K.LINES_MISSING, 8)]


def test_a_checkpoint_whose_row_was_removed_can_be_begun_with(long: tuple[Site, Checkpoint, str, str]) -> None:
    site, since, _, main = long
    before = site.clock.now()
    site.clock.advance(3 * 86_400)
    cli = site.start(kind="cli")
    prune(cli, before=before)
    cli.stop()
    verdict = site.verify(since=since)
    assert verdict.findings == ()
    site.damage(f"UPDATE audit_writers SET last_seq = 99 WHERE id = '{main}'")
    assert (K.TAIL_MISSING, 11) in places(site.verify(since=since))


def test_a_facade_takes_both_kinds_of_a_checkpoint(long: tuple[Site, Checkpoint, str, str]) -> None:
    site, kept, _, _ = long
    trail = site.start(kind="cli").trail
    assert asyncio.run(trail.verify(since=kept.event_id, kept=kept)).findings == ()
    assert asyncio.run(trail.verify(since=kept)).counts.rows == 8
    with pytest.raises(NotFound):
        asyncio.run(trail.verify(since="0190a1b2-0000-7000-8000-000000000000"))
