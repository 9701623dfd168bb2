"""The import times of an app: really imported, and the parser of what Python prints."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import PROJECT, plain_environment, runs, wait_until

from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.imports.import_times import AppImport, ImportsNotMeasured, measure_imports
from lambda_web_adapter.local.imports.import_tree import ImportTime, parse, sort_and_prune
from lambda_web_adapter.settings import Settings

APP = """
import slow_part


def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
"""
SLOW = "import time, slow_inner\ntime.sleep(0.02)\n"


def measure(
    folder: Path, name: str = "main:app", seconds: float = 30.0, environ: dict[str, str] | None = None
) -> AppImport:
    settings = Settings(app=name, app_dir=str(folder))
    return asyncio.run(
        measure_imports(settings, [], environ or plain_environment(), FunctionOptions(), seconds=seconds)
    )


def write(folder: Path, **modules: str) -> None:
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)


def find(tree: ImportTime, name: str) -> ImportTime:
    """Return the module of this name, or a failure that shows the tree."""
    found = [each for each in _all(tree) if each.name == name]
    assert found, f"{name} is not in {[each.name for each in _all(tree)]}"
    return found[0]


def _all(tree: ImportTime) -> list[ImportTime]:
    return [tree, *(each for child in tree.children for each in _all(child))]


def test_a_small_app_is_a_tree_of_its_modules(tmp_path: Path) -> None:
    write(tmp_path, main=APP, slow_part=SLOW, slow_inner="import time\ntime.sleep(0.01)\n")

    tree = measure(tmp_path)

    (slow,) = [each for each in tree.children if each.name == "slow_part"]
    assert tree.name == "main:app"
    assert find(slow, "slow_inner").self_us >= 10_000
    assert slow.self_us >= 20_000
    assert slow.cumulative_us >= slow.self_us + 10_000
    assert tree.cumulative_us >= slow.cumulative_us


def test_the_fastapi_example_imports_fastapi_and_nothing_of_the_local_run() -> None:
    tree = measure(PROJECT / "examples" / "fastapi_app")

    names = {each.name for each in _all(tree)}
    assert {"fastapi", "starlette"} <= {name.partition(".")[0] for name in names}
    assert not [name for name in names if name.startswith("lambda_web_adapter.local")]
    totals = [each.cumulative_us for each in tree.children if not each.name.startswith("…")]
    assert totals == sorted(totals, reverse=True)


def test_the_app_s_output_is_kept_apart(tmp_path: Path) -> None:
    source = "import sys, os\nprint('to stdout')\nprint('import time: 1 | 2 | fake', file=sys.stderr)\n"
    write(tmp_path, main=source + "os.write(2, b'plain bytes\\n')\n" + APP, slow_part="import time; time.sleep(0.001)")

    tree = measure(tmp_path)

    assert tree.output == "to stdout\nimport time: 1 | 2 | fake\n"
    assert "fake" not in {each.name for each in _all(tree)}
    assert find(tree, "slow_part").self_us


def test_a_factory_s_time_is_that_of_the_whole(tmp_path: Path) -> None:
    write(
        tmp_path,
        main=APP + "\n\nimport time\ndef make(): time.sleep(0.02); return app\n",
        slow_part="import time; time.sleep(0.001)",
    )

    assert measure(tmp_path, "main:make").self_us >= 20_000


def test_an_app_without_a_name_is_searched(tmp_path: Path) -> None:
    write(tmp_path, main=APP, slow_part="import time; time.sleep(0.001)")

    tree = measure(tmp_path, "")

    assert tree.name == "the app"
    assert find(tree, "slow_part").self_us


def test_the_app_sees_the_variables_of_an_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        main="import os\nprint(os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'], os.environ['MINE'])\n" + APP,
        slow_part="",
    )

    assert measure(tmp_path, environ=plain_environment({"MINE": "yes"})).output == "1769 yes\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("1 / 0", "ZeroDivisionError", id="an error"),
        pytest.param("import no_such_module", "No module named 'no_such_module'", id="a missing module"),
        pytest.param("raise SystemExit('stop')", "SystemExit: stop", id="an exit"),
        pytest.param("app = 1 +", "SyntaxError", id="a syntax error"),
        pytest.param("other = 1", "app", id="no app"),
        pytest.param("print('last words', flush=True); import os; os._exit(3)", "last words", id="the process ends"),
    ],
)
def test_a_failing_import_is_an_error_with_the_reason(tmp_path: Path, source: str, message: str) -> None:
    write(tmp_path, main=source)

    with pytest.raises(ImportsNotMeasured, match=message):
        measure(tmp_path)


def test_the_traceback_has_the_line_of_the_app(tmp_path: Path) -> None:
    write(tmp_path, main="import broken", broken="x = 1\nraise ValueError('for the test')\n")

    with pytest.raises(ImportsNotMeasured) as raised:
        measure(tmp_path)

    assert str(raised.value).startswith("Traceback")
    assert 'broken.py", line 2' in str(raised.value)
    assert "import_program" not in str(raised.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportsNotMeasured, match="There is no folder"):
        measure(tmp_path / "nowhere")


def test_an_import_that_hangs_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    source = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('pids').write_text(f'{os.getpid()} {child.pid}')\n"
        "print('it hangs', flush=True)\n"
        "time.sleep(600)\n"
    )
    write(tmp_path, main=f"import os; os.chdir({str(tmp_path)!r})\n{source}")

    with pytest.raises(ImportsNotMeasured, match=r"within 2 s. It wrote:\nit hangs"):
        measure(tmp_path, seconds=2)

    pids = list(map(int, (tmp_path / "pids").read_text().split()))
    assert len(pids) == 2
    wait_until(lambda: not any(map(runs, pids)), "both processes have ended")


def test_a_process_that_the_app_leaves_behind_delays_nothing(tmp_path: Path) -> None:
    source = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    write(tmp_path, main=source + APP, slow_part="import time; time.sleep(0.001)")

    assert find(measure(tmp_path), "slow_part").self_us


def test_endless_output_is_refused(tmp_path: Path) -> None:
    write(tmp_path, main="import os\nwhile True: os.write(2, b'x' * 100_000)\n")

    with pytest.raises(ImportsNotMeasured, match="more than 16 MB"):
        measure(tmp_path)


def test_an_external_command_is_refused() -> None:
    with pytest.raises(ImportsNotMeasured, match="gunicorn is an external command"):
        asyncio.run(measure_imports(Settings(), ["gunicorn", "main:app"], os.environ, FunctionOptions()))


def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    """The import waits for a file that the loop writes while it waits for the import."""
    gate = tmp_path / "gate"
    write(
        tmp_path,
        main=f"import pathlib\nwhile not pathlib.Path({str(gate)!r}).exists(): pass\n{APP}",
        slow_part="import time; time.sleep(0.001)",
    )

    async def both() -> AppImport:
        settings = Settings(app="main:app", app_dir=str(tmp_path))
        task = asyncio.create_task(measure_imports(settings, [], plain_environment(), FunctionOptions()))
        await asyncio.sleep(0)
        gate.touch()
        return await task

    assert find(asyncio.run(both()), "slow_part").self_us


# The parser.


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> ImportTime:
    children = draw(st.lists(trees(depth - 1), max_size=3)) if depth else []
    self_us = draw(st.integers(0, 500))
    name = draw(st.from_regex(r"[a-z_]{1,8}(\.[a-z]{1,8})?", fullmatch=True))
    total = self_us + sum(each.cumulative_us for each in children)
    return ImportTime(name=name, self_us=self_us, cumulative_us=total, children=children)


def lines(module: ImportTime, depth: int = 0) -> list[str]:
    """Return the lines as CPython writes them."""
    own = f"import time: {module.self_us:9} | {module.cumulative_us:10} | {'  ' * depth}{module.name}"
    return [*(line for child in module.children for line in lines(child, depth + 1)), own]


@given(st.lists(trees(), max_size=3), st.lists(st.sampled_from(["import time: self [us] | x", "a line", ""])))
def test_what_python_prints_is_the_tree_again(modules: list[ImportTime], others: list[str]) -> None:
    text = "\n".join([*others, *(line for module in modules for line in lines(module)), *others])

    assert parse(text) == modules


@given(st.text() | st.lists(st.sampled_from([" 1", "|", "import time:", "  ", "a\n"])).map("".join))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    parse(text)


@given(st.lists(trees(), max_size=3), st.integers(0, 600))
def test_pruning_keeps_all_the_time_and_counts_what_it_sums_up(modules: list[ImportTime], min_us: int) -> None:
    pruned = sort_and_prune(modules, min_us)

    assert sum(each.cumulative_us for each in pruned) == sum(each.cumulative_us for each in modules)
    assert _size(pruned) == _size(modules)
    totals = [each.cumulative_us for each in pruned if not each.name.startswith("…")]
    assert totals == sorted(totals, reverse=True)
    assert all(total >= min_us for total in totals)


def _size(modules: list[ImportTime]) -> int:
    return sum(int(each.name.split()[1]) if each.name.startswith("…") else 1 + _size(each.children) for each in modules)


def test_modules_of_an_import_that_failed_have_none_above_them() -> None:
    text = "import time: 1 | 1 |     deep\nimport time: 2 | 3 |   middle\nimport time: 5 | 5 | top"

    assert [(each.name, [child.name for child in each.children]) for each in parse(text)] == [
        ("top", ["middle"]),
    ]
