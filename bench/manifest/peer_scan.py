"""The plain way to the same manifest: walk, match every pattern, read, hash. Prints entries, bytes and the digest."""

import fnmatch
import hashlib
import os
import sys

EXCLUDE = (
    "__pycache__ .git .mypy_cache .pytest_cache .ruff_cache .venv *.pyc *.pyo *.swp *.tmp "
    "cache cache/* logs logs/* tmp tmp/*"
).split()


def excluded(path):
    for pattern in EXCLUDE:
        if path == pattern or path.startswith(pattern + "/") or fnmatch.fnmatchcase(path, pattern):
            return True
    return False


def scan(root, include):
    for top in include:
        for folder, names, files in os.walk(os.path.join(root, top)):
            names[:] = [n for n in names if not excluded(os.path.relpath(os.path.join(folder, n), root))]
            for name in files:
                native = os.path.join(folder, name)
                path = os.path.relpath(native, root)
                if excluded(path):
                    continue
                stat = os.stat(native)
                sha256 = hashlib.sha256()
                with open(native, "rb") as file:
                    while chunk := file.read(1 << 20):
                        sha256.update(chunk)
                yield path, stat.st_size, stat.st_mtime, sha256.hexdigest()


root = sys.argv[1]
entries = sorted(scan(root, sys.argv[2:] or ["assets"]))
digest = hashlib.sha256()
for path, size, _, sha256 in entries:
    digest.update(f"{path}{size}{sha256}".encode())
print(len(entries), sum(entry[1] for entry in entries), digest.hexdigest())
