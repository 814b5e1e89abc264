"""The compact authoring format."""

import pytest

from ipguard.catalogue.compact import parse, slug
from ipguard.errors import CatalogueFormatError

HEAD = "# a-work | A Work | game,film | 1999 | JP | Some Holder; Other | protected\n"


def test_a_whole_block():
    parties: dict[str, str] = {}
    (work,) = parse(
        HEAD
        + "@ part_of: big-work | creators: A. B; C. D\n"
        + "= en:o:A Work; ja:s:ワーク = work, labour !ネットワーク,ワークショップ; en:u:Steins;Gate = a name with a semicolon\n"
        + "! en: a description of it\n! ja: 説明\n^ en: a look\n~ generic words\n"
        + "- character | en:op:Jane Doe | en: tall woman in red | a tall woman | ja: 赤い服の背の高い女\n"
        + "- character | ja:o:ジェーン | en: another | | status: public_domain | free: the 1920 book (1995) [US, JP]\n",
        parties=parties,
    )
    assert parties == {"some-holder": "Some Holder", "other": "Other"}
    assert work.part_of == ("big-work",)
    assert work.creators == ("A. B", "C. D")
    assert [n.text for n in work.names] == ["A Work", "ワーク", "Steins;Gate"]
    assert work.names[1].not_in == ("ネットワーク", "ワークショップ")
    assert work.names[1].ordinary == "work, labour"
    assert work.style == {"en": "a look"}
    first, second = work.items
    assert first.names[0].personal
    assert first.descriptions["ja"] == "赤い服の背の高い女"
    assert (second.id, second.status, second.free[0].since, second.free[0].territories) == (
        "item-2",
        "public_domain",
        1995,
        ("US", "JP"),
    )


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("nonsense", 1, "start with '# '"),
        ("# a | b", 1, "seven fields"),
        (HEAD + "= en:x:A", 2, "lang:sense:text"),
        (HEAD + "= en:o:A\n? what", 3, "must start with one of"),
        (HEAD + "= en:o:A\n@ owner: me", 3, "unknown relation"),
        (HEAD.replace("1999", "soon") + "= en:o:A", 1, "year"),
        (HEAD.replace("game", "opera") + "= en:o:A", 1, "Invalid enum value 'opera'"),
        (HEAD + "= en:o:A\n- character |", 3, "must have a name"),
    ],
)
def test_faults_name_the_line_and_the_rule(text, line, rule):
    with pytest.raises(CatalogueFormatError) as caught:
        parse(text, path="x.txt")
    assert caught.value.line == line
    assert rule in str(caught.value)
    assert str(caught.value).startswith("x.txt:")


@pytest.mark.parametrize(
    ("text", "expected"), [("Pokémon GO!", "pokemon-go"), ("Rock 'n' Roll", "rock-n-roll"), ("ポケモン", "")]
)
def test_slug(text, expected):
    assert slug(text) == expected
