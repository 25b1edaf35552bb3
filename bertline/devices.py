"""The words of `--device`, the same for every command that has it."""

import re

from bertline.errors import UsageError


def parse_device(device: str) -> tuple[str, int]:
    """`cpu` or `cuda`, and the device's number; UsageError for anything else."""
    kind, colon, index = device.partition(":")
    if kind == "cpu" and not colon:
        return "cpu", 0
    if kind == "cuda" and (not colon or re.fullmatch("[0-9]{1,3}", index)):
        return "cuda", int(index or 0)
    raise UsageError(f"--device {device}: give auto, cpu, cuda, or cuda:N")
