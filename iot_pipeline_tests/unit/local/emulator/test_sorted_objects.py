"""A listing of a bucket whose keys are in order is ministack's own, page by page."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from ministack.services import s3

from infra.local.emulator.sorted_objects import _collect, keep_sorted

STOCK = s3._collect_list_entries
# Few characters, so that prefixes and delimiters meet keys; the last two are beyond what UTF-16 has in one unit.
TEXT = st.text("ab/\u00e9\uffff\U0001f600", max_size=5)


@given(st.sets(TEXT.filter(bool), max_size=12), TEXT, st.sampled_from(["", "/", "a", "b/"]), st.integers(0, 5), TEXT)
@example({"a", "a/", "a/b", "b"}, "a", "/", 1, "a/")
@example({"a", "b", "c"}, "", "", 2, "a")
def test_each_page_is_ministacks(keys: set[str], prefix: str, delimiter: str, max_keys: int, start: str) -> None:
    bucket: dict[str, Any] = {"objects": dict.fromkeys(keys)}
    wanted = STOCK(bucket["objects"], prefix, delimiter, max_keys, start)
    objects = keep_sorted(bucket)
    assert _collect(objects, prefix, delimiter, max_keys, start) == wanted
    assert bucket["objects"] is objects is keep_sorted(bucket)
    assert set(objects) == keys


def test_what_lies_elsewhere_is_not_looked_at() -> None:
    class Key(str):
        """A key that counts how often it is compared with a prefix."""

        __slots__ = ()
        looked = 0

        def startswith(self, *arguments: Any) -> bool:
            Key.looked += 1
            return super().startswith(*arguments)

    bucket: dict[str, Any] = {"objects": {Key(f"{n % 100:02d}/{n:05d}"): None for n in range(10_000)}}
    objects = keep_sorted(bucket)
    Key.looked = 0
    contents, *_ = _collect(objects, "50/", "", 1_000, "")
    assert len(contents) == 100
    assert Key.looked < 400
