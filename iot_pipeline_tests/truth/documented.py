"""The documented statements against Trino: what the tables say must be what it answers."""

from iot_pipeline_tests.support.athena_documented import TABLES
from iot_pipeline_tests.support.athena_documented.case import Refused, query_of
from iot_pipeline_tests.truth.comparison import Tally
from iot_pipeline_tests.truth.engines import DuckDBAnswers, TrinoAnswers


def compared(duckdb: DuckDBAnswers, trino: TrinoAnswers) -> Tally:
    """The verdicts of all documented statements."""
    tally = Tally()
    for statement, expected, _ in (case for cases in TABLES.values() for case in cases):
        query = query_of(statement)
        if isinstance(expected, Refused) and expected.words.startswith("NOT_SUPPORTED_LOCALLY"):
            tally.add(query, duckdb.answer(query), [])
        else:
            tally.add(query, duckdb.answer(query), trino.answer(query))
    return tally
