"""Redshift's data types as PostgreSQL's.

Known difference: Redshift counts the bytes of a VARCHAR(n), PostgreSQL its characters, so that a text of n characters
that are not ASCII fits here only. See https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html.
"""

from sqlglot import exp

from infra.local.redshift.unsupported import LOCAL, UnsupportedError

_D = exp.DType
_SAME = {_D.SMALLINT, _D.INT, _D.BIGINT, _D.FLOAT, _D.DOUBLE, _D.BOOLEAN, _D.DATE, _D.TIME, _D.TIMETZ}
_SAME |= {_D.TIMESTAMP, _D.TIMESTAMPTZ, _D.NAME}
_MAX_VARCHAR = 65535
_MAX_CHAR = 4096


def to_postgres(data_type: exp.DataType, *, of_column: bool) -> None:
    """Turn a type into PostgreSQL's in place.

    A column without a length gets Redshift's default length, a cast does not truncate. Raises UnsupportedError for
    other types, and for lengths and precisions beyond Redshift's.
    """
    kind = data_type.this
    if kind in _SAME or (kind == _D.INTERVAL and not of_column):
        return
    if kind == _D.SUPER:
        data_type.replace(exp.DataType(this=_D.JSONB))
    elif kind == _D.VARBINARY:
        data_type.set("expressions", [])
    elif kind in (_D.VARCHAR, _D.NVARCHAR, _D.TEXT):
        _varchar(data_type, of_column=of_column)
    elif kind in (_D.CHAR, _D.NCHAR, _D.BPCHAR):
        _char(data_type)
    elif kind == _D.DECIMAL:
        _decimal(data_type)
    elif kind == _D.USERDEFINED and str(data_type.args.get("kind")).lower() in ("regclass", "oid"):
        return
    else:
        raise UnsupportedError(f"{LOCAL}type {data_type.sql(dialect='redshift')}")


def _varchar(data_type: exp.DataType, *, of_column: bool) -> None:
    length = _length(data_type)
    if length is None:
        length = 256 if of_column else None
    if length is not None and not 1 <= length <= _MAX_VARCHAR:
        raise UnsupportedError(f"length for type character varying cannot exceed {_MAX_VARCHAR}", "22023")
    data_type.set("this", _D.VARCHAR)
    data_type.set("expressions", [] if length is None else [_param(length)])


def _char(data_type: exp.DataType) -> None:
    length = _length(data_type)
    if length is None:
        length = 256 if data_type.this == _D.BPCHAR else 1
    if not 1 <= length <= _MAX_CHAR:
        raise UnsupportedError(f"length for type character cannot exceed {_MAX_CHAR}", "22023")
    data_type.set("this", _D.CHAR)
    data_type.set("expressions", [_param(length)])


def _decimal(data_type: exp.DataType) -> None:
    """DECIMAL without precision is DECIMAL(18, 0): https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html."""
    params = [int(param.name) for param in data_type.expressions] or [18]
    precision, scale = [*params, 0][:2]
    if not 1 <= precision <= 38 or not 0 <= scale <= min(37, precision):
        raise UnsupportedError(
            f"NUMERIC precision {precision} must be between 1 and 38, scale {scale} below it", "22023"
        )
    data_type.set("expressions", [_param(precision), _param(scale)])


def _length(data_type: exp.DataType) -> int | None:
    if not data_type.expressions:
        return None
    text = data_type.expressions[0].name
    return _MAX_VARCHAR if text.upper() == "MAX" else int(text)


def _param(value: int) -> exp.DataTypeParam:
    return exp.DataTypeParam(this=exp.Literal.number(value))
