"""The sentence at the end of ``enroll`` speaks of this file, not of all who are on the laptop."""

from __future__ import annotations

from enrollkit.cli.enroll import _sum_up


def test_the_sum_counts_saved_waiting_and_refused_rows_apart() -> None:
    assert _sum_up(0, 0, 0) == "0 people of this file are saved."
    assert _sum_up(3, 9, 2) == (
        "3 people of this file are saved. 2 rows wait as drafts; look at them in the app. "
        "9 rows were not saved."
    )
    assert _sum_up(1, 1, 0) == "1 person of this file is saved. 1 row was not saved."
