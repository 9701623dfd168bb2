"""Imports that a start can do without: candidates, placeholders, and the proof; as text, and as a flame graph."""

from __future__ import annotations

import builtins
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from doctor.starts import WSGI, make_target, write_app
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.doctor.start.flame_graph import flame_graph
from lambda_web_adapter.doctor.start.import_text import tree_lines
from lambda_web_adapter.doctor.start.left_out import UsedWhileLeftOut, leave_out
from lambda_web_adapter.doctor.start.own_files import OwnFiles
from lambda_web_adapter.doctor.start.trial import run_trial
from lambda_web_adapter.doctor.start.unused_modules import Candidate, find_candidates, find_import, prove
from lambda_web_adapter.local.imports.import_tree import ImportTime


def tree(name: str, milliseconds: int, *children: ImportTime) -> ImportTime:
    total = milliseconds * 1000
    self_us = total - sum(child.cumulative_us for child in children)
    return ImportTime(name=name, self_us=self_us, cumulative_us=total, children=list(children))


IMPORT = tree(
    "main:app",
    100,
    tree("framework", 40, tree("framework.parts", 30), tree("json", 5)),
    tree("reports", 20, tree("pandas", 15)),
    tree("views", 20, tree("boto3", 12, tree("botocore", 10)), tree("tiny", 1)),
)
OWN = {"main", "reports", "views"}


@pytest.mark.parametrize(
    ("ran", "candidates"),
    [
        ({"framework.parts", "views"}, ["reports", "boto3"]),
        ({"framework", "views", "reports"}, ["pandas", "boto3"]),
        ({"framework", "views", "json", "botocore"}, ["reports", "boto3"]),
        ({"framework", "views.inner", "reports", "pandas.core.frame", "boto3"}, []),
        (set(), ["framework", "reports", "views"]),
    ],
    ids=["own modules", "in own modules", "what others import", "submodules", "nothing"],
)
def test_candidates(tmp_path: Path, ran: set[str], candidates: list[str]) -> None:
    write_app(
        tmp_path, "import framework, reports\nimport views", reports="import pandas", views="\n\nimport boto3, tiny"
    )
    places = {"framework": "main.py:1", "reports": "main.py:1", "views": "main.py:2"}
    places |= {"pandas": "reports.py:1", "boto3": "views.py:3"}

    found = {each.name: f"{each.path}:{each.line}" for each in find_candidates(IMPORT, OWN, ran, tmp_path)}

    assert found == {name: places[name] for name in candidates}


def test_what_the_app_does_not_import_itself_is_no_candidate(tmp_path: Path) -> None:
    write_app(tmp_path, "def load():\n    import framework\n", reports="", views="")

    assert find_candidates(IMPORT, OWN, {"reports", "views"}, tmp_path) == []


@pytest.mark.parametrize(
    ("source", "importer", "name", "line"),
    [
        ("x = 1\nimport pandas\n", "main", "pandas", 2),
        ("import pandas.core\n", "main", "pandas", 1),
        ("from pandas import DataFrame\n", "main", "pandas", 1),
        ("from google.cloud import storage\n", "main", "google.cloud.storage", 1),
        ("\nfrom . import reports\n", "pkg.main", "pkg.reports", 2),
        ("\n\nfrom .reports import draw\n", "pkg.main", "pkg.reports", 3),
        ("import pandas_extra\n", "main", "pandas", 0),
    ],
    ids=["import", "submodule", "from", "module of a package", "relative", "of a relative one", "another one"],
)
def test_where_a_module_is_imported(tmp_path: Path, source: str, importer: str, name: str, line: int) -> None:
    file = f"{importer.replace('.', '/')}.py"
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(source)

    assert find_import(tmp_path, importer, name) == (file, line)


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Leave out `heavy` and `pkg.heavy` of the modules in a folder; what is used of them is in the list."""
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)  # undone at the end
    monkeypatch.syspath_prepend(tmp_path)
    loaded = set(sys.modules)
    names: list[str] = []
    write_app(tmp_path, "", heavy="x = 1\n", **{"pkg/__init__": "y = 2\n", "pkg/heavy": "", "pkg/light": "z = 3\n"})
    leave_out(("heavy", "pkg.heavy"), OwnFiles(str(tmp_path)), names.append)
    yield names
    for name in set(sys.modules) - loaded:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("source", "loaded"),
    [
        ("import heavy", False),
        ("import heavy as h", False),
        ("from heavy import x, anything", False),
        ("import pkg.heavy", False),
        ("import pkg.heavy as h", False),
        ("from pkg import heavy, light, y\nassert (light.z, y) == (3, 2)", False),
        ("from pkg.heavy import anything", False),
        ("def load():\n    import heavy\nload()", True),
        ("import pkg.light\nassert pkg.light.z == 3", False),
    ],
    ids=["import", "as", "from", "submodule", "submodule as", "from package", "from submodule", "function", "another"],
)
def test_imports_of_what_is_left_out(tmp_path: Path, used: list[str], source: str, loaded: bool) -> None:
    (tmp_path / "importer.py").write_text(f"{source}\n")

    importlib.import_module("importer")

    assert used == []
    assert bool({"heavy", "pkg.heavy"} & sys.modules.keys()) is loaded


@pytest.mark.parametrize(
    "use",
    [
        "heavy.function()",
        "class A(heavy.Base): pass",
        "heavy.table[1]",
        "isinstance(1, heavy.Type)",
        "heavy.A | None",
        "list(heavy.items)",
        "@heavy.decorator\ndef f(): pass",
        "heavy.option = 1",
        "bool(heavy.flag)",
    ],
)
def test_uses_of_what_is_left_out_are_reported(tmp_path: Path, used: list[str], use: str) -> None:
    (tmp_path / "importer.py").write_text(f"import heavy\n{use}\n")

    with pytest.raises(UsedWhileLeftOut, match=r"heavy.* was left out"):
        importlib.import_module("importer")

    assert used[0].startswith("heavy")


# Takes some milliseconds of CPU, whatever the machine.
SLOW = "for number in range(400_000): number * number\n"


def test_a_start_without_modules(tmp_path: Path) -> None:
    """One is used by the import, one by a request, one by nobody."""
    app = WSGI.replace("    start_response(", "    asked.Answer()\n    start_response(")
    modules = dict.fromkeys(("spare", "asked", "needed"), f"{SLOW}class Answer: pass\n")
    write_app(tmp_path, f"import spare, asked\nfrom needed import Answer\nclass Mine(Answer): pass\n{app}", **modules)
    target = make_target(tmp_path)
    candidates = [Candidate(name=name, importers=("main",), import_us=20_000) for name in modules]

    proof = prove(target, candidates, run_trial(target))

    assert [each.name for each in proof.unused] == ["spare"]
    assert proof.needed.keys() == {"asked", "needed"}
    assert re.fullmatch(r"needed\.Answer is used at .*main\.py:3", proof.needed["needed"])
    assert re.fullmatch(r"asked\.Answer is used at .*main\.py:6", proof.needed["asked"])
    assert proof.saved_seconds > 0


def test_a_start_that_fails_in_another_way(tmp_path: Path) -> None:
    source = f"import spare, checked\nif type(checked.VALUE) is not int: raise ValueError('no number')\n{WSGI}"
    write_app(tmp_path, source, spare=SLOW, checked="VALUE = 1\n")
    target = make_target(tmp_path)
    candidates = [Candidate(name=name, importers=("main",), import_us=20_000) for name in ("spare", "checked")]

    proof = prove(target, candidates, run_trial(target))

    assert [each.name for each in proof.unused] == ["spare"]
    assert proof.needed == {"checked": "the app fails without it: ValueError: no number"}


def test_a_tree_as_text() -> None:
    assert tree_lines(IMPORT, {"framework", "reports"}) == [
        "main:app                 100.0 ms",
        "├─ framework              40.0 ms",
        "│  ├─ framework.parts     30.0 ms  nothing ran",
        "│  └─ json                 5.0 ms  nothing ran",
        "├─ reports                20.0 ms",
        "│  └─ pandas              15.0 ms  nothing ran",
        "└─ views                  20.0 ms  nothing ran",
    ]


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
trees = st.recursive(
    st.builds(lambda name, us: ImportTime(name=name, self_us=us, cumulative_us=us), names, st.integers(0, 10**7)),
    lambda inner: st.builds(
        lambda name, us, children: ImportTime(
            name=name, self_us=us, cumulative_us=us + sum(child.cumulative_us for child in children), children=children
        ),
        names,
        st.integers(0, 10**7),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(root=trees)
def test_a_flame_graph_is_well_formed_and_holds_its_boxes(root: ImportTime) -> None:
    svg = ElementTree.fromstring(flame_graph(root, {root.name}))  # noqa: S314  # our own

    space = "{http://www.w3.org/2000/svg}"
    boxes = [group.find(f"{space}rect") for group in svg.iter(f"{space}g")]
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    for box in boxes:
        assert box is not None
        left, top = float(box.get("x", -1)), float(box.get("y", -1))
        assert 0 <= left <= left + float(box.get("width", 0)) <= width
        assert 0 <= top <= top + float(box.get("height", 0)) <= height


def test_a_flame_graph_needs_nothing_else() -> None:
    svg = flame_graph(IMPORT, OWN, {"framework.parts", "views"})

    assert re.findall(r"https?://[^\"]*|<script|<image|url\(", svg) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in svg
    kinds = dict(re.findall(r"<title>([\w.:]+): [^<]*</title><rect class=\"(\w+)\"", svg))
    assert kinds == {
        "main:app": "own",
        "framework": "package",
        "framework.parts": "package",
        "json": "idle",
        "reports": "idle",
        "pandas": "idle",
        "views": "own",
        "boto3": "idle",
        "botocore": "idle",
        "tiny": "idle",
    }
