"""Names of modules that no artifact has to have: those of the standard library, and those of Lambda's runtime."""

from __future__ import annotations

import sys

# What Lambda's Python runtimes have besides the standard library: boto3, and what it requires.
RUNTIME_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
# Modules of the runtime itself, which some apps import.
RUNTIMES_OWN = ("awslambdaric", "snapshot_restore_py", "bootstrap", "simplejson")
# Modules by the minor version of the first Python 3 that has them no more ("What's New", removed).
_REMOVED = {
    12: "asynchat asyncore distutils imp smtpd",
    13: "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd "
    "sunau telnetlib uu xdrlib",
}
# The same for those that came later than the oldest Python that this program runs with.
_ADDED_IN = {"annotationlib": 14, "compression": 14, "profiling": 15}
_REMOVED_IN = {name: minor for minor, names in _REMOVED.items() for name in names.split()}


def is_standard(name: str, python: tuple[int, int]) -> bool:
    """Return whether a top-level module may be in the standard library of a version of Python.

    A module that this Python has counts unless it is known to be removed.
    """
    if name in _REMOVED_IN:
        return python < (3, _REMOVED_IN[name])
    if name in _ADDED_IN:
        return python >= (3, _ADDED_IN[name])
    return name in sys.stdlib_module_names or name == "__main__"
