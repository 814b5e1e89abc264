"""Documents that cannot lie: the command reference, the figures, the commands of the README."""

import json
import re
import sys
from pathlib import Path

import pytest

import ipguard

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
sys.path.insert(0, str(ROOT / "tools"))


def test_the_command_reference_is_fresh():
    import cli_reference

    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == cli_reference.render()


def test_the_figures_are_spliced_from_the_records():
    import splice

    for name in ("accuracy", "speed", "size", "example", "batch", "serve"):
        content = getattr(splice, name)()
        for page in splice.PAGES:
            found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page.read_text("utf-8"), re.DOTALL)
            assert found is None or found[1] == content, f"{page.name}: run python tools/splice.py"
    assert (ROOT / "docs" / "model-card.md").read_text("utf-8") == (ROOT / "models/default/CARD.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nobody_is_told_to_install_the_other_package(page):
    assert not re.search(r"pip install ['\"]?ipguard(?!-prompts)", page.read_text("utf-8"))


def test_the_examples_of_the_readme_hold(guard):
    example = re.search(r'ipguard score "([^"]+)"', (ROOT / "README.md").read_text("utf-8"))[1]
    works = {m.work_id for m in guard.score(example).matches if m.risk >= guard.thresholds[0]}
    assert {"one-piece", "pokemon"} <= works
    text = (ROOT / "README.md").read_text("utf-8")
    for prompt in re.findall(r'ipguard\.score\("([^"]+)"\)\.decision +# "allow"', text):
        assert guard.score(prompt).decision == "allow"


def test_changelog_and_version_agree():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[1]
    assert newest == ipguard.__version__


def test_every_error_of_the_tree_is_public():
    from ipguard import errors

    names = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, errors.IpguardError)}
    assert names <= set(ipguard.__all__)


def test_records_are_dated_and_name_their_versions():
    for path in (ROOT / "benchmarks" / "records").glob("*.json"):
        record = json.loads(path.read_text("utf-8"))
        assert re.match(r"\d{4}-\d{2}-\d{2}-", path.name)
        assert {"model", "catalogue", "python", "libraries"} <= set(record)
