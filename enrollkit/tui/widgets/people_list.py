"""People in rows: name, age, village, state, number; own script last (rule 8)."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from enrollkit.app.results import PersonRow
from enrollkit.tui.marks import draw_mark, shown

__all__ = ["PeopleList"]


class PeopleList(OptionList, can_focus=False):
    """The search field keeps the cursor; arrows move the mark here."""

    def tell(self, rows: Sequence[PersonRow]) -> None:
        """Show these people; the first is marked."""
        self.clear_options()
        self.add_options([Option(self._line(row), id=row.id) for row in rows])
        self.highlighted = 0 if rows else None

    @property
    def chosen(self) -> str | None:
        """The id of the marked person."""
        if self.highlighted is None:
            return None
        return self.get_option_at_index(self.highlighted).id

    def _line(self, row: PersonRow) -> Content:
        mark = draw_mark(row.state.value, ascii_only=self.app.has_class("-ascii"))
        return (
            Content(_cut(row.name, 20))
            + Content.styled(f" {row.gender} {row.age:>3}  ", "$secondary")
            + Content(_cut(row.village, 10))
            + Content(" ")
            + _padded(mark, 20)
            + Content.styled(f" {row.provisional}", "$secondary")
            + Content(f"  {shown(row.name_native)}" if row.name_native and self._wide else "")
        )

    @property
    def _wide(self) -> bool:
        return self.app.size.width >= 100  # noqa: PLR2004 - cells


def _cut(text: str, cells: int) -> str:
    plain = shown(text)
    return f"{plain[: cells - 1]}…" if len(plain) > cells else f"{plain:<{cells}}"


def _padded(content: Content, cells: int) -> Content:
    return content + Content(" " * max(0, cells - len(content.plain)))
