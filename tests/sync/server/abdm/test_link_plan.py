from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.server.abdm.calls import Step
from sync.server.abdm.link_plan import (
    CONTEXTS_MAX,
    AskLinks,
    AskToken,
    Past,
    Pending,
    grouped,
    patience,
    plan,
)

NOW = 1_000_000_000


def pending(number: int, **changes: str) -> Pending:
    given_ = {
        "id": f"{number:032x}",
        "hip": "IN0123456789",
        "facility": "IN0123456789",
        "hi_type": "Prescription",
        "reference": f"OPD-{number}",
        "display": "Visit",
    }
    return Pending(**{**given_, **changes})


def past(step: Step, links: list[Pending], until: int, **flags: bool) -> Past:
    ids = frozenset(each.id for each in links)
    return Past(step=step, hip="IN0123456789", links=ids, rests_until=until, **flags)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["IN0123456789", "IN9876543210"]),
            st.sampled_from(["Prescription", "Invoice", "OPConsultation"]),
        ),
        max_size=130,
    )
)
def test_every_link_is_asked_for_once_in_groups_of_one_kind_and_at_most_twenty(
    kinds: list[tuple[str, str]],
) -> None:
    links = [
        pending(number, facility=facility, hip=facility, hi_type=hi_type)
        for number, (facility, hi_type) in enumerate(kinds)
    ]
    groups = list(grouped(links))
    asked = [each.id for group in groups for each in group.links]
    assert sorted(asked) == sorted(each.id for each in links)
    for group in groups:
        assert 1 <= len(group.links) <= CONTEXTS_MAX
        assert {(each.hip, each.hi_type) for each in group.links} == {(group.hip, group.hi_type)}
    fewest = sum(-(-kinds.count(kind) // CONTEXTS_MAX) for kind in set(kinds))
    assert len(groups) == fewest


def test_records_of_two_facilities_never_share_a_request_in_one_programmes_name() -> None:
    links = [pending(1, facility="IN1111111111"), pending(2, facility="IN2222222222")]
    assert [len(group.links) for group in grouped(links)] == [1, 1]


def test_first_comes_the_token_and_then_the_links() -> None:
    links = [pending(1), pending(2)]
    first = plan(links, set(), [], now=NOW)
    assert first.actions == (AskToken(hip="IN0123456789", links=(links[0].id, links[1].id)),)
    then = plan(links, {"IN0123456789"}, [past(Step.LINK_TOKEN, links, NOW + 1)], now=NOW)
    assert [type(action) for action in then.actions] == [AskLinks]


def test_what_was_asked_is_waited_for_and_then_asked_again() -> None:
    links = [pending(1)]
    asked = [past(Step.LINK, links, NOW + 600_000)]
    waiting = plan(links, {"IN0123456789"}, asked, now=NOW)
    assert (waiting.actions, waiting.due_at) == ((), NOW + 600_000)
    again = plan(links, {"IN0123456789"}, asked, now=NOW + 600_000)
    assert [len(one.links) for one in again.actions if isinstance(one, AskLinks)] == [1]


def test_a_token_is_not_asked_for_while_one_may_still_come() -> None:
    links = [pending(1)]
    asked = [past(Step.LINK_TOKEN, links, NOW + 5)]
    assert plan(links, set(), asked, now=NOW).due_at == NOW + 5
    assert plan(links, set(), asked, now=NOW).actions == ()


def test_a_link_that_came_later_does_not_wait_for_the_others() -> None:
    links = [pending(1), pending(2)]
    asked = [past(Step.LINK, links[:1], NOW + 5)]
    found = plan(links, {"IN0123456789"}, asked, now=NOW)
    assert [each.id for one in found.actions for each in one.links] == [links[1].id]  # type: ignore[union-attr]
    assert found.due_at == NOW + 5


def test_a_group_of_which_one_is_linked_already_is_asked_for_one_by_one() -> None:
    links = [pending(number) for number in range(4)]
    asked = [past(Step.LINK, links[:3], NOW, is_split=True)]
    found = plan(links, {"IN0123456789"}, asked, now=NOW)
    assert sorted(len(one.links) for one in found.actions) == [1, 1, 1, 1]


def test_nothing_is_to_be_done_without_links() -> None:
    found = plan([], {"IN0123456789"}, [], now=NOW)
    assert (found.actions, found.due_at) == ((), None)


def test_who_never_answers_is_asked_less_and_less_but_every_day() -> None:
    links = [pending(1)]
    waits = [
        patience(
            [past(Step.LINK, links, NOW, is_silent=True)] * silent,
            Step.LINK,
            "IN0123456789",
            [links[0].id],
        )
        for silent in range(12)
    ]
    assert waits[:3] == [600, 1200, 2400]
    assert waits[-1] == 86_400
    assert waits == sorted(waits)
