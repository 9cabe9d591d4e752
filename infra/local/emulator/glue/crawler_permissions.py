"""What a crawler's role has to allow for what the crawler does.

AWS Glue developer guide, "Crawler prerequisites" and "Step 2: Create an IAM role for AWS Glue"; service authorization
reference, AWS Glue: a call on a table needs its action on catalog, database and table.
"""

from typing import Any

from ministack.core.responses import get_account_id, get_region

from infra.local.emulator.authorisation.denials import AccessDeniedError
from infra.local.emulator.authorisation.service_roles import ServiceRole
from infra.local.emulator.log_lines import stream_arn

GLUE = "glue.amazonaws.com"
LOG_GROUP = "/aws-glue/crawlers"


def check_log(crawler: Any) -> None:
    """Tell of it if the crawler may not write its log: it crawls all the same."""
    group = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{LOG_GROUP}"
    try:
        _role(crawler).check("logs:CreateLogGroup", group)
        for name in ("CreateLogStream", "PutLogEvents"):
            _role(crawler).check(f"logs:{name}", stream_arn(LOG_GROUP, crawler["Name"]))
    except AccessDeniedError:
        return


def check_bucket(crawler: Any, bucket: str, prefix: str) -> None:
    """Raise AccessDeniedError unless it may list what is below the prefix."""
    _role(crawler).check("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}")
    _role(crawler).check("s3:ListBucket", f"arn:aws:s3:::{bucket}", s3__prefix=prefix)


def check_object(crawler: Any, bucket: str, key: str) -> None:
    """Raise AccessDeniedError unless it may read the object, its key included."""
    _role(crawler).check("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")


def check_table(crawler: Any, database: str, table: str, *names: str) -> None:
    """Raise AccessDeniedError unless it may call Glue so for the table; GetDatabase is no call on a table."""
    scope = f"arn:aws:glue:{get_region()}:{get_account_id()}"
    for name in names:
        of_table = () if name == "GetDatabase" else (f"{scope}:table/{database}/{table}",)
        _role(crawler).check(f"glue:{name}", f"{scope}:catalog", f"{scope}:database/{database}", *of_table)


def _role(crawler: Any) -> ServiceRole:
    arn = crawler["Role"]
    if not arn.startswith("arn:"):  # a name, with its path
        arn = f"arn:aws:iam::{get_account_id()}:role/{arn}"
    return ServiceRole(arn, GLUE, f"arn:aws:glue:{get_region()}:{get_account_id()}:crawler/{crawler['Name']}")
