"""The report to ministack's maintainers: current, and of every function that is replaced."""

from pathlib import Path

from infra.local.emulator import stock_report
from infra.local.servers.checkout import CHECKOUT

EXTENSION = '''"""Queues: in order.

SQS developer guide, "Queues": first in, first out. Stock ministack hands them out at random. It is slow too.
"""
from ministack.services import sqs as stock

stock._receive = print
'''


def test_the_page_is_what_the_extensions_say() -> None:
    assert (CHECKOUT / "docs" / "ministack-report.md").read_text(encoding="utf-8") == stock_report.page()


def test_every_module_that_replaces_something_says_why() -> None:
    told = {each.module for each in stock_report.differences()}
    replacing = {
        str(path.relative_to(stock_report.FOLDER))
        for path in stock_report.FOLDER.rglob("*.py")
        if stock_report.replaced_names(path)
    }
    # It tells of itself at ministack's page of readiness.
    assert replacing - told == {"extensions.py"}


def test_an_account_is_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "queues.py").write_text(EXTENSION)
    (tmp_path / "silent.py").write_text('"""Nothing of it."""\n')
    (found,) = stock_report.differences(tmp_path)
    assert found == stock_report.Difference(
        "queues.py",
        "Queues: in order.",
        'SQS developer guide, "Queues": first in, first out. It is slow too.',
        "Stock ministack hands them out at random.",
        ("ministack.services.sqs._receive",),
    )
