"""What a sign-in sends, and where it leads back to."""

import pytest

from iot_pipeline.console.identity.sign_in import local_path


@pytest.mark.parametrize("path", ["/", "/api/me", "/devices/a?metric=temp&from=1#x"])
def test_a_path_of_the_console_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/a\r\nb",
        "/ a",
        "/" + "a" * 2000,
    ],
)
def test_what_would_lead_elsewhere_is_not(text: str | None) -> None:
    assert local_path(text) == "/"
