"""Sizes as a person reads them, and silence where it is asked for."""

import pytest

from bertline.console import file_size, log_console, progress_bar


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (91_556_000, "91.6 MB"),
        (10**12, "1.0 TB"),
        (10**16, "10,000.0 TB"),
    ],
)
def test_file_size(size: int, text: str) -> None:
    assert file_size(size) == text


def test_remarks_go_to_stderr_and_quiet_ones_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    log_console().print("a remark")
    log_console(quiet=True).print("unheard")
    assert capsys.readouterr() == ("", "a remark\n")


def test_no_bar_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(log_console()) as bar:
        bar.add_task("scoring", total=1)
    assert bar.disable
    assert capsys.readouterr().err.strip() == ""
