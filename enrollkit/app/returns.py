"""What comes home by stick: the server's signed answers, applied in any order, any number of times.

Nothing is believed because of the file it lies in. The reply must answer a hello that this laptop
put on a stick; a receipt must be for a batch that lies here; a page must follow the news that were
read. Whatever does not hold is passed over and told, and the rest of the file is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from enrollkit.app.courier import keep_answer
from enrollkit.app.desk import Desk
from enrollkit.app.incoming import envelope_of, inbox_of, take_over_programme
from enrollkit.app.letters import OutwardFile, PassedOver, StickUnknown, files_on, open_return
from enrollkit.app.outgoing import outbox_of
from enrollkit.domain.identifiers import approval_code
from enrollkit.locale import _
from enrollkit.store.database import Tx
from enrollkit.store.lock import SyncLock
from enrollkit.store.sticks import (
    Stick,
    feed_mark,
    find_stick,
    is_newest_hello,
    keep_offer_mark,
    note_homecoming,
)
from sync.bundle import RETURN_SUFFIX, Return, kind_of, read_file
from sync.engine.verifying import open_page
from sync.errors import (
    ChainForked,
    DevicePending,
    DeviceRevoked,
    EnvelopeInvalid,
    ProtocolMismatch,
    ReceiptInvalid,
    ServerRolledBack,
    SyncError,
)
from sync.ports import Tally
from sync.protocol import (
    MINIMUM_VERSION,
    PROTOCOL_VERSION,
    DeviceState,
    FeedPage,
    FeedRequest,
    HelloReply,
    Receipt,
)

__all__ = ["Received", "receive_from"]


@dataclass(slots=True, kw_only=True)
class Received:
    """What came home. ``files`` were for this laptop and were used.

    ``accepted`` to ``rejected`` count operations on people and links that got their first verdict,
    ``feed`` the news applied. ``taken`` counts answers to other laptops, taken along for them.
    ``is_whole``: no used file was cut short or damaged. ``rolled_back``: the server had forgotten
    what it signed for; the next stick carries it again. ``forked``: the server knew another chain
    of this laptop, so a new life was begun. ``words`` are for the operator.
    """

    files: list[Path] = field(default_factory=list)
    accepted: int = 0
    duplicate: int = 0
    held: int = 0
    rejected: int = 0
    feed: int = 0
    taken: int = 0
    is_whole: bool = True
    rolled_back: bool = False
    forked: bool = False
    passed_over: list[PassedOver] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def operations(self) -> int:
        """Give how many operations got their first verdict."""
        return self.accepted + self.duplicate + self.held + self.rejected

    def settle(self, tally: Tally) -> None:
        """Add what one receipt settled."""
        self.accepted += tally.accepted
        self.duplicate += tally.duplicate
        self.held += tally.held
        self.rejected += tally.rejected

    def say(self, words: str) -> None:
        """Keep words for the operator, once."""
        if words not in self.words:
            self.words.append(words)


def receive_from(desk: Desk, path: Path) -> Received:
    """Apply a file, or every return file in a folder; ``SyncBusy`` while a session runs.

    A single file that cannot be used raises why.
    """
    told = Received()
    with SyncLock(desk.home.sync_lock).exclusive():
        for file in files_on(path, RETURN_SUFFIX):
            try:
                _receive_file(desk, file, told)
            except (SyncError, OutwardFile, StickUnknown) as error:
                if file == path:
                    raise
                told.passed_over.append(PassedOver.of(file, error))
    take_over_programme(desk)
    return told


def _receive_file(desk: Desk, file: Path, told: Received) -> None:
    data = read_file(file)
    if kind_of(data) == "bundle":
        raise OutwardFile(file.name)
    reply, content = open_return(desk, data)
    if reply.device != desk.keys.id:
        told.taken += keep_answer(desk, data, reply)
        return
    stick = desk.database.read(lambda tx: find_stick(tx, reply.nonce))
    if stick is None or stick.incarnation != reply.incarnation:
        raise StickUnknown(file.name)
    if reply.minimum_version > PROTOCOL_VERSION or reply.version < MINIMUM_VERSION:
        raise ProtocolMismatch(f"server {reply.version}")
    told.files.append(file)
    _Homecoming(desk, stick, reply, content, told).apply()


class _Homecoming:
    """One answer to one stick of this laptop, applied part by part."""

    def __init__(
        self, desk: Desk, stick: Stick, reply: HelloReply, content: Return, told: Received
    ) -> None:
        self._desk = desk
        self._stick = stick
        self._reply = reply
        self._content = content
        self._told = told
        self._outbox = outbox_of(desk)
        self._inbox = inbox_of(desk)
        self._envelope = envelope_of(desk)
        self._damaged = 0
        self._is_newest = desk.database.read(lambda tx: is_newest_hello(tx, stick.hello))
        """Whether no later hello of ours was answered; an old answer takes nothing back."""

    def apply(self) -> None:
        """Apply receipts, then what the reply teaches, then news. Each part commits by itself."""
        self._learn({receipt.batch for receipt in self._settle_receipts()})
        self._read_news()
        now = self._desk.system.now()
        self._desk.database.write(lambda tx: note_homecoming(tx, self._stick, at=now))
        if self._damaged or not self._content.is_whole:
            self._told.is_whole = False
            self._told.say(
                _(
                    "A file was cut short or damaged on its way. What was whole in it was used. "
                    "Copy it to the stick again at the office."
                )
            )

    def _settle_receipts(self) -> list[Receipt]:
        """Apply the receipts that hold and give them; a damaged or foreign one is passed over."""
        settled: list[Receipt] = []
        for raw in self._content.receipts:
            try:
                receipt = self._verified(raw)
                self._told.settle(self._outbox.apply_receipt(receipt, raw))
            except SyncError:
                self._damaged += 1
            else:
                settled.append(receipt)
        return settled

    def _verified(self, raw: bytes) -> Receipt:
        """Check that a receipt is of this stick's request; the outbox checks what it is for."""
        receipt = self._envelope.open_receipt(raw)
        if receipt.incarnation != self._stick.incarnation:
            raise ReceiptInvalid("receipt for another life")
        if receipt.nonce not in {b"", self._stick.nonce}:
            raise ReceiptInvalid("receipt of another request")
        return receipt

    def _learn(self, signed: set[int]) -> None:
        """Take what the reply says of our chain; ``signed`` are the batches of this very file."""
        reply, life = self._reply, self._stick.incarnation
        if reply.state is DeviceState.PENDING:
            code = approval_code(self._desk.keys.signing.public.digest())
            self._told.say(_(DevicePending(approval_code=code).text))
        if self._outbox.digest_at(life, reply.held_upto) != reply.held_digest:
            self._begin_life()
            return
        if not self._is_newest:
            return
        self._outbox.note_letter(reply, self._stick.hello)
        if reply.state is DeviceState.REVOKED:
            self._told.say(_(DeviceRevoked().text))
        again = self._offered_again(signed)
        self._desk.database.write(lambda tx: keep_offer_mark(tx, life, again))
        if again is not None:
            self._forgotten()

    def _begin_life(self) -> None:
        """The server knew another chain in this place: both are kept, under different names."""
        if self._outbox.incarnation() == self._stick.incarnation:
            self._outbox.begin_life()
            self._told.forked = True
            self._told.say(_(ChainForked().text))

    def _offered_again(self, signed: set[int]) -> int | None:
        """Give behind which batch everything must be offered again; ``None``: it has it all."""
        reached = self._reply.held_upto
        if reached >= self._stick.receipted:
            return None
        while reached + 1 in signed:
            reached += 1
        return None if reached >= self._stick.receipted else reached

    def _forgotten(self) -> None:
        self._told.rolled_back = True
        self._told.say(_(ServerRolledBack().text))
        self._told.say(_("Write to a stick again: it carries what the server has forgotten."))

    def _read_news(self) -> None:
        """Apply pages that continue the news read here; numbered otherwise, they are read anew.

        Those of an older answer are passed over: what they say has come with a newer one or comes
        with the next, and their numbers may be of before the server was restored.
        """
        if not self._is_newest:
            return
        here = self._desk.database.read(self._mark)
        if here is not None and here != self._reply.feed_digest:
            self._inbox.rewind()
            self._forgotten()
            return
        before = after = self._stick.cursor
        for raw in self._content.pages:
            if after > self._inbox.cursor():
                break
            request = FeedRequest(
                device=self._desk.keys.id, after=after, time=0, nonce=self._stick.nonce
            )
            try:
                page = open_page(raw, request, self._envelope)
            except SyncError:
                self._damaged += 1
                break
            reached = self._inbox.cursor()
            after += len(page.entries)
            if page.entries and not self._apply(page, after):
                break
            self._told.feed += max(0, self._inbox.cursor() - reached)
        if self._content.pages and before > self._inbox.cursor():
            number = self._inbox.cursor() + 1
            words = _("News {number} is missing. Write to a stick again: its answer brings it.")
            self._told.say(words.format(number=number))

    def _apply(self, page: FeedPage, cursor: int) -> bool:
        """Apply a page; say whether it follows what was read here."""
        try:
            self._inbox.apply_page(page.entries, cursor)
        except EnvelopeInvalid:
            self._told.say(
                _(
                    "The server has numbered its news anew since this file was written. "
                    "Write to a stick again: its answer brings them."
                )
            )
            return False
        return True

    def _mark(self, tx: Tx) -> bytes | None:
        return feed_mark(tx, self._stick.cursor)
