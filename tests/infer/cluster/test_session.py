"""A cluster that cannot be reached is one line, and soon."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertline.errors import BertlineError
from infer.cluster import session
from infer.cluster.session import _hush_finalizers, ray_session
from tests.conftest import Cli


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """It takes connections, and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_nobody_listens(cli: Cli, bundle: Path, table: Path, tmp_path: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    address = f"127.0.0.1:{port}"
    outcome = cli("infer", bundle, table, "-o", tmp_path / "out", "--engine", "ray", "--ray-address", address)
    assert outcome.code == 1 and not (tmp_path / "out").exists()
    assert outcome.err == (
        f"bertline: --ray-address {address}: no cluster answers there (Connection refused); "
        "start one with ray start --head, or leave the address out\n"
    )


def test_an_address_that_is_none(cli: Cli, bundle: Path, table: Path, tmp_path: Path) -> None:
    address = "head..cluster:6379"
    outcome = cli("infer", bundle, table, "-o", tmp_path / "out", "--engine", "ray", "--ray-address", address)
    assert outcome.code == 1 and outcome.err.startswith(f"bertline: --ray-address {address}: no cluster answers there")


OWN_CLUSTER = """
import os, subprocess, sys
from infer.cluster.session import ray_session
with ray_session(None):
    import ray
    address = ray.get_runtime_context().gcs_address
    stranger = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    program = f"import ray; ray.init(address={address!r}, log_to_driver=False); print('in')"
    for name, env in (("owner", None), ("stranger", stranger)):
        found = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True).stdout
        print(name, found.strip() or "out")
"""


def test_a_cluster_of_ones_own_lets_nobody_else_in() -> None:
    done = subprocess.run([sys.executable, "-c", OWN_CLUSTER], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["owner in", "stranger out"]


def test_somebody_listens_who_is_no_cluster(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "CONNECT_SECONDS", 0.5)
    # Not the real thing: what waits in Ray's C++ cannot be stopped, and would be in the way of other tests.
    monkeypatch.setattr("ray.init", lambda **options: time.sleep(5))
    port, begin = listener.getsockname()[1], time.monotonic()
    with (
        pytest.raises(BertlineError, match="no Ray cluster that this machine belongs to answers within 0 s"),
        ray_session(f"127.0.0.1:{port}"),
    ):
        pass
    assert time.monotonic() - begin < 4


def test_a_cluster_that_refuses(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.50.0")

    monkeypatch.setattr("ray.init", refuse)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    told = rf"cannot be joined \(Version mismatch: .* Ray: 2\.50\.0\); on this machine, ray start --address={address}"
    with pytest.raises(BertlineError, match=told), ray_session(address):
        pass


def test_ray_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**options: object) -> None:
        raise PermissionError(13, "Permission denied", "/tmp/ray")

    monkeypatch.setattr("ray.init", fail)
    with pytest.raises(BertlineError, match=r"Ray does not start here \(.*Permission denied.*\)"), ray_session(None):
        pass


def test_ray_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BertlineError, match=r"ray is not installed; pip install 'bertline\[ray\]'"), ray_session(None):
        pass


def test_what_rays_finalizers_raise_is_not_shown_and_what_others_raise_is(capsys: pytest.CaptureFixture[str]) -> None:
    class Finalized:
        def __del__(self) -> None:
            raise ValueError("too late")

    ours = Finalized.__del__
    before = sys.unraisablehook
    try:
        sys.unraisablehook = sys.__unraisablehook__
        _hush_finalizers.__wrapped__()
        ours.__module__ = "ray.data._internal.execution.streaming_executor"
        Finalized()
        assert capsys.readouterr().err == ""
        ours.__module__ = "raytracer"
        Finalized()
        assert "too late" in capsys.readouterr().err
    finally:
        sys.unraisablehook = before
