"""What a crawler found against the contract."""

from iot_pipeline.contract import tables
from iot_pipeline.lake.crawled import Difference, of_files, of_messages, told

RAW, CURATED = tables().raw_telemetry, tables().curated_telemetry
WRITTEN = {column.name: column.type for column in CURATED.columns}


def test_files_as_the_contract_says_have_no_difference() -> None:
    assert of_files(WRITTEN, CURATED) == []
    assert of_files({name: kind.upper() for name, kind in WRITTEN.items()}, CURATED) == []
    assert told([]) is None


def test_files_differ_by_a_type_a_missing_and_a_strange_column() -> None:
    found = WRITTEN | {"temperature": "string", "humidity_2": "double"}
    del found["seq"]
    differences = of_files(found, CURATED)
    assert sorted(each.what for each in differences) == [
        "humidity_2 (double) is unknown to the contract",
        "seq (bigint) was not found",
        "temperature is string, the contract says double",
    ]


def test_messages_may_lack_fields_and_send_numbers_for_texts() -> None:
    assert of_messages({"v": "int", "device_id": "string", "readings": "array<struct<ts:bigint,new:int>>"}, RAW) == []
    assert of_messages({"DEVICE_ID": "string"}, RAW) == []


def test_messages_differ_by_unknown_fields_and_by_form() -> None:
    differences = of_messages({"firmware": "string", "fw": "struct<a:int>", "readings": "string"}, RAW)
    assert [each.column for each in differences] == ["firmware", "fw", "readings"]
    assert differences[0].what == "firmware (string) is unknown to the contract"
    assert differences[1].what == "fw is struct<a:int>, the contract says string"


def test_many_differences_are_summed_up() -> None:
    text = told([Difference(f"c{n}", "", "int") for n in range(9)])
    assert text is not None
    assert text.endswith("c4 (int) is unknown to the contract; and 4 more, see the table")
