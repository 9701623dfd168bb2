"""What cannot be in one package."""

from __future__ import annotations

import pytest

from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.packaging_error import PackagingError


def test_a_file_with_the_name_of_a_package_is_an_error() -> None:
    paths = {"yaml": APP, "yaml/__init__.py": "pyyaml", "yaml.txt": APP}
    contents = Contents({path: Item(owner=owner, content=b"") for path, owner in paths.items()})

    with pytest.raises(PackagingError, match=r"yaml is a file of the project, and also a folder of pyyaml"):
        contents.check_paths()
    del contents.items["yaml"]
    contents.check_paths()
