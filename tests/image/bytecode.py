"""Whether an image carries bytecode that its Python will take, since on Lambda none can be made and kept."""

import struct
from pathlib import Path

# Parts of the standard library that no server imports, as the Dockerfiles name them.
LEFT_OUT = {
    *("ensurepip", "idlelib", "lib2to3", "dist-packages", "site-packages", "test", "tkinter", "turtledemo"),
}


def not_compiled(root: Path) -> dict[str, list[str]]:
    """Per kind of code: the sources that have no bytecode, or one that Python would find out of date."""
    candidates = [path for prefix in ("usr", "usr/local", "var/lang") for path in root.glob(f"{prefix}/lib/python3.*")]
    (library,) = (folder for folder in candidates if (folder / "os.py").exists())
    installed = list(root.glob("opt/venv/lib/python3.*/site-packages"))
    kinds = {"app": [root / "var/task"], "installed packages": installed, "standard library": [library]}
    tag = library.name.replace("python", "cpython-").replace(".", "")
    return {kind: [lost for folder in folders for lost in lost_in(folder, tag)] for kind, folders in kinds.items()}


def lost_in(folder: Path, tag: str) -> list[str]:
    # Debian links some to /etc, which leads out of the image here.
    files = [path for path in folder.rglob("*.py") if not path.is_symlink()]
    sources = [path for path in files if not LEFT_OUT & {*path.relative_to(folder).parts}]
    lost = [source for source in sources if not is_compiled(source, tag)]
    return [str(source.relative_to(folder)) for source in lost] if sources else [f"nothing at all in {folder.name}"]


def is_compiled(source: Path, tag: str) -> bool:
    try:
        with (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").open("rb") as compiled:
            _, flags, when, size = struct.unpack("<4I", compiled.read(16))
    except (OSError, struct.error):
        return False
    found = source.stat()
    # Flags: the bytecode names its source by hash, not by time and size.
    return bool(flags) or (when, size) == (int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
