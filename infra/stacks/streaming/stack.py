"""The streaming job: Glue reads the stream in micro-batches, and has them in the lake within a minute or two."""

from constructs import Construct

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.glue_runs import tell_of_runs
from infra.stacks.streaming.job import add_job
from iot_pipeline.streaming.glue_job import FUNCTION

# A micro-batch that takes as long as its window can only fall behind; four windows are no hiccup.
_WINDOWS_BEHIND = 4


class StreamingStack(PlatformStack):
    """From the stream to the low-latency table. It holds nothing but its checkpoint, which is in the lake's bucket."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Streaming", config, holds_data=False)
        job = add_job(self)
        self._add_alarms()
        tell_of_runs(self, config.streaming_job, "Streaming", "Glue tries again, and its trigger each hour")
        self.outputs(StreamingJob=job.ref)

    def _add_alarms(self) -> None:
        dimensions, name = {"function": FUNCTION}, self.config.streaming_job
        behind = self.config.streaming_window_seconds * _WINDOWS_BEHIND
        add_alarm(
            self,
            "StreamingLags",
            f"{name} is {behind} s behind: what people see as now is older. More workers: streaming_max_workers",
            metric(self.config.metrics, "lag_ms", dimensions, "Maximum"),
            behind * 1000,
            periods=5,
        )
        add_alarm(
            self,
            "StreamingStands",
            f"{name} has published no micro-batch for 15 minutes: see its last run in Glue; the batch goes on",
            metric(self.config.metrics, "records", dimensions, "SampleCount"),
            1,
            periods=15,
            below=True,
            silence_is_bad=True,
        )
        add_alarm(
            self,
            "StreamingUnjudged",
            f"Records could not be judged: they are in {self.config.failure_bucket}, below streaming/",
            metric(self.config.metrics, "unjudged", dimensions, "Sum"),
            1,
        )
