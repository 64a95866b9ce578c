"""Text folded for comparison, each letter still knowing where it stood: no case, accents or odd digits."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d", "ŋ": "n",
    "’": "'", "‘": "'", "ʼ": "'",
}  # fmt: skip
"""What Unicode does not take apart."""
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})


@dataclass(frozen=True, slots=True)
class Folded:
    """The folded text, and for each of its characters its place in the text as it was."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the folded text stood: start and end in the text as it was."""
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """The text in small letters, without accents and invisible characters, every digit as 0 to 9."""
    letters: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        if character.isascii():
            letters.append(character.lower())
            places.append(at)
            continue
        for part in unicodedata.normalize("NFKD", character):
            if unicodedata.category(part) in _INVISIBLE:
                continue
            digit = unicodedata.digit(part, None) if unicodedata.category(part) == "Nd" else None
            folded = str(digit) if digit is not None else part.casefold()
            for letter in folded:
                for plain in _LETTERS.get(letter, letter):
                    letters.append(plain)
                    places.append(at)
    return Folded("".join(letters), tuple(places))


def latin(text: str) -> bool:
    """Whether every letter of a folded text is one of a to z."""
    return all("a" <= letter <= "z" for letter in text if letter.isalpha())
