from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bundle_samples import BATCHES, BUNDLE
from sync.bundle import BUNDLE_SUFFIX, bundle_name, read_file, write_file
from sync.errors import BundleInvalid, StickFaulty, StickFull, StickGone, SyncError
from sync.protocol import LIMITS


def test_a_file_is_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / ("one" + BUNDLE_SUFFIX)
    write_file(path, b"earlier")
    write_file(path, BUNDLE)
    assert read_file(path) == BUNDLE
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.ekb"
    with path.open("wb") as file:
        file.truncate(LIMITS.bundle_bytes_max * 40)
    with pytest.raises(BundleInvalid):
        read_file(path, bytes_max=1000)


def test_a_pipe_or_a_folder_under_a_files_name_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ekb")
    (tmp_path / "folder.ekb").mkdir()
    for name in ("pipe.ekb", "folder.ekb"):
        with pytest.raises(BundleInvalid):
            read_file(tmp_path / name)


def test_a_stick_that_is_not_there_is_named_as_what_it_is(tmp_path: Path) -> None:
    for act in (read_file, lambda path: write_file(path, BUNDLE)):
        with pytest.raises(StickGone) as gone:
            act(tmp_path / "pulled" / "one.ekb")
        assert "pulled out" in gone.value.text


class FaultyOs:
    """The module ``os`` whose calls fail from the ``first`` on, or that one alone."""

    CALLS = ("open", "write", "fsync", "close", "read", "replace", "fstat", "posix_fadvise")

    def __init__(self, number: int, *, first: int, for_ever: bool) -> None:
        self._errno, self._first, self._for_ever = number, first, for_ever
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._failing(name, real) if name in (*self.CALLS, "unlink") else real

    def _failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            is_now = self.calls == self._first or (self._for_ever and self.calls > self._first)
            if is_now and name == "close":
                real(*arguments)
            if is_now:
                raise OSError(self._errno, os.strerror(self._errno))
            return real(*arguments)

        return call


@pytest.mark.parametrize("for_ever", [False, True])
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EIO, StickGone),
        (errno.ENODEV, StickGone),
        (errno.ENOENT, StickGone),
        (errno.EROFS, StickGone),
        (errno.ENOSPC, StickFull),
    ],
)
def test_a_stick_that_fails_at_any_call_holds_the_earlier_file_or_the_whole_new_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[SyncError],
    *,
    for_ever: bool,
) -> None:
    path = tmp_path / "one.ekb"
    refusals = 0
    for first in range(1, 100):
        path.write_bytes(b"earlier")
        faulty = FaultyOs(number, first=first, for_ever=for_ever)
        monkeypatch.setattr("sync.bundle.os", faulty)
        try:
            write_file(path, BUNDLE)
        except kind:
            refusals += 1
            assert path.read_bytes() in (b"earlier", BUNDLE)
        else:
            assert path.read_bytes() == BUNDLE
        if not for_ever:
            assert list(tmp_path.iterdir()) == [path]
        if faulty.calls < first:
            break
    assert refusals >= 12
    assert first < 99


def test_a_file_that_never_was_there_is_not_there_half_when_the_stick_is_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in range(1, 8):  # up to the end of writing
        monkeypatch.setattr("sync.bundle.os", FaultyOs(errno.EIO, first=first, for_ever=True))
        with pytest.raises(StickGone):
            write_file(tmp_path / "new.ekb", BUNDLE)
        assert not (tmp_path / "new.ekb").exists()


def test_a_stick_pulled_at_any_call_of_reading_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.ekb").write_bytes(BUNDLE)
    for first in range(1, 5):
        monkeypatch.setattr("sync.bundle.os", FaultyOs(errno.EIO, first=first, for_ever=True))
        with pytest.raises(StickGone):
            read_file(tmp_path / "one.ekb")


def test_a_stick_that_forgets_what_was_written_is_found_out_before_the_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def read(self, handle: int, size: int) -> bytes:
            return os.read(handle, size).replace(BATCHES[0][500:520], bytes(20))

    monkeypatch.setattr("sync.bundle.os", Forgetful())
    with pytest.raises(StickFaulty):
        write_file(tmp_path / "one.ekb", BUNDLE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_whole_though_the_system_takes_it_in_morsels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Morsels:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def write(self, handle: int, data: memoryview) -> int:
            return os.write(handle, data[:7])

    monkeypatch.setattr("sync.bundle.os", Morsels())
    write_file(tmp_path / "one.ekb", BUNDLE)
    assert (tmp_path / "one.ekb").read_bytes() == BUNDLE


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_a_folder_that_cannot_be_synced_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class NoFolders:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def open(self, path: Path, *arguments: int) -> int:
            if path == tmp_path:
                raise OSError(number, os.strerror(number))
            return os.open(path, *arguments)

    monkeypatch.setattr("sync.bundle.os", NoFolders())
    write_file(tmp_path / "one.ekb", BUNDLE)
    assert (tmp_path / "one.ekb").read_bytes() == BUNDLE


def test_a_disk_that_takes_no_larger_file_is_full(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BUNDLE) // 2, hard))
    try:
        with pytest.raises(StickFull):
            write_file(tmp_path / "one.ekb", BUNDLE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@contextmanager
def mounted(folder: Path, *command: str) -> Iterator[Path]:
    """Mount something at a folder; skip where that is not allowed."""
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no command mount")
    done = subprocess.run(["mount", *command, str(folder)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount here: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_small_stick_that_is_full_keeps_what_it_held(tmp_path: Path) -> None:
    with mounted(tmp_path / "stick", "-t", "tmpfs", "-o", "size=64k", "tmpfs") as stick:
        write_file(stick / "one.ekb", BUNDLE)
        with pytest.raises(StickFull):
            write_file(stick / "one.ekb", bytes(100_000))
        assert read_file(stick / "one.ekb") == BUNDLE
        assert [path.name for path in stick.iterdir()] == ["one.ekb"]


def test_a_real_fat_stick_takes_bundles_and_keeps_them_over_a_pull(tmp_path: Path) -> None:
    if shutil.which("mkfs.vfat") is None:
        pytest.skip("mkfs.vfat is not installed")
    image = tmp_path / "stick.img"
    with image.open("wb") as file:
        file.truncate(4 * 1024 * 1024)
    subprocess.run(["mkfs.vfat", str(image)], check=True, capture_output=True)
    name = bundle_name("ab" * 8, "cd" * 8, 1, 2)
    with mounted(tmp_path / "stick", "-t", "vfat", "-o", "loop", str(image)) as stick:
        write_file(stick / name, BUNDLE)
        with pytest.raises(StickFull):
            write_file(stick / name, os.urandom(5 * 1024 * 1024))
    with mounted(tmp_path / "again", "-t", "vfat", "-o", "loop,ro", str(image)) as stick:
        assert read_file(stick / name) == BUNDLE
        with pytest.raises(StickGone):
            write_file(stick / "two.ekb", BUNDLE)
