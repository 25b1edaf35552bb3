"""What the files in an output folder are called."""

MANIFEST = "manifest.json"
REPORT = "report.json"
PAGE = "report.html"
WORKING = ".unfinished"  # folder for what goes when the run is done
RUN = "run.json"  # in it: what the run is
ENDINGS = ("tsv", "tsv.gz", "jsonl", "parquet")  # of parts; the first is the default


def part_name(number: int, ending: str) -> str:
    """Of a part's scored rows; names sort as the parts do, up to a million of them."""
    return f"part-{number:06}.{ending}"


def rejects_name(number: int) -> str:
    """Of the rows of a part that were set aside."""
    return f"part-{number:06}.rejects.tsv"


def done_name(number: int) -> str:
    """Of the record that a part is done."""
    return f"part-{number:06}.json"
