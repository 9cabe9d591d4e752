"""The logs that an erasure's proof searches are those that the functions write to, as the stacks have named them."""

import time

import boto3

from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.upkeep import open_eraser


def test_a_line_of_a_function_is_found_where_its_template_has_it_written(platform: Platform) -> None:
    """The groups have names of CloudFormation's making, and lines that a template's group has outlived go unread."""
    logs, function = boto3.client("logs"), settings.edge().edge_function
    configured = boto3.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    assert not configured.startswith("/aws/lambda/")
    device = f"logged-{time.time_ns()}"
    subject = Subject("device", device, frozenset({device}))
    search = open_eraser()._logs(subject)
    assert search.groups()[configured] == 90, "days, as the stack has it"
    assert list(search.found()) == []
    logs.create_log_stream(logGroupName=configured, logStreamName=device)
    event = {"timestamp": round(time.time() * 1000), "message": f"device {device}: a word of it"}
    logs.put_log_events(logGroupName=configured, logStreamName=device, logEvents=[event])
    (found,) = search.found()
    assert (found.zone, found.place, found.rows, found.expires) == ("logs", configured, 1, "90 days after each line")


def test_every_function_that_sees_a_devices_name_is_searched(platform: Platform) -> None:
    of = {each["FunctionName"]: each for each in boto3.client("lambda").list_functions()["Functions"]}
    where, intake = settings.edge(), settings.deployment().intake_function
    groups = open_eraser()._logs(Subject("device", "nobody", frozenset({"nobody"}))).groups()
    assert intake
    for name in (where.edge_function, where.sweep_function, where.notify_function, where.deliver_function, intake):
        assert of[name]["LoggingConfig"]["LogGroup"] in groups
