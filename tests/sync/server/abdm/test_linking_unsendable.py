"""A link that our own client does not send comes back with its reason, and stops nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import update

from abdm_stub import LINK_TOKEN, AbdmStub, Witness, abdm_stub
from link_office import NUMBER, FakeLinks, LinkCamp
from server_laptops import Office
from sync.server.abdm.calls import (
    AbdmRefused,
    Answered,
    Begin,
    Effect,
    End,
    Ending,
    EndKind,
    LinkTokenAsk,
    Refusal,
)
from sync.server.abdm.circuit import FAILURES_MAX, Circuit
from sync.server.abdm.jobs import Advance, Fate
from sync.server.abdm.linking import advance_link
from sync.server.store.tables import enrollment_versions, links

OTHER = "IN9876543210"


@pytest.fixture
def camp(office: Office) -> LinkCamp:
    return LinkCamp(office)


@pytest.fixture
def stub() -> Iterator[AbdmStub]:
    with abdm_stub() as found:
        yield found


def rename(camp: LinkCamp, record: str, name: str) -> None:
    """Let a name stand in the database that no laptop of today could bring."""
    body = json.dumps({**camp.body(record), "name": name})
    with camp.store.write() as connection:
        mine = enrollment_versions.c.enrollment == record
        connection.execute(update(enrollment_versions).where(mine).values(body=body))


def advance(camp: LinkCamp, stub: AbdmStub) -> list[Advance]:
    """Let the worker do what is due, with a client that looks at what it sends."""
    with Witness(stub).client as client:
        return [
            advance_link(
                camp.store, client, camp.vault, camp.settings, claim, clock=lambda: camp.now
            )
            for claim in camp.claim(50)
            if claim.kind == "link"
        ]


def test_links_of_people_whose_name_cannot_be_sent_come_back_and_pause_nothing(
    camp: LinkCamp, stub: AbdmStub
) -> None:
    people = [camp.linked_person() for _ in range(FAILURES_MAX + 1)]
    for record, _ in people:
        rename(camp, record, " Zebra Quokka")
    circuit = Circuit(16, lambda: 0.0)
    advances = advance(camp, stub)
    assert [(each.fate, each.asked) for each in advances] == [(Fate.SETTLED, False)] * len(people)
    assert not any(circuit.note(each, now=camp.now) for each in advances)
    assert set(camp.states().values()) == {"RETURNED"}
    told = {"code": "abdm:name", "pointer": "/name"}
    assert [body for _, _, body in camp.news()] == [told] * len(people)
    assert {link for _, link, _ in camp.news()} == {link for _, [link] in people}
    for record, _ in people:
        assert (camp.job(record, "link")["state"], camp.exchanges(record)) == ("settled", [])
    assert stub.asks(LINK_TOKEN) == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"hip_id": "IN\u0966\u0967"}, "abdm:unknown ENROLLKIT-header"),
        ({"cm_id": "live"}, "abdm:unknown ENROLLKIT-abhaAddress"),
    ],
)
def test_what_only_the_office_can_mend_comes_back_as_it_is(
    camp: LinkCamp, stub: AbdmStub, settings: dict[str, str], code: str
) -> None:
    record, [link] = camp.linked_person()
    camp.issue(record, NUMBER)
    camp.settings = replace(camp.settings, **settings)
    assert [each.fate for each in advance(camp, stub)] == [Fate.SETTLED]
    assert camp.news() == [("link.returned", link, {"code": code, "pointer": ""})]
    assert camp.job(record, "link")["state"] == "settled"


def test_one_link_that_cannot_be_sent_keeps_no_other_of_the_person_here(
    camp: LinkCamp, stub: AbdmStub
) -> None:
    record, [bad] = camp.linked_person(facility=OTHER)
    good = camp.link(record)
    with camp.store.write() as connection:
        mine = links.c.link == bad
        connection.execute(update(links).where(mine).values(facility="IN\u0966\u0967"))
    [advanced] = advance(camp, stub)
    assert (advanced.fate, advanced.asked) == (Fate.WAITS, True)
    assert camp.states() == {bad: "RETURNED", good: "ACCEPTED"}
    assert len(stub.asks(LINK_TOKEN)) == 1


@dataclass(slots=True, kw_only=True)
class Unwilling(FakeLinks):
    """Sends nothing, with one effect; ``meanwhile`` happens before it says so, each once."""

    effect: Effect
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def request_link_token(
        self, begin: Begin, hip: str, ask: LinkTokenAsk, *, end: End
    ) -> Answered[None]:
        del begin, hip, end
        self.names.append(ask.name)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        refusal = Refusal(
            code="ENROLLKIT-test",
            message="not sent",
            status=0,
            module="KIT",
            effect=self.effect,
            reason="abdm:name",
            pointer="/name",
        )
        raise AbdmRefused(Ending(request_id="", kind=EndKind.UNSENT, code=refusal.code), refusal)


@pytest.mark.parametrize(
    ("effect", "fate", "state"),
    [
        (Effect.RETURN, Fate.SETTLED, "RETURNED"),
        (Effect.CALL, Fate.SETTLED, "RETURNED"),
        (Effect.LOOK, Fate.SETTLED, "RETURNED"),
        (Effect.STOP, Fate.HALTED, "ACCEPTED"),
        (Effect.WAIT, Fate.OUTAGE, "ACCEPTED"),
        (Effect.RENEW, Fate.OUTAGE, "ACCEPTED"),
    ],
)
def test_only_what_no_waiting_mends_comes_back(
    camp: LinkCamp, effect: Effect, fate: Fate, state: str
) -> None:
    _, [link] = camp.linked_person()
    camp.client = Unwilling(effect=effect)
    [advanced] = camp.advance()
    assert (advanced.fate, advanced.asked) == (fate, fate is not Fate.SETTLED)
    assert camp.states() == {link: state}


def test_who_is_corrected_in_the_same_moment_is_looked_at_anew(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()

    def correct() -> None:
        camp.amend(record, name="Zebra Okapi")
        camp.issue(record, NUMBER)

    camp.client = client = Unwilling(effect=Effect.RETURN, meanwhile=[correct])
    camp.advance()
    assert client.names == ["Marked Zebra Quokka", "Zebra Okapi"]
    assert len([news for news in camp.news() if news[1] == link]) == 1


def test_what_is_removed_in_the_same_moment_does_not_come_back(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.client = Unwilling(effect=Effect.RETURN, meanwhile=[lambda: camp.remove(record, link)])
    [advanced] = camp.advance()
    assert advanced.fate is Fate.SETTLED
    assert (camp.states(), camp.news()) == ({link: "REMOVED"}, [])


def test_who_lost_the_job_meanwhile_sends_nothing_back(camp: LinkCamp) -> None:
    _, [link] = camp.linked_person()
    camp.client = Unwilling(effect=Effect.RETURN, meanwhile=[lambda: camp.wait(121)])
    [advanced] = camp.advance()
    assert (advanced.fate, advanced.asked) == (Fate.WAITS, False)
    assert (camp.states(), camp.news()) == ({link: "ACCEPTED"}, [])
