"""Tables of rules: headings, cells, titles in any language, nothing guessed."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.errors import InvalidArgumentError, PolicyError
from ipguard.policy.resolving import Resolver, reject_lines
from ipguard.policy.rules import Rule
from ipguard.policy.tables import day, read_table, territories, write_table

MORE = """
# pixel-fables | Pixel Fables | game | 2001 | JP | Studio A | protected
= en:o:Twin Tale; ja:o:双子の話
# twin-tale-film | Twin Tale: The Film | film | 2010 | US | Studio B | protected
= en:o:Twin Tale
# twin-tale-folk | Twin Tale Folklore | folklore | 1500 | JP |  | public_domain
= en:o:Twin Tale
# marvel-spider-verse | Spider-Verse | film | 2018 | US | Marvel | protected
@ part_of: marvel-spider-man
= en:o:Spider-Man
"""


@pytest.fixture(scope="module")
def catalogue(small):
    parties = {**small.parties, "shueisha": replace_names(small.parties["shueisha"], ja="集英社")}
    return replace(small.add(MORE), parties={**small.add(MORE).parties, **parties})


def replace_names(party, **names):
    import msgspec

    return msgspec.structs.replace(party, names={**party.names, **names})


@pytest.fixture
def resolve(catalogue):
    def of(text, **options):
        return Resolver(catalogue, **options).resolve(read_table(text))

    return of


def table(*rows, heading="title,rights_holder,effect"):
    return "\n".join((heading, *rows)) + "\n"


@pytest.mark.parametrize(
    "title", ["Dragon Ball", "ドラゴンボール", "『ドラゴンボール』", "dragon-ball", "ＤＲＡＧＯＮ ＢＡＬＬ", "DBZ"]
)
def test_titles_in_any_language_and_spelling(resolve, title):
    found = resolve(table(title))
    assert found.rules == (Rule("block", reason="opted_out", work="dragon-ball"),)
    assert found.rejects == found.notes == ()


@pytest.mark.parametrize(
    ("title", "text", "near"),
    [
        ("Dragonball Z Kai", "is no title of a work", "dragon-ball"),
        ("Pikachu", "is no title of a work", "pokemon/pikachu"),
        ("ピカチュウ", "is no title of a work", "pokemon/pikachu"),
        ("qqqqqqq", "is no title of a work", None),
    ],
)
def test_what_is_no_title_is_listed_with_near_ones(resolve, title, text, near):
    found = resolve(table("ok", title, heading="title"))
    why = found.rejects[1]
    assert (why.row, why.column, why.value, why.text) == (3, "title", title, text)
    assert (near in why.near) if near else why.near == ()
    assert found.rules == ()


def test_an_ambiguous_title_is_not_guessed_and_the_holder_tells(resolve):
    found = resolve(table("Twin Tale"))
    assert found.rejects[0].text == "means several works"
    assert found.rejects[0].near == ("pixel-fables", "twin-tale-film"), "what is free has nothing to opt out of"
    assert resolve(table("Twin Tale,Studio B")).rules[0].work == "twin-tale-film"
    assert resolve(table("双子の話")).rules[0].work == "pixel-fables"


def test_of_a_work_and_its_part_the_whole_is_meant(resolve):
    assert resolve(table("Spider-Man")).rules[0].work == "marvel-spider-man"


def test_items(resolve):
    heading = "title,item"
    assert resolve(table("Dragon Ball,孫悟空", heading=heading)).rules[0].item == "son-goku"
    assert resolve(table("Dragon Ball,Trunks", heading=heading)).rules[0].item == "trunks"
    wrong = resolve(table("Dragon Ball,Pikachu", "Dragon Ball,Pikolo", ",Pikachu", heading=heading)).rejects
    assert [why.text for why in wrong] == ["is no item of dragon-ball"] * 2 + ["needs a work or title"]
    assert wrong[1].near == ("piccolo",)
    assert wrong[2].near == ("pokemon/pikachu",)


def test_rights_holders(resolve):
    assert resolve(table(",Shueisha", ",集英社")).rules == (
        Rule("block", reason="opted_out", rights_holder="shueisha"),
    )
    wrong = resolve(table(",Shueisya")).rejects[0]
    assert (wrong.column, wrong.near) == ("rights_holder", ("shueisha",))


def test_a_work_named_with_another_holder_is_noted_and_a_permit_refused(resolve):
    block = resolve(table("Dragon Ball,Nintendo", "Dragon Ball,unheard of"))
    assert block.rules == (Rule("block", reason="opted_out", work="dragon-ball"),)
    assert [note.row for note in block.notes] == [2, 3]
    permit = resolve(
        table("Dragon Ball,Nintendo,permit", "Dragon Ball,unheard of,permit", "Dragon Ball,Shueisha,permit")
    )
    assert [why.row for why in permit.rejects] == [2, 3]
    assert permit.rules == (Rule("permit", reason="licensed", work="dragon-ball"),)


def test_a_block_of_what_is_free_is_noted(resolve):
    found = resolve(table("Sun Wukong"))
    assert found.rules[0].work == "sun-wukong-myth"
    assert "public domain" in found.notes[0].text


JAPANESE = """作品名,キャラクター,権利者,媒体,区分,扱い,理由,対象地域,開始日,終了日,根拠,確認閾値,禁止閾値,備考
ドラゴンボール,孫悟空,集英社,漫画,作品,禁止,オプトアウト,日本、FR,2026年1月5日,2027/3/31,通知書,0.2,０．６,急ぎ
,,,アニメ,画風,要確認,社内規定,全世界,,,,,,
"""


def test_japanese_headings_and_words(resolve):
    found = resolve(JAPANESE)
    full = Rule(
        "block", reason="opted_out", work="dragon-ball", item="son-goku", medium="manga", category="franchise",
        territories=("FR", "JP"), since=date(2026, 1, 5), until=date(2027, 3, 31), source="通知書", review=0.2, block=0.6,
    )  # fmt: skip
    assert found.rejects == ()
    assert found.rules == (full, Rule("review", medium="anime", category="style"))
    assert read_table(JAPANESE).ignored == ("備考",)


@pytest.mark.parametrize(
    ("cell", "column"),
    [
        ("maybe", "effect"),
        ("because", "reason"),
        ("UK", "territories"),
        ("2026-02-30", "since"),
        ("tomorrow", "until"),
        ("high", "review"),
        ("7", "block"),
        ("mnga", "medium"),
        ("music", "category"),
    ],
)
def test_a_bad_cell_is_named(resolve, cell, column):
    found = resolve(f"title,{column}\nDragon Ball,{cell}\n")
    assert found.rules == ()
    assert (found.rejects[0].row, found.rejects[0].column, found.rejects[0].value) == (2, column, cell)


def test_a_row_that_names_nothing_is_no_rule_for_everything(resolve):
    found = resolve(table(",,block", ",,", "Dragon Ball"))
    assert [why.row for why in found.rejects] == [2]
    assert len(found.rules) == 1


def test_the_same_row_twice_is_one_rule(resolve):
    assert len(resolve(table("Dragon Ball", "ドラゴンボール")).rules) == 1


def test_defaults_of_the_command(resolve):
    assert resolve(table("Dragon Ball"), effect="permit").rules == (
        Rule("permit", reason="licensed", work="dragon-ball"),
    )
    assert resolve(table("Dragon Ball"), reason="house_rule").rules[0].reason == "house_rule"
    assert resolve(table("Dragon Ball,,review"), effect="permit").rules[0].reason == "opted_out"
    with pytest.raises(InvalidArgumentError, match="effect"):
        resolve(table("Dragon Ball"), effect="maybe")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column title"),
        ("colour,shape\nred,round\n", "colour, shape"),
        ("title,作品名\na,b\n", "more than one column for title"),
        ("title,effect\na,b,c\n", "Row 2"),
        ('title\n"never closed\n', "not CSV"),
    ],
)
def test_what_is_no_table_of_rules_is_refused(text, message):
    with pytest.raises(PolicyError, match=message):
        read_table(text)


def test_rejects_can_be_mended_and_read_again(resolve, catalogue):
    text = 'title,source,effect\n"Dragonbal","a, ""b""",block\nDragon Ball,x\n'
    parsed = read_table(text)
    lines = "".join(reject_lines(parsed, Resolver(catalogue).resolve(parsed).rejects))
    row = next(csv.DictReader(io.StringIO(lines)))
    assert (row["title"], row["source"], row["row"]) == ("Dragonbal", 'a, "b"', "2")
    assert "dragon-ball" in row["near"]
    assert resolve(lines.replace("Dragonbal,", "Dragon Ball,")).rules == (
        Rule("block", reason="opted_out", work="dragon-ball", source='a, "b"'),
    )


def test_what_is_written_reads_the_same(resolve):
    rules = (
        Rule(
            "block",
            reason="opted_out",
            work="dragon-ball",
            item="son-goku",
            territories=("JP", "US"),
            source='a,"b"\nc',
        ),
        Rule("permit", reason="licensed", rights_holder="shueisha", since=date(2026, 1, 1), until=date(2026, 2, 1)),
        Rule("review", category="style", medium="anime", review=0.7),
    )
    assert resolve("\ufeff" + "".join(write_table(rules, {"dragon-ball": "Dragon Ball"}))).rules == rules


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(["{0}-{1:02}-{2:02}", "{0}/{1}/{2}", "{0}年{1}月{2}日"]))
def test_days(when, form):
    assert day(form.format(when.year, when.month, when.day)) == when


def test_territories():
    assert territories("jp; US、fr") == ("JP", "US", "FR")
    assert territories("全世界") == territories("") == ()
    assert territories("日本 ＧＢ") == ("JP", "GB")


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), max_size=4), max_size=5))
def test_any_table_is_read_or_refused(rows):
    text = io.StringIO()
    csv.writer(text).writerows([["title", "item", "rights_holder", "source"], *rows])
    try:
        found = read_table(text.getvalue())
    except PolicyError:
        return
    assert len(found.rows) <= len(rows)
    for row in found.rows:
        assert set(row.fields) <= {"title", "item", "rights_holder", "source"}


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20))
def test_any_title_is_resolved_or_rejected(catalogue_for_titles, title):
    text = io.StringIO()
    csv.writer(text).writerows([["title"], [title]])
    table = read_table(text.getvalue())
    found = catalogue_for_titles.resolve(table)
    assert len(found.rules) + len(found.rejects) == len(table.rows)


@pytest.fixture(scope="module")
def catalogue_for_titles(catalogue):
    return Resolver(catalogue)
