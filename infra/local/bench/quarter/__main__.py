"""A simulated quarter (`make bench-quarter`)."""

import argparse
import logging
import sys
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from collections import Counter

import dagster as dg
from rich.console import Console
from rich.progress import track
import redshift_connector

from infra.local.bench.bench_session import bench_session
from infra.local.bench.day_work import enrolled
from infra.local.bench.quarter import books
from infra.local.bench.quarter.daemon_steps import daemon_steps
from infra.local.bench.quarter.simulated_time import SimulatedTime
from infra.local.bench.quarter.simulation import Simulation
from infra.local.bench.quarter.small_fleet import SmallFleet
from infra.local.bench.quarter.timetable import timetable
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import running
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.connections.warehouse import open_loader
from iot_pipeline.lake.hours import Hour
from simulator.fleet import make_fleet

def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=91)
    parser.add_argument("--hours", type=int, default=None)
    options = parser.parse_args(arguments)
    console = Console(width=180)
    start = Hour.of(datetime.now(UTC)).start.replace(hour=0) - timedelta(days=options.days+1)
    table = timetable(start, options.days)
    for p in table.periods: console.print(p.first, p.end, p.trouble.name)
    with bench_session("quarter") as folder, running(folder / "state", CHECKOUT / ".local", Console(file=open('/tmp/me/s/quarter/up.log','w'))) as platform:
        from simulator.enrolment import CATALOG_FILE, LIST_FILE, enrol
        from infra.local.bench.day_work import _command
        fleet = make_fleet(6); fl = folder / "fleet"
        enrol(fleet, fl, expected_interval_s=900.0)
        _command("iot_pipeline.registry", "apply", str(fl / CATALOG_FILE))
        _command("iot_pipeline.registry", "onboard-all", str(fl / LIST_FILE), "--out", str(fl / "devices"))
        devices = fleet.devices
        clock = SimulatedTime(start)
        with clock.running(), daemon_steps(folder / "home", platform.postgres) as steps:
            sim = Simulation(clock, table, SmallFleet(devices, table, 1), steps)
            with sim.counting():
                sim.begin()
                for n, hour in enumerate(table.hours[:options.hours]):
                    w, c = time.monotonic(), time.process_time()
                    before = dict(sim.published); runs = steps.instance.get_runs_count()
                    sim.wake(hour)
                    console.print(hour, f"{time.monotonic()-w:.1f} s, {time.process_time()-c:.1f} CPU, published", {k: v-before[k] for k, v in sim.published.items()}, "needed", sim.needed.judged, sim.needed.curated, "runs", steps.instance.get_runs_count()-runs, [e["rule"]+" "+e["subject"] for e in sim.episodes.values() if "resolved_ms" not in e])
                lake = open_lake()
                first, last = Hour.of(start) + -24*32, Hour.of(hour) + 1
                hot = table.has_changed(hour)
                exp = books.expected_rows(sim.fleet.measured, sim.fleet.delivered, takes_hot=hot)
                for d in books.differences("curated", exp, books.curated_rows(lake, first, last))[:20]: console.print(str(d))
                with open_loader() as loader:
                    for d in books.differences("warehouse", exp, books.loaded_rows(loader.connection))[:20]: console.print(str(d))
                for d in books.differences_of_counts("quarantine", books.expected_refused(sim.fleet.delivered, takes_hot=hot), books.refused_records(lake, first, last))[:20]: console.print(str(d))
                console.print(len(exp), "hours", sum(c.total() for c in exp.values()), "rows")
            for e in sorted(sim.episodes.values(), key=lambda e: e["opened_ms"]):
                t = lambda k: str(datetime.fromtimestamp(e[k]/1000, UTC))[:16] if k in e else None
                console.print(e["rule"], e["subject"], t("opened_ms"), t("recorded_ms"), t("resolution_ms"), str(e.get("about"))[:150], "parent" if e.get("parent") else "")
                if e["rule"] == "failed_tick" or e["rule"]=="failed_check": console.print("   ", str(e.get("text"))[:500])
            times = {}
            for r in steps.instance.get_run_records(limit=2000):
                if r.end_time: times.setdefault((r.dagster_run.job_name, r.dagster_run.status.value), []).append(r.end_time-r.start_time)
            for k, v in sorted(times.items(), key=lambda kv: -sum(kv[1])): console.print(k, len(v), f"{sum(v)/len(v):.2f} s each")
            console.print(Counter((r.job_name, r.status.value, r.tags.get("dagster/schedule_name") or r.tags.get("dagster/sensor_name")) for r in steps.instance.get_runs()))
            failed = steps.instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=6)
            for r in failed:
                for e in steps.instance.all_logs(r.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
                    console.print(r.job_name, r.tags.get("dagster/partition"), e.dagster_event.step_failure_data.error.message[:600], str(getattr(e.dagster_event.step_failure_data.error.cause,'message',''))[:600])
main()
