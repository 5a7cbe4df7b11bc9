"""Lines and columns in a text that a person gave."""

import re
from array import array
from bisect import bisect_right

_LINE_BREAKS = re.compile(r"\r\n?")

_TWO_LINE_NUMBERS = re.compile(r"^[ \t]*+1[ \t]*+\n[^\n]*+\n[ \t]*+2[ \t]*+$", re.MULTILINE)


class PlacedText:
    """A text with one kind of line break and without the line numbers of a web page.

    Its methods give lines of the original text.
    """

    def __init__(self, given: str) -> None:
        self.text = _LINE_BREAKS.sub("\n", given)
        self._lines: array[int] | None = None
        if _TWO_LINE_NUMBERS.search(self.text):
            lines = self.text.split("\n")
            kept = _without_line_numbers(lines)
            self.text = "\n".join(lines[place] for place in kept)
            self._lines = array("L", (place + 1 for place in kept))
        self._starts = array("L", (0, *(match.end() for match in re.finditer("\n", self.text))))

    def line(self, offset: int) -> int:
        """The line of the given text, from 1."""
        return self._number(self._row(offset))

    def line_and_column(self, offset: int) -> str:
        """For people: "line 3, column 7"."""
        row = self._row(offset)
        return f"line {self._number(row)}, column {offset - self._starts[row] + 1}"

    def _number(self, row: int) -> int:
        return self._lines[row] if self._lines else row + 1

    def _row(self, offset: int) -> int:
        return max(bisect_right(self._starts, offset) - 1, 0)


def _without_line_numbers(lines: list[str]) -> list[int]:
    """The indexes of the lines that are not line numbers.

    A text copied from a web page can have the number of each line above it: 1, the first line, 2, the second line.
    """
    kept: list[int] = []
    place = 0
    number = 0
    while place < len(lines):
        here = lines[place].strip()
        starts = here == "1" and place + 2 < len(lines) and lines[place + 2].strip() == "2"
        if starts or (number and here == str(number + 1)):
            number = 1 if starts else number + 1
            place += 1
            if place == len(lines):
                break
        else:
            number = 0
        kept.append(place)
        place += 1
    return kept or [0]
