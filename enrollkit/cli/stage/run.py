"""The demo itself, scene by scene. Everything in it is the real thing but the people."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from enrollkit.app.kit import Kit
from enrollkit.app.results import Summary
from enrollkit.cli.stage.cut_link import CutLink
from enrollkit.cli.stage.outcome import Outcome
from enrollkit.cli.stage.people import DEMO_RECORDS, demo_people
from enrollkit.cli.stage.pilot import enroll_through_app
from enrollkit.cli.stage.server import ServerFailed, ServerProgram
from enrollkit.errors import ConfigError
from enrollkit.locale import _
from sync.engine.pacing import Pacing

__all__ = ["FolderTaken", "perform"]

_MARKER: Final = ".enrollkit-demo"
_WORDS: Final = (
    "river",
    "mango",
    "lamp",
    "drum",
    "monsoon",
    "cart",
    "neem",
    "bell",
    "salt",
    "kite",
)
_THROUGH_THE_APP: Final = 2
_ON_LAPTOP_A: Final = 6
_CUT_AFTER_BYTES: Final = 4_000
"""Past the greeting (2 KB, with the laptop's keys), inside the first batch."""
_ISSUING_SECONDS_MAX: Final = 90
_LOOK_SECONDS: Final = 0.5
_ONE_TRY: Final = Pacing(first_tries_max=1, tries_max=1, quick_tries=0)

Tell = Callable[[str], None]


class FolderTaken(ConfigError):
    """That folder holds other files, so the demo does not touch it. Name an empty one with
    --output.
    """

    code = "folder-taken"
    exit_code = 56


def perform(folder: Path, *, tell: Tell) -> Outcome:
    """Run the demo in a folder of its own; an earlier demo's folder is replaced."""
    _clear(folder)
    scenes = _Scenes(folder.resolve(), tell)
    with ExitStack() as stack:
        return scenes.play(stack)


class _Scenes:
    def __init__(self, folder: Path, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._number = 0
        self._passphrase = " ".join(secrets.choice(_WORDS) for _place in range(4))
        self._office = ServerProgram(folder / "server")

    def play(self, stack: ExitStack) -> Outcome:
        link = stack.enter_context(CutLink())
        stack.enter_context(
            self._office.practice_abdm(
                self._folder / "abdm.log", callback=f"http://127.0.0.1:{link.port}"
            )
        )
        self._say(_("A practice ABDM runs. Its numbers begin with 00; no real one does."))
        self._open_office(link.port)
        link.server_port = stack.enter_context(self._office.serving(self._folder / "server.log"))
        self._say(_("The server runs; laptops reach it through a line that can be cut."))
        first = stack.enter_context(self._laptop("laptop-a", _("Sunita K.")))
        second = stack.enter_context(self._laptop("laptop-b", _("Ramesh P.")))
        self._enroll(first, second)
        self._approve(first, second)
        self._deliver(first, second, link)
        self._issue(first, second)
        files, verified = self._print_cards(first, second)
        return self._count(first, second, link, files, verified)

    def _open_office(self, port: int) -> None:
        self._office.call("init", "--name", "Practice State", "--url", f"http://127.0.0.1:{port}")
        self._office.call_plain("programme", "export", "-o", str(self._programme_file))
        self._say(_("The office has made its keys and the programme file."))

    @property
    def _programme_file(self) -> Path:
        return self._folder / "programme.ekp"

    @contextmanager
    def _laptop(self, name: str, operator: str) -> Iterator[Kit]:
        kit = Kit.at(self._folder / name)
        try:
            made = kit.initialise(
                self._programme_file.read_bytes(), operator=operator, passphrase=self._passphrase
            )
            self._say(
                _("{laptop}: keys and encrypted database made. Approval code {code}.").format(
                    laptop=name, code=made.approval_code
                )
            )
            yield kit
        finally:
            kit.close()

    def _enroll(self, first: Kit, second: Kit) -> None:
        people = demo_people()
        typed = enroll_through_app(first, people[:_THROUGH_THE_APP], self._passphrase)
        self._say(
            _(
                "laptop-a: {count} people enrolled by typing in the app, as an operator does."
            ).format(count=typed)
        )
        for kit, name, rows in (
            (first, "laptop-a", people[_THROUGH_THE_APP:_ON_LAPTOP_A]),
            (second, "laptop-b", people[_ON_LAPTOP_A:]),
        ):
            results = [kit.enrolling.submit_row(row) for row in rows]
            self._say(
                _("{laptop}: {count} people enrolled from rows.").format(
                    laptop=name, count=sum(result.ok for result in results)
                )
            )
        self._link(first)

    def _link(self, kit: Kit) -> None:
        person = kit.people.search("", limit=1)[0].id
        linked = [kit.links.add(person, record) for record in DEMO_RECORDS]
        self._say(
            _("laptop-a: {count} health records noted for one of them.").format(
                count=sum(result.ok for result in linked)
            )
        )

    def _approve(self, *laptops: Kit) -> None:
        for kit in laptops:
            error = kit.delivery.run(pacing=_ONE_TRY).error
            code = getattr(error, "approval_code", "")
            self._office.call_plain("device", "approve", code)
        self._say(_("The office has approved both laptops by their codes."))

    def _deliver(self, first: Kit, second: Kit, link: CutLink) -> None:
        link.cut_after(_CUT_AFTER_BYTES)
        broken = first.delivery.run(pacing=_ONE_TRY)
        self._say(
            _(
                "laptop-a sends; the line is cut in the middle: {signed} of {total} signed for."
            ).format(signed=broken.accepted, total=first.standing().total)
        )
        whole = first.delivery.run()
        self._say(
            _(
                "laptop-a sends again: {signed} signed for, nothing twice ({bytes} bytes up)."
            ).format(signed=whole.accepted + whole.duplicate, bytes=whole.bytes_up)
        )
        other = second.delivery.run()
        self._say(_("laptop-b sends: {signed} signed for.").format(signed=other.accepted))
        idle = [kit.delivery.run() for kit in (first, second)]
        self._say(_("Both call once more: {sent} sent.").format(sent=_sent(idle)))

    def _issue(self, first: Kit, second: Kit) -> None:
        """Let the office's worker ask ABDM for everybody, and the laptops fetch what it says."""
        with self._office.working(self._folder / "worker.log"):
            until = time.monotonic() + _ISSUING_SECONDS_MAX
            while not self._is_issued():
                if time.monotonic() > until:
                    raise ServerFailed("no number for everybody in time")
                time.sleep(_LOOK_SECONDS)
        states = self._office.call("status")["by_state"]
        self._say(
            _("The office asks ABDM: {count} PRACTICE ABHA numbers, {others} to call.").format(
                count=states.get("ISSUED", 0), others=states.get("NEEDS_PERSON", 0)
            )
        )
        news = [kit.delivery.run() for kit in (first, second)]
        self._say(
            _("Both laptops fetch the news: {count} pieces.").format(
                count=sum(summary.feed for summary in news)
            )
        )

    def _is_issued(self) -> bool:
        status = self._office.call("status")
        settled = sum(status["by_state"].get(state, 0) for state in ("ISSUED", "NEEDS_PERSON"))
        linked = status["links_by_state"].get("LINKED", 0)
        return bool(settled == len(demo_people()) and linked == len(DEMO_RECORDS))

    def _print_cards(self, first: Kit, second: Kit) -> tuple[list[Path], tuple[int, int]]:
        """Print both laptops' cards, and let each laptop check the other's, offline."""
        files: list[Path] = []
        verified = []
        for kit, name, checker in ((first, "laptop-a", second), (second, "laptop-b", first)):
            sheet = kit.cards.render(None, layout="a4", out=self._folder / f"{name}-cards.pdf")
            kit.cards.render(None, layout="a4", out=self._folder / f"{name}-cards.png")
            codes = checker.checking.verify(sheet.files[0])
            verified.append(sum(code.verdict == "verified" for code in codes))
            files += sheet.files
        self._say(
            _("Cards printed, read back, and verified by the other laptop without a network.")
        )
        return files, (verified[0], verified[1])

    def _count(
        self,
        first: Kit,
        second: Kit,
        link: CutLink,
        files: Sequence[Path],
        verified: tuple[int, int],
    ) -> Outcome:
        a, b = first.standing(), second.standing()
        person = first.people.search("", limit=1)[0].id
        records = first.people.page(person).links
        return Outcome(
            folder=self._folder,
            laptop=self._folder / "laptop-a",
            passphrase=self._passphrase,
            enrolled=(a.total, b.total),
            signed_for=(a.signed_for, b.signed_for),
            waiting=(a.waiting, b.waiting),
            cards_verified=verified,
            delivered=self._office.call("status")["enrollments"],
            issued=(a.by_state.get("ISSUED", 0), b.by_state.get("ISSUED", 0)),
            to_call=(a.by_state.get("NEEDS_PERSON", 0), b.by_state.get("NEEDS_PERSON", 0)),
            linked=sum(record.state == "LINKED" for record in records),
            cuts=link.cuts,
            files=(*files, *sorted(self._folder.glob("*.png")), self._folder / "server.log"),
        )

    def _say(self, text: str) -> None:
        self._number += 1
        self._tell(f"{self._number:>3}  {text}")


def _sent(summaries: Sequence[Summary]) -> int:
    return sum(summary.sent for summary in summaries)


def _clear(folder: Path) -> None:
    """Make the folder empty, but only when it is new, empty, or an earlier demo's own."""
    if folder.exists():
        others = list(islice(folder.iterdir(), 1))
        if others and not (folder / _MARKER).exists():
            raise FolderTaken(folder.name)
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARKER).write_text("This folder is replaced by the next `enrollkit demo`.\n")
