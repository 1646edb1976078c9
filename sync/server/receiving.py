"""Sticks that were brought to the office: their files go in, the answers to them come out.

Each file stands for itself. One that is damaged, foreign or cut short never stops the others, and
what was whole in it is taken in all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.numbers import approval_code
from sync.bundle import (
    BUNDLE_SUFFIX,
    RETURN_SUFFIX,
    Bundle,
    decode_bundle,
    encode_return,
    kind_of,
    read_file,
    return_name,
    write_file,
)
from sync.errors import BundleForeign, EnvelopeInvalid, OperatorError, StickGone
from sync.protocol import DeviceState
from sync.server.bundles import Receiver, Reception
from sync.server.errors import DeviceUnknown, HttpFault, NothingToReceive, SettingsInvalid

__all__ = ["FileReport", "Progress", "find_bundles", "receive_files"]

Progress = Callable[[str, int, int], None]
"""Hears the file's name, the batches done and how many there are."""


@dataclass(slots=True, kw_only=True)
class FileReport:
    """What became of one file. ``words`` are for people; ``problem`` is why it was not used."""

    file: str
    device: str = ""
    state: str = ""
    is_whole: bool = True
    batches: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    answer: Path | None = None
    words: list[str] = field(default_factory=list)
    problem: OperatorError | None = None

    @property
    def operations(self) -> int:
        """Give how many operations have their verdict in the answer."""
        return self.verdicts.total()


def find_bundles(named: Sequence[Path]) -> list[Path]:
    """Give the files that were named, and of each folder every bundle in it, by name.

    Answers for laptops that lie among them stay where they are. ``StickGone`` when a folder
    cannot be read, ``NothingToReceive`` when it holds no bundle.
    """
    found: list[Path] = []
    for path in named:
        if not path.is_dir():
            found.append(path)
            continue
        inside = list(_bundles_in(path))
        if not inside:
            raise NothingToReceive
        found += inside
    return found


def receive_files(
    receiver: Receiver, files: Sequence[Path], output: Path, progress: Progress
) -> Iterator[FileReport]:
    """Take the files in one by one and write an answer to each.

    ``output`` is a folder, or the answer's own file when there is one bundle only
    (``SettingsInvalid`` for several).
    """
    is_folder = output.is_dir() or output.suffix.lower() != RETURN_SUFFIX
    if not is_folder and len(files) > 1:
        raise SettingsInvalid("--output must be a folder, for there are several files")
    for path in files:
        report = FileReport(file=path.name)
        try:
            _receive_file(receiver, path, output, report, progress, is_folder=is_folder)
        except OperatorError as error:
            report.problem = error
            report.words.append(error.text)
            if isinstance(error, DeviceUnknown):
                report.words.append(
                    "The beginning of this file does not introduce its laptop. Let it write the "
                    "file again, then receive that."
                )
        yield report


def _bundles_in(folder: Path) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise StickGone("folder") from error
    for path in inside:
        if path.suffix.lower() == BUNDLE_SUFFIX and not path.name.startswith("."):
            yield path


def _receive_file(
    receiver: Receiver,
    path: Path,
    output: Path,
    report: FileReport,
    progress: Progress,
    *,
    is_folder: bool,
) -> None:
    data = read_file(path)
    if kind_of(data) == "return":
        report.words.append("This is an answer of the office. Take it to its laptop.")
        return
    bundle = decode_bundle(data)
    report.is_whole = bundle.is_whole
    if not receiver.is_ours(bundle):
        raise BundleForeign("sealed to another programme")
    reception = receiver.open_reception()
    beginning = _begin(reception, bundle)
    _note_sender(receiver, reception, report)
    receipts = [*beginning[1:], *_take_all(reception, bundle, report, progress)]
    if reception.began_fork:
        report.words.append(
            "Two disks write under this laptop's name; perhaps one is a copy of the other. "
            "Everything of both is kept. See: enrollkit-server device list"
        )
    _note_losses(report, has_beginning=bool(beginning))
    if beginning and reception.reply is not None:
        name = return_name(reception.device, reception.reply.nonce)
        answer = encode_return(beginning[0], receipts, reception.finish())
        report.answer = _write(output / name if is_folder else output, answer)


def _begin(reception: Reception, bundle: Bundle) -> tuple[bytes, ...]:
    """Answer the hello; give nothing when it is damaged, for its batches may be whole."""
    try:
        return reception.begin(bundle.hello)
    except EnvelopeInvalid:
        return ()
    except HttpFault as fault:
        raise _refusal(fault) from fault


def _refusal(fault: HttpFault) -> OperatorError:
    """Say what a fault means for a file that somebody holds in the hand."""
    if fault.code == "device-unknown":
        return DeviceUnknown(fault.code)
    return BundleForeign(fault.code)


def _take_all(
    reception: Reception, bundle: Bundle, report: FileReport, progress: Progress
) -> Iterator[bytes]:
    """Take every batch in and give the receipts; a pending laptop's batches stay outside."""
    try:
        for place, batch in enumerate(bundle.batches, start=1):
            if reception.state is DeviceState.PENDING:
                return
            progress(report.file, place, len(bundle.batches))
            yield from reception.take(batch)
    except HttpFault as fault:
        # Without its hello the laptop was not asked for its state before.
        if fault.code != "device-pending":
            raise _refusal(fault) from fault
        report.words.append("This laptop is not approved yet. Nothing of the file was taken in.")
    finally:
        report.batches, report.verdicts = reception.batches, reception.verdicts
        report.told = reception.told
        report.refused = reception.refused


def _note_sender(receiver: Receiver, reception: Reception, report: FileReport) -> None:
    report.device = reception.device
    report.state = reception.state.value if reception.state else ""
    if reception.state is DeviceState.PENDING:
        code = approval_code(receiver.key_of(reception.device).digest())
        report.words.append(
            f"This laptop is not approved yet, so nothing was taken in. Its code is {code}. "
            "Approve it (device approve), then receive this file again."
        )
    if reception.state is DeviceState.REVOKED:
        report.words.append("This laptop is shut out. What it sent is kept apart.")


def _note_losses(report: FileReport, *, has_beginning: bool) -> None:
    if not has_beginning:
        report.words.append(
            "The beginning of the file is damaged. What was whole behind it is taken in, but "
            "there is no answer to it. Let the laptop write it again."
        )
    damaged = report.refused.total()
    if damaged:
        report.words.append(f"{damaged} batches were damaged and not used.")
    if not report.is_whole:
        report.words.append(
            "The file was cut short or damaged. What was whole is taken in. "
            "Let the laptop write the rest again; nothing is taken twice."
        )


def _write(path: Path, answer: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StickGone("folder") from error
    write_file(path, answer)
    return path
