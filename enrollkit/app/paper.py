"""One at a time on paper: drawing cards and reading pictures share a library without locks.

PDFium may be called by one thread at a time in a process; the app prints in one thread while
another may be checking a scan.
"""

from __future__ import annotations

import threading
from typing import Final

__all__ = ["PAPER"]

PAPER: Final = threading.Lock()
"""Hold it around every call that opens or draws a PDF."""
