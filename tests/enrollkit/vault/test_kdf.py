from __future__ import annotations

from collections.abc import Callable

import pytest

from enrollkit.errors import VaultError
from enrollkit.vault.kdf import FLOOR, KdfParameters, calibrate, derive

CHEAP = KdfParameters(memory_kib=8, iterations=1, lanes=1)


def seconds_on(kib_passes_a_second: float) -> Callable[[KdfParameters], float]:
    def measure(parameters: KdfParameters) -> float:
        return parameters.memory_kib * parameters.iterations / kib_passes_a_second

    return measure


@pytest.mark.parametrize("speed", [1e3, 5e4, 1e5, 3e5, 5e5, 1e6, 2.5e6, 1e7])
def test_calibration_takes_at_most_a_second_unless_the_floor_is_slower(speed: float) -> None:
    measure = seconds_on(speed)
    chosen = calibrate(cores=2, measure=measure)
    assert chosen.memory_kib >= FLOOR.memory_kib
    assert chosen.iterations >= FLOOR.iterations
    assert measure(chosen) <= 1.0 or (chosen.memory_kib, chosen.iterations) == (
        FLOOR.memory_kib,
        FLOOR.iterations,
    )


@pytest.mark.parametrize("speed", [3e5, 1e6, 2.5e6, 1e7])
def test_calibration_reaches_half_a_second_where_it_can(speed: float) -> None:
    measure = seconds_on(speed)
    assert measure(calibrate(cores=2, measure=measure)) >= 0.45


def test_calibration_ends_on_a_machine_of_any_speed() -> None:
    chosen = calibrate(cores=64, measure=lambda _parameters: 0.0)
    assert chosen.lanes == 4
    assert chosen.iterations == 64


@pytest.mark.parametrize(("cores", "lanes"), [(1, 1), (2, 2), (3, 3), (4, 4), (16, 4)])
def test_lanes_follow_the_cores_up_to_four(cores: int, lanes: int) -> None:
    assert calibrate(cores=cores, measure=lambda _parameters: 1.0).lanes == lanes


def test_a_key_depends_on_passphrase_salt_and_cost() -> None:
    base = derive("phrase", bytes(16), CHEAP)
    dearer = KdfParameters(memory_kib=16, iterations=1, lanes=1)
    assert len({base, derive("Phrase", bytes(16), CHEAP), derive("phrase", b"1" * 16, CHEAP),
                derive("phrase", bytes(16), dearer)}) == 4  # fmt: skip
    assert derive("phrase", bytes(16), CHEAP) == base


def test_the_function_is_argon2id_as_the_reference_computes_it() -> None:
    """A vector of the PHC reference implementation (src/test.c) guards every old key file."""
    parameters = KdfParameters(memory_kib=256, iterations=2, lanes=1)
    assert derive("password", b"somesalt", parameters) == bytes.fromhex(
        "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
    )


@pytest.mark.parametrize("phrase", ["", "x" * 1025, "ख" * 400, "\ud800"])
def test_a_passphrase_that_cannot_be_used_is_refused_without_being_quoted(phrase: str) -> None:
    with pytest.raises(VaultError) as refused:
        derive(phrase, bytes(16), CHEAP)
    assert not phrase or phrase not in str(refused.value)
