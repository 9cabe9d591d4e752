"""Patterns with wildcards, of LIKE or of SHOW TABLES, as regular expressions that never try a place twice."""

import re


def wildcard_pattern(text: str, *, run: str, one: str) -> re.Pattern[str]:
    """What `fullmatch`es a pattern in which `run` stands for any text and `one` for any character.

    A piece between two runs is held to its first place, as `fnmatch` does it: a later one leaves less to the rest. With
    `.*` for each run, twenty runs that match nothing would keep the server for years.
    """
    first, *others = ("".join("." if char == one else re.escape(char) for char in piece) for piece in text.split(run))
    if others:
        first += "".join(f"(?>.*?{piece})" for piece in others[:-1]) + ".*" + others[-1]
    return re.compile(first, re.DOTALL)
