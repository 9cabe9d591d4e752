"""Mistakes in the tables of the catalog, and in what crawls."""

from collections.abc import Callable

from infra.verdict.planted.mistake import Body, Mistake, setting

_GLUE = "AWS::Glue::Table"
_CRAWLER = "AWS::Glue::Crawler"
_FORM = "projections_have_the_right_form"
_READ = "tables_can_be_read"


def _projection(key: str, value: str | None) -> Callable[[Body], bool]:
    name = f"projection.{key}"

    def plant(body: Body) -> bool:
        parameters = body["Properties"]["TableInput"]["Parameters"]
        if name not in parameters:
            return False
        parameters.pop(name) if value is None else parameters.update({name: value})
        return True

    return plant


def _serde(body: Body) -> bool:
    info = body["Properties"]["TableInput"]["StorageDescriptor"]["SerdeInfo"]
    info["SerializationLibrary"] = info["SerializationLibrary"].replace("SerDe", "Serde")
    return True


MISTAKES = (
    Mistake("a projection 0-23", _FORM, (_GLUE,), _projection("hour.range", "0-23")),
    Mistake("a projection that leaves midnight out", _FORM, (_GLUE,), _projection("hour.range", "1,23")),
    Mistake("a projection of hours with one digit", _FORM, (_GLUE,), _projection("hour.digits", None)),
    Mistake("a projection of 30 days", _FORM, (_GLUE,), _projection("day.range", "1,30")),
    Mistake("a projection of an unknown type", _FORM, (_GLUE,), _projection("year.type", "int")),
    Mistake("a projection of years backwards", _FORM, (_GLUE,), _projection("year.range", "2039,2020")),
    Mistake(
        "a projection at another place",
        _FORM,
        (_GLUE,),
        lambda body: (
            "storage.location.template" in body["Properties"]["TableInput"]["Parameters"]
            and setting("s3://other/", "TableInput", "Parameters", "storage.location.template")(body)
        ),
    ),
    Mistake("a misspelt SerDe", _READ, (_GLUE,), _serde),
    Mistake(
        "Parquet read as text",
        _READ,
        (_GLUE,),
        setting("org.apache.hadoop.mapred.TextInputFormat", "TableInput", "StorageDescriptor", "InputFormat"),
    ),
    Mistake(
        "a crawler into the contract's database",
        "crawlers_have_a_database_of_their_own",
        (_CRAWLER,),
        setting("telemetry", "DatabaseName"),
    ),
    Mistake(
        "a crawler that changes tables",
        "crawlers_have_a_database_of_their_own",
        (_CRAWLER,),
        setting("UPDATE_IN_DATABASE", "SchemaChangePolicy", "UpdateBehavior"),
    ),
    Mistake(
        "a crawler that reads another bucket",
        "crawlers_stay_in_the_lake",
        (_CRAWLER,),
        setting([{"Path": "s3://other/"}], "Targets", "S3Targets"),
    ),
    Mistake(
        "a table in the crawlers' database",
        "databases_are_the_configurations",
        (_GLUE,),
        setting("telemetry_crawled", "DatabaseName"),
    ),
)
