"""Recognises a bare "thank you", which asks for nothing and so reopens nothing. Pure.

Every word must be known: one that is not ("still", "but", a name of a screen) means that there may be more to it, and then a person reads it.
"""

from __future__ import annotations

import re

_MAX_WORDS = 20
_THANKS = frozenset(
    "thank thanks thx ty cheers danke dankeschön merci gracias grazie obrigado obrigada dank dziękuję tack takk tak kiitos".split()
)
_AROUND = frozenset(
    "a all again and appreciate appreciated awesome best big brilliant dear excellent fantastic fast for good great "
    "hello help helping hey hi it kind "
    "kindly lot lots many mille million much now nice of ok okay perfect problem quick quickly really regards resolved "
    "so solved solving solution super "
    "support sincerely team that the this time very we well wonderful work works working you your yours "
    "alles bestens das der die dir es euch freundliche für gerne geht grüße gruß hallo herzlich herzlichen hilfe ihnen "
    "ihre liebe nochmals schnelle schöne sehr toll "
    "top und vielen viele wunderbar "
    "aide beaucoup bien bonjour bonne cordialement journée parfait pour salutations tout tous un une votre vous "
    "ayuda buen hola la mil muchas muchísimas perfecto por saludos su todo tu".split()
)
_GREETING = re.compile(r"\s*(?:hi|hello|hey|dear|hallo|liebe[rs]?|bonjour|hola)\b[^\n,!.?]{0,40}[\n,!.]", re.IGNORECASE)  # and whom
_WORD = re.compile(r"[^\W\d_]+")


def is_mere_thanks(text: str, *, author: str) -> bool:
    """`author` is the name that may stand below it."""
    words = [word.lower() for word in _WORD.findall(_GREETING.sub("", text[:1000], count=1))]
    known = _THANKS | _AROUND | {word.lower() for word in _WORD.findall(author)}
    return (
        0 < len(words) <= _MAX_WORDS and len(text) <= 1000 and "?" not in text and not _THANKS.isdisjoint(words) and known.issuperset(words)
    )
