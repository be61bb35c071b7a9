"""Languages that tasks may be wanted in: their codes and what they are called in English.

The codes are those of ISO 639-1; a few with a script or region, as BCP 47 writes them, are
written differently enough to be asked for by name.
"""

from __future__ import annotations

import difflib

from asyncgen.errors import SettingsError

__all__ = ["LANGUAGES", "code_of", "english_name", "primary"]

_CODES = """
af Afrikaans, sq Albanian, am Amharic, ar Arabic, an Aragonese, hy Armenian, as Assamese,
az Azerbaijani, ba Bashkir, eu Basque, be Belarusian, bn Bengali, bs Bosnian, br Breton,
bg Bulgarian, my Burmese, ca Catalan, zh Chinese, zh-Hans Simplified Chinese,
zh-Hant Traditional Chinese, hr Croatian, cs Czech, da Danish, nl Dutch, dz Dzongkha, en English,
eo Esperanto, et Estonian, fo Faroese, fi Finnish, fr French, fy Frisian, gl Galician,
lg Ganda, ka Georgian, de German, el Greek, gn Guarani, gu Gujarati, ht Haitian Creole, ha Hausa,
he Hebrew, hi Hindi, hu Hungarian, is Icelandic, ig Igbo, id Indonesian, ga Irish, it Italian,
ja Japanese, jv Javanese, kn Kannada, kk Kazakh, km Khmer, rw Kinyarwanda, ko Korean, ku Kurdish,
ky Kyrgyz, lo Lao, la Latin, lv Latvian, ln Lingala, lt Lithuanian, lb Luxembourgish,
mk Macedonian, mg Malagasy, ms Malay, ml Malayalam, mt Maltese, mi Maori, mr Marathi,
mn Mongolian, ne Nepali, no Norwegian, nb Norwegian Bokmål, nn Norwegian Nynorsk, oc Occitan,
or Odia, om Oromo, ps Pashto, fa Persian, pl Polish, pt Portuguese, pt-BR Brazilian Portuguese,
pt-PT European Portuguese, pa Punjabi, qu Quechua, ro Romanian, ru Russian, sa Sanskrit,
gd Scottish Gaelic, sr Serbian, sn Shona, sd Sindhi, si Sinhala, sk Slovak, sl Slovenian,
so Somali, st Sotho, es Spanish, su Sundanese, sw Swahili, sv Swedish, tl Tagalog, tg Tajik,
ta Tamil, tt Tatar, te Telugu, th Thai, bo Tibetan, ti Tigrinya, tr Turkish, tk Turkmen,
uk Ukrainian, ur Urdu, ug Uyghur, uz Uzbek, vi Vietnamese, wa Walloon, cy Welsh, wo Wolof,
xh Xhosa, yi Yiddish, yo Yoruba, zu Zulu
"""

_ENTRIES = (entry.strip().partition(" ") for entry in " ".join(_CODES.split()).split(","))

LANGUAGES: dict[str, str] = {code: name for code, _, name in _ENTRIES}
"""From a code to the language's name in English."""

_BY_ANY = {code.lower(): code for code in LANGUAGES} | {
    name.lower(): code for code, name in LANGUAGES.items()
}


def code_of(text: str, place: str) -> str:
    """Return the code of a language given by its code or its English name, in any case.

    Args:
        text: What was given; empty stays empty.
        place: Where, for the error.

    Raises:
        SettingsError: If there is no such language, naming the nearest.
    """
    wanted = " ".join(text.replace("_", "-").split()).lower()
    if not wanted:
        return ""
    if wanted in _BY_ANY:
        return _BY_ANY[wanted]
    near = difflib.get_close_matches(wanted, _BY_ANY, n=1, cutoff=0.6)
    hint = f" (did you mean '{_BY_ANY[near[0]]}', {LANGUAGES[_BY_ANY[near[0]]]}?)" if near else ""
    raise SettingsError(
        f"{place} {text}: no language we know{hint}; give its English name or its code, "
        "such as German or de"
    )


def english_name(code: str) -> str:
    """Return what the language of a code is called in English."""
    return LANGUAGES[code]


def primary(code: str) -> str:
    """Return a code without its script or region."""
    return code.partition("-")[0]
