from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sync.server.abdm.calls import AbdmRefused, AbdmUnsent, Effect, Ending, EndKind, Refusal
from sync.server.abdm.session import LOCKED_SECONDS, REFUSED_MAX, Sessions


class Gateway:
    """Answers session calls from a list: tokens' seconds, or what is raised."""

    def __init__(self, *answers: object) -> None:
        self.now = 1000.0
        self.calls = 0
        self._answers = list(answers)
        self.sessions = Sessions(
            self._speak,
            url="https://dev.abdm.gov.in",
            client_id="SBX_000001",
            client_secret="not-a-secret",
            clock=lambda: self.now,
        )

    def _speak(
        self, what: str, base: str, path: str, payload: dict[str, Any] | None, bearer: str
    ) -> dict[str, Any]:
        assert (what, base, bearer) == ("session", "https://dev.abdm.gov.in", "")
        assert path == "/api/hiecm/gateway/v3/sessions"
        assert payload is not None
        self.calls += 1
        answer = self._answers.pop(0) if self._answers else 1200
        if isinstance(answer, Exception):
            raise answer
        return {"accessToken": f"session-{self.calls}", "expiresIn": answer}


def no(status: int = 401, effect: Effect = Effect.LOOK, seconds: int | None = None) -> AbdmRefused:
    refusal = Refusal(
        code="ABDM-9999",
        message="Invalid user credentials",
        status=status,
        module="GW",
        effect=effect,
        reason="abdm:unknown ABDM-9999",
        wait_seconds=seconds,
    )
    return AbdmRefused(Ending(request_id="", kind=EndKind.UNSENT), refusal)


def refusal_of(ask: Callable[[], object]) -> Refusal:
    with pytest.raises(AbdmRefused) as caught:
        ask()
    assert caught.value.ending.request_id == ""
    return caught.value.refusal


def test_a_token_serves_until_shortly_before_it_runs_out() -> None:
    gateway = Gateway(100, 100)
    assert gateway.sessions.token() == "session-1"
    gateway.now += 89
    assert gateway.sessions.token() == "session-1"
    gateway.now += 2
    assert gateway.sessions.token() == "session-2"


@pytest.mark.parametrize("seconds", [None, "x", -5, 0, True, [], 10**30])
def test_a_life_that_cannot_be_meant_is_taken_as_a_short_one(seconds: object) -> None:
    gateway = Gateway(seconds)
    gateway.sessions.token()
    gateway.now += 500
    assert gateway.sessions.token() == "session-1"
    gateway.now += 86_400
    assert gateway.sessions.token() == "session-2"


def test_many_threads_share_one_call() -> None:
    gateway = Gateway()
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda _number: gateway.sessions.token(), range(200)))
    assert set(tokens) == {"session-1"}
    assert gateway.calls == 1


def test_a_token_is_dropped_once_however_many_threads_were_refused_with_it() -> None:
    gateway = Gateway()
    token = gateway.sessions.token()
    gateway.sessions.prove(token)
    for _thread in range(16):
        gateway.sessions.drop(token)
        assert gateway.sessions.token() == "session-2"
    assert gateway.calls == 2


def test_refused_sessions_are_few_and_then_nobody_asks_for_ten_minutes() -> None:
    gateway = Gateway(*[no()] * 20)
    effects = []
    for _second in range(600):
        effects.append(refusal_of(gateway.sessions.token).effect)
        gateway.now += 1
    assert gateway.calls == REFUSED_MAX == 3
    assert effects[0] is Effect.WAIT
    stopped = refusal_of(gateway.sessions.token)
    assert (stopped.effect, stopped.reason) == (Effect.STOP, "abdm:session")
    assert stopped.code == "ABDM-9999"
    assert stopped.wait_seconds is not None
    assert 0 < stopped.wait_seconds <= LOCKED_SECONDS
    gateway.now += LOCKED_SECONDS
    assert refusal_of(gateway.sessions.token).effect is Effect.STOP
    assert gateway.calls == 4
    for _second in range(590):
        refusal_of(gateway.sessions.token)
        gateway.now += 1
    assert gateway.calls == 4


def test_in_eight_minutes_there_are_never_eight_refused_sessions() -> None:
    gateway = Gateway(*[no()] * 100)
    refused_at: list[float] = []
    for _tick in range(8000):
        before = gateway.calls
        refusal_of(gateway.sessions.token)
        refused_at += [gateway.now] * (gateway.calls - before)
        gateway.now += 0.5
    for moment in refused_at:
        assert sum(moment <= each < moment + 480 for each in refused_at) <= 3


def test_what_was_refused_before_is_forgiven_once_a_token_is_taken() -> None:
    gateway = Gateway(no(), no(), 1200, no(), no(), 1200)
    for _round in range(2):
        for _refused in range(2):
            assert refusal_of(gateway.sessions.token).effect is Effect.WAIT
        gateway.now += 15
        token = gateway.sessions.token()
        gateway.sessions.prove(token)
        gateway.sessions.drop(token)


def test_fresh_tokens_that_nobody_takes_count_as_refused() -> None:
    gateway = Gateway()
    for _round in range(40):
        try:
            gateway.sessions.drop(gateway.sessions.token())
        except AbdmRefused as error:
            last = error.refusal
        gateway.now += 10
    assert gateway.calls == REFUSED_MAX
    assert last.effect is Effect.STOP


def test_an_outage_locks_nobody_out_but_is_given_time() -> None:
    gateway = Gateway(*[no(503, Effect.WAIT)] * 5, 1200)
    assert refusal_of(gateway.sessions.token).wait_seconds == 2
    refusal_of(gateway.sessions.token)
    assert gateway.calls == 1
    for seconds in (4, 8, 16, 32):
        gateway.now += seconds
        assert refusal_of(gateway.sessions.token).effect is Effect.WAIT
    gateway.now += 64
    assert gateway.sessions.token() == "session-6"


def test_whoever_says_later_is_believed() -> None:
    gateway = Gateway(no(429, Effect.WAIT, 77), 1200)
    assert refusal_of(gateway.sessions.token).wait_seconds == 77
    gateway.now += 70
    found = refusal_of(gateway.sessions.token)
    assert (found.effect, found.wait_seconds) == (Effect.WAIT, 8)
    gateway.now += 8
    assert gateway.sessions.token() == "session-2"


def test_a_clock_that_is_set_back_keeps_nobody_quiet_for_longer() -> None:
    gateway = Gateway(no(429, Effect.WAIT, 60), 1200)
    refusal_of(gateway.sessions.token)
    gateway.now -= 90_000
    assert gateway.sessions.token() == "session-2"


def test_whoever_waits_behind_a_silence_does_not_wait_for_it_again() -> None:
    gateway = Gateway(AbdmUnsent(Ending(request_id="", kind=EndKind.UNSENT)), 1200)
    with pytest.raises(AbdmUnsent):
        gateway.sessions.token()
    assert refusal_of(gateway.sessions.token).effect is Effect.WAIT
    assert gateway.calls == 1
    gateway.now += 2
    assert gateway.sessions.token() == "session-2"
