"""The app on the real kit: what the screens say is what the disk holds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from enrollkit.tui.app import make_app
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.saved import SavedScreen
from enrollkit.tui.screens.unlock import UnlockScreen
from kit_samples import NOW, PASSPHRASE, unlocked
from tui_drive import Driver


def test_a_person_typed_into_the_app_is_in_the_encrypted_database(tmp_path: Path) -> None:
    with unlocked(tmp_path) as kit:
        kit.lock()

        async def main() -> None:
            app = make_app(kit, now=lambda: NOW, ascii_only=False)
            async with app.run_test(size=(80, 24)) as pilot:
                driver: Any = Driver(app, pilot, kit)  # type: ignore[arg-type]
                await driver.rest()
                await driver.type(PASSPHRASE)
                await driver.press("enter")
                await driver.until(lambda: isinstance(app.screen, HomeScreen))
                await driver.press("n")
                await driver.agree()
                await driver.type("999910101010")
                await driver.press("enter")
                await driver.person("Sunita Devi", "14/3/87")
                await driver.address()
                assert "…1010, sealed" in driver.text()
                await driver.press("enter")
                assert isinstance(app.screen, SavedScreen), driver.text()
                await driver.press("ctrl+l")
                assert isinstance(app.screen, UnlockScreen)

        asyncio.run(main())
        assert kit.is_locked
        kit.unlock(PASSPHRASE)
        (row,) = kit.people.search("sunita")
        assert row.name == "Sunita Devi"
        assert kit.people.page(row.id).enrollment.aadhaar_last4 == "1010"
        assert kit.drafts.list() == []
