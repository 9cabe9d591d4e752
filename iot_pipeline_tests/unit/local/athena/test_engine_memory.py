"""What a query took goes back to the system when it is done."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.athena.config import Config
from infra.local.athena.sql.engine import connect
from infra.local.servers.checkout import CHECKOUT

# Megabytes of its own that the process still holds, half a minute at most after a query that takes 200 of them.
_QUERY = """
import sys, time
from pathlib import Path
from infra.local.athena.config import Config
from infra.local.athena.sql.engine import connect

def own():
    _size, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    return (resident - shared) * 4096 / 2**20

con = connect(Config(state_dir=Path(sys.argv[1]), endpoint_url="http://127.0.0.1:1", s3_data_dir=None))
before = own()
text = "select a % 1000003, sum(a), string_agg(a::varchar, ',') from range(2000000) t(a) group by 1 order by 2 limit 1"
con.execute(text).fetchall()
assert own() > before + 50, "the query takes too little to tell"
until = time.monotonic() + 30
while own() > before + 20 and time.monotonic() < until:
    time.sleep(0.1)
print(own() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="DuckDB has this allocator on Linux alone")
def test_a_query_leaves_little_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _QUERY, str(tmp_path)], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    assert float(done.stdout) < 20


def test_of_the_files_that_it_reads_nothing_is_kept(tmp_path: Path) -> None:
    con = connect(Config(state_dir=tmp_path, endpoint_url="http://127.0.0.1:1", s3_data_dir=None))
    assert con.execute("SELECT current_setting('enable_external_file_cache')").fetchone() == (False,)
