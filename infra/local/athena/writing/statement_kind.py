"""The SubstatementType of DDL (Athena API reference, "QueryExecution")."""

import re

_VERB = re.compile(
    r"\b(ADD|DROP)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?PARTITION|\b(ADD|REPLACE)\s+COLUMNS|\b(CHANGE)\b|\bSET\s+(\w+)",
    re.IGNORECASE,
)


def kind_of(text: str) -> str:
    """SubstatementType of a statement, by its words."""
    words = [w.upper() for w in re.findall(r"\w+", text[:200])[:3]]
    if words[0] in {"DESCRIBE", "DESC"}:
        return "DESCRIBE_TABLE"
    if words[0] == "ALTER":
        verb = _VERB.search(text)
        named = verb[0].upper().split() if verb else []
        return "_".join(dict.fromkeys(["ALTER", words[1], *named[:1], *named[-1:]]))
    return "_".join(w for w in words[:2] if w != "EXTERNAL") + ("_TABLE" if words[1] == "EXTERNAL" else "")
