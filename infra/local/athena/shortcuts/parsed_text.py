"""CAST([TRY](json_parse(x)) AS ROW, ARRAY or MAP): guards that look at x itself, before anything is parsed."""

from sqlglot import exp


def parsed_text(node: exp.Expr) -> exp.Expr | None:
    """The x of json_parse(x), seen through brackets and TRY."""
    while True:
        node = node.unnest()
        if not isinstance(node, exp.Anonymous) or len(node.expressions) != 1:
            return None
        argument: exp.Expr = node.expressions[0]
        if node.name.lower() == "json_parse":
            return argument
        if node.name.lower() != "try":
            return None
        node = argument
