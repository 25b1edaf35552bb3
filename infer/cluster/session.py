"""Ray: started here on loopback or reached by an address, kept quiet, and left again."""

import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from bertline.errors import BertlineError, UsageError
from infer.cluster.machines import RayMachines
from infer.cpus import usable_cpus

CONNECT_SECONDS = 30.0
_PROBE_SECONDS = 5.0  # for a first answer from an address


@contextmanager
def ray_session(address: str | None) -> Iterator[RayMachines]:
    """A cluster, joined; without an address one of this process's own, which ends with it.

    Raises BertlineError where Ray is not installed or the cluster cannot be reached.
    """
    if address is None and "ray" not in sys.modules:
        # Its ports are open to the network, whatever address it is told: only who has the token may use them.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    ray = import_ray()
    if ray.is_initialized():  # by the program that bertline is a part of, whose it stays
        yield RayMachines(ray)
        return
    if address is None:
        _start(ray)
    else:
        _connect(ray, address)
    try:
        yield RayMachines(ray)
    finally:
        ray.shutdown()


def import_ray() -> Any:
    # Read when Ray is imported: no usage reports, no chatter of its C++ side on our stderr, no bars but ours.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # lines of what happens on other machines: all of them
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of what it will do one day
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise BertlineError(
            f"--engine ray: {error.name} is not installed; pip install 'bertline[ray]', on every machine of the cluster"
        ) from None
    _hush_finalizers()
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray


@cache
def _hush_finalizers() -> None:
    """Python shows what a finalizer raises: Ray Data's raise where an interrupt took the cluster before them."""
    show = sys.unraisablehook

    def show_others(raised: Any) -> None:
        if not getattr(raised.object, "__module__", "").startswith("ray."):
            show(raised)

    sys.unraisablehook = show_others


def _start(ray: Any) -> None:
    """Begin a cluster of this process's own, which other machines are not told of."""
    try:
        with _speechless():
            ray.init(
                address="local",  # not one that stands here, or that RAY_ADDRESS names
                num_cpus=usable_cpus(),
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                log_to_driver=False,  # what workers have to say comes back as values
                logging_level=logging.CRITICAL,
            )
    except (RuntimeError, OSError, ValueError, ray.exceptions.RayError) as error:
        said = " ".join(str(error).split())[:200]
        raise BertlineError(
            f"--engine ray: Ray does not start here ({said}); its logs are in /tmp/ray/session_latest/logs"
        ) from error


def _connect(ray: Any, address: str) -> None:
    """Join the cluster at an address; in a thread of its own, for Ray may wait for ever for an answer."""
    if address.startswith("ray://"):
        raise UsageError(
            f"--ray-address {address}: start bertline on a machine of the cluster, and give HOST:PORT, or auto"
        )
    if address != "auto":
        _require_listener(address)
    failed: list[BaseException] = []

    def connect() -> None:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except BaseException as error:  # it is for the other thread to tell
            failed.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    with _speechless():
        thread.start()
        thread.join(CONNECT_SECONDS)
    if thread.is_alive():
        raise BertlineError(
            f"--ray-address {address}: no Ray cluster that this machine belongs to answers within "
            f"{CONNECT_SECONDS:.0f} s; join it with ray start --address={address}, or look at it with ray status"
        )
    if failed:
        said = " ".join(str(failed[0]).split())[:200]
        raise BertlineError(
            f"--ray-address {address}: the cluster cannot be joined ({said}); on this machine, ray start "
            f"--address={address} joins it"
        ) from failed[0]


@contextmanager
def _speechless() -> Iterator[None]:
    """Without stderr, on which Ray's C++ side says how it is configured; what is wrong it raises."""
    if sys.stderr is None:  # it is closed
        yield
        return
    sys.stderr.flush()
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def _require_listener(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise UsageError(f"--ray-address {address}: give HOST:PORT as ray start --head shows it, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or str(error) or "no answer"
        raise BertlineError(
            f"--ray-address {address}: no cluster answers there ({said}); start one with ray start --head, "
            "or leave the address out"
        ) from None
