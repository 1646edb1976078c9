"""The outbox under everything that a road can do to it: lost, doubled, late, out of order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from enrollkit.domain.enrollment import State
from enrollkit.store.audit import verify_audit
from enrollkit.store.database import Database, Tx
from enrollkit.store.enrollments import amend_enrollment, get_enrollment
from enrollkit.store.operations import append_operation
from enrollkit.store.standing import standing
from store_samples import INCARNATION, KEY, NOON, Ends, new_database, person, record_id, save_person
from sync.protocol import OperationKind, Outcome, Receipt, SealedBatch, Verdict

OUTCOMES = {
    Outcome.ACCEPTED: Verdict(outcome=Outcome.ACCEPTED),
    Outcome.DUPLICATE: Verdict(outcome=Outcome.DUPLICATE),
    Outcome.HELD: Verdict(outcome=Outcome.HELD, code="waits"),
    Outcome.REJECTED: Verdict(outcome=Outcome.REJECTED, code="wrong", pointer="/name"),
}


class OutboxMachine(RuleBasedStateMachine):
    """A laptop, a server that remembers its first word on each batch, and a bad road between."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.database = new_database(self.folder)
        self.ends = Ends(self.database)
        self.people = 0
        self.newest: dict[int, int] = {}
        """Person -> seq of the newest operation."""
        self.settled: dict[int, Outcome] = {}
        """Seq -> the verdict whose receipt arrived."""
        self.server: dict[int, tuple[Receipt, bytes]] = {}
        """Batch number -> the receipt that the server signed first."""
        self.road: list[int] = []
        """Receipts on their way, by batch number."""
        self.bytes_of: dict[int, bytes] = {}

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    @rule(many=st.integers(1, 4))
    def enroll(self, many: int) -> None:
        for _ in range(many):
            self.people += 1
            enrollment = person(self.people)
            self.newest[self.people] = self.database.write(
                lambda tx, enrollment=enrollment: save_person(tx, enrollment)
            )

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def correct_somebody(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.people))
        stored = self.database.read(lambda tx: get_enrollment(tx, record_id(number)))
        if stored.state not in {State.SUBMITTED, State.RETURNED}:
            return
        version = stored.enrollment.version + 1
        changed = person(number, version=version)

        def amend(tx: Tx) -> int:
            amend_enrollment(tx, changed, sealed=None, match_key="k", saved_at=NOON, operator=1)
            return append_operation(
                tx,
                kind=OperationKind.ENROLLMENT_AMEND,
                record=changed.id,
                base_version=version - 1,
                body=changed.body(),
                payload=None,
                operator=1,
                captured=NOON,
            )

        self.newest[number] = self.database.write(amend)

    @rule()
    def freeze(self) -> None:
        self.ends.outbox.freeze()

    @rule(data=st.data(), arrives=st.booleans())
    def offer(self, data: st.DataObject, arrives: bool) -> None:  # noqa: FBT001 - drawn by name
        """The batch may arrive or not; its receipt may or may not set out."""
        head, _ = self.ends.outbox.chain_head(INCARNATION)
        if not head:
            return
        after = data.draw(st.integers(0, head - 1))
        batch = self.ends.outbox.batches_after(INCARNATION, after, bytes_max=1)[0]
        self.ends.outbox.note_offered(batch)
        if not arrives:
            return
        if batch.number not in self.server:
            verdicts = [OUTCOMES[data.draw(st.sampled_from(Outcome))] for _ in range(batch.count)]
            self.server[batch.number] = self.ends.receipt(batch, *verdicts)
        self.road.append(batch.number)

    @precondition(lambda self: self.road)
    @rule(data=st.data(), again=st.booleans())
    def receipt_arrives(self, data: st.DataObject, again: bool) -> None:  # noqa: FBT001 - drawn by name
        place = data.draw(st.integers(0, len(self.road) - 1))
        number = self.road[place] if again else self.road.pop(place)
        receipt, raw = self.server[number]
        tally = self.ends.outbox.apply_receipt(receipt, raw)
        (batch,) = self.ends.outbox.batches_after(INCARNATION, number - 1, bytes_max=1)[:1]
        fresh = 0
        for seq, verdict in enumerate(receipt.verdicts, start=batch.first_seq):
            fresh += seq not in self.settled
            self.settled.setdefault(seq, verdict.outcome)
        assert tally.total == fresh

    @precondition(lambda self: self.road)
    @rule()
    def receipts_are_lost(self) -> None:
        self.road.clear()

    @rule()
    def restart(self) -> None:
        path = self.database.path
        self.database.close()
        self.database = Database.open(path, KEY)
        self.ends.database = self.database

    @invariant()
    def counts_are_so(self) -> None:
        counts = self.database.read(lambda tx: standing(tx, today_since=0))
        words = [self.settled.get(seq) for seq in self.newest.values()]
        assert counts.total == self.people
        assert counts.waiting == words.count(None)
        assert counts.refused == words.count(Outcome.REJECTED)
        assert counts.total == counts.waiting + counts.signed_for + counts.refused
        assert self.ends.outbox.waiting() == self.operations() - len(self.settled)

    @invariant()
    def states_follow_the_newest_word_only(self) -> None:
        for number, seq in self.newest.items():
            state = self.database.read(lambda tx, n=number: get_enrollment(tx, record_id(n))).state
            allowed = {
                None: {State.SUBMITTED, State.SENT},
                Outcome.ACCEPTED: {State.ACCEPTED},
                Outcome.DUPLICATE: {State.ACCEPTED},
                Outcome.HELD: {State.SENT},
                Outcome.REJECTED: {State.RETURNED},
            }[self.settled.get(seq)]
            assert state in allowed

    @invariant()
    def frozen_bytes_never_change(self) -> None:
        for batch in self.batches():
            assert self.bytes_of.setdefault(batch.number, batch.data) == batch.data
            assert batch.incarnation == INCARNATION

    @invariant()
    def the_audit_chain_holds(self) -> None:
        assert self.database.read(verify_audit) is None

    def operations(self) -> int:
        row = self.database.read(
            lambda tx: tx.execute("SELECT count(*) FROM operations").fetchone()
        )
        return int(row[0])

    def batches(self) -> list[SealedBatch]:
        return list(self.ends.outbox.batches_after(INCARNATION, 0, bytes_max=10**9))


OutboxMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestOutboxMachine = OutboxMachine.TestCase
