"""QR codes as plain grids of modules: for the printed card, and for the terminal."""

from __future__ import annotations

from typing import Any, Final

import zxingcpp

from enrollkit.errors import CardPayloadTooLarge

__all__ = ["QUIET_MODULES", "VERSION_MAX", "modules_of", "terminal_code"]

QUIET_MODULES: Final = 4
"""White around a QR code (ISO/IEC 18004)."""

VERSION_MAX: Final = 14
"""The finest code a card carries: 73 modules, which an old camera still reads."""

_SIDE_MAX: Final = 17 + 4 * VERSION_MAX
_HALF_BLOCKS: Final = {
    (True, True): "█",
    (True, False): "▀",
    (False, True): "▄",
    (False, False): " ",
}


def modules_of(text: str) -> tuple[tuple[bool, ...], ...]:
    """Lay a text out as a QR code, level M: rows of modules, ``True`` for dark, no quiet zone.

    Raise :class:`CardPayloadTooLarge` when the code would be finer than :data:`VERSION_MAX`.
    """
    try:
        barcode = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level="M")
    except ValueError:
        raise CardPayloadTooLarge("no QR code holds it") from None
    image: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    rows: Any = memoryview(image).tolist()
    if len(rows) > _SIDE_MAX:
        raise CardPayloadTooLarge(f"a QR code of {len(rows)} modules")
    return tuple(tuple(level == 0 for level in row) for row in rows)


def terminal_code(text: str) -> str:
    """Draw a QR code with half blocks, quiet zone included, for light letters on dark.

    The light modules are the ones drawn, so that on a dark terminal the code has its right
    colours and a light border. Sixteen characters take 29 columns and 15 lines.
    """
    rows = modules_of(text)
    side = len(rows) + 2 * QUIET_MODULES
    light = [[True] * side for _ in range(side)] + [[False] * side]
    for at_row, row in enumerate(rows, QUIET_MODULES):
        light[at_row][QUIET_MODULES:-QUIET_MODULES] = [not dark for dark in row]
    pairs = zip(light[0:side:2], light[1 : side + 1 : 2], strict=True)
    return "\n".join(
        "".join(_HALF_BLOCKS[above, below] for above, below in zip(upper, lower, strict=True))
        for upper, lower in pairs
    )
