"""How IAM compares an action, a resource or a text with a pattern.

Sources: IAM user guide, "IAM JSON policy elements: Resource", "IAM JSON policy elements: Action" and "IAM policy
elements: Variables and tags".
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

Values = str | Sequence[str]
Context = Mapping[str, Values]
"""A request's context: condition keys in lower case, each with one text or several."""

# Variables are those of this version alone; an older one takes `${` for text ("IAM JSON policy elements: Version").
CURRENT_VERSION = "2012-10-17"
_SEGMENTS = 6
_TOKEN = re.compile(r"\$\{([^}]*)\}|\*|\?")
_SPECIAL = ("*", "?", "$")
_VARIABLE = re.compile(r"\s*([^,]*?)\s*(?:,\s*'([^']*)'\s*)?")


def context_of(values: Mapping[str, Values]) -> Context:
    """A context of keys as AWS's documentation spells them: the names of condition keys know no case."""
    return {name.lower(): value for name, value in values.items()}


def several(values: Values) -> Sequence[str]:
    """The values of a key, however many."""
    return [values] if isinstance(values, str) else values


def matches_text(pattern: str, text: str, context: Context, *, wildcards: bool = True, variables: bool = True) -> bool:
    """Whether a text fits a pattern of `*`, `?` and `${key}`; never if a variable has no value and no default."""
    varies = variables and "${" in pattern
    expression = (
        _expression(pattern, context, wildcards=wildcards, variables=True)
        if varies
        else _constant(pattern, wildcards=wildcards)
    )
    return expression is not None and _compiled(expression).fullmatch(text) is not None


def matches_action(pattern: str, action: str) -> bool:
    """Whether `service:Operation` fits; both parts know no case, and there are no variables in actions."""
    return matches_text(pattern.lower(), action.lower(), {}, variables=False)


def matches_arn(pattern: str, arn: str, context: Context, *, variables: bool = True) -> bool:
    """Whether an ARN fits a pattern: each of the six parts by itself, so that no wildcard passes a colon before them.

    `*` alone fits everything. A pattern with fewer parts is completed with wildcards, as AWS does.
    """
    if pattern == "*":
        return True
    parts = _parts(pattern)
    parts += ["*"] * (_SEGMENTS - len(parts))
    found = arn.split(":", _SEGMENTS - 1)
    return len(found) == _SEGMENTS and all(
        matches_text(part, text, context, variables=variables) for part, text in zip(parts, found, strict=True)
    )


def _parts(pattern: str) -> list[str]:
    """The six parts, not cut at a colon inside of `${aws:name}`."""
    parts: list[str] = []
    depth = begin = 0
    for place, character in enumerate(pattern):
        if character == "{" and pattern[place - 1] == "$":
            depth += 1
        elif character == "}" and depth:
            depth -= 1
        elif character == ":" and not depth and len(parts) < _SEGMENTS - 1:
            parts.append(pattern[begin:place])
            begin = place + 1
    return [*parts, pattern[begin:]]


@lru_cache(maxsize=8192)
def _constant(pattern: str, *, wildcards: bool) -> str | None:
    """The expression of a pattern that says the same of every request."""
    return _expression(pattern, {}, wildcards=wildcards, variables=False)


def _expression(pattern: str, context: Context, *, wildcards: bool, variables: bool) -> str | None:
    out, at = [], 0
    for token in _TOKEN.finditer(pattern):
        out.append(re.escape(pattern[at : token.start()]))
        at = token.end()
        if token[1] is not None and variables:
            value = _value(token[1], context)
            if value is None:
                return None
            out.append(re.escape(value))
        elif token[0] in ("*", "?") and wildcards:
            out.append(".*" if token[0] == "*" else ".")
        else:
            out.append(_as_text(token[0], wildcards=wildcards))
    return "".join(out) + re.escape(pattern[at:])


def _as_text(token: str, *, wildcards: bool) -> str:
    """`${...}` of an old version, whose asterisks are wildcards still; or a wildcard where there are none."""
    if not wildcards:
        return re.escape(token)
    return re.escape(token).replace(r"\*", ".*").replace(r"\?", ".")


def _value(inside: str, context: Context) -> str | None:
    """A variable's one value, its default if it has none, None if it has neither or several values."""
    if inside in _SPECIAL:
        return inside
    form = _VARIABLE.fullmatch(inside)
    if form is None:
        return None
    values = context.get(form[1].lower())
    if values is None:
        return form[2]
    found = several(values)
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=8192)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)
