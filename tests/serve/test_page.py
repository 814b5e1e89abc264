"""The page at /, in Debian's Chromium: English and Japanese, wide and narrow, light and dark, by keyboard."""

import csv
import re
import shutil
import threading

import pytest
import uvicorn
from serve_process import until

from ipguard.serve import ServeSettings, create_app
from ipguard.serve.app import STATIC
from ipguard.serve.keys import new_key

ROWS = [
    "Pikachu in the rain", "a quiet lake", "白いワンピースの少女", "Darth Vader on a beach", "=1+1 with Goku",
    'said "hi", twice', "two\nlines",
]  # fmt: skip


@pytest.fixture(scope="module")
def serve(loaded):
    """Serve applications from threads."""
    servers = []

    def start(**settings):
        config = uvicorn.Config(create_app(ServeSettings(**settings), loaded=loaded), port=0, log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        until(lambda: server.started)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="module")
def site(serve):
    return serve()


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


@pytest.fixture
def visit(browser):
    """Open pages; whatever a page complains of, or asks of another host, fails the test."""
    contexts, complaints = [], []

    def open_page(url, **options):
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, "locale": "en-US", **options})
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(20_000)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("request", lambda request: complaints.append(request.url) if not at(url, request.url) else None)
        tab.goto(url)
        tab.wait_for_selector("#examples button", state="attached")
        return tab

    yield open_page, complaints
    for context in contexts:
        context.close()


def at(page, request):
    return request.startswith((page.split("#")[0], "blob:"))


def check(tab, prompt):
    tab.fill("#prompt", prompt)
    tab.click("#check-button")
    tab.wait_for_selector("#check-button:not(:disabled)")


WORDS = {"en": ("blocked", "This request seems to ask"), "ja": ("ブロック", "保護されている作品")}


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (375, "dark")])
def test_a_prompt(visit, site, lang, width, scheme):
    open_page, complaints = visit
    tab = open_page(site, locale=f"{lang}-XX", viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.lang") == lang
    check(tab, "😀 Goku and Pikachu share ramen")
    tab.wait_for_selector("#rewrite:not([hidden])")
    word, sentence = WORDS[lang]
    assert tab.inner_text("#decision") == word
    assert tab.inner_text("#message").startswith(sentence)
    assert tab.locator("mark").all_inner_texts() == ["Goku", "Pikachu"], "spans hold behind an emoji"
    assert "Nintendo" in tab.inner_text("#matches")
    assert "Pikachu" not in tab.inner_text("#rewrite-text")
    assert tab.locator("ins").count() == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling of the page"
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) < 60) == (scheme == "dark")
    assert complaints == []


def test_a_clean_prompt_and_an_empty_one(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    check(tab, "白いワンピースの少女")
    assert tab.inner_text("#decision") == "allowed"
    assert not tab.locator("#rewrite").is_visible()
    tab.fill("#prompt", "  ")
    tab.click("#check-button")
    assert tab.inner_text("#alert") == "Type a prompt first."
    assert tab.evaluate("document.activeElement.id") == "prompt"
    assert complaints == []


def test_prompts_are_never_markup(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    attack = '<img src=x onerror="alert(1)"> Pikachu <script>alert(2)</script> </p>'
    check(tab, attack)
    assert tab.inner_text("#marked") == attack
    assert tab.locator("main img, main script").count() == 0
    assert complaints == []


def test_the_language_changes_all_that_is_shown(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    check(tab, "Pikachu in the rain")
    tab.click("button[data-lang=ja]")
    assert tab.inner_text("#decision") == "ブロック"
    assert tab.inner_text("#matches tr:first-child td:last-child").startswith("この作品だけを指す名前")
    assert tab.title() == "チェック · ipguard"
    tab.reload()
    tab.wait_for_selector("#examples button")
    assert tab.inner_text("#check-title") == "そのプロンプト、誰かの作品ではありませんか？"
    assert complaints == []


def test_both_languages_have_every_text(visit, site):
    open_page, _ = visit
    tab = open_page(site)
    script = (STATIC / "app.js").read_text("utf-8")
    blocks = re.findall(r"^  (en|ja): \{\n(.*?)^  \},$", script, re.DOTALL | re.MULTILINE)
    keys = {lang: set(re.findall(r"(\w+): (?=[\"`]|\([^)]*\) =>)", block)) for lang, block in blocks}
    assert len(keys["en"]) > 80
    assert keys["en"] == keys["ja"]
    used = set(re.findall(r'data-i18n(?:-label|-placeholder)?="(\w+)"', (STATIC / "index.html").read_text("utf-8")))
    assert used <= keys["en"]
    for lang in ("en", "ja"):
        tab.click(f"button[data-lang={lang}]")
        assert "undefined" not in tab.inner_text("body")


def test_the_threshold_is_live(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    check(tab, "ルフィが海で踊る")
    first = tab.input_value("#threshold")
    assert tab.inner_text("#threshold-effect") == f"At {float(first):.2f} this prompt is to be reviewed."
    tab.locator("#threshold").fill("0.3")
    assert tab.inner_text("#threshold-effect") == "At 0.30 this prompt is blocked."
    tab.focus("#threshold")
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
    assert tab.inner_text("#threshold-value") == "0.35"
    assert complaints == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_file(visit, site, tmp_path, encoding):
    open_page, complaints = visit
    with (tmp_path / "p.csv").open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream).writerows([["id", "Prompt"], *enumerate(ROWS), ["", ""]])
    tab = open_page(site, accept_downloads=True)
    tab.set_input_files("#file", tmp_path / "p.csv")
    tab.wait_for_selector(f"#batch-rows tr:nth-child({len(ROWS)})")
    shown = tab.locator("#batch-rows tr td:nth-child(4)").all_inner_texts()
    assert [text.split() for text in shown] == [text.split() for text in ROWS]
    assert tab.inner_text("#batch-summary") == "3 blocked · 0 to be reviewed · 4 allowed"
    tab.locator("#threshold").fill("1")
    assert "0 of 7" in tab.inner_text("#threshold-effect")
    tab.check("#only-flagged")
    assert tab.locator("#batch-rows tr").count() == 3
    with tab.expect_download() as saved:
        tab.click("#download")
    with saved.value.path().open(newline="", encoding="utf-8-sig") as stream:
        table = list(csv.DictReader(stream))
    assert [row["decision"] for row in table].count("block") == 3
    assert table[0]["works"] == "Pokémon"
    assert table[4]["prompt"] == "'=1+1 with Goku", "a spreadsheet does not run it"
    assert [row["prompt"] for row in table[5:]] == ROWS[5:]
    assert complaints == []


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "no prompts"), (b"\n \n", "no prompts"), (b"\xff\xff\x80", "not text")]
)
def test_files_without_prompts(visit, site, tmp_path, content, message):
    open_page, complaints = visit
    (tmp_path / "p.csv").write_bytes(content)
    tab = open_page(site)
    tab.set_input_files("#file", tmp_path / "p.csv")
    tab.wait_for_selector("#alert:not([hidden])")
    assert message in tab.inner_text("#alert")
    assert complaints == []


def test_a_file_with_too_many_rows_is_cut_and_says_so(visit, site, tmp_path):
    open_page, complaints = visit
    (tmp_path / "p.txt").write_text("\n".join(f"hill {n}" for n in range(1003)))
    tab = open_page(site)
    tab.set_input_files("#file", tmp_path / "p.txt")
    tab.wait_for_selector("#alert:not([hidden])")
    assert tab.inner_text("#alert") == "The file holds more than 1000 prompts; the first 1000 are checked."
    tab.click("#batch-stop")
    tab.wait_for_selector("#batch-stop", state="hidden")
    assert tab.locator("#batch-rows tr").count() < 1000, "it was stopped"
    assert complaints == []


def test_the_catalogue(visit, site):
    open_page, complaints = visit
    tab = open_page(f"{site}/#catalogue")
    tab.wait_for_selector("#works li:nth-child(30)")
    tab.click("#more")
    tab.wait_for_selector("#works li:nth-child(60)")
    tab.fill("#query", "ピカチュウ")
    tab.wait_for_selector("#works button[data-work=pokemon]")
    assert "ピカチュウ" in tab.inner_text("#works li:first-child")
    tab.click("#works button[data-work=pokemon]")
    tab.wait_for_selector("#work:not([hidden])")
    assert tab.inner_text("#work-title") == "Pokémon"
    assert "Nintendo" in tab.inner_text("#work-data")
    assert tab.get_attribute("#works button[data-work=pokemon]", "aria-pressed") == "true"
    tab.select_option("#medium", "manga")
    tab.fill("#query", "qwxzzy no such")
    tab.get_by_text("No work bears that name.").wait_for()
    assert complaints == []


def test_a_work_from_a_match(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    check(tab, "Pikachu in the rain")
    tab.click("#matches a")
    tab.wait_for_selector("#work:not([hidden])")
    assert tab.inner_text("#work-title") == "Pokémon"
    tab.go_back()
    assert tab.inner_text("#decision") == "blocked", "the result is still there"
    assert complaints == []


def test_by_keyboard_alone(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "prompt"
    tab.keyboard.type("Pikachu in the rain")
    tab.keyboard.press("Control+Enter")
    tab.wait_for_selector("#rewrite:not([hidden])")
    assert tab.inner_text("#status") == "Done: blocked."
    seen = []
    for _ in range(40):
        tab.keyboard.press("Tab")
        seen.append(tab.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
        outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or seen[-1] in ("file", None, ""), seen[-1]
    for name in ("purpose", "check-button", "file", "threshold", "#work/pokemon", "copy"):
        assert name in seen, name
    assert complaints == []


def test_what_a_screen_reader_is_told(visit, site):
    open_page, complaints = visit
    tab = open_page(site)
    check(tab, "Pikachu in the rain")
    assert tab.get_attribute("#gauge", "aria-label").startswith("Risk 0.9")
    for control in tab.locator("input, select, textarea, button").all():
        name = control.evaluate(
            "e => e.getAttribute('aria-label') || e.textContent.trim() || [...(e.labels || [])].map(l => l.textContent).join('')"
        )
        assert name, control.evaluate("e => e.outerHTML")
    assert tab.locator("[aria-live], [role=alert], [role=status]").count() >= 4
    assert tab.locator("main h1:visible").count() == 1
    assert complaints == []


def contrast(first, second):
    def luminance(color):
        parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(visit, site, scheme):
    open_page, _ = visit
    tab = open_page(site, color_scheme=scheme)
    check(tab, "Pikachu in the rain")
    tab.wait_for_selector("#rewrite:not([hidden])")
    pairs = tab.evaluate("""() => [...document.querySelectorAll("main *:not(option):not(script), header *")].filter(
        (node) => node.checkVisibility() && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()),
      ).map((node) => {
        let ground = node;
        while (ground && /, 0\\)|transparent/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
        return [getComputedStyle(node).color, getComputedStyle(ground ?? document.body).backgroundColor, node.outerHTML.slice(0, 80)];
      })""")
    assert len(pairs) > 30
    for color, ground, node in pairs:
        assert contrast(color, ground) >= 4.5, (node, color, ground)


def test_a_key_is_asked_for_and_kept_in_the_tab(visit, serve, tmp_path):
    open_page, complaints = visit
    key, line = new_key("page", "read")
    (tmp_path / "keys").write_text(line)
    tab = open_page(serve(keys=str(tmp_path / "keys")))
    tab.fill("#prompt", "Pikachu in the rain")
    tab.click("#check-button")
    tab.wait_for_selector("#key-dialog[open]")
    assert tab.evaluate("document.activeElement.id") == "key-input"
    tab.keyboard.type("ipg_wrong")
    tab.keyboard.press("Enter")
    tab.get_by_text("The service does not know this key.").wait_for()
    tab.fill("#key-input", key)
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#rewrite:not([hidden])")
    assert tab.inner_text("#decision") == "blocked"
    assert tab.evaluate("[sessionStorage.getItem('key'), localStorage.length, document.cookie]") == [key, 0, ""]
    assert tab.locator("#key-button").is_visible()
    assert all("401" in complaint for complaint in complaints), complaints


def test_keys_of_end_users_see_the_decision_alone(visit, serve, tmp_path):
    open_page, _ = visit
    key, line = new_key("page", "end_user")
    (tmp_path / "keys").write_text(line)
    tab = open_page(serve(keys=str(tmp_path / "keys")))
    tab.evaluate(f"sessionStorage.setItem('key', '{key}')")
    check(tab, "Pikachu in the rain")
    assert tab.inner_text("#alert").startswith("blocked: This request seems")
    assert not tab.locator("#result").is_visible()
