"""The consumer in C++, built from the bundle's own sources into a folder of ours."""

import os
import shutil
import sys

from benchmarks.runtimes.consumer import Program, Setting, megabytes
from benchmarks.runtimes.packages import package_megabytes, required_packages
from benchmarks.runtimes.process import run, shortened
from benchmarks.runtimes.result import Installed
from bertline.errors import BertlineError

_COUNTED = "the program, and the packages whose libraries it loads"


def open_cpp(setting: Setting) -> Program:
    """The program of a bundle; building it takes a minute."""
    if shutil.which("cmake") is None:
        raise BertlineError("needs cmake; apt-get install cmake g++ libssl-dev nlohmann-json3-dev")
    packages = required_packages(setting.folder / "requirements.txt")
    configure = ("-S", setting.folder, "-B", setting.scratch, f"-DPython3_EXECUTABLE={sys.executable}")
    for words in (configure, ("--build", setting.scratch, "--parallel", str(os.cpu_count()))):
        done = run(["cmake", *words], setting.timeout_seconds)
        if done.returncode:
            lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            reason = next((line for line in lines if "error" in line.lower()), *lines[-1:])
            raise BertlineError(shortened(f"is not built: {reason}; see {setting.folder}/README.md"))
    program = setting.scratch / "bertline_cpp"
    versions = {package.name: package.version for package in packages}
    installed = Installed("cpp", versions, megabytes(program) + package_megabytes(packages), _COUNTED)
    return Program(installed, (program,), setting)
