"""How numbers and moments can be written for a user: the locales and zones to choose from."""

from functools import cache
from importlib.resources import files
from typing import Final

PLAIN: Final = ""
"""The form that is no locale's: 1,234.50 and 2026-10-03 16:05."""

WRITTEN: Final = {
    PLAIN: ("Plain", "1,234,567.50", "2026-10-03 16:05"),
    "cs_CZ": ("Czech", "1 234 567,50", "3. 10. 2026 16:05"),
    "da_DK": ("Danish", "1.234.567,50", "3. okt. 2026 16.05"),
    "nl_NL": ("Dutch", "1.234.567,50", "3 okt 2026 16:05"),
    "en_IN": ("English (India)", "12,34,567.50", "3 Oct 2026 4:05 PM"),
    "en_ZA": ("English (South Africa)", "1 234 567,50", "03 Oct 2026 16:05"),
    "en_GB": ("English (United Kingdom)", "1,234,567.50", "3 Oct 2026 16:05"),
    "en_US": ("English (United States)", "1,234,567.50", "Oct 3, 2026 4:05 PM"),
    "fi_FI": ("Finnish", "1 234 567,50", "3.10.2026 16.05"),
    "fr_FR": ("French", "1 234 567,50", "3 oct. 2026 16:05"),
    "fr_CH": ("French (Switzerland)", "1'234'567,50", "3 oct. 2026 16:05"),
    "de_DE": ("German", "1.234.567,50", "03.10.2026 16:05"),
    "de_AT": ("German (Austria)", "1.234.567,50", "03.10.2026 16:05"),
    "de_CH": ("German (Switzerland)", "1'234'567.50", "03.10.2026 16:05"),
    "hi_IN": ("Hindi", "12,34,567.50", "3 अक्टू॰ 2026 4:05 pm"),
    "hu_HU": ("Hungarian", "1 234 567,50", "2026. okt. 3. 16:05"),
    "id_ID": ("Indonesian", "1.234.567,50", "3 Okt 2026 16.05"),
    "it_IT": ("Italian", "1.234.567,50", "3 ott 2026 16:05"),
    "ja_JP": ("Japanese", "1,234,567.50", "2026/10/03 16:05"),
    "ko_KR": ("Korean", "1,234,567.50", "2026. 10. 3. 오후 4:05"),
    "nb_NO": ("Norwegian", "1 234 567,50", "3. okt. 2026 16:05"),
    "pl_PL": ("Polish", "1 234 567,50", "3 paź 2026 16:05"),
    "pt_PT": ("Portuguese", "1 234 567,50", "03/10/2026 16:05"),
    "pt_BR": ("Portuguese (Brazil)", "1.234.567,50", "3 de out. de 2026 16:05"),
    "ru_RU": ("Russian", "1 234 567,50", "3 окт. 2026 г. 16:05"),  # noqa: RUF001 - as it is written there
    "zh_CN": ("Chinese", "1,234,567.50", "2026年10月3日 16:05"),
    "es_ES": ("Spanish", "1.234.567,50", "3 oct 2026 16:05"),
    "es_MX": ("Spanish (Mexico)", "1,234,567.50", "3 oct 2026 4:05 p.m."),
    "sv_SE": ("Swedish", "1 234 567,50", "3 okt. 2026 16:05"),
    "tr_TR": ("Turkish", "1.234.567,50", "3 Eki 2026 16:05"),
    "uk_UA": ("Ukrainian", "1 234 567,50", "3 жовт. 2026 р. 16:05"),  # noqa: RUF001 - the same
    "vi_VN": ("Vietnamese", "1.234.567,50", "3 thg 10, 2026 16:05"),
}
"""Locales by code: what each is called, and how it writes a number and a moment."""


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of all zones, as the IANA database has them, in order."""
    return tuple(sorted(files("tzdata").joinpath("zones").read_text("utf-8").split()))
