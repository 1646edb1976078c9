from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server_laptops import Laptop, Office, person_body, record_id
from sync.programme import open_programme
from sync.protocol import OperationKind
from sync.server import cli, errors
from sync.server.errors import FileUnusable, ServerInitialised, ServerNotInitialised

Run = Callable[..., str]


@pytest.fixture
def run(office: Office) -> Run:
    def run_command(*arguments: str) -> str:
        home = ["--home", str(office.settings.home)]
        result = CliRunner().invoke(cli.cli, [*arguments, *home], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run_command


def test_a_second_init_changes_nothing(office: Office) -> None:
    home = office.settings.home
    before = {path.name: path.read_bytes() for path in home.glob("*.json")}
    with pytest.raises(ServerInitialised):
        CliRunner().invoke(
            cli.cli,
            ["init", "--home", str(home), "--name", "Other", "--url", "https://other.example"],
            catch_exceptions=False,
        )
    assert {path.name: path.read_bytes() for path in home.glob("*.json")} == before
    assert office.programme().name == "Practice"


@pytest.mark.parametrize(
    "url",
    [
        "http://office.example", "ftp://x", "https://", "https://[", "x",
        "https://me@office.example", "https://office.example/?camp=1", "https://कार्यालय.example",
    ],
)  # fmt: skip
def test_an_address_that_no_laptop_would_use_is_refused(tmp_path: Path, url: str) -> None:
    result = CliRunner().invoke(
        cli.cli, ["init", "--home", str(tmp_path), "--name", "P", "--url", url]
    )
    assert getattr(result.exception, "code", None) == "settings-invalid"
    assert not (tmp_path / "keys.json").exists()


def test_an_init_that_was_cut_short_can_be_run_again(tmp_path: Path) -> None:
    arguments = ["init", "--home", str(tmp_path), "--name", "P", "--url", "https://p.example"]
    CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)
    keys = (tmp_path / "keys.json").read_bytes()
    for path in tmp_path.glob("enrollkit-server.db*"):
        path.unlink()
    CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)
    assert (tmp_path / "keys.json").read_bytes() == keys


def test_the_programme_file_opens_with_the_key_it_carries(run: Run, tmp_path: Path) -> None:
    said = run("programme", "export", "-o", str(tmp_path / "p.ekp"))
    programme = open_programme((tmp_path / "p.ekp").read_bytes(), None)
    assert programme.name == "Practice"
    assert programme.fingerprint in said


def test_a_wording_file_becomes_the_official_one(run: Run, office: Office, tmp_path: Path) -> None:
    (tmp_path / "hi.txt").write_bytes("\ufeffसहमति\r\nदो".encode())
    run("consent", "set", "--version", "1.4", "--language", "hi", str(tmp_path / "hi.txt"))
    assert [w.text for w in office.programme().consents if w.official] == ["सहमति\nदो"]


def test_devices_are_listed_approved_and_revoked(run: Run, office: Office) -> None:
    laptop = office.laptop(approved=False)
    office.approve(laptop)
    office.take(laptop, laptop.batch([laptop.person()]))
    (listed,) = json.loads(run("device", "list", "--json"))
    assert listed == {
        "device": laptop.id,
        "state": "approved",
        "approval_code": laptop.approval_code,
        "public_key": laptop.key.public.raw.hex(),
        "last_contact": office.now,
        "chain": [{"incarnation": laptop.incarnation, "held_upto": 1}],
        "forked": False,
    }
    assert laptop.id in run("device", "approve", laptop.approval_code.lower())
    run("device", "revoke", laptop.id)
    assert json.loads(run("device", "list", "--json"))[0]["state"] == "revoked"
    assert "calls" in run("device", "approve", Laptop(programme=office.programme()).approval_code)


def test_status_counts_people_and_links(run: Run, office: Office) -> None:
    laptop = office.laptop()
    record = record_id()
    withdraw = laptop.operation(OperationKind.ENROLLMENT_WITHDRAW, {}, record=record)
    lost = laptop.link(record_id())
    operations = [laptop.person(), laptop.person(record), laptop.link(record), lost, withdraw]
    office.take(laptop, laptop.batch(operations))
    said = json.loads(run("status", "--json"))
    assert said | {"epoch": ""} == {
        "enrollments": 2,
        "by_state": {"ACCEPTED": 1, "WITHDRAWN": 1},
        "links": 1,
        "links_by_state": {"ACCEPTED": 1},
        "held": 1,
        "devices": 1,
        "devices_by_state": {"approved": 1},
        "epoch": "",
        "abdm": {
            "waiting": 1,
            "retrying": 0,
            "call_back": 0,
            "links_waiting": 0,
            "refused": {"people": 0, "records": 0},
            "needs_look": {},
            "halted": {},
            "lacks_benefit": False,
        },
    }
    assert len(said["epoch"]) == 16
    told = run("status")
    assert "People: 2 (1 signed for, 1 withdrawn)\n" in told
    assert "Laptops: 1 (1 approved)\n" in told
    assert "Waiting for an ABHA number: 1\n" in told


def test_export_gives_the_intake_row_back(run: Run, office: Office, tmp_path: Path) -> None:
    laptop = office.laptop()
    person = laptop.person(guardian={"name": "Marked Numbat", "relation": "mother"})
    office.take(laptop, laptop.batch([person, laptop.link(person.record)]))
    run("export", "-o", str(tmp_path / "people.jsonl"))
    (row,) = [json.loads(line) for line in (tmp_path / "people.jsonl").read_text().splitlines()]
    body = person_body(guardian={"name": "Marked Numbat", "relation": "mother"})
    body.pop("capture_session")
    nothing = dict.fromkeys(
        (
            "name_native", "abha_address_choice", "household", "camp", "abha_number",
            "abha_address", "reason",
        )
    )  # fmt: skip
    assert row == {
        **body,
        **nothing,
        "consent": {**body["consent"], "witness": None},
        "id": person.record,
        "provisional": row["provisional"],
        "state": "ACCEPTED",
        "version": 1,
        "device": laptop.id,
        "received_at": office.now,
        "captured_at": office.now,
        "captured_within": 0,
    }
    run("export", "--links", "-o", str(tmp_path / "links.jsonl"))
    (link,) = [json.loads(line) for line in (tmp_path / "links.jsonl").read_text().splitlines()]
    assert link["enrollment"] == person.record
    assert link["professional"] is None
    assert link["provisional"] == row["provisional"]


def test_an_export_that_cannot_be_written_leaves_nothing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileUnusable):
        run("export", "-o", str(tmp_path / "nowhere" / "people.jsonl"))
    assert list(tmp_path.glob("nowhere*")) == []


def test_a_folder_without_a_programme_is_named_and_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["enrollkit-server", "status", "--home", str(tmp_path)])
    monkeypatch.setattr("os.umask", lambda _mask: 0)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == ServerNotInitialised.exit_code
    assert "enrollkit-server init" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_command_says_what_it_does() -> None:
    for command in (
        ["init"],
        ["run"],
        ["programme", "export"],
        ["consent", "set"],
        ["device", "list"],
        ["device", "approve"],
        ["device", "revoke"],
        ["receive"],
        ["status"],
        ["export"],
    ):
        result = CliRunner().invoke(cli.cli, [*command, "--help"])
        assert result.exit_code == 0
        assert "--home" in result.stdout


def test_exit_codes_and_codes_of_server_errors_are_their_own() -> None:
    leaves = [getattr(errors, name) for name in errors.__all__ if name != "HttpFault"]
    leaves.remove(errors.ServerError)
    for attribute in ("code", "exit_code"):
        values = [getattr(leaf, attribute) for leaf in leaves]
        assert len(values) == len(set(values))
