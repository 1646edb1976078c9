"""What all tests share: no test fails because the machine was busy."""

from __future__ import annotations

import os

from hypothesis import settings

# Hypothesis has a profile of its own for CI, without deadlines and the same at each run.
if "CI" not in os.environ:
    settings.register_profile("here", deadline=None)
    settings.load_profile("here")
