"""Territories by their ISO 3166-1 codes."""

from __future__ import annotations

from ipguard.errors import InvalidArgumentError

CODES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - a line of codes reads better than quotes around each
)
"""All of ISO 3166-1, and XK, which is in use for Kosovo."""


def check_territory(argument: str, value: object) -> str:
    """Return a territory after checking that there is one of that code.

    A code that no territory has would never hold, so that a block for "UK" would let everything pass in GB.

    Parameters
    ----------
    argument
        Name of the argument, for the error.
    value
        What was given.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InvalidArgumentError
        If it is not such a code in capitals.
    """
    if isinstance(value, str) and value in CODES:
        return value
    raise InvalidArgumentError(argument, "be an ISO 3166 code of two capitals, such as JP or GB", value)
