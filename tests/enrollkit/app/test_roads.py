from __future__ import annotations

import socket
from pathlib import Path

import pytest

from enrollkit.app.roads import road_to
from enrollkit.app.system import System

HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
HOME = "wlan0 00000000 0101A8C0 0003 0 {use} 600 00000000 0 0 0\n"
AWAY = "wlan0 00000000 FE01A8C0 0003 0 0 600 00000000 0 0 0\n"


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    path = tmp_path / "route"
    path.write_text(HEAD + HOME.format(use=0))
    return path


def test_the_road_to_this_machine_is_always_there_and_the_same() -> None:
    assert road_to("127.0.0.1") == road_to("127.0.0.1") != ""
    assert System().road("127.0.0.1").startswith("127.0.0.1")


def test_another_way_out_with_the_same_address_is_noticed_and_traffic_is_not(routes: Path) -> None:
    before = road_to("127.0.0.1", routes=routes)
    routes.write_text(HEAD + HOME.format(use=9999))
    assert road_to("127.0.0.1", routes=routes) == before
    routes.write_text(HEAD + AWAY)
    assert road_to("127.0.0.1", routes=routes) != before


def test_a_machine_without_that_table_still_names_its_address(tmp_path: Path) -> None:
    assert road_to("127.0.0.1", routes=tmp_path / "none").startswith("127.0.0.1|")


@pytest.mark.parametrize("text", ["", "\n\n", "a b\n\xff\n", "x " * 200_000])
def test_a_strange_table_is_no_fault(routes: Path, text: str) -> None:
    routes.write_text(text, encoding="utf-8")
    assert road_to("127.0.0.1", routes=routes)


def test_no_way_out_is_an_empty_road(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_socket: socket.socket, _end: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("enrollkit.app.roads.socket.socket.connect", refuse)
    assert road_to("example.org") == ""
    assert road_to("10.1.2.3") == ""


def test_a_name_is_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        "enrollkit.app.roads.socket.socket.connect", lambda _socket, end: asked.append(end[0])
    )
    road_to("server.example.org")
    assert asked == ["192.0.2.1", "2001:db8::1"]
