"""The document of a run as tables, for the screen and as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.report.markdown import markdown_table
from bertline.report import Table

_MISSING = "not measured"
Entry = Mapping[str, Any]


def markdown(document: Entry) -> str:
    """All tables, with the device and the day above them; the same for a document that was read back from JSON."""
    environment = document["environment"]
    versions = environment["versions"]
    named = [f"{name} {versions[name]}" for name in ("torch", "transformers", "onnxruntime") if name in versions]
    driver = document["clocks_before"].get("driver_version")
    parts = [environment["name"], *([f"driver {driver}"] if driver else []), *named, document["created"][:10]]
    text = [f"{', '.join(parts)}; {document['table']['rows']:,} rows of {document['table']['name']}."]
    for table in tables(document):
        text += ["", f"**{table.caption}**", "", markdown_table(table).rstrip()]
    return "\n".join(text) + "\n"


def tables(document: Entry) -> list[Table]:
    """The verdicts, and a table for each section that was measured; one more for those that were not."""
    found, made = document["sections"], [_verdicts(document["verdicts"])]
    missing = []
    for name, entry in found.items():
        if entry["status"] == "measured":
            made += _TABLES[name.partition("_")[0]](entry)
        else:
            missing.append([name.replace("_", " "), entry["status"], entry["reason"]])
    return made + ([Table(("section", "state", "why"), missing, "Not measured")] if missing else [])


def _verdicts(entries: Sequence[Entry]) -> Table:
    rows = [
        [
            entry["target"],
            f"{'≥' if entry['at_least'] else '≤'} {_figure(entry['bound'], entry['unit'])}",
            _figure(entry["measured"], entry["unit"]),
            {True: "yes", False: "no", None: "–"}[entry["reached"]],
        ]
        for entry in entries
    ]
    return Table(("target", "bound", "measured", "reached"), rows, "Targets")


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return _MISSING
    if unit == "%":
        return f"{100 * value:.4g}%"
    return f"{value:,.0f}" if unit == "/s" else f"{value:.3g}{unit}"


def _matrix(entry: Entry) -> list[Table]:
    rates = {**entry["best"], "without a pause": entry["sustained"]}
    rows = [[name, f"{rate / 1e12:,.4g}"] for name, rate in rates.items()]
    under_load = entry["clocks_under_load"]
    clock = under_load.get("clocks.sm") or under_load["remark"]
    columns = (f"products in {entry['dtype']}", "TFLOP/s")
    return [Table(columns, rows, f"The device's own matrix rate; clock under load: {clock}")]


def _parity(entry: Entry) -> list[Table]:
    rows = []
    for name, found in entry["variants"].items():
        if "error" in found:
            rows.append([name, found["error"], "", "", "", ""])
            continue
        mcc = [_decimal(found["mcc"]), _decimal(found["mcc_reference"])]
        told = "; ".join(found["faults"]) or "within the limits"
        rows.append([name, told, _small(found["max_abs_logit"]), str(found["flips"]), *mcc])
    columns = ("variant", "verdict", "max |Δlogit|", "flips", "MCC", "PyTorch's MCC")
    return [Table(columns, rows, f"Parity with PyTorch fp32 on the device, {entry['rows']:,} real rows")]


def _kernels(entry: Entry) -> list[Table]:
    rows = []
    for name, found in entry["ways"].items():
        attention = [
            f"{workload}: {', '.join(f'{count} × {kernel}' for kernel, count in kernels.items()) or 'none told'}"
            for workload, kernels in found["attention"].items()
        ]
        ran = [f"{sum(operators.values())} on {provider}" for provider, operators in found["ran"].items()]
        rows.append([name, ", ".join(ran), "; ".join(attention)])
    columns = ("way", "nodes that ran", "attention kernels")
    return [Table(columns, rows, "Where nodes ran, and what computed attention")]


def _throughput(entry: Entry) -> list[Table]:
    title = f"{entry['workload']}: {entry['rows']:,} rows of {entry['tokens'] / entry['rows']:.4g} tokens"
    best = max((r["rows_per_second"] for r in entry["head_to_head"] if r["way"].startswith("PyTorch")), default=None)
    columns = (
        "way",
        "tokens a batch",
        "rows/s",
        "quartiles",
        "× best PyTorch",
        "of matrix rate",
        "max |Δlogit|",
        "flips",
    )
    rows = [_speed(row, best) for row in entry["head_to_head"] if "error" not in row]
    made = [Table(columns, rows, f"Throughput, {title}, each way at its best"), _sweep(entry, title)]
    return made + _errors({row["way"]: row["error"] for row in entry["head_to_head"] if "error" in row}, title)


def _errors(why: Mapping[str, str], title: str) -> list[Table]:
    """A table with a row for each reason why ways were not measured, where there is any."""
    ways: dict[str, list[str]] = {}
    for way, error in why.items():
        ways.setdefault(error, []).append(way)
    rows = [["; ".join(names), error] for error, names in ways.items()]
    return [Table(("ways", "why"), rows, f"Not measured, {title}")] if rows else []


def _speed(row: Entry, best: float | None) -> list[str]:
    share = row["share_of_matrix_rate"]
    return [
        row["way"],
        f"{row['batch_tokens']:,}",
        f"{row['rows_per_second']:,.0f}",
        "–".join(f"{value:,.0f}" for value in row["quartiles"]),
        "–" if best is None else f"{row['rows_per_second'] / best:.2f}",
        "–" if share is None else f"{share:.1%}",
        _small(row["max_abs_logit"]),
        str(row["flips"]),
    ]


def _sweep(entry: Entry, title: str) -> Table:
    cells: dict[str, dict[int, str]] = {}
    for row in entry["sweep"]:
        cells.setdefault(row["way"], {})[row["batch_tokens"]] = (
            "failed" if "error" in row else f"{row['rows_per_second']:,.0f}"
        )
    ran = {way: told for way, told in cells.items() if set(told.values()) != {"failed"}}
    rows = [[way, *(told.get(budget, "–") for budget in entry["budgets"])] for way, told in ran.items()]
    return Table(("way", *(f"{n:,} tokens" for n in entry["budgets"])), rows, f"Rows/s by tokens a batch, {title}")


def _end(entry: Entry) -> list[Table]:
    rows = []
    for name in ("cold", "warm"):
        found = entry[name]
        if found is None:
            rows.append([name, _MISSING, "", "", ""])
            continue
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in found["stage_seconds"].items())
        figures = [f"{found['rows_per_second']:,.0f}", f"{found['seconds']:.2f}", f"{found['startup_seconds']:.2f}"]
        rows.append([name, *figures, stages])
    title = (
        f"End to end, {entry['rows']:,} unique rows of {entry['tokens_per_row']:.4g} tokens; the cold process took "
        f"{entry['process_seconds']:.1f} s in all"
    )
    return [Table(("run", "rows/s", "seconds", "start-up, s", "stages, which overlap"), rows, title)]


def _latency(entry: Entry) -> list[Table]:
    made = []
    for measured in entry["rows"]:
        ways = measured["ways"]
        rows = [
            [way, f"{found['p50_ms']:.3f}", f"{found['p99_ms']:.3f}"]
            for way, found in ways.items()
            if "error" not in found
        ]
        title = f"one row of {measured['tokens']} tokens"
        made.append(Table(("way", "p50 ms", "p99 ms"), rows, f"Latency of {title}"))
        made += _errors({way: found["error"] for way, found in ways.items() if "error" in found}, title)
    return made


def _training(entry: Entry) -> list[Table]:
    epochs = ", ".join(f"{seconds:.1f}" for seconds in entry["epoch_seconds"])
    rows = [[f"{entry['rows']:,}", entry["precision"], epochs, f"{entry['seconds']:.1f}"]]
    size = f"{entry['dimensions']['num_hidden_layers']} layers of {entry['dimensions']['hidden_size']}"
    return [Table(("rows", "precision", "epochs, s", "in all, s"), rows, f"Fine-tuning, {size}")]


def _small(value: float | None) -> str:
    return "no number" if value is None else f"{value:.1e}"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


_TABLES = {  # by the first word of a section's name
    "matrix": _matrix,
    "parity": _parity,
    "kernels": _kernels,
    "throughput": _throughput,
    "end": _end,
    "latency": _latency,
    "training": _training,
}
