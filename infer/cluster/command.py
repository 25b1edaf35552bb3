"""What the command line asks of a cluster, checked before anything is started."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError, UsageError
from bertline.tsv import no_file
from infer.cluster.names import ENDINGS
from infer.cluster.places import LocalPlace, Place, RemotePlace, place_of
from infer.cluster.planning import ClusterJob
from infer.inputs import STDIN, expand, is_left_by_run, is_table
from infer.job import Job
from infer.output import STDOUT
from infer.rows import check_on_error

_NOTHING = Path()  # a job's output, which each part has of its own


def plan_cluster_job(
    inputs: Sequence[str],
    output: str,
    *,
    report: Path | None,
    devices: str | None,
    device: str,
    part_format: str | None,
    how: dict[str, Any],
    **options: Any,
) -> ClusterJob:
    """The run; `how` holds the fields of its job, `options` those of the run.

    Raises UsageError for options that make no sense with a cluster, BertlineError for inputs that are not there.
    """
    if output == str(STDOUT):
        raise UsageError("--engine ray writes a folder of parts, and not to stdout; name a folder with -o")
    if report is not None:
        raise UsageError("--report: --engine ray puts report.json into its folder; leave it out")
    if devices is not None or device.startswith("cuda:"):
        named = "--devices" if devices is not None else f"--device {device}"
        raise UsageError(f"{named}: Ray gives each worker a device; leave it out, or say --device cpu or cuda")
    if how["tune"]:
        raise UsageError("--batch-tokens auto tries out one device; give a number with --engine ray")
    if part_format is not None and part_format not in ENDINGS:
        raise UsageError(f"--part-format {part_format}: give {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    check_on_error(how["on_error"])
    if str(STDIN) in inputs:
        raise UsageError("-: --engine ray reads files, which workers can read again; write stdin to one first")
    return ClusterJob(
        inputs=[place for text in inputs for place in _tables(text)],
        output=place_of(output),
        job=Job([], _NOTHING, **how),
        ending=part_format or ENDINGS[0],
        device=device,
        **options,
    )


def _tables(text: str) -> list[Place]:
    """What an input argument names, as `infer.inputs.expand` understands it, behind URIs as well."""
    place = place_of(text)
    if isinstance(place, LocalPlace):
        found = expand([Path(place.name)])
        for path in found:
            if not path.is_file():
                raise UsageError(f"{path}: is a pipe, which only one can read; --engine ray reads files")
        return [LocalPlace(path.absolute(), str(path)) for path in found]
    assert isinstance(place, RemotePlace)
    if place.state() is not None:
        return [place]
    if place.is_folder():
        names = [name for name in place.names() if is_table(Path(name))]
        if not names:
            raise BertlineError(f"{place.name}: the folder holds no table; name a file")
        return [place / name for name in names]
    above, pattern = place.above(), place.path.rpartition("/")[2]
    if set("*?[") & set(pattern):
        names = [name for name in above.names() if fnmatchcase(name, pattern) and not is_left_by_run(Path(name))]
        if not names:
            raise BertlineError(f"{place.name}: no file has such a name; check the pattern, and the folder it is in")
        return [above / name for name in names]
    raise no_file(place.name)
