"""Fixtures: a small catalogue of real works, and the guard that is shipped."""

import pytest

from ipguard.catalogue.build import compile_catalogue
from ipguard.catalogue.compact import parse
from ipguard.catalogue.schema import Party, Person
from ipguard.catalogue.store import Catalogue
from ipguard.guard import Guard
from ipguard.matching.names import NameMatcher

SMALL = """
# pokemon | Pokémon | game,anime | 1996 | JP | Nintendo; Game Freak | protected
= en:o:Pokémon; ja:o:ポケモン
! en: colourful adventures of children who catch small fighting monsters in round red and white capsules
- creature | en:o:Pikachu; ja:o:ピカチュウ; zh:o:皮卡丘; ko:o:피카츄 | en: chubby yellow mouse with red cheeks, black ear tips and a tail like a lightning bolt | a cute electric mouse | ja: 赤い頬と稲妻形の尻尾を持つ丸い黄色のねずみ

# dragon-ball | Dragon Ball | manga,anime | 1984 | JP | Bird Studio; Shueisha | protected
= en:o:Dragon Ball; ja:o:ドラゴンボール; en:u:DBZ = abbreviation
- character | en:op:Son Goku; en:u:Goku = a given name; ja:s:孫悟空 = the Monkey King; ja:u:悟空 = the Monkey King | en: muscular man with wild spiky black hair in an orange martial arts uniform | a spiky-haired martial artist
- character | en:r:Trunks = swimming shorts, parts of trees | en: young swordsman with lavender hair and a cropped denim jacket | a young swordsman
- character | en:r:Piccolo = a small flute | en: tall green man with antennae, a white cape and a turban | a green warrior

# legend-of-zelda | The Legend of Zelda | game | 1986 | JP | Nintendo | protected
= en:o:The Legend of Zelda; ja:o:ゼルダの伝説
- character | en:s:Link = a chain element; ja:s:リンク = a skating rink !ドリンク | en: young swordsman with pointed ears, green tunic and long cap | a young swordsman in green
- artefact | en:o:Master Sword | en: long straight blade with a winged purple hilt | a holy sword

# one-piece | One Piece | manga,anime | 1997 | JP | Shueisha | protected
= en:s:One Piece = a swimsuit in one piece; ja:s:ワンピース = a dress
- character | ja:o:ルフィ; en:o:Monkey D. Luffy | en: grinning young man with a straw hat, open red shirt and a scar under his eye | a cheerful young pirate

# marvel | Marvel | comic | 1939 | US | Marvel | protected
= en:s:Marvel = a wonder; ja:u:マーベル = a wonder

# marvel-spider-man | Spider-Man | comic,film | 1962 | US | Marvel | protected
@ part_of: marvel
= en:o:Spider-Man; ja:o:スパイダーマン
- character | en:o:Ant-Man; ja:s:ソー = a syllable !ソース,ソーダ | en: man in a red suit who shrinks to the size of an insect | a tiny hero

# ghost-in-the-shell | Ghost in the Shell | manga | 1989 | JP | Kodansha | protected
= en:o:Ghost in the Shell; ja:o:攻殻機動隊
- character | en:op:Motoko Kusanagi; ja:op:草薙素子 | en: woman with short purple hair and a tactical suit | a cyborg officer

# sun-wukong-myth | Sun Wukong | folklore | 1592 | CN |  | public_domain
= en:o:Sun Wukong; ja:s:孫悟空 = also the hero of a protected manga; zh:u:孙悟空 = also the hero of a protected manga

# kirby | Kirby | game | 1992 | JP | Nintendo | protected
= en:s:Kirby = a surname; ja:o:星のカービィ
"""


@pytest.fixture(scope="session")
def small() -> Catalogue:
    parties: dict[str, str] = {}
    works = {work.id: work for work in parse(SMALL, parties=parties)}
    people = (Person(id="jack-kirby", names=("Jack Kirby",), roles=("artist",)),)
    held = {i: Party(id=i, names={"en": name}) for i, name in parties.items()}
    return Catalogue(works=works, parties=held, people=people, version="test")


@pytest.fixture(scope="session")
def compiled(small):
    return compile_catalogue(small)


@pytest.fixture(scope="session")
def matcher(compiled) -> NameMatcher:
    return NameMatcher(compiled)


@pytest.fixture(scope="session")
def guard() -> Guard:
    return Guard()
