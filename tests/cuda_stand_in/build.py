"""Builds libraries that stand in for CUDA's, so that ONNX Runtime's real CUDA provider runs where there is no GPU.

What it really calls is in the C++ files beside this one. The other functions that the provider is linked to are made
here: products are written down, handles are handed out, what promises nothing succeeds, and all else fails, so that
none is missed.
"""

import re
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent
# Each library and its sources; the first, which writes the log, is linked to others.
LIBRARIES = {
    "libcudart.so.13": ("streams.cpp", "memory.cpp", "kernels.cpp", "device.cpp"),
    "libcublas.so.13": (),
    "libcublasLt.so.13": (),
    "libcurand.so.10": (),
    "libcudnn.so.9": (),
    "libcuda.so.1": ("driver.cpp",),
}
_PRODUCTS = re.compile("gemm|geam|Matmul$", re.IGNORECASE)  # and sums
_HANDLES = re.compile("cu(blas|blasLt|dnn)Create(_v2)?$")
_HARMLESS = re.compile("Destroy|Set|egister|LastError|MathMode")  # whose success promises nothing
_NOT_SUPPORTED = 801  # CUDA's number; ONNX Runtime then says which call it was
_WEAK = "__attribute__((weak))"


def build(provider: Path, folder: Path) -> None:
    """Compile the libraries that `provider`, libonnxruntime_providers_cuda.so, needs, into `folder`.

    Raises CalledProcessError where a compiler's command fails, and FileNotFoundError where there is none.
    """
    wanted = functions(provider)
    runtime = folder / next(iter(LIBRARIES))
    for library, sources in LIBRARIES.items():
        made, versions = folder / f"{library}.cpp", folder / f"{library}.map"
        made.write_text("\n".join(['extern "C" {', *map(_made, wanted.get(library, [])), "}\n"]))
        # The provider wants functions of a version that is called as their library is.
        versions.write_text(f"{library} {{ global: cu*; __cuda*; stand_in_*; local: *; }};\n")
        linking = [f"-Wl,-soname,{library}", f"-Wl,--version-script={versions}"]
        files = [made, *(SOURCES / name for name in sources), *([runtime] if "cublas" in library else [])]
        command = ["g++", "-std=c++17", "-O1", "-Wall", "-shared", "-fPIC", *linking, "-o", folder / library, *files]
        subprocess.run(command, check=True)


def functions(provider: Path) -> dict[str, list[str]]:
    """By library, the functions that the provider is linked to, and for cuDNN those that it looks up by name."""
    listed = subprocess.run(["nm", "-D", "--undefined-only", provider], check=True, capture_output=True, text=True)
    found: dict[str, list[str]] = {"libcuda.so.1": re.findall(r" U (cu\w+)$", listed.stdout, re.MULTILINE)}
    for name, library in re.findall(r" U (\w*cu\w+)@+(\S+)$", listed.stdout, re.MULTILINE):
        found.setdefault(library, []).append(name)
    names = {name.decode() for name in re.findall(rb"\0(cudnn[A-Z]\w+)(?=\0)", provider.read_bytes())}
    return found | {"libcudnn.so.9": sorted(names)}


def _made(name: str) -> str:
    """The function in C++, a weak one: where a source has it, that one counts."""
    if _PRODUCTS.search(name):
        return f'void stand_in_product(const char *);\n{_WEAK} int {name}() {{ stand_in_product("{name}"); return 0; }}'
    if _HANDLES.match(name):
        return f"{_WEAK} int {name}(void **made) {{ static int handle; *made = &handle; return 0; }}"
    if name.endswith(("Name", "String")):
        return f'{_WEAK} const char *{name}() {{ return "an error of the stand-in"; }}'
    return f"{_WEAK} int {name}() {{ return {0 if _HARMLESS.search(name) else _NOT_SUPPORTED}; }}"
