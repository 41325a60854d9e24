#!/usr/bin/env python3
"""Findings of other tools in the trees of the cases, as rows that `cargo bench --bench audit_cases -- … --findings` scores.

usage: peers.py FOLDER CASES.jsonl CLONES [--only TOOL]… [--limit SECONDS]

FOLDER was filled by install_peers.sh. Leaves FOLDER/rows/TOOL.jsonl for oxlint, biome and semgrep: the findings at the parent and
the fix of every case, and one row a commit that says how the tool ran (see rows.rs). oxlint and Biome read the whole tree, whatever
the project's own configuration says; after the fix they report on the files that had sites alone, since nothing else is asked
there. semgrep, which needs minutes for each thousand files, reads the files that have sites, all of them in one run. Rules that fit
no category of fits.json are left out: they report up to a hundred thousand places a tree. Nothing of the projects is installed.
Needs no python package.
"""

import argparse
import json
import os
import subprocess
import tempfile

ECMASCRIPT = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
SOURCE = (".rs", *ECMASCRIPT)
# What resolves imports and types.
CONFIGURATION = ("package.json", "tsconfig.json", "jsconfig.json", "pnpm-workspace.yaml")
MOST_BYTES = 1 << 20


def folded(name):
    """As in fits.rs: names differ by their tools' customs."""
    return "".join(letter for letter in name if letter.isalnum()).lower()


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "fits.json"), encoding="utf-8") as table:
    WORDS = {folded(word) for fit in json.load(table) for word in fit["peers"]}


def fits(rule):
    return any(word in folded(rule) for word in WORDS)


def clone_of(clones, repo):
    names = (repo.replace("/", "+"), repo, repo.split("/")[-1])
    for name in (name + end for name in names for end in ("", ".git")):
        if os.path.isdir(os.path.join(clones, name)):
            return os.path.join(clones, name)
    raise SystemExit(f"{clones}: no clone of {repo}")


def export(clone, commit, folder, wanted):
    """Writes the files for which `wanted` holds. Not by `git archive`, which stops at the first blob a partial clone lacks."""
    listed = subprocess.run(["git", "-C", clone, "ls-tree", "-rz", commit], check=True, capture_output=True).stdout
    blobs = []
    for entry in listed.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        path = path.decode(errors="replace")
        if head.startswith(b"100") and wanted(path) and "node_modules/" not in path:
            blobs.append((head.split()[2], path))
    # All questions first, on disk: through two pipes both sides would wait for each other.
    with tempfile.TemporaryFile() as questions:
        questions.write(b"".join(blob + b"\n" for blob, _ in blobs))
        questions.seek(0)
        batch = subprocess.Popen(["git", "-C", clone, "cat-file", "--batch"], stdin=questions, stdout=subprocess.PIPE)
        for _, path in blobs:
            header = batch.stdout.readline().split()
            if header[1] == b"missing":
                continue
            content = batch.stdout.read(int(header[2]) + 1)[:-1]
            if len(content) <= MOST_BYTES:
                place = os.path.join(folder, path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as file:
                    file.write(content)
        batch.wait()


def is_project_file(path):
    name = os.path.basename(path)
    return path.endswith(SOURCE) or name in CONFIGURATION or (name.startswith("tsconfig") and name.endswith(".json"))


def has_ecmascript(tree, paths):
    """Whether there is anything to read; a linter given nothing to read says so in prose."""
    if paths != ["."]:
        return any(path.endswith(ECMASCRIPT) for path in paths)
    return any(name.endswith(ECMASCRIPT) for _, _, names in os.walk(tree) for name in names)


def output_of(command, folder, limit, environment=None):
    """Both outputs, whatever the exit code: linters fail when they find something."""
    ran = subprocess.run(["timeout", str(limit), *command],
                         cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    if ran.returncode == 124:
        raise TimeoutError(f"ended after {limit} s")
    return ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace")


OXLINT_CATEGORIES = "correctness suspicious pedantic perf restriction nursery".split()
OXLINT_PLUGINS = "promise node react react-perf import nextjs".split()


def oxlint(folder, tree, paths, limit):
    """Every category but style, every plugin about code; the rules that need types when their program can read the tree."""
    command = [os.path.join(folder, "npm/node_modules/.bin/oxlint"), "--format", "json", "--no-ignore",
               "--disable-nested-config", "--config", os.path.join(folder, "oxlint.json")]
    command += [word for category in OXLINT_CATEGORIES for word in ("-D", category)]
    command += [f"--{plugin}-plugin" for plugin in OXLINT_PLUGINS]
    environment = {**os.environ, "PATH": os.path.join(folder, "npm/node_modules/.bin") + os.pathsep + os.environ["PATH"]}
    try:
        output, errors = output_of([*command, "--type-aware", *paths], tree, limit, environment)
        found = json.loads(output)
    except (TimeoutError, ValueError) as why:
        said = why if isinstance(why, TimeoutError) else (errors or output).strip()[-200:]
        print(f"oxlint without types: {said}", flush=True)
        found = json.loads(output_of([*command, *paths], tree, limit)[0])
    for one in found["diagnostics"]:
        lines = [label["span"]["line"] for label in one.get("labels", []) if "line" in label.get("span", {})]
        if lines and one.get("code"):
            yield one["filename"], lines[0], one["code"]


def biome(folder, tree, paths, limit):
    """The rules that fit, those that need types included. With every rule some trees take longer than anybody waits."""
    package = os.path.join(folder, "npm/node_modules/@biomejs/biome/configuration_schema.json")
    with open(package, encoding="utf-8") as file:
        groups = json.load(file)["$defs"]
    wanted = {}
    for group in ("Complexity", "Correctness", "Nursery", "Performance", "Security", "Style", "Suspicious"):
        fitting = {name: "warn" for name in groups[group]["properties"] if fits(name)}
        wanted[group.lower()] = fitting
    configuration = {"root": True, "formatter": {"enabled": False}, "assist": {"enabled": False},
                     "linter": {"rules": {"preset": "none", **wanted}}}
    with open(os.path.join(tree, "biome.json"), "w", encoding="utf-8") as file:
        json.dump(configuration, file)
    program = os.path.join(folder, "npm/node_modules/.bin/biome")
    command = [program, "lint", "--reporter=json", "--max-diagnostics=none", *paths]
    found = json.loads(output_of(command, tree, limit)[0])
    for one in found["diagnostics"]:
        if one["category"].startswith("lint/"):
            yield one["location"]["path"], one["location"]["start"]["line"], one["category"]


def semgrep(folder, tree, limit):
    """The rules for the languages of the cases."""
    rules = os.path.join(folder, "semgrep-rules")
    command = [os.path.join(folder, "semgrep/bin/semgrep"), "scan", "--json", "--quiet", "--metrics=off", "--no-git-ignore",
               "--disable-version-check", "--timeout=30", "--max-target-bytes=0", "--x-ignore-semgrepignore-files"]
    command += [word for language in ("javascript", "typescript", "rust") for word in ("--config", os.path.join(rules, language))]
    output, errors = output_of([*command, "."], tree, limit)
    try:
        found = json.loads(output)
    except ValueError:
        raise ValueError(errors[-400:]) from None
    for one in found["results"]:
        yield one["path"], one["start"]["line"], one["check_id"].split("semgrep-rules.")[-1]


WHOLE_TREE = {"oxlint": oxlint, "biome": biome}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("cases")
    parser.add_argument("clones")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--limit", type=int, default=300)
    asked = parser.parse_args()
    asked.folder = os.path.abspath(asked.folder)
    with open(asked.cases, encoding="utf-8") as file:
        cases = [json.loads(line) for line in file if line.strip()]
    names = asked.only or [*WHOLE_TREE, "semgrep"]
    os.makedirs(os.path.join(asked.folder, "rows"), exist_ok=True)
    files = {name: open(os.path.join(asked.folder, "rows", name + ".jsonl"), "w", encoding="utf-8") for name in names}

    def write(name, **row):
        print(json.dumps(row, separators=(",", ":")), file=files[name])

    commits = {}
    before = {(case["repo"], case["parent"]) for case in cases}
    for case in cases:
        for commit in (case["parent"], case["fix"]):
            sites = commits.setdefault((case["repo"], commit), set())
            sites.update(site["path"] for site in case["sites"])

    for repo, commit in commits:
        wanted = [name for name in names if name in WHOLE_TREE]
        if not wanted:
            break
        with tempfile.TemporaryDirectory(dir=asked.folder) as tree:
            export(clone_of(asked.clones, repo), commit, tree, is_project_file)
            sites = sorted(path for path in commits[repo, commit] if os.path.isfile(os.path.join(tree, path)))
            ran_on = {} if (repo, commit) in before else {"files": sites}
            for name in wanted:
                try:
                    paths = ran_on.get("files", ["."])
                    lint = WHOLE_TREE[name]
                    rows = list(lint(asked.folder, tree, paths, asked.limit)) if has_ecmascript(tree, paths) else []
                except (TimeoutError, ValueError) as why:
                    write(name, repo=repo, commit=commit, failure=str(why)[:200])
                    print(f"{name} {repo} {commit[:10]}: {str(why)[:200]}", flush=True)
                    continue
                write(name, repo=repo, commit=commit, **ran_on)
                for path, line, rule in filter(lambda row: fits(row[2]), rows):
                    write(name, repo=repo, commit=commit, path=os.path.normpath(path), line=line, rule=rule)
                print(f"{name} {repo} {commit[:10]}: {len(rows)} findings", flush=True)
                files[name].flush()

    if "semgrep" in names:
        with tempfile.TemporaryDirectory(dir=asked.folder) as trees:
            places = {}
            for (repo, commit), sites in commits.items():
                places[commit] = (repo, commit)
                export(clone_of(asked.clones, repo), commit, os.path.join(trees, commit), sites.__contains__)
                write("semgrep", repo=repo, commit=commit, files=sorted(sites))
            rows = semgrep(asked.folder, trees, asked.limit * len(commits))
            for path, line, rule in filter(lambda row: fits(row[2]), rows):
                place, _, path = os.path.normpath(path).partition("/")
                repo, commit = places[place]
                write("semgrep", repo=repo, commit=commit, path=path, line=line, rule=rule)


main()
