"""`bertline verify` and `sign`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options
from bertline.console import log_console, result_console
from infer.cli import BundlePath


def verify(
    bundle: BundlePath,
    table: Annotated[
        Path | None, typer.Argument(help="A table to compare with fp32, row by row.", metavar="TSV")
    ] = None,
    variant: options.VariantName = "fp32",
    device: options.Device = "auto",
    provider: options.Provider = "auto",
    threads: options.Threads = None,
    public_key: Annotated[
        Path | None, typer.Option(help="First check that the owner of this key (PEM) signed all files.")
    ] = None,
    text_column: options.TextColumn = None,
    pair_column: options.PairColumn = None,
    label_column: options.LabelColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
) -> None:
    """Check a bundle on this machine: hashes, token ids, logits, padding. Exit code 3 where one fails.

    With --public-key: before all else, that bertline.sig is its owner's signature of every file, and no file is extra.

    With a table: what its rows lose against fp32, each row alone, within the limits that an export has by default.

    Example: bertline verify bundle dev.tsv --format cola --variant int8
    """
    from bertline.bundle import Bundle
    from bertline.errors import VerificationError
    from bertline.tsv import TableSpec
    from infer.scorer import Scorer
    from infer.selfcheck import Check, check_rows, self_check

    spec = TableSpec.from_options(
        format=format,
        header=header,
        columns=columns,
        text_column=text_column,
        pair_column=pair_column,
        label_column=label_column,
    )
    checks = []
    if public_key is not None:
        from infer.signing import check_signature

        files = check_signature(bundle, public_key)
        checks.append(Check("signature", True, f"{files} files are as the owner of {public_key} signed them"))
    opened = Bundle.open(bundle)
    scorer = Scorer.open(opened, device=device, variant=variant, provider=provider, threads=threads)
    checks += self_check(opened, scorer)
    if table is not None:
        checks.append(check_rows(scorer, table, spec))
    console = result_console()
    for check in checks:
        line = f"{'ok    ' if check.passed else 'FAILED'}  {check.name:<10} {check.finding}"
        console.print(line, markup=False, soft_wrap=True)
    failed = [check.name for check in checks if not check.passed]
    if failed:
        raise VerificationError(f"{bundle}: {', '.join(failed)} failed with {scorer.variant} on {scorer.provider}")


def sign(
    bundle: BundlePath,
    key: Annotated[Path, typer.Option(help="Private key: PEM, EC P-256, not encrypted.", metavar="PEM")],
    force: Annotated[bool, typer.Option("--force", help="Replace a signature that is there.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Sign a finished bundle: bertline.sig, an OpenSSF model signature over the hash of every file.

    Keys: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem, and its public half by
    openssl pkey -in key.pem -pubout -out public.pem

    Example: bertline sign bundle --key key.pem
    """
    from infer.signing import sign as sign_bundle

    log_console(quiet).print(f"wrote {sign_bundle(bundle, key, force=force)}", markup=False)
