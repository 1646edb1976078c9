"""The demo: the road is really cut, and the counts are really counted."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from enrollkit.cli.main import main
from enrollkit.cli.stage.cut_link import CutLink


def echo_once(listener: socket.socket) -> None:
    connection, _address = listener.accept()
    with connection:
        while piece := connection.recv(4096):
            connection.sendall(piece)


def test_a_link_carries_both_ways_and_hangs_up_after_its_allowance() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, CutLink() as link:
        link.server_port = listener.getsockname()[1]
        server = threading.Thread(target=echo_once, args=(listener,))
        server.start()
        with socket.create_connection(("127.0.0.1", link.port), timeout=10) as laptop:
            laptop.sendall(b"abc")
            assert laptop.recv(10) == b"abc"
            link.cut_after(5)
            laptop.sendall(b"0123456789")
            assert laptop.recv(10) == b""
        server.join(timeout=10)
        assert link.cuts == 1


@pytest.mark.slow
def test_the_demo_ends_with_equal_counts_without_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--output", str(tmp_path / "demo"), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert counts["enrolled"] == counts["delivered"] == counts["signed_for"] == 12
    assert counts["cards_verified"] == 12
    assert (counts["waiting"], counts["cuts"]) == (0, 1)
    assert all(Path(file).exists() for file in counts["files"])


def test_the_demo_does_not_touch_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    assert main(["demo", "--output", str(tmp_path)]) == 56
    assert (tmp_path / "letters.txt").read_text() == "mine"
