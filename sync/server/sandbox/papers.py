"""The pictures that the practice ABDM gives: a QR as on a real card, and a card for nobody."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from sync.server.sandbox.accounts import Account, place_of

__all__ = ["card_png", "qr_png"]

_CARD_SIZE: Final = (1011, 638)
_INK: Final = (20, 40, 90)
_WARNING: Final = (200, 30, 30)


def qr_png(account: Account) -> bytes:
    """Draw the QR of an ABHA card: plain JSON with the keys of the real one, unsigned."""
    return _png(_qr(account, side=480))


def card_png(account: Account) -> bytes:
    """Draw a card that nobody can take for a real one: PRACTICE stands across it."""
    card = Image.new("RGB", _CARD_SIZE, "white")
    draw = ImageDraw.Draw(card)
    qr = _qr(account, side=360)
    card.paste(qr, (_CARD_SIZE[0] - qr.width - 30, _CARD_SIZE[1] - qr.height - 60))
    person = account.person
    lines = [account.number, account.addresses[0]]
    if person is not None and person.name.isascii():
        lines.insert(0, person.name)
    for place, line in enumerate(lines):
        draw.text((40, 140 + 70 * place), line, fill=_INK, font=ImageFont.load_default(38))
    words = "Made by a practice program. It opens nothing and proves nothing."
    draw.text((40, 30), "PRACTICE CARD", fill=_WARNING, font=ImageFont.load_default(64))
    draw.text((40, _CARD_SIZE[1] - 45), words, fill=_WARNING, font=ImageFont.load_default(26))
    return _png(_stamped(card))


def _stamped(card: Image.Image) -> Image.Image:
    stamp = Image.new("RGBA", card.size, (0, 0, 0, 0))
    font = ImageFont.load_default(190)
    middle = (card.width // 2, card.height // 2)
    ImageDraw.Draw(stamp).text(middle, "PRACTICE", fill=(*_WARNING, 70), font=font, anchor="mm")
    stamp = stamp.rotate(24, resample=Image.Resampling.BICUBIC)
    return Image.alpha_composite(card.convert("RGBA"), stamp).convert("RGB")


def _qr(account: Account, side: int) -> Image.Image:
    """Draw the code with whole pixels for each module, at most so many pixels wide."""
    text = json.dumps(_content(account), ensure_ascii=False)
    barcode = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level="M")
    image: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=True)
    modules = Image.fromarray(image).convert("RGB")
    times = max(1, side // modules.width)
    return modules.resize((modules.width * times,) * 2, Image.Resampling.NEAREST)


def _content(account: Account) -> dict[str, str]:
    """Give the card's JSON: ``dob`` as d/M/yyyy, and the key ``state name`` with its blank."""
    person = account.person
    content = {"hidn": account.number, "hid": account.addresses[0]}
    if person is None:
        return {**content, "name": "Practice Person"}
    state, district = place_of(person)
    year, month, day = person.birth
    return {
        **content,
        "name": person.name,
        "gender": person.gender,
        "statelgd": str(person.state),
        "distlgd": str(person.district),
        "dob": f"{day}/{month}/{year}" if month and day else str(year),
        "state name": state.upper(),
        "district_name": district,
        "mobile": account.mobile or "",
        "address": person.address,
    }


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False)
    return out.getvalue()
