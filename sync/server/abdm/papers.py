"""What can be had while a person's token lives: their chosen address, the QR, the card's picture.

All of it is best effort: the number is safe already, and nobody waits for a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from sync.server.abdm.calls import AbdmFailure, AbdmRefused, Answered, Begin, End, Enrolled, Paper
from sync.server.abdm.exchanges import Exchanges
from sync.server.abdm.jobs import ClaimLost
from sync.server.abdm.outcomes import keep_address, keep_paper
from sync.server.store import Store

__all__ = ["GivesPapers", "fetch_papers"]

T = TypeVar("T")


class GivesPapers(Protocol):
    """The part of the client that works while a token or a transaction lives."""

    def create_address(
        self, begin: Begin, txn_id: str, handle: str, *, end: End, hidden: tuple[str, ...] = ()
    ) -> Answered[str]:
        """Make an ABHA address of a handle."""

    def fetch_qr(self, begin: Begin, token: str, *, end: End) -> Answered[Paper]:
        """Fetch the person's QR."""

    def fetch_card(self, begin: Begin, token: str, *, end: End) -> Answered[Paper]:
        """Fetch the picture of the person's card."""


def fetch_papers(
    store: Store,
    client: GivesPapers,
    exchanges: Exchanges,
    enrollment: str,
    enrolled: Enrolled,
    *,
    handle: str | None,
    clock: Callable[[], int],
) -> None:
    """Fetch and keep what the token gives; ``handle`` is the address that the person wished for.

    Ends at the first call without an answer, and when the job is another worker's meanwhile.
    """

    def attempt(ask: Callable[[Begin], Answered[T]], keep: Callable[[Connection, T], None]) -> None:
        try:
            answer = ask(exchanges.begin)
        except AbdmRefused as refused:
            exchanges.end_alone(refused.ending)
            return
        with store.write() as connection:
            exchanges.end(connection, answer.ending)
            keep(connection, answer.value)

    def keep_as(kind: str) -> Callable[[Connection, Paper], None]:
        return lambda connection, paper: keep_paper(
            connection, enrollment, kind, paper.media_type, paper.data, now=clock()
        )

    txn_id, token, end = enrolled.txn_id, enrolled.token, exchanges.end_alone
    try:
        if txn_id and handle:
            attempt(
                lambda begin: client.create_address(begin, txn_id, handle, end=end),
                lambda connection, address: keep_address(connection, enrollment, address),
            )
        if token:
            attempt(lambda begin: client.fetch_qr(begin, token, end=end), keep_as("qr"))
            attempt(lambda begin: client.fetch_card(begin, token, end=end), keep_as("card"))
    except AbdmFailure as failure:
        exchanges.end_alone(failure.ending)
    except ClaimLost:
        return
