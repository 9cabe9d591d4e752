"""Amazon's JDBC driver, by which most BI tools reach Redshift, in a program of Java's (`fixtures/jdbc/Metadata.java`).

Neither is a dependency: without Java, or without the driver, the test is skipped. To get the driver:
`mvn dependency:get -Dartifact=com.amazon.redshift:redshift-jdbc42:2.1.0.33 -Dtransitive=false`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from iot_pipeline_tests.support.warehouse import LocalWarehouse

VERSION = "2.1.0.33"
SOURCE = Path(__file__).parents[3] / "fixtures" / "jdbc" / "Metadata.java"
# Where Maven keeps what it has fetched.
FETCHED = Path.home() / f".m2/repository/com/amazon/redshift/redshift-jdbc42/{VERSION}/redshift-jdbc42-{VERSION}.jar"

WANTED = """
product: Redshift|8.0.2
catalog: telemetry
schema: jdbc
table: devices|TABLE
table: digits|TABLE
table: names|VIEW
table: sites|TABLE
view: names
column: id|int4|10|0|0|1
column: name|varchar|20|0|0|2
column: area|numeric|8|2|1|3
column: at|timestamp|29|6|1|4
column: flag|bool|1|0|1|5
column: shape|super|null|null|1|6
columns: devices|device|4
columns: devices|site|4
columns: digits|d|4
primary: device|1|devices_pkey
primary: site|2|devices_pkey
imported: site|sites|id
exported: devices|site|sites_pkey
privilege: pipeline|DELETE
privilege: pipeline|INSERT
privilege: pipeline|REFERENCES
privilege: pipeline|SELECT
privilege: pipeline|TRIGGER
privilege: pipeline|UPDATE
inserted: 1
row: 7|Zürich's|1234.50|2026-02-28 01:02:03.5|null|null
fetched: 1000|499500
refused: 0A000|true
after: 10
"""


@pytest.fixture
def warehouse(local_warehouse: LocalWarehouse) -> Iterator[LocalWarehouse]:
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA jdbc")
        connection.execute(
            "CREATE TABLE jdbc.sites (id int PRIMARY KEY, name varchar(20) NOT NULL, area decimal(8, 2), at timestamp, "
            "flag boolean, shape super) DISTKEY (id) SORTKEY (name)"
        )
        connection.execute(
            "CREATE TABLE jdbc.devices (device int, site int REFERENCES jdbc.sites, PRIMARY KEY (device, site))"
        )
        connection.execute("CREATE TABLE jdbc.digits (d int)")
        connection.execute("INSERT INTO jdbc.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
        connection.execute("CREATE VIEW jdbc.names AS SELECT name FROM jdbc.sites")
        yield local_warehouse
        connection.execute("DROP SCHEMA jdbc CASCADE")


def test_amazons_jdbc_driver(warehouse: LocalWarehouse) -> None:
    java, jar = shutil.which("java"), Path(os.environ.get("REDSHIFT_JDBC_JAR", FETCHED))
    if java is None:
        pytest.skip("Java is not installed")
    if not jar.exists():
        pytest.skip(f"Amazon's JDBC driver {VERSION} is not there: REDSHIFT_JDBC_JAR, or Maven's {FETCHED.name}")
    found = warehouse.redshift
    url = f"jdbc:redshift://127.0.0.1:{found.port}/{found.database}"
    command = [java, "-Dfile.encoding=UTF-8", "-cp", str(jar), str(SOURCE), url, found.user, found.password]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines() == WANTED.strip().splitlines()
