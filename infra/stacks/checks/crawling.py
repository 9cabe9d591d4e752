"""Crawlers look and report; they touch no table that anyone reads."""

from infra.stacks.checks.documents import ROLE, actions, allowed_to, resources
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised, listed, text

_CHANGING = ("glue:Create", "glue:Update", "glue:Delete", "glue:Batch", "glue:Put")
_READING_BATCHES = ("glue:BatchGet",)


def crawlers_have_a_database_of_their_own(environment: Synthesised) -> Problems:
    """A crawler adds what it finds whatever its policy says: in the served tables, half-written partitions."""
    served = environment.config.database
    for crawler in environment.of_type("AWS::Glue::Crawler"):
        target = text(crawler.properties.get("DatabaseName", ""))
        if target != environment.config.crawled_database:
            yield crawler, f"writes into {target}: expected {environment.config.crawled_database}"
        changes = crawler.properties.get("SchemaChangePolicy", {})
        for behaviour in ("UpdateBehavior", "DeleteBehavior"):
            if changes.get(behaviour) != "LOG":
                yield crawler, f"{behaviour} is {changes.get(behaviour)}: it changes tables"
        role = environment.target(crawler.stack, crawler.properties["Role"])
        for at, statement in allowed_to(environment, role) if role else ():
            changing = [a for a in actions(statement) if a.startswith(_CHANGING) and not a.startswith(_READING_BATCHES)]
            for resource in resources(statement) if changing else ():
                if (
                    resource.endswith((f":database/{served}", "*"))
                    and f"/{environment.config.crawled_database}/" not in resource
                ) or f":table/{served}/" in resource:
                    yield at, f"lets a crawler {changing[0]} on {resource}"


def crawlers_stay_in_the_lake(environment: Synthesised) -> Problems:
    """A crawler's targets are folders of the lake."""
    for crawler in environment.of_type("AWS::Glue::Crawler"):
        for target in listed(crawler.properties.get("Targets", {}).get("S3Targets")):
            path = text(target["Path"])
            if not path.startswith(f"s3://{environment.config.lake_bucket}/") or not path.endswith("/"):
                yield crawler, f"looks into {path}, which is no folder of the lake"


def databases_are_the_configurations(environment: Synthesised) -> Problems:
    """The contract's tables are in the environment's database."""
    names = {environment.config.database, environment.config.crawled_database}
    for database in environment.of_type("AWS::Glue::Database"):
        name = text(database.properties["DatabaseInput"].get("Name", ""))
        if name not in names:
            yield database, f"is called {name}: expected one of {', '.join(sorted(names))}"
    for table in environment.of_type("AWS::Glue::Table"):
        held = environment.target(table.stack, table.properties["DatabaseName"])
        name = held.properties["DatabaseInput"]["Name"] if held else text(table.properties["DatabaseName"])
        if name != environment.config.database:
            yield table, f"is in the database {name}"
    for role in environment.of_type(ROLE):
        if "AWSGlueServiceRole" in str(role.properties.get("ManagedPolicyArns")):
            yield role, "has AWS's policy for Glue, which allows every bucket and table"
