"""Take the pictures of the service's page that stand in docs/images, with an installed Chromium.

python tools/screenshots.py
"""

from __future__ import annotations

import csv
import io
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from ipguard.serve import ServeSettings, create_app

FOLDER = Path(__file__).parent.parent / "docs" / "images"
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1100, "height": 860}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
QUERY = {"en": "luffy", "ja": "ルフィ"}
ROWS = (
    "Pikachu in the rain", "a quiet lake", "白いワンピースの少女", "ルフィが海で踊る", "Darth Vader on a beach", "an old man, smoking",
)  # fmt: skip


def served() -> tuple[uvicorn.Server, str]:
    """Serve the page from a thread; return the server and its address."""
    server = uvicorn.Server(uvicorn.Config(create_app(ServeSettings()), port=0, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


def keep(tab: Page, name: str, *, whole: bool) -> None:
    """Save a picture in few colours, which halves its size and is not seen."""
    # A bar that sticks to the top would stand in the middle of a picture of the whole page.
    tab.evaluate("scrollTo(0, 0)")
    picture = Image.open(io.BytesIO(tab.screenshot(full_page=whole)))
    picture.convert("RGB").quantize(96).save(FOLDER / f"{name}.png", optimize=True)


def take(tab: Page, site: str, lang: str, size: str, file: Path) -> None:
    """Take the pictures of one language and size."""
    tab.goto(site)
    tab.locator("#examples button").first.click()
    tab.wait_for_selector("#rewrite:not([hidden])")
    keep(tab, f"check-{lang}-{size}", whole=True)
    tab.set_input_files("#file", file)
    tab.wait_for_selector(f"#batch-rows tr:nth-child({len(ROWS)})")
    if size == "desktop":
        keep(tab, f"file-{lang}-{size}", whole=True)
    tab.goto(f"{site}/#catalogue")
    tab.wait_for_selector("#works li")
    tab.fill("#query", QUERY[lang])
    tab.wait_for_selector("#works li:first-child button[data-work=one-piece]")
    tab.locator("#works button").first.click()
    tab.wait_for_selector("#work:not([hidden])")
    keep(tab, f"catalogue-{lang}-{size}", whole=False)


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    server, site = served()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        file = Path(temporary) / "prompts.csv"
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([["prompt"], *([row] for row in ROWS)])
        path = shutil.which("chromium") or sys.exit("no Chromium is installed")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for lang in ("en", "ja"):
            for size, options in SIZES.items():
                context = browser.new_context(**options, locale=lang)
                take(context.new_page(), site, lang, size, file)
                context.close()
        browser.close()
    server.should_exit = True


if __name__ == "__main__":
    main()
