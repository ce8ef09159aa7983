"""Language codes and names, as clients write them."""

from __future__ import annotations

from wavescribe.errors import InvalidRequestError

_LISTED = """
af:afrikaans am:amharic ar:arabic as:assamese az:azerbaijani ba:bashkir be:belarusian bg:bulgarian bn:bengali
bo:tibetan br:breton bs:bosnian ca:catalan cs:czech cy:welsh da:danish de:german el:greek en:english
es:spanish et:estonian eu:basque fa:persian fi:finnish fo:faroese fr:french gl:galician gu:gujarati ha:hausa
haw:hawaiian he:hebrew hi:hindi hr:croatian ht:haitian_creole hu:hungarian hy:armenian id:indonesian
is:icelandic it:italian ja:japanese jw:javanese ka:georgian kk:kazakh km:khmer kn:kannada ko:korean la:latin
lb:luxembourgish ln:lingala lo:lao lt:lithuanian lv:latvian mg:malagasy mi:maori mk:macedonian ml:malayalam
mn:mongolian mr:marathi ms:malay mt:maltese my:myanmar ne:nepali nl:dutch nn:nynorsk no:norwegian oc:occitan
pa:punjabi pl:polish ps:pashto pt:portuguese ro:romanian ru:russian sa:sanskrit sd:sindhi si:sinhala sk:slovak
sl:slovenian sn:shona so:somali sq:albanian sr:serbian su:sundanese sv:swedish sw:swahili ta:tamil te:telugu
tg:tajik th:thai tk:turkmen tl:tagalog tr:turkish tt:tatar uk:ukrainian ur:urdu uz:uzbek vi:vietnamese
yi:yiddish yo:yoruba zh:chinese yue:cantonese
"""

NAMES = dict(pair.split(":") for pair in _LISTED.split())
"""ISO 639-1 code (639-3 where there is no shorter one) to the English name, as Whisper's tokenizer lists them."""

CODES = {name.replace("_", " "): code for code, name in NAMES.items()} | {"mandarin": "zh", "burmese": "my"}
"""English name to code."""


def language_name(code: str) -> str:
    """The language's English name in lower case, or the code itself when it has none here."""
    return NAMES.get(code, code).replace("_", " ")


def language_code(text: str) -> str:
    """The code of a language given as a code ("en"), a tag ("en-US") or an English name ("English").

    Raises:
        InvalidRequestError: it is none of these.
    """
    wanted = text.strip().lower()
    code = CODES.get(wanted, wanted.replace("_", "-").split("-")[0])
    if code not in NAMES:
        raise InvalidRequestError(
            f"Invalid language '{text}'. Language parameter must be specified in ISO-639-1 format.",
            code="invalid_language_format",
            param="language",
        )
    return code
