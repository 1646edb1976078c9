from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server_laptops import NOW, Laptop, Office
from server_sticks import bundle_of, opened_digests
from sync.bundle import Return, decode_return, encode_bundle, read_file, write_file
from sync.errors import BundleForeign, BundleInvalid, OperatorError, StickFull, StickGone
from sync.protocol import SealedBatch
from sync.server import cli
from sync.server.approval import revoke_device
from sync.server.errors import DeviceUnknown, NothingToReceive, SettingsInvalid
from sync.server.reports import show_progress

Receive = Callable[..., dict[str, Any]]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def home_stick(tmp_path: Path) -> Path:
    return tmp_path / "answers"


@pytest.fixture
def receive(office: Office, home_stick: Path) -> Receive:
    """Run ``receive --json``; ``code`` is the exit code that it must have."""

    def run(*files: Path, output: Path = home_stick, code: int = 0) -> dict[str, Any]:
        result = invoke(office, *map(str, files), "-o", str(output), "--json")
        assert result.exit_code == code, result.output
        said: dict[str, Any] = json.loads(result.stdout)
        return said

    return run


def invoke(office: Office, *arguments: str) -> Result:
    home = ["--home", str(office.settings.home)]
    runner = CliRunner()
    return runner.invoke(cli.cli, ["receive", *arguments, *home], catch_exceptions=True)


def persons(laptop: Laptop, count: int) -> list[SealedBatch]:
    return [laptop.batch([laptop.person()]) for _ in range(count)]


def answer_at(path: str) -> Return:
    answer = decode_return(read_file(Path(path)))
    assert answer.is_whole
    return answer


def people(office: Office) -> int:
    return office.count("SELECT count(*) FROM enrollments")


def test_a_stick_is_taken_in_and_its_answer_goes_home(
    office: Office, stick: Path, home_stick: Path, receive: Receive
) -> None:
    laptop = office.laptop()
    batches = persons(laptop, 3)
    write_file(stick / "a.ekb", bundle_of(laptop, batches))
    said = receive(stick / "a.ekb")
    assert (said["batches"], said["operations"]) == (3, 3)
    assert said["verdicts"] == {"accepted": 3, "duplicate": 0, "held": 0, "rejected": 0}
    (file,) = said["files"]
    assert (file["file"], file["device"], file["state"]) == ("a.ekb", laptop.id, "approved")
    answer = answer_at(file["answer"])
    assert opened_digests(laptop, answer) == [batch.digest for batch in batches]
    assert laptop.open_page(answer.pages[0]).entries
    assert [path.suffix for path in home_stick.iterdir()] == [".ekr"]


def test_an_answer_may_have_a_name_of_its_own(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptop = office.laptop()
    write_file(stick / "a.ekb", bundle_of(laptop, persons(laptop, 1)))
    receive(stick / "a.ekb", output=stick / "back.ekr")
    assert len(answer_at(str(stick / "back.ekr")).receipts) == 1


def test_several_files_want_a_folder_for_their_answers(office: Office, stick: Path) -> None:
    laptop = office.laptop()
    for name in ("a.ekb", "b.ekb"):
        write_file(stick / name, bundle_of(laptop, persons(laptop, 1)))
    result = invoke(office, str(stick), "-o", str(stick / "back.ekr"))
    assert isinstance(result.exception, SettingsInvalid)
    assert people(office) == 0


def test_sticks_of_several_laptops_in_one_folder_each_get_their_answer(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptops = [office.laptop() for _ in range(3)]
    sent = {}
    for laptop in laptops:
        sent[laptop.id] = persons(laptop, 2)
        write_file(stick / f"{laptop.id}.EKB", bundle_of(laptop, sent[laptop.id]))
    (stick / "holiday.jpg").write_bytes(b"\xff\xd8")
    (stick / ".hidden.ekb").write_bytes(b"made by another system")
    said = receive(stick)
    assert said["batches"] == 6
    for file in said["files"]:
        (laptop,) = [one for one in laptops if one.id == file["device"]]
        digests = opened_digests(laptop, answer_at(file["answer"]))
        assert digests == [batch.digest for batch in sent[laptop.id]]


def test_a_stick_received_again_and_again_in_any_order_stores_everyone_once(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptop = office.laptop()
    batches = persons(laptop, 4)
    write_file(stick / "1.ekb", bundle_of(laptop, batches[:2]))
    write_file(stick / "2.ekb", bundle_of(laptop, batches[2:]))
    for names in (("2.ekb", "1.ekb"), ("1.ekb",), ("1.ekb", "2.ekb", "1.ekb")):
        said = receive(*(stick / name for name in names))
        assert said["verdicts"]["accepted"] == said["operations"] == 2 * len(names)
    assert people(office) == 4
    assert laptop.open_reply(office.contact.greet(laptop.hello()).signed[0]).held_upto == 4


def test_answers_and_foreign_files_among_bundles_stop_nobody(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptop = office.laptop()
    write_file(stick / "good.ekb", bundle_of(laptop, persons(laptop, 1)))
    receive(stick / "good.ekb", output=stick / "answer.ekr")
    (stick / "bad.ekb").write_bytes(b"PK\x03\x04 holiday pictures")
    said = receive(
        stick / "bad.ekb", stick / "answer.ekr", stick / "good.ekb", code=BundleInvalid.exit_code
    )
    told = {file["file"]: (file["code"], file["batches"]) for file in said["files"]}
    assert told == {
        "bad.ekb": ("bundle-invalid", 0),
        "answer.ekr": (None, 0),
        "good.ekb": (None, 1),
    }
    assert receive(stick, code=BundleInvalid.exit_code)["batches"] == 1


def test_a_stick_cut_at_many_bytes_gives_what_was_whole_and_says_so(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptop = office.laptop()
    batches = persons(laptop, 3)
    whole = bundle_of(laptop, batches)
    ends = [whole.index(batch.data) + len(batch.data) for batch in batches]
    begin = whole.index(batches[0].data) - 3
    for cut in [0, 10, begin - 1, begin, *ends, ends[0] - 1, len(whole) - 1]:
        (stick / "cut.ekb").write_bytes(whole[:cut])
        if cut < begin:
            said = receive(stick / "cut.ekb", code=BundleInvalid.exit_code)
            assert said["files"][0]["answer"] is None
            continue
        (file,) = receive(stick / "cut.ekb")["files"]
        assert file["is_whole"] is False
        assert file["batches"] == sum(end <= cut for end in ends)
        told = set(opened_digests(laptop, answer_at(file["answer"])))
        assert told >= {b.digest for b, end in zip(batches, ends, strict=True) if end <= cut}
    assert people(office) == 3


def test_one_flipped_byte_costs_at_most_what_it_touched_and_never_makes_a_wrong_person(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptop = office.laptop()
    batches = persons(laptop, 2)
    whole = bundle_of(laptop, batches)
    for place in range(0, len(whole), 331):
        flipped = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
        (stick / "flipped.ekb").write_bytes(flipped)
        result = invoke(office, str(stick / "flipped.ekb"), "-o", str(stick), "--json")
        assert result.exit_code in (0, BundleInvalid.exit_code, BundleForeign.exit_code)
        (file,) = json.loads(result.stdout)["files"]
        assert file["code"] or not file["is_whole"]
    assert people(office) == 2
    assert office.count("SELECT count(*) FROM batches") == 2


def test_a_damaged_beginning_loses_no_person_and_is_said(office: Office, stick: Path) -> None:
    laptop = office.laptop()
    whole = bundle_of(laptop, persons(laptop, 2))
    place = whole.index(laptop.previous) - 1  # inside the signed hello
    (stick / "a.ekb").write_bytes(whole[:place] + b"\xee" + whole[place + 1 :])
    result = invoke(office, str(stick / "a.ekb"), "-o", str(stick))
    assert "beginning of the file is damaged" in result.stdout
    assert people(office) == 2
    assert list(stick.glob("*.ekr")) == []


def test_a_stick_of_another_programme_is_not_used_and_says_so(
    office: Office, stick: Path, tmp_path: Path
) -> None:
    other = Office(tmp_path / "other", io.StringIO())
    try:
        laptop = other.laptop()
        write_file(stick / "other.ekb", bundle_of(laptop, persons(laptop, 1)))
    finally:
        other.close()
    result = invoke(office, str(stick), "-o", str(stick))
    assert result.exit_code == BundleForeign.exit_code
    assert "other.ekb" in result.stdout
    assert "another programme" in result.stdout
    assert office.count("SELECT count(*) FROM devices") == 0


def test_a_pending_laptop_is_named_with_its_code_and_its_stick_works_after_the_approval(
    office: Office, stick: Path, receive: Receive
) -> None:
    laptop = Laptop(programme=office.programme())
    write_file(stick / "new.ekb", bundle_of(laptop, persons(laptop, 2)))
    result = invoke(office, str(stick), "-o", str(stick))
    assert result.exit_code == 0
    assert laptop.approval_code in result.stdout
    assert people(office) == 0
    office.approve(laptop)
    assert receive(stick)["batches"] == 2
    assert people(office) == 2


def test_a_pending_laptops_stick_with_a_damaged_beginning_is_said_too(
    office: Office, stick: Path
) -> None:
    laptop = office.laptop(approved=False)
    whole = bundle_of(laptop, persons(laptop, 1))
    place = whole.index(laptop.previous) - 1  # inside the signed hello
    (stick / "a.ekb").write_bytes(whole[:place] + b"\xee" + whole[place + 1 :])
    result = invoke(office, str(stick), "-o", str(stick))
    assert "not approved yet" in result.stdout
    assert people(office) == 0


def test_a_person_at_the_terminal_sees_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show_progress("a.ekb", 1, 2)
    show_progress("a.ekb", 2, 2)
    assert capsys.readouterr().err == "\ra.ekb: 1 of 2\ra.ekb: 2 of 2\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    show_progress("a.ekb", 1, 2)
    assert capsys.readouterr().err == ""


def test_a_laptop_that_is_shut_out_is_said_and_kept_apart(office: Office, stick: Path) -> None:
    laptop = office.laptop()
    write_file(stick / "a.ekb", bundle_of(laptop, persons(laptop, 1)))
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=NOW)
    result = invoke(office, str(stick), "-o", str(stick))
    assert "shut out" in result.stdout
    assert "1 held" in result.stdout
    assert people(office) == 0


def test_a_stick_of_a_copied_disk_is_kept_beside_the_other_and_said(
    office: Office, stick: Path
) -> None:
    laptop = office.laptop()
    office.take(laptop, laptop.batch([laptop.person()]))
    laptop.number, laptop.previous = 0, bytes(32)
    copied = laptop.batch([laptop.person()], first_seq=1)
    write_file(stick / "copy.ekb", bundle_of(laptop, [copied]))
    result = invoke(office, str(stick), "-o", str(stick))
    assert result.exit_code == 0
    assert "Two disks" in result.stdout
    assert people(office) == 2


def test_a_full_stick_for_the_answer_loses_nothing_that_was_taken_in(
    office: Office, stick: Path, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = office.laptop()
    write_file(stick / "a.ekb", bundle_of(laptop, persons(laptop, 1)))

    def full(_path: Path, _data: bytes) -> None:
        raise StickFull("ENOSPC")

    with monkeypatch.context() as patch:
        patch.setattr("sync.server.receiving.write_file", full)
        said = receive(stick / "a.ekb", code=StickFull.exit_code)
    assert (said["batches"], said["files"][0]["answer"]) == (1, None)
    assert receive(stick / "a.ekb")["verdicts"]["accepted"] == 1
    assert people(office) == 1


@pytest.mark.parametrize(
    ("name", "error"), [("nowhere.ekb", StickGone), ("empty", NothingToReceive)]
)
def test_what_is_not_there_is_said(
    office: Office, stick: Path, name: str, error: type[OperatorError]
) -> None:
    (stick / "empty").mkdir()
    result = invoke(office, str(stick / name), "-o", str(stick))
    if error is StickGone:
        assert result.exit_code == StickGone.exit_code
        assert name in result.stdout
    else:
        assert isinstance(result.exception, error)


def test_no_word_of_a_person_is_printed(office: Office, stick: Path) -> None:
    laptop = office.laptop()
    write_file(stick / "a.ekb", bundle_of(laptop, persons(laptop, 2)))
    for extra in ((), ("--json",)):
        result = invoke(office, str(stick), "-o", str(stick), *extra)
        for marked in ("Zebra", "Quokka", "91234", "Pangolin"):
            assert marked not in result.output


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_stick_of_a_laptop_that_is_not_known_here_says_just_that(
    office: Office, stick: Path, *, is_damaged: bool
) -> None:
    laptop = Laptop(programme=office.programme())
    batch = laptop.batch([laptop.person()])
    hello = b"damaged" if is_damaged else laptop.hello(with_keys=False)
    write_file(stick / "unknown.ekb", encode_bundle(hello, [batch.data]))
    result = invoke(office, str(stick), "-o", str(stick))
    assert result.exit_code == DeviceUnknown.exit_code
    assert "No laptop of that id is known here." in result.stdout
    assert "does not introduce its laptop" in result.stdout
    assert people(office) == 0


def test_the_clerk_reads_how_many_people_and_records_came_and_no_other_number(
    office: Office, stick: Path
) -> None:
    laptop = office.laptop()
    person = laptop.person()
    clock = laptop.operation(
        "clock.reading", {"boot": "00" * 8, "monotonic": 5, "wall": NOW}, record="0" * 32
    )
    batch = laptop.batch([clock, person, laptop.link(person.record)])
    write_file(stick / "a.ekb", bundle_of(laptop, [batch]))
    said = invoke(office, str(stick), "-o", str(stick)).stdout
    assert "a.ekb: 2 people and records taken in (2 accepted)" in said
    write_file(stick / "a.ekb", bundle_of(laptop, []))
    said = invoke(office, str(stick), "-o", str(stick)).stdout
    assert "a.ekb: no person or record in it to take in" in said
