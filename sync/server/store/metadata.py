"""What all tables share: the one collection they belong to, and the sizes of ids."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData, String

__all__ = ["CODE", "DEVICE", "METADATA", "POINTER", "RECORD"]

METADATA: Final = MetaData()
DEVICE: Final = String(16)
RECORD: Final = String(32)
CODE: Final = String(60)
POINTER: Final = String(200)
