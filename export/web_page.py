"""The page's libraries: npm brings them once a machine, by the lockfile in its folder; they are copied beside it."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from bertline.bundle import Manifest
from bertline.errors import BertlineError
from bertline.files import whole_folder

PAGE = Path(__file__).parent / "runtimes" / "web"
_LISTS = ("package.json", "package-lock.json")
_ORT, _TOKENIZERS = "onnxruntime-web/dist", "@huggingface/tokenizers"
# Below node_modules, and below the page's vendor folder.
_COPIED = {
    f"{_TOKENIZERS}/dist/tokenizers.min.mjs": "tokenizers.min.mjs",
    f"{_TOKENIZERS}/LICENSE": "tokenizers.LICENSE.txt",
    f"{_ORT}/ort.wasm.bundle.min.mjs": "ort.wasm.bundle.min.mjs",
    f"{_ORT}/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
    # Loaded only where there is a GPU.
    f"{_ORT}/ort.jspi.bundle.min.mjs": "webgpu/ort.jspi.bundle.min.mjs",
    f"{_ORT}/ort-wasm-simd-threaded.jspi.wasm": "webgpu/ort-wasm-simd-threaded.jspi.wasm",
}


def have_libraries() -> Path:
    """The folder with the lockfile's packages, fetched by npm the first time; BertlineError where that fails."""
    lists = b"\0".join((PAGE / name).read_bytes() for name in _LISTS)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bertline" / "npm"
    target = cache / f"web-{hashlib.sha256(lists).hexdigest()[:12]}"
    if not target.is_dir():
        npm = shutil.which("npm")
        if npm is None:
            raise BertlineError(
                "--runtimes web: there is no npm, which brings the page's libraries; "
                "install Node 20 or later from your system's packages or https://nodejs.org"
            )
        cache.mkdir(parents=True, exist_ok=True)
        with target.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another export may be fetching them
            if not target.is_dir():
                with whole_folder(target, force=True) as partial:
                    _fetch(npm, partial)
    return target / "node_modules"


def add_libraries(bundle: Path, manifest: Manifest, target: Path) -> None:
    """Copy what the page loads, and the licenses, below `target`."""
    packages = have_libraries()
    for source, name in _COPIED.items():
        path = target / "vendor" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packages / source, path)


def _fetch(npm: str, folder: Path) -> None:
    """`npm ci` compares each package with the lockfile's hash; no package's own script runs."""
    for name in _LISTS:
        shutil.copyfile(PAGE / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise BertlineError(f"--runtimes web: npm could not bring the page's libraries ({said}); see npm ping")
