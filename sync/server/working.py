"""Running the ABDM worker: its key, its client, its signals, a new start when settings change."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sync.programme import open_programme
from sync.sealing import OpeningKey
from sync.server.abdm.client import AbdmClient, open_client
from sync.server.abdm.enrolling import advance_enrollment
from sync.server.abdm.finish_turns import StepClaim, claim_steps, forget_secrets
from sync.server.abdm.jobs import Fate, JobKind
from sync.server.abdm.linking import advance_link
from sync.server.abdm.otp import advance_finish
from sync.server.abdm.outcomes import discard_numbers
from sync.server.abdm.settings import AbdmSettings
from sync.server.abdm.standing import NO_BENEFIT
from sync.server.attending import Attendant
from sync.server.errors import (
    AbdmNotSetUp,
    FileUnusable,
    KeysDamaged,
    KeysLocked,
    SettingsInvalid,
)
from sync.server.keys import open_keys, open_vault
from sync.server.logs import Log, open_log
from sync.server.programme import newest_programme, publish_practice
from sync.server.settings import Settings
from sync.server.site import open_store
from sync.server.store import Store
from sync.server.worker import Ended, Worker

__all__ = ["work"]

_HOST_LETTERS_MAX: Final = 40
_NEEDED: Final = ("gateway_url", "abha_url", "client_id", "client_secret")
_STEP_GRACE_SECONDS: Final = 15


def work(
    settings: Settings, *, reload: Callable[[], Settings], once: bool, say: Callable[[str], None]
) -> Ended:
    """Work until SIGTERM or Ctrl-C, or with ``once`` until nothing is due; calls in work end first.

    ``reload`` reads the settings again: when something is halted, other settings begin it anew.
    ``say`` is told that it works. ``SettingsInvalid`` names what ABDM needs and is not set;
    ``AbdmNotSetUp`` where nothing of it is.
    """
    _demand_abdm(settings.abdm)
    _leave_no_core()
    vault = open_vault(settings.home, settings.passphrase)
    with open_store(settings) as store:
        _demand_own_vault(store, vault)
        _tell_practice(settings, store, say)
        try:
            log = open_log(settings.log_file)
        except OSError as error:
            raise FileUnusable("log") from error
        try:
            name = (
                f"{socket.gethostname()[:_HOST_LETTERS_MAX]}-{os.getpid()}-{secrets.token_hex(4)}"
            )
            say(f"worker {name} for {settings.abdm.gateway_url}")
            if not settings.abdm.benefit:
                say(NO_BENEFIT)
            office = _Office(store=store, vault=vault, log=log, name=name)
            return _work(settings, office, reload, once=once)
        finally:
            log.close()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Office:
    """What stays while settings and clients come and go."""

    store: Store
    vault: OpeningKey
    log: Log
    name: str


def _work(
    settings: Settings, office: _Office, reload: Callable[[], Settings], *, once: bool
) -> Ended:
    while True:
        with open_client(
            settings.abdm, clock=time.time, note=partial(_note_request, office.log)
        ) as client:
            ended = _work_with(client, settings.abdm, office, reload, once=once)
        if not ended.is_stale:
            return ended
        settings = reload()


def _work_with(
    client: AbdmClient,
    settings: AbdmSettings,
    office: _Office,
    reload: Callable[[], Settings],
    *,
    once: bool,
) -> Ended:
    """Work with one client until told to end, or until the settings are others."""
    lease_ms = settings.lease_seconds * 1000
    wired = (office.store, client, office.vault, settings)
    worker = Worker(
        office.store,
        {
            JobKind.ENROLL: lambda claim: advance_enrollment(*wired, claim, clock=_now_ms),
            JobKind.LINK: lambda claim: advance_link(*wired, claim, clock=_now_ms),
        },
        name=office.name,
        concurrency=settings.concurrency,
        lease_ms=lease_ms,
        log=office.log,
        clock=_now_ms,
        is_changed=lambda: _is_other(reload, settings, office.log),
        sweep=lambda: _sweep(office.store),
        has_benefit=bool(settings.benefit),
    )
    # A person waits for a step: its lease outlives one call and no more.
    step_ms = (settings.timeout_seconds + _STEP_GRACE_SECONDS) * 1000
    attendant = Attendant(
        lambda room: claim_steps(office.store, now=_now_ms(), limit=room, lease_ms=step_ms),
        lambda step: _advance_step(client, office, step),
        log=office.log,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    office.log.info("worker-began", worker=office.name, gateway=settings.gateway_url)
    try:
        if once:
            attendant.drain()
            return worker.run(once=True)
        return _run_beside(worker, attendant)
    finally:
        office.log.info("worker-ended", worker=office.name)


def _advance_step(client: AbdmClient, office: _Office, step: StepClaim) -> None:
    """Do a step and log it, so that the office reads of a refused configuration here too."""
    done = advance_finish(office.store, client, office.vault, step, clock=_now_ms)
    note = office.log.warning if done.fate is Fate.HALTED else office.log.info
    note(
        "step",
        record=step.enrollment,
        action=step.action.value,
        fate=done.fate.value,
        code=done.code,
    )


def _run_beside(worker: Worker, attendant: Attendant[StepClaim]) -> Ended:
    steps = threading.Thread(target=attendant.run, name="attendant")
    steps.start()
    try:
        return worker.run()
    finally:
        attendant.stop()
        steps.join()


def _is_other(reload: Callable[[], Settings], used: AbdmSettings, log: Log) -> bool:
    """Whether the settings are others now; ones that cannot be read or used are not taken up."""
    try:
        found = reload().abdm
        if found == used:
            return False
        open_client(found, clock=time.time).close()
        return True  # noqa: TRY300 - what is refused on the way here is told of below
    except SettingsInvalid as error:
        log.warning("settings-invalid", name=error.detail)
        return False


def _sweep(store: Store) -> None:
    """Delete what nobody may keep: numbers of who has an ABHA number, secrets of old steps."""
    with store.write() as connection:
        discard_numbers(connection)
    forget_secrets(store, now=_now_ms())


def _leave_no_core() -> None:
    """Let a crash write no memory to disk: it may hold a key, or a number that was just opened."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has no such limits

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _demand_own_vault(store: Store, vault: OpeningKey) -> None:
    """Demand the key to which the programme's laptops seal: no other opens what they sealed."""
    with store.read() as connection:
        _, signed = newest_programme(connection)
    if open_programme(signed, None).vault.raw != vault.public.raw:
        raise KeysDamaged("vault.json")


def _tell_practice(settings: Settings, store: Store, say: Callable[[str], None]) -> None:
    """Issue a new programme if the newest is wrong about practice, as ``run`` does at its start:
    a server that runs since before ABDM was set up has not looked again.
    """
    with store.read() as connection:
        _, signed = newest_programme(connection)
    if open_programme(signed, None).practice == settings.abdm.is_practice:
        return
    words = "are for PRACTICE" if settings.abdm.is_practice else "are real from now on"
    try:
        keys = open_keys(settings.home, settings.passphrase)
    except (KeysDamaged, KeysLocked):
        say(f"The ABHA numbers {words}. Start run again, so that the laptops hear of it.")
        return
    with store.write() as connection:
        publish_practice(connection, keys, now=int(time.time()))
    say(f"The ABHA numbers {words}. The laptops hear of it with their next sync.")


def _demand_abdm(settings: AbdmSettings) -> None:
    needed = {name: getattr(settings, name) for name in _NEEDED}
    if not any(needed.values()):
        raise AbdmNotSetUp
    if missing := [name for name, value in needed.items() if not value]:
        raise SettingsInvalid(f"abdm.{missing[0]}")


def _note_request(log: Log, what: str, request_id: str) -> None:
    log.info("abdm", what=what, request=request_id)


def _now_ms() -> int:
    return int(time.time() * 1000)
