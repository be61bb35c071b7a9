"""Imports go one way, and start-up is lazy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE, KERNELS = ROOT / "asyncgen", ROOT / "kernels" / "asyncgen_kernels"

VALUES = {"records", "errors", "machine"}
MAY_IMPORT = {
    "": set[str](),
    "__main__": {"cli"},
    "records": set[str](),
    "machine": set[str](),
    "errors": {"records"},
    "settings": VALUES,
    "endpoints": VALUES | {"settings"},
    "engine": VALUES | {"endpoints"},
    "journal": VALUES,
    "cache": VALUES | {"journal"},
    "control": VALUES,
    "statistics": set[str](),
    "survey": VALUES | {"settings", "endpoints", "engine", "journal", "cache"},
    "evaluate": VALUES
    | {"settings", "journal", "pipeline", "statistics", "dataset", "report", "kernels"},
    "dataset": VALUES | {"corpus", "kernels"},
    "corpus": VALUES | {"kernels"},
    "bench": VALUES | {"corpus", "kernels", "settings", "endpoints", "pipeline"},
    "pipeline": VALUES
    | {"settings", "endpoints", "engine", "journal", "survey", "dataset", "corpus", "kernels"},
    "finetune": VALUES | {"settings", "endpoints", "journal", "dataset", "corpus", "pipeline"},
    "cycle": VALUES
    | {"settings", "corpus", "journal", "finetune", "evaluate", "report", "pipeline"},
    "planning": VALUES | {"settings", "endpoints", "engine", "journal", "pipeline"},
    "report": VALUES | {"", "settings", "journal", "corpus", "pipeline", "kernels"},
    "rate": VALUES | {"settings", "statistics", "corpus", "journal", "report"},
    "cli": VALUES
    | {"", "settings", "endpoints", "engine", "journal", "dataset", "corpus", "kernels"}
    | {
        "pipeline",
        "planning",
        "report",
        "bench",
        "control",
        "survey",
        "evaluate",
        "statistics",
        "rate",
        "finetune",
        "cycle",
    },
}
"""What each room may import besides itself, of ours. A new room is entered here."""


def modules_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


MODULES = modules_of(PACKAGE) + modules_of(KERNELS)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> set[str]:
    """Return the dotted names of the modules that one imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are banned"
            assert node.module is not None
            # ``from asyncgen import cli`` imports asyncgen.cli, not the package alone.
            names |= {_module(node.module, alias.name) for alias in node.names}
    return names


def _module(parent: str, name: str) -> str:
    places = (PACKAGE.parent, KERNELS.parent)
    relative = Path(*parent.split("."), name)
    is_module = any(
        (place / relative).is_dir() or (place / relative).with_suffix(".py").is_file()
        for place in places
    )
    return f"{parent}.{name}" if is_module else parent


def room_of(module: str) -> str | None:
    """Return the room that a dotted name belongs to; ``None`` if it is not ours."""
    top, _, rest = module.partition(".")
    if top == "asyncgen_kernels":
        return "kernels"
    return rest.partition(".")[0] if top == "asyncgen" else None


def room_of_path(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    first = relative.parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


@pytest.mark.parametrize("path", modules_of(PACKAGE), ids=name_of)
def test_a_room_imports_only_what_stands_below_it(path: Path) -> None:
    room = room_of_path(path)
    imported = {found for name in imports_of(path) if (found := room_of(name)) is not None}

    assert imported - {room} <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", modules_of(KERNELS), ids=name_of)
def test_kernels_import_numpy_and_numba_only(path: Path) -> None:
    top = {name.partition(".")[0] for name in imports_of(path)}

    # llvmlite is what Numba's intrinsics are written in, and comes with it.
    allowed = {"numpy", "numba", "llvmlite", "asyncgen_kernels"}
    assert top - sys.stdlib_module_names <= allowed


def test_this_test_sees_imports_in_every_form() -> None:
    """Those inside functions and for type checkers only, of modules and of names."""
    found = imports_of(PACKAGE / "cli" / "generate.py")
    assert {"asyncgen.pipeline.folder", "asyncgen.cli.session", "typer"} <= found
    assert "asyncgen.endpoints.base" in imports_of(PACKAGE / "engine" / "lane.py")
    assert "asyncgen.endpoints.bodies" in imports_of(PACKAGE / "endpoints" / "http.py")
    assert len(MODULES) > 40


@pytest.mark.parametrize(
    "forbidden",
    [
        "numba",
        "numpy",
        "aiohttp",
        "rich.live",
        "openvino_genai",
        "genai_prices",
        "jinja2",
        "sqlite3",
        "pyarrow",
        "torch",
        "transformers",
    ],
)
def test_the_command_line_starts_without(forbidden: str, modules_at_start: set[str]) -> None:
    assert forbidden not in modules_at_start


@pytest.fixture(scope="module")
def modules_at_start() -> set[str]:
    program = "import asyncgen.cli.app, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    return set(done.stdout.split())


def test_kernels_is_a_folder_and_no_package(tmp_path: Path) -> None:
    """An import package of that name belongs to another project, which transformers imports."""
    assert not (ROOT / "kernels" / "__init__.py").exists()
    program = "from importlib.util import find_spec; print(find_spec('kernels'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert str(ROOT / "kernels") not in done.stdout


def test_seeds_hold_data_only() -> None:
    assert {path.suffix for path in (ROOT / "seeds").iterdir()} == {".jsonl", ".md"}


def top_level_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.ImportFrom(names=aliases) | ast.Import(names=aliases):
                names |= {alias.asname or alias.name for alias in aliases}
            case _:
                pass
    return names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize("path", modules_of(PACKAGE), ids=name_of)
def test_a_module_lists_what_it_offers_and_has_it(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    offered: list[str] | None = None
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            offered = ast.literal_eval(node.value)
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    }

    assert offered is not None or not defined
    assert set(offered or ()) <= top_level_names(tree)
    assert len(set(offered or ())) == len(offered or ())
