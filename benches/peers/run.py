#!/usr/bin/env python3
"""Other tools and `improve map` on the same trees in one run: CPU seconds, wall seconds, peak memory.

usage: run.py FOLDER TREE… [--improve PROGRAM] [--also NAME=COMMAND]… [--only WORD]… [--runs N] [--keep]

FOLDER was filled by install.sh. Each TREE is copied into it first, because several tools write where they read; the
copy also leaves the files in the page cache. --also adds a row, with {tree} for the copy, as in
--also 'tree-sitter parse=target/release/parse {tree}'. --only measures tools whose name holds the word.
The table goes to stdout as Markdown. Needs no python package.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

from tools import Failed, Tree, tools

ENDED_AFTER = 1200


def measure(command, tree, environment):
    """(CPU s, wall s, peak MB) of a command and of every child it waited for. The peak is that of the largest process."""
    log = os.path.join(tree.scratch, "last.log")
    with open(log, "wb") as output:
        start = time.monotonic()
        child = subprocess.Popen(
            ["timeout", str(ENDED_AFTER), "sh", "-c", command],
            cwd=tree.path, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
    if child.returncode == 124:
        raise Failed(f"ended after {ENDED_AFTER} s")
    if child.returncode:
        with open(log, errors="replace") as text:
            lines = [line.strip() for line in text if line.strip()]
        raise Failed(f"exit {child.returncode}: {lines[-1][:100] if lines else 'no output'}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def cell(tool, tree, runs, environment):
    """The text of one cell: a figure, or why there is none."""
    try:
        tool.check(tree)
        figures = []
        for _ in range(runs):
            if tool.fresh:
                tree.forget(tool)
            figures.append(measure(tool.command(tree), tree, environment))
        cpu, wall, peak = (statistics.median(column) for column in zip(*figures))
        return f"{number(cpu)} / {number(wall)} / {peak:.0f}"
    except Failed as why:
        return f"— ({why})"


def number(seconds):
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"


def kilo_lines(tree):
    """Thousand lines of Rust, TypeScript and JavaScript that git tracks."""
    total = 0
    for path in tree.sources():
        with open(os.path.join(tree.path, path), "rb") as file:
            total += file.read().count(b"\n")
    return total / 1000


def copied(source, folder):
    scratch = os.path.join(folder, "trees", os.path.basename(os.path.abspath(source)))
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    path = os.path.join(scratch, "tree")
    shutil.copytree(source, path, symlinks=True)
    # To git every file of a copy looks changed; in a checkout in use it has looked at all of them.
    subprocess.run(["git", "-C", path, "status", "--porcelain"], stdout=subprocess.DEVNULL, check=False)
    return Tree(path, scratch)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("trees", nargs="+")
    parser.add_argument("--improve", help="the release build; without it only the others are measured")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    parser.add_argument("--runs", type=int, default=1, help="the median of so many runs")
    parser.add_argument("--keep", action="store_true", help="keep the copied trees and what the tools left in them")
    given = parser.parse_args()
    folder = os.path.abspath(given.folder)
    also = [tuple(pair.split("=", 1)) for pair in given.also]
    chosen = [tool for tool in tools(folder, given.improve and os.path.abspath(given.improve), also)
              if not given.only or any(word in tool.name for word in given.only)]
    environment = {
        **os.environ,
        "HOME": os.path.join(folder, "home"),  # Caches and settings of the tools stay out of the user's.
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")),
        "CARGO_HOME": os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")),
        "DO_NOT_TRACK": "1",
        "NO_UPDATE_CHECK": "1",
    }
    columns = []
    for source in given.trees:
        tree = copied(source, folder)
        print(f"{os.path.basename(source)} …", file=sys.stderr)
        cells = []
        for tool in chosen:
            cells.append(cell(tool, tree, given.runs, environment))
            print(f"  {tool.name}: {cells[-1]}", file=sys.stderr)
        columns.append((f"{os.path.basename(os.path.abspath(source))} ({kilo_lines(tree):.0f} kLOC)", cells))
        if not given.keep:
            shutil.rmtree(tree.scratch, ignore_errors=True)
    one, five, fifteen = os.getloadavg()
    print(f"CPU s / wall s / peak MB, median of {given.runs}; {os.cpu_count()} cores; "
          f"load average {one:.1f} {five:.1f} {fifteen:.1f} at the end.\n")
    print("| tool | gives | " + " | ".join(title for title, _ in columns) + " |")
    print("|---" * (len(columns) + 2) + "|")
    for index, tool in enumerate(chosen):
        print(f"| {tool.name} | {tool.gives} | " + " | ".join(cells[index] for _, cells in columns) + " |")


main()
