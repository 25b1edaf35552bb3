"""`bertline benchmark peers`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options

Folder = Annotated[
    Path | None, typer.Option("--peers-folder", help="Where environments are kept; else the user's cache folder.")
]

peers = typer.Typer(help="What people would use instead, each in a virtual environment of its own.")


@peers.command("install")
def install_peers(
    names: Annotated[list[str] | None, typer.Argument(help="Peers; else all.", metavar="[NAME]...")] = None,
    folder: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Make it anew where it is installed.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Make the environments of peers: some minutes and about 1.4 GB each, more where PyTorch comes with CUDA.

    Example: bertline benchmark peers install optimum-onnx cross-encoder
    """
    from benchmarks.peers.catalogue import chosen_peers
    from benchmarks.peers.environments import Environment, default_folder
    from benchmarks.peers.process import PeerError
    from bertline.console import log_console
    from bertline.errors import BertlineError

    chosen, console = chosen_peers(",".join(names) if names else "all"), log_console(quiet)
    failed = []
    for name in chosen:
        console.print(f"{name}: installing", markup=False)
        try:
            environment = Environment.of(name, folder or default_folder())
            environment.install(force=force)
            console.print(f"{name}: {environment.folder}", markup=False)
        except PeerError as error:
            console.print(f"{name}: {error}", markup=False)
            failed.append(name)
    if failed:
        raise BertlineError(
            f"{len(failed)} of {len(chosen)} peers could not be installed: {', '.join(failed)}; "
            "bertline benchmark peers list says why"
        )


@peers.command("list")
def list_peers(folder: Folder = None) -> None:
    """Which peers there are, and which of them are installed.

    Example: bertline benchmark peers list
    """
    from rich.table import Table

    from benchmarks.peers.catalogue import PEERS
    from benchmarks.peers.environments import Environment, default_folder
    from benchmarks.peers.process import PeerError
    from bertline.console import result_console

    table = Table("peer", "ways", "state", box=None)
    for name, ways in PEERS.items():
        try:
            state = Environment.of(name, folder or default_folder()).missing or "installed"
        except PeerError as error:
            state = str(error)
        table.add_row(name, "\n".join(way.title for way in ways), state)
    result_console().print(table)
