"""``python -m enrollkit``: the same program as the ``enrollkit`` command, for a machine whose
PATH does not know the environment.
"""

from __future__ import annotations

import sys

from enrollkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
