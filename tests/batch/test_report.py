"""The page about scored prompts: right numbers, nothing unescaped, readable in a browser."""

import csv
import html
import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from ipguard.batch.engine import Options, score_file
from ipguard.batch.page import party_id, write_report
from ipguard.batch.tally import tally
from ipguard.errors import BatchError, InvalidArgumentError

pytest.importorskip("jinja2", reason="needs the extra 'report'")
ATTACK = '<script>alert(1)</script> Pikachu "onmouseover=alert(1)" & </textarea><img src=x onerror=alert(2)> \u202e'
ROWS = [
    ("2026-01-01T10:00:00Z", "Pikachu in the rain"),
    ("2026-01-02", "ピカチュウとルフィが歩く"),
    ("2026-01-02T23:59:00", "a quiet lake"),
    ("1767400000", ATTACK),
    ("someday", "Darth Vader on a beach"),
    ("2026-01-05", ""),
    ("2026-01-06", "a village in the style of Studio Ghibli"),
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory, guard):
    folder = tmp_path_factory.mktemp("report")
    with (folder / "in.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("when", "prompt", "time")] + [("x", prompt, when) for when, prompt in ROWS])
    score_file(guard, folder / "in.csv", folder / "out.csv", Options(workers=0))
    return folder


@pytest.fixture(scope="module")
def page(scored):
    write_report(scored / "out.csv", scored / "report.html")
    return (scored / "report.html").read_text("utf-8")


class Outline(HTMLParser):
    VOID = frozenset({"meta", "br", "img"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.bad = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.bad += [name for name in found if name.startswith("on") or name == "src"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(text):
    parser = Outline()
    parser.feed(text)
    assert parser.open == []
    return parser


def test_numbers(scored, guard):
    found = tally(scored / "out.csv", guard.compiled)
    assert (found.rows, found.unscored, sum(found.decisions.values())) == (7, 1, 6)
    assert sum(found.histogram) == 6
    assert found.works["pokemon"].flagged == 3
    assert found.works["one-piece"].flagged == found.works["star-wars"].flagged == 1
    assert found.holders["nintendo"].flagged == 3
    assert found.languages["ja"].flagged == 1
    assert sorted(found.days) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-06"]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv.gz"])
def test_every_format_gives_the_same_page(scored, guard, suffix, tmp_path):
    if suffix == "parquet":
        pytest.importorskip("pyarrow", reason="needs the extra 'batch'")
    score_file(guard, scored / "in.csv", tmp_path / f"out.{suffix}", Options(workers=0))
    write_report(tmp_path / f"out.{suffix}", tmp_path / "a.html")
    write_report(scored / "out.csv", tmp_path / "b.html")
    one, two = ((tmp_path / name).read_text("utf-8") for name in ("a.html", "b.html"))
    assert one.replace(f"out.{suffix}", "out.csv") == two


def test_prompts_of_strangers_are_escaped(page):
    assert "<script" not in page
    assert "<img" not in page
    assert html.escape("<script>alert(1)</script>", quote=False) in page
    found = outline(page)
    assert not found.bad
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"https?://", page), "nothing is fetched"


def test_structure(page):
    found = outline(page)
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert found.tags.count("h1") == found.tags.count("main") == 1
    assert re.search(r'<mark title="Pokémon">Pikachu</mark>', page)
    assert "Studio Ghibli" in page.split('id="styles"')[1]


def test_a_page_for_one_holder_shows_nothing_of_others(scored, tmp_path):
    write_report(scored / "out.csv", tmp_path / "r.html", rights_holder="Nintendo")
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "works of Nintendo" in text
    assert "Darth Vader" not in text
    assert "Star Wars" not in text
    assert "By rights holder" not in text
    assert "One Piece" not in text, "a prompt that names both is shown with the holder's own works"


def test_parties_are_found_by_id_and_name(guard):
    assert party_id(guard.compiled, "nintendo") == party_id(guard.compiled, "NINTENDO") == "nintendo"
    with pytest.raises(InvalidArgumentError, match="such as"):
        party_id(guard.compiled, "ninten")


def test_what_is_no_output_of_batch_is_refused(scored, tmp_path):
    with pytest.raises(BatchError, match="output of ipguard batch"):
        write_report(scored / "in.csv", tmp_path / "r.html")
    with pytest.raises(BatchError, match="no column 'moment'"):
        write_report(scored / "out.csv", tmp_path / "r.html", time_column="moment")
    broken = (scored / "out.csv").read_text("utf-8").replace("[{", "[x{")
    (tmp_path / "broken.csv").write_text(broken, "utf-8")
    with pytest.raises(BatchError, match="did not write"):
        write_report(tmp_path / "broken.csv", tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_nothing_scored(tmp_path, guard):
    (tmp_path / "in.jsonl").write_text(json.dumps({"prompt": None}) + "\n")
    score_file(guard, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert write_report(tmp_path / "out.jsonl", tmp_path / "r.html").unscored == 1
    outline((tmp_path / "r.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra 'browser'")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def shown(browser, scored, **options):
    tab = browser.new_page(**options)
    messages = []
    tab.on("dialog", lambda dialog: messages.append(dialog.message))
    tab.on("pageerror", lambda error: messages.append(str(error)))
    tab.on("console", lambda message: messages.append(message.text))
    tab.goto((scored / "report.html").as_uri())
    return tab, messages


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark")])
def test_in_a_browser(browser, scored, page, width, scheme):
    tab, messages = shown(browser, scored, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling of the page"
    for chart in tab.locator("svg").all():
        box = chart.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 40
    assert tab.locator("mark").first.is_visible()
    assert messages == []
    tab.close()


def test_by_keyboard(browser, scored, page):
    tab, _ = shown(browser, scored, viewport={"width": 1000, "height": 800})
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the figures"
    summary = tab.locator("summary", has_text="Numbers").first
    for _ in range(40):
        if summary.evaluate("e => e === document.activeElement"):
            break
        tab.keyboard.press("Tab")
    numbers = tab.locator("details").first.locator("table")
    assert not numbers.is_visible()
    tab.keyboard.press("Enter")
    assert numbers.is_visible()
    tab.close()


def test_in_print(browser, scored, page):
    tab, _ = shown(browser, scored)
    tab.emulate_media(media="print")
    assert not tab.locator("nav").is_visible()
    assert tab.pdf().startswith(b"%PDF")
    tab.close()
