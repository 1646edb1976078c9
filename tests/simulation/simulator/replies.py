"""What a laptop hears of an answer: cut, doubled, shuffled, late, or somebody's lie instead."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sync import wire
from sync.sealing import SigningKey, VerifyKey, open_receipt, read_unverified, sign_receipt

__all__ = ["Records", "Reply", "flipped"]

_COURIER = SigningKey(bytes([7]) * 32)
_HEADED = frozenset({"hello", "carry"})
"""Requests whose answer begins with a hello reply; receipts follow."""


@dataclass(slots=True)
class Records:
    """What somebody on the road has written down, over all sessions of a run."""

    receipts: dict[str, list[bytes]] = field(default_factory=dict)
    """By device id."""
    pages: dict[str, list[bytes]] = field(default_factory=dict)
    delayed: dict[str, list[bytes]] = field(default_factory=dict)
    """By kind of request: answers that were held back."""
    requests: list[tuple[str, list[bytes], Any]] = field(default_factory=list)
    """Kind, messages, and what belongs to them: a nonce, a cursor, or all items of a bundle."""
    packets: list[bytes] = field(default_factory=list)
    """Every byte that anybody could have seen."""

    def note(self, device: str, kind: str, items: Sequence[bytes]) -> None:
        """Write an answer down."""
        self.packets += items
        if kind == "feed":
            self.pages.setdefault(device, []).extend(items)
            return
        receipts = (item for item in items if _meaning(item) == "receipt")
        self.receipts.setdefault(device, []).extend(receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as the server gave it, on its way to ``device``."""

    kind: str
    items: list[bytes]
    device: str
    records: Records
    server: VerifyKey

    def altered(self, rule: str, share: float) -> list[bytes]:
        """Give what arrives of it; ``share`` says where and which."""
        items = self.items
        place = min(len(items) - 1, int(share * len(items))) if items else 0
        match rule:
            case "reply-lost" | "gateway-timeout":
                return []
            case "reply-cut" | "reply-ends-early" | "reply-silent":
                return items[:place]
            case "reply-flipped" if items:
                return [*items[:place], flipped(items[place], share), *items[place + 1 :]]
            case "reply-truncated" if items:
                cut = items[place][: int(share * len(items[place]))]
                return [*items[:place], cut, *items[place + 1 :]]
            case "reply-doubled":
                return [item for item in items for _ in range(2)]
            case "reply-reordered":
                head, tail = self._parted()
                return [*head, *random.Random(share).sample(tail, len(tail))]
            case "reply-delayed":
                late = self.records.delayed.get(self.kind, [])
                self.records.delayed[self.kind] = items
                return late
            case _:
                return (
                    self._false_news(rule, share)
                    if self.kind == "feed"
                    else self._lies(rule, share)
                )

    def _parted(self) -> tuple[list[bytes], list[bytes]]:
        return (self.items[:1], self.items[1:]) if self.kind in _HEADED else ([], self.items)

    def _false_news(self, rule: str, share: float) -> list[bytes]:
        old = self.records.pages.get(self.device, [])[:-1]
        pages = {"news-old": old, "news-other-device": _of_others(self.records.pages, self.device)}
        return [_pick(pages[rule], share)] if pages.get(rule) else self.items

    def _lies(self, rule: str, share: float) -> list[bytes]:
        """Put somebody's lie in the place of the truth, where the rule fits the request."""
        head, receipts = self._parted()
        mine = self.records.receipts.get(self.device, [])
        others = _of_others(self.records.receipts, self.device)
        match rule:
            case "receipt-forged":
                forged = (
                    sign_receipt(open_receipt(raw, self.server), _COURIER) for raw in receipts
                )
                return [*head, *forged]
            case "receipt-old":
                return [*head, *(_first_like(raw, mine) for raw in receipts)]
            case "receipt-other-batch" if mine:
                return [
                    *head,
                    *(mine[-1 - place % len(mine)] for place in range(len(receipts) or 1)),
                ]
            case "receipt-other-device" if others:
                return [*head, *(_pick(others, share) for _ in receipts or [b""])]
            case _:
                return self.items


def _meaning(item: bytes) -> str:
    return str(read_unverified(item)[1][0])


def flipped(data: bytes, share: float) -> bytes:
    """Give bytes of which one bit is another."""
    place = min(len(data) - 1, int(share * len(data)))
    return data[:place] + bytes([data[place] ^ 1 << int(share * 97) % 8]) + data[place + 1 :]


def _first_like(raw: bytes, known: Sequence[bytes]) -> bytes:
    """Give the first receipt that was ever written down for the same batch."""
    digest = _digest_in(raw)
    return next((old for old in known if _digest_in(old) == digest), raw)


def _digest_in(raw: bytes) -> bytes:
    return wire.decode_receipt(read_unverified(raw)[2]).digest


def _of_others(known: dict[str, list[bytes]], device: str) -> list[bytes]:
    return [item for name, items in known.items() if name != device for item in items]


def _pick(raws: Sequence[bytes], share: float) -> bytes:
    return raws[min(len(raws) - 1, int(share * len(raws)))]
