"""``python -m sync.server``: the same as ``enrollkit-server``."""

from __future__ import annotations

from sync.server.cli import main

if __name__ == "__main__":
    main()
