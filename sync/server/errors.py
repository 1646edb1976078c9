"""What can go wrong at the server, as classes: the docstring is what the office reads.

    SyncError
    └── ServerError
        ├── SettingsInvalid       server.toml or an environment variable says something impossible
        │   └── SettingsUnreadable    server.toml is no TOML
        ├── ServerNotInitialised  there is no programme in this folder
        ├── ServerInitialised     there is one already
        ├── KeysLocked            the key files want a passphrase, or another one
        ├── KeysDamaged           a key file is missing, cut short or changed
        ├── DatabaseBusy          the database does not answer now
        ├── DatabaseTooNew        a newer version of this program wrote it
        ├── AddressTaken          another program listens there
        ├── FileUnusable          a file could not be read or written
        ├── WordingInvalid        a consent wording that cannot be read out
        ├── CodeInvalid           not an approval code
        ├── CodeAmbiguous         two laptops have the same approval code
        ├── DeviceUnknown         no laptop of that id
        ├── DeviceShutOut         a laptop that was revoked before
        ├── DeviceNeverMet        a file of a laptop that the server does not know
        ├── NothingToReceive      a folder without a file of a laptop
        ├── FacilitiesInvalid     a list of facilities that cannot be used
        ├── AbdmNotSetUp          nobody has said yet where ABDM is
        └── AbdmHalted            ABDM refuses the office's own configuration

What a laptop is told by HTTP is an :class:`HttpFault`, a code with a status.
"""

from __future__ import annotations

from typing import ClassVar

from sync.errors import SyncError

__all__ = [
    "AbdmHalted",
    "AbdmNotSetUp",
    "AddressTaken",
    "BackupDamaged",
    "BackupForeign",
    "CodeAmbiguous",
    "CodeInvalid",
    "DatabaseBusy",
    "DatabaseForeign",
    "DatabaseTooNew",
    "DeviceShutOut",
    "DeviceUnknown",
    "FacilitiesInvalid",
    "FileUnusable",
    "HomeOccupied",
    "HttpFault",
    "KeysDamaged",
    "KeysLocked",
    "NothingToReceive",
    "PersonUnknown",
    "ServerError",
    "ServerInitialised",
    "ServerNotInitialised",
    "SettingsInvalid",
    "SettingsUnreadable",
    "WordingInvalid",
]


class ServerError(SyncError):
    """The server could not do that. Nothing that was received is lost."""

    code = "server"
    exit_code = 80
    retryable = False


class SettingsInvalid(ServerError):
    """A setting is not possible: {name}. Nothing was changed. Correct it on the command line,
    in server.toml or in the environment.
    """

    code = "settings-invalid"
    exit_code = 80

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


class SettingsUnreadable(SettingsInvalid):
    """The file server.toml cannot be read: {name}. Nothing was changed. Correct it in an editor."""

    code = "settings-unreadable"
    exit_code = 104


class ServerNotInitialised(ServerError):
    """There is no programme in this folder yet. To make one, type:
    enrollkit-server init --home DIR --name NAME --url URL
    """

    code = "server-not-initialised"
    exit_code = 81


class ServerInitialised(ServerError):
    """This folder or its database holds a programme already; nothing was changed."""

    code = "server-initialised"
    exit_code = 82


class KeysLocked(ServerError):
    """The key files are locked, and ENROLLKIT_SERVER_PASSPHRASE is not set or does not open them.
    Nothing was changed.
    """

    code = "keys-locked"
    exit_code = 83


class KeysDamaged(ServerError):
    """A key file is missing, cut short or not as it was written: {name}. Nothing was changed. Put
    it back from the backup; do not make a new one.
    """

    code = "keys-damaged"
    exit_code = 84

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


class DatabaseBusy(ServerError):
    """The database does not answer now, or its disk is full. Nothing that was signed for is lost.
    Try again.
    """

    code = "database-busy"
    exit_code = 85
    retryable = True


class DatabaseTooNew(ServerError):
    """A newer version of this program wrote the database. It is untouched. Install that version."""

    code = "database-too-new"
    exit_code = 86


class AddressTaken(ServerError):
    """The server cannot listen at that address; another program may be using it. Choose another
    --host or --port.
    """

    code = "address-taken"
    exit_code = 87


class FileUnusable(ServerError):
    """That file could not be read or written. Nothing was changed. Check the path, the rights and
    the space on the disk.
    """

    code = "file-unusable"
    exit_code = 88


class WordingInvalid(ServerError):
    """That is not a consent wording: {name}. Nothing was changed."""

    code = "wording-invalid"
    exit_code = 89

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


class CodeInvalid(ServerError):
    """That is not an approval code; a letter is wrong or missing. Nothing was changed. Ask for it
    again, letter by letter.
    """

    code = "code-invalid"
    exit_code = 90


class CodeAmbiguous(ServerError):
    """Two laptops have that approval code, which never happens by itself. Neither was approved.
    Set up both again, and find out who made the second.
    """

    code = "code-ambiguous"
    exit_code = 91


class DeviceUnknown(ServerError):
    """No laptop of that id is known here. Nothing was changed. See: enrollkit-server device list"""

    code = "no-such-device"
    exit_code = 92


class DeviceShutOut(ServerError):
    """That laptop was shut out before and stays so. Set it up again; it gets a new code."""

    code = "device-shut-out"
    exit_code = 93


class NothingToReceive(ServerError):
    """There is no file of a laptop (.ekb) in that folder. Nothing was changed. Give the folder of
    the stick that holds them.
    """

    code = "nothing-to-receive"
    exit_code = 97


class HomeOccupied(ServerError):
    """A server or another command works in this folder, or its database is being replaced. Nothing
    was changed. End the server, then try again.
    """

    code = "home-occupied"
    exit_code = 94
    retryable = True


class BackupDamaged(ServerError):
    """That backup is not whole: {name}. It was not used, and nothing that laptops rely on was
    changed. Take another one.
    """

    code = "backup-damaged"
    exit_code = 95

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


class BackupForeign(ServerError):
    """That backup belongs to another programme: its keys are not the ones in this folder. Nothing
    was changed.
    """

    code = "backup-foreign"
    exit_code = 96


class DatabaseForeign(ServerError):
    """This server's database is PostgreSQL, which is backed up with its own tools (pg_dump or
    pg_basebackup, and pg_restore). Nothing was changed. Copy the key files of the server's folder
    too. Laptops keep everything they ever sent, because nobody here can check that backup.
    """

    code = "database-foreign"
    exit_code = 98


class FacilitiesInvalid(ServerError):
    """The list of facilities is not right: {name}. Nothing was changed. It is a CSV file with the
    columns facility (IN and ten digits), kind (hospital, laboratory, clinic or pharmacy) and beds.
    """

    code = "facilities-invalid"
    exit_code = 101

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


class AbdmNotSetUp(ServerError):
    """ABDM is not set up yet: fill in [abdm] in server.toml. To practise, see:
    enrollkit-server sandbox
    """

    code = "abdm-not-set-up"
    exit_code = 105


class AbdmHalted(ServerError):
    """ABDM refuses this server's configuration: {name}. No person is to blame, and nothing was
    changed for them. Correct [abdm] in server.toml. The worker looks again every quarter of an
    hour; start it again to look at once.
    """

    code = "abdm-halted"
    exit_code = 102

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


class PersonUnknown(ServerError):
    """Nobody has that record id or provisional number here. Check it against the card, letter by
    letter; or the laptop has not sent the person yet.
    """

    code = "no-such-person"
    exit_code = 103


class HttpFault(Exception):
    """What a laptop is told instead of an answer: a stable code, a status, a short text."""

    STATUS: ClassVar[dict[str, tuple[int, str]]] = {
        "bad-request": (400, "The message could not be read."),
        "device-unknown": (401, "This server has not met that laptop."),
        "device-pending": (403, "The office has not approved that laptop yet."),
        "device-revoked": (403, "The office has shut that laptop out."),
        "too-slow": (408, "The message did not arrive in time."),
        "too-large": (413, "The message is larger than allowed."),
        "protocol-mismatch": (426, "The two ends speak different versions."),
        "server-error": (500, "The server failed; nothing was signed for."),
        "busy": (503, "The server is busy; try again later."),
    }

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.text = self.STATUS[code]
