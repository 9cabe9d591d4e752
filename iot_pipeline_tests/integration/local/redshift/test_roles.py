"""COPY and UNLOAD act as the role that they name, and with nothing but its permissions.

Redshift developer guide, "Authorizing COPY, UNLOAD, CREATE EXTERNAL FUNCTION, and CREATE EXTERNAL SCHEMA operations
using IAM roles"; the Redshift management guide's "Authorizing Amazon Redshift to access AWS services on your behalf".
"""

import uuid
from typing import Any

import pyarrow as pa
import pytest
from redshift_connector.error import ProgrammingError

from iot_pipeline_tests.support.warehouse import BUCKET, LocalWarehouse

REDSHIFT = {"Service": "redshift-serverless.amazonaws.com"}


def role(warehouse: LocalWarehouse, *actions: str, principal: Any = None, **condition: Any) -> str:
    """A role that may do so in the test's bucket; its ARN."""
    arn = f"arn:aws:iam::000000000000:role/copy-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": principal or REDSHIFT, "Action": "sts:AssumeRole"}
    warehouse.make_role(arn, trust | ({"Condition": condition} if condition else {}), list(actions))
    return arn


def loaded(warehouse: LocalWarehouse, arn: str) -> int:
    """The rows that a COPY as the role has loaded. Raises what Redshift says."""
    table = f"t{uuid.uuid4().hex[:8]}"
    url = warehouse.put(f"{table}/a.parquet", pa.table({"n": pa.array([1, 2], pa.int32())}))
    with warehouse.cursor() as cursor:
        cursor.execute(f"create table {table} (n int)")
        cursor.execute(f"copy {table} from '{url}' iam_role '{arn}' format as parquet")
        cursor.execute(f"select count(*) from {table}")
        return int((cursor.fetchone() or [0])[0])


def refused(warehouse: LocalWarehouse, arn: str) -> str:
    """What Redshift says to a COPY as the role."""
    with pytest.raises(ProgrammingError) as caught:
        loaded(warehouse, arn)
    return str(caught.value)


def test_a_role_that_may_list_and_read_loads(local_warehouse: LocalWarehouse) -> None:
    assert loaded(local_warehouse, role(local_warehouse, "s3:ListBucket", "s3:GetObject")) == 2


@pytest.mark.parametrize(("granted", "denied"), [("s3:ListBucket", "s3:GetObject"), ("s3:GetObject", "s3:ListBucket")])
def test_without_one_of_the_two_s3_denies_it_by_name(
    local_warehouse: LocalWarehouse, granted: str, denied: str
) -> None:
    arn = role(local_warehouse, granted)
    said = refused(local_warehouse, arn)
    session = f"arn:aws:sts::000000000000:assumed-role/{arn.rpartition('/')[2]}/RedshiftIamRoleSession"
    assert f"S3ServiceException:User: {session} is not authorized to perform: {denied} on resource: " in said
    assert f"arn:aws:s3:::{BUCKET}" in said
    assert "Status 403,Error AccessDenied" in said


@pytest.mark.parametrize(
    ("principal", "condition"),
    [
        ({"Service": "ecs-tasks.amazonaws.com"}, {}),
        (REDSHIFT, {"StringEquals": {"aws:SourceAccount": "111111111111"}}),
    ],
    ids=["another service's", "another account's"],
)
def test_a_role_that_does_not_trust_redshift_here_is_not_taken_on(
    local_warehouse: LocalWarehouse, principal: Any, condition: Any
) -> None:
    arn = role(local_warehouse, "s3:*", principal=principal, **condition)
    assert f"Not authorized to get credentials of role {arn}" in refused(local_warehouse, arn)


def test_a_role_that_is_not_there_and_none_by_default_are_refused(local_warehouse: LocalWarehouse) -> None:
    missing = "arn:aws:iam::000000000000:role/missing"
    assert f"Not authorized to get credentials of role {missing}" in refused(local_warehouse, missing)
    assert "IAM_ROLE default: no role is associated with the local warehouse" in refused(local_warehouse, "default")


def test_a_chain_of_roles_is_assumed_one_by_another(local_warehouse: LocalWarehouse) -> None:
    first = role(local_warehouse)
    second = role(local_warehouse, "s3:ListBucket", "s3:GetObject", principal={"AWS": first})
    said = refused(local_warehouse, f"{first},{second}")
    assert f"Not authorized to get credentials of role {second}" in said
    assert "sts:AssumeRole" in said
    local_warehouse.allow(first, "sts:AssumeRole", second)
    assert loaded(local_warehouse, f"{first},{second}") == 2


def test_unload_writes_as_its_role(local_warehouse: LocalWarehouse) -> None:
    prefix = f"s3://{BUCKET}/unloaded/{uuid.uuid4().hex}/"
    readers, writers = (role(local_warehouse, "s3:ListBucket", *more) for more in ((), ("s3:PutObject",)))
    statement = f"unload ('select 1 as n') to '{prefix}' iam_role '%s' format as parquet"
    with local_warehouse.cursor() as cursor:
        with pytest.raises(ProgrammingError, match="is not authorized to perform: s3:PutObject"):
            cursor.execute(statement.replace("%s", readers))
        cursor.execute(statement.replace("%s", writers))
    assert len(local_warehouse.keys(prefix.partition(f"{BUCKET}/")[2])) == 1
