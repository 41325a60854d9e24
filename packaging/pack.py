#!/usr/bin/env python3
"""Packs a built program for those who install it: an archive, a wheel, a package of npm. Nothing is built here, so that every channel
carries the same program; which systems there are is in targets.json.

    pack.py archive TARGET PROGRAM --out FOLDER     improve-TARGET.tar.gz or .zip, and its .sha256
    pack.py wheel TARGET PROGRAM --out FOLDER       needs the package `wheel`, which packs it
    pack.py npm TARGET PROGRAM --out FOLDER         a folder for `npm pack`
    pack.py npm-shim --out FOLDER                   the package that finds the program of a system
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CRATE = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]
TARGETS = {row["target"]: row for row in json.loads((HERE / "targets.json").read_text(encoding="utf-8"))}
LICENSES = ["LICENSE-APACHE", "LICENSE-MIT"]
# On PyPI `improve` and `improve-cli` belong to others.
NAME = "improve-plans"
# 1980, where zip begins.
EPOCH = 315_532_800


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in ["archive", "wheel", "npm", "npm-shim"]:
        command = kinds.add_parser(kind)
        if kind != "npm-shim":
            command.add_argument("target", choices=TARGETS)
            command.add_argument("program", type=Path)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--repository", help="address of the repository, as registries show it")
    arguments = parser.parse_args()
    if arguments.kind != "npm-shim" and not arguments.program.exists():
        sys.exit(f"{arguments.program}: no such program: build it first")
    arguments.out.mkdir(parents=True, exist_ok=True)
    match arguments.kind:
        case "archive":
            made = archive(arguments.target, arguments.program, arguments.out)
        case "wheel":
            made = wheel(arguments.target, arguments.program, arguments.out, arguments.repository)
        case "npm":
            made = npm(TARGETS[arguments.target], arguments.program, arguments.out, arguments.repository)
        case "npm-shim":
            made = npm_shim(arguments.out, arguments.repository)
    print(made)


def program_name(target: str) -> str:
    return "improve.exe" if "windows" in target else "improve"


def archive(target: str, program: Path, out: Path) -> Path:
    """The program and its licences in one folder. Times and owners are fixed: the same program gives the same bytes."""
    folder = f"improve-{target}"
    files = [(program, program_name(target), 0o755)] + [(ROOT / name, name, 0o644) for name in [*LICENSES, "README.md"]]
    if "windows" in target:
        made = out / f"{folder}.zip"
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
            for file, name, mode in files:
                entry = zipfile.ZipInfo(f"{folder}/{name}")
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | mode) << 16
                packed.writestr(entry, file.read_bytes())
    else:
        made = out / f"{folder}.tar.gz"
        with made.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped:
            with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as packed:
                for file, name, mode in files:
                    entry = tarfile.TarInfo(f"{folder}/{name}")
                    entry.size, entry.mode, entry.mtime = file.stat().st_size, mode, EPOCH
                    with file.open("rb") as content:
                        packed.addfile(entry, content)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    made.with_name(made.name + ".sha256").write_text(f"{digest}  {made.name}\n", encoding="utf-8", newline="\n")
    return made


def python_version(version: str) -> str:
    """Cargo's `1.2.0-rc.3` is Python's `1.2.0rc3`."""
    match = re.fullmatch(r"(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?", version)
    if not match:
        sys.exit(f"{version}: PyPI has no such version: use X.Y.Z, or X.Y.Z-rc.N, -beta.N, -alpha.N")
    release, kind, number = match.groups()
    return release if kind is None else release + {"alpha": "a", "beta": "b", "rc": "rc"}[kind] + number


def wheel(target: str, program: Path, out: Path, repository: str | None) -> Path:
    version = python_version(CRATE["version"])
    stem = f"{NAME.replace('-', '_')}-{version}"
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {NAME}",
        f"Version: {version}",
        f"Summary: {CRATE['description']}",
        f"Keywords: {','.join(CRATE['keywords'])}",
        f"License-Expression: {CRATE['license']}",
        *(f"License-File: {name}" for name in LICENSES),
        *([f"Project-URL: Repository, {repository}"] if repository else []),
        "Requires-Python: >=3.8",
        "Description-Content-Type: text/markdown",
    ]
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / stem
        facts, scripts = root / f"{stem}.dist-info", root / f"{stem}.data" / "scripts"
        (facts / "licenses").mkdir(parents=True)
        scripts.mkdir(parents=True)
        for name in LICENSES:
            shutil.copyfile(ROOT / name, facts / "licenses" / name)
        readme = (HERE / "pypi" / "README.md").read_text(encoding="utf-8")
        (facts / "METADATA").write_text("\n".join(metadata) + "\n\n" + readme, encoding="utf-8", newline="\n")
        tags = [f"Tag: py3-none-{platform}" for platform in TARGETS[target]["wheel"].split(".")]
        head = ["Wheel-Version: 1.0", "Generator: improve", "Root-Is-Purelib: false", *tags]
        (facts / "WHEEL").write_text("\n".join(head) + "\n", encoding="utf-8", newline="\n")
        place(program, scripts / program_name(target))
        # It takes the tags of the name out of WHEEL, and writes RECORD.
        packer = [sys.executable, "-m", "wheel", "pack", str(root), "--dest-dir", str(out)]
        fixed = os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)}
        subprocess.run(packer, check=True, stdout=subprocess.DEVNULL, env=fixed)
    return next(out.glob(f"{stem}-py3-none-*{TARGETS[target]['wheel'].split('.')[-1]}*.whl"))


def common(repository: str | None) -> dict:
    facts = {"version": CRATE["version"], "description": CRATE["description"], "license": CRATE["license"]}
    # Provenance is refused where the package does not name the repository it was built in.
    return facts | ({"repository": {"type": "git", "url": f"git+{repository}.git"}} if repository else {})


def npm(row: dict, program: Path, out: Path, repository: str | None) -> Path:
    """The program of one system. npm leaves it out elsewhere, by `os` and `cpu`; Linux's is static, so there is no `libc`."""
    own = row["npm"]
    folder = fresh(out / own["name"])
    package = {"name": f"@{NAME}/{own['name']}", **common(repository), "os": own["os"], "cpu": own["cpu"], "preferUnplugged": True}
    (folder / "bin").mkdir()
    place(program, folder / "bin" / program_name(row["target"]))
    readme = f"The program of `{NAME}` for {own['name']}. Install `{NAME}`, which brings it.\n"
    return finished(folder, package, readme)


def npm_shim(out: Path, repository: str | None) -> Path:
    folder = fresh(out / NAME)
    shutil.copytree(HERE / "npm" / "bin", folder / "bin")
    package = {
        "name": NAME,
        **common(repository),
        "keywords": CRATE["keywords"],
        "bin": {"improve": "bin/improve.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {f"@{NAME}/{row['npm']['name']}": CRATE["version"] for row in TARGETS.values()},
    }
    return finished(folder, package, (HERE / "npm" / "README.md").read_text(encoding="utf-8"))


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def finished(folder: Path, package: dict, readme: str) -> Path:
    (folder / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")
    for name in LICENSES:
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def place(program: Path, to: Path) -> None:
    shutil.copyfile(program, to)
    to.chmod(0o755)


if __name__ == "__main__":
    main()
