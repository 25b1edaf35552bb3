"""The consumer in C++, built from the bundle's own sources into a folder of ours."""

import shutil
import sys

from benchmarks.runtimes.consumer import Program, Setting, megabytes
from benchmarks.runtimes.packages import package_megabytes, required_packages
from benchmarks.runtimes.process import run, shortened
from benchmarks.runtimes.result import Installed
from bertline.errors import BertlineError
from infer.cpus import usable_cpus

_COUNTED = "the program, and the packages whose libraries it loads"


def open_cpp(setting: Setting) -> Program:
    """The program of a bundle; building it takes a minute."""
    if shutil.which("cmake") is None:
        raise BertlineError("needs cmake; apt-get install cmake g++ libssl-dev nlohmann-json3-dev")
    packages = required_packages(setting.folder / "requirements.txt")
    configure = ("-S", setting.folder, "-B", setting.scratch, f"-DPython3_EXECUTABLE={sys.executable}")
    for words in (configure, ("--build", setting.scratch, "--parallel", str(usable_cpus()))):
        done = run(["cmake", *words], setting.timeout_seconds)
        if done.returncode:
            lines = (done.stderr + done.stdout).splitlines()
            at = next((at for at, line in enumerate(lines) if "error" in line.lower()), 0)
            raise BertlineError(shortened(f"is not built; see {setting.folder}/README.md: {' '.join(lines[at:])}"))
    program = setting.scratch / "bertline_cpp"
    versions = {package.name: package.version for package in packages}
    installed = Installed("cpp", versions, megabytes(program) + package_megabytes(packages), _COUNTED)
    return Program(installed, (program,), setting)
