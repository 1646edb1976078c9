"""The nginx of docs/OPERATIONS.md in front of a real server: it must not hold batches back."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from raw_http import Answer, begin, post_head
from server_laptops import Office, sequence_items
from server_process import free_port, running_server
from sync import wire

PAGE = Path(__file__).parents[3] / "docs" / "OPERATIONS.md"
FRAME = """\
daemon off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {block}
    }}
}}
"""


def documented_block(upstream: str) -> str:
    found = re.search(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert "http://127.0.0.1:8000" in found[1]
    return found[1].replace("http://127.0.0.1:8000", upstream)


@contextmanager
def nginx_in_front(upstream: str, folder: Path) -> Iterator[int]:
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("nginx is not installed")
    port = free_port()
    text = FRAME.format(folder=folder, port=port, block=documented_block(upstream))
    (folder / "nginx.conf").write_text(text)
    command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while not _listens(port):
                assert process.poll() is None, (folder / "error.log").read_text()
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    try:
        begin(port).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_page_names_what_a_push_needs_of_a_proxy() -> None:
    block = documented_block("http://127.0.0.1:1")
    for setting in ("proxy_request_buffering off;", "proxy_buffering off;", "proxy_read_timeout"):
        assert setting in block


def test_a_receipt_comes_through_nginx_before_the_next_batch_is_sent(
    office_template: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(office_template, tmp_path / "home"))
    with (
        running_server(home) as server,
        closing(Office(home, io.StringIO())) as office,
        nginx_in_front(server.url, tmp_path) as port,
        begin(port, post_head("/v1/batches", None, "Connection: close")) as connection,
    ):
        laptop = office.laptop()
        received = b""
        for number, piece in enumerate([laptop.batch([laptop.person()]) for _ in range(4)]):
            item = (b"" if number else wire.encode(bytes(16))) + wire.encode(piece.data)
            connection.sendall(f"{len(item):x}\r\n".encode() + item + b"\r\n")
            while received.count(b"receipt") <= number:
                received += connection.recv(65_536)
        connection.sendall(b"0\r\n\r\n")
        while piece_of_answer := connection.recv(65_536):
            received += piece_of_answer
        assert len(sequence_items(Answer(received).body)) == 4
