"""`bertline web`."""

from typing import Annotated

import typer

from infer.cli import BundlePath


def web(
    bundle: BundlePath,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 8765,
) -> None:
    """Serve a bundle's page, on this machine alone: type a sentence, drop a table. Ctrl-C ends it.

    The bundle needs the page: bertline export ... --runtimes web. Example:
    bertline web bundle --port 8765
    """
    from bertline.bundle import Bundle
    from infer.web import PageServer

    with PageServer(Bundle.open(bundle), port) as server:
        typer.echo(f"{bundle}: {server.address} (Ctrl-C ends it)", err=True)
        server.serve_forever()
