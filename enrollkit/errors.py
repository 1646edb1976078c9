"""What can go wrong on the laptop, as classes: the docstring is what the operator reads.

    KitError
    ├── VaultError      VaultLocked, WrongPassphrase, OperatorUnknown, SealBroken
    ├── StoreError      StoreBusy, StoreFull, StoreDamaged, StoreTooNew
    ├── DocumentError   DocumentUnreadable, FileUnreadable, FileHoldsNoRows
    ├── CardError       CardPayloadTooLarge
    ├── ConfigError     NotInitialised, AlreadyInitialised, ProgrammeInvalid, ProgrammeForeign
    └── RecordNotFound

What one file alone raises stands in that file: ``PassphraseTaken``, ``DocumentTooLarge``,
``CardNotWritten``, and the demo's own.

The shape (``code``, ``exit_code``, ``retryable``, ``text``) is :class:`sync.errors.OperatorError`.
"""

from __future__ import annotations

from sync.errors import OperatorError

__all__ = [
    "AlreadyInitialised",
    "CardError",
    "CardPayloadTooLarge",
    "ConfigError",
    "DocumentError",
    "DocumentUnreadable",
    "FileHoldsNoRows",
    "FileUnreadable",
    "KitError",
    "NotInitialised",
    "OperatorError",
    "OperatorUnknown",
    "ProgrammeForeign",
    "ProgrammeInvalid",
    "RecordNotFound",
    "SealBroken",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreTooNew",
    "VaultError",
    "VaultLocked",
    "WrongPassphrase",
]


class KitError(OperatorError):
    """Something went wrong on this laptop. What was saved stays saved."""

    code = "kit"


class VaultError(KitError):
    """The key of this laptop's data could not be used. The data is untouched."""

    code = "vault"
    exit_code = 10


class VaultLocked(VaultError):
    """The kit is locked. The data is safe. Unlock it with your passphrase."""

    code = "vault-locked"
    exit_code = 10


class WrongPassphrase(VaultError):
    """That passphrase opens nothing here. The data is safe. Type it again; mind Caps Lock and
    the keyboard's language.
    """

    code = "wrong-passphrase"
    exit_code = 11


class OperatorUnknown(VaultError):
    """Nobody of that name works on this laptop. The data is safe. Ask the supervisor to add the
    operator.
    """

    code = "operator-unknown"
    exit_code = 12


class SealBroken(VaultError):
    """The key file was damaged or changed. The data is still there, but cannot be opened with
    this file. Stop working, copy the whole data folder away, and call the office.
    """

    code = "seal-broken"
    exit_code = 13


class StoreError(KitError):
    """The data file could not be used. What was saved stays saved."""

    code = "store"
    exit_code = 20


class StoreBusy(StoreError):
    """Another window of the kit is writing. Nothing is lost. Wait a moment and try again."""

    code = "store-busy"
    exit_code = 20
    retryable = True


class StoreFull(StoreError):
    """The disk is full, so this was NOT saved. Everything saved before is safe. Free some space,
    then save again; the form is still here.
    """

    code = "store-full"
    exit_code = 21


class StoreDamaged(StoreError):
    """The data file is damaged. Stop working on this laptop, copy the whole data folder away,
    and call the office; do not delete anything.
    """

    code = "store-damaged"
    exit_code = 22


class StoreTooNew(StoreError):
    """A newer version of the kit wrote the data. It is safe. Install that version again."""

    code = "store-too-new"
    exit_code = 23


class DocumentError(KitError):
    """The document could not be used. Nothing was changed."""

    code = "document"
    exit_code = 30


class DocumentUnreadable(DocumentError):
    """No code could be read there. Nothing was changed. Try a sharper picture, more light, or
    type the number printed under the code.
    """

    code = "document-unreadable"
    exit_code = 30


class FileUnreadable(DocumentUnreadable):
    """That file could not be opened. Nothing was changed. Check its name and folder, and whether
    you may read it.
    """

    code = "file-unreadable"
    exit_code = 35


class FileHoldsNoRows(DocumentError):
    """That file holds no rows: it is a picture, a spreadsheet, or text in another coding. Nothing
    was changed. Save it as CSV or JSON Lines in UTF-8.
    """

    code = "file-holds-no-rows"
    exit_code = 36


class CardError(KitError):
    """The card could not be made. The enrollment itself is saved."""

    code = "card"
    exit_code = 40


class CardPayloadTooLarge(CardError):
    """There is too much text for one card. The enrollment itself is saved. Shorten the address
    or the name in own script.
    """

    code = "card-payload-too-large"
    exit_code = 40


class ConfigError(KitError):
    """The kit is not set up rightly. What was saved stays saved."""

    code = "config"
    exit_code = 50


class NotInitialised(ConfigError):
    """This laptop is not set up yet. Ask the office for the programme file, then type:
    enrollkit init --programme FILE --operator NAME
    """

    code = "not-initialised"
    exit_code = 50


class AlreadyInitialised(ConfigError):
    """This laptop is set up already; nothing was changed. To see how it stands, type:
    enrollkit doctor
    """

    code = "already-initialised"
    exit_code = 51


class ProgrammeInvalid(ConfigError):
    """That is not a programme file, or it was damaged on the way. Nothing was changed. Ask the
    office for it again.
    """

    code = "programme-invalid"
    exit_code = 52


class ProgrammeForeign(ConfigError):
    """That programme file belongs to another programme than the one this laptop works for.
    Nothing was changed.
    """

    code = "programme-foreign"
    exit_code = 54


class RecordNotFound(KitError):
    """Nobody here has that number. Check it, or search by name."""

    code = "record-not-found"
    exit_code = 53
