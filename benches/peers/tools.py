"""The tools that are measured: how each is called, what it gives, and what it leaves behind."""

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Callable

SOURCE = (".rs", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
TYPESCRIPT = (".ts", ".tsx", ".mts", ".cts")

# What a map needs of every file: what is defined, what is called, what is imported.
AST_GREP_RULES = "\n---\n".join(
    f"id: {language}-{name}\nlanguage: {language}\nrule: {{kind: {kind}}}"
    for language, kinds in (
        ("Rust", ("function_item", "call_expression", "use_declaration")),
        ("TypeScript", ("function_declaration", "call_expression", "import_statement")),
        ("Tsx", ("function_declaration", "call_expression", "import_statement")),
    )
    for name, kind in zip(("definition", "call", "import"), kinds)
)


class Failed(Exception):
    """A tool that could not be measured; the text is the reason in the table."""


@dataclass
class Tree:
    """A copied repository, and a folder beside it for what tools write."""

    path: str
    scratch: str

    def tracked(self):
        listed = subprocess.run(["git", "-C", self.path, "ls-files", "-z"], check=True, capture_output=True, text=True)
        return [path for path in listed.stdout.split("\0") if os.path.isfile(os.path.join(self.path, path))]

    def sources(self):
        return [path for path in self.tracked() if path.endswith(SOURCE)]

    def forget(self, tool):
        """Removes what an earlier run left, so that the next one is cold."""
        for path in tool.leaves:
            shutil.rmtree(os.path.join(self.path, path), ignore_errors=True)


@dataclass
class Tool:
    """One row of the table."""

    name: str
    gives: str
    # The shell command that is run in the tree.
    command: Callable[[Tree], str]
    # A program that must be there.
    needs: str = ""
    # Cold: what `leaves` names is removed before every run.
    fresh: bool = False
    # Folders, relative to the tree.
    leaves: list = field(default_factory=list)
    # What a tree must hold for the tool to have anything to do.
    wants: tuple = SOURCE

    def check(self, tree):
        if self.needs and not shutil.which(self.needs):
            raise Failed(f"{os.path.basename(self.needs)} is not installed")
        if not any(path.endswith(self.wants) for path in tree.sources()):
            raise Failed("no file in its language")


def tools(folder, improve, also):
    """Every row, ours first. A warm row follows its cold one and finds what that left."""
    node = os.path.join(folder, "npm/node_modules")
    ast_grep = os.path.join(node, "@ast-grep/cli-linux-x64-gnu/ast-grep")
    optave = "node " + shlex.quote(os.path.join(node, "@optave/codegraph/dist/cli.js"))
    colbymchenry = os.path.join(node, "@colbymchenry/codegraph-linux-x64/bin/codegraph")
    scip_typescript = os.path.join(node, ".bin/scip-typescript")
    aider = os.path.join(folder, "aider/bin/python")
    aider_map = shlex.quote(os.path.join(os.path.dirname(os.path.abspath(__file__)), "aider_map.py"))
    rows = []
    if improve:
        ours = lambda tree: f"IMPROVE_CACHE_DIR={shlex.quote(tree.scratch)}/improve {shlex.quote(improve)} map"
        rows += [
            Tool("improve map, cold", "symbols, typed calls, git history", ours, improve, True, ["../improve"]),
            Tool("improve map, no change", "the same", ours, improve),
        ]
    for name, command in also:
        rows.append(Tool(name, "", lambda tree, command=command: command.replace("{tree}", shlex.quote(tree.path))))
    return rows + [
        Tool("universal-ctags", "definitions",
             lambda tree: "ctags -R --languages=Rust,JavaScript,TypeScript --map-TypeScript=+.tsx -f ../tags .", "ctags"),
        Tool("ast-grep, three kinds", "definitions, calls, imports as text",
             lambda tree: f"{shlex.quote(ast_grep)} scan --inline-rules {shlex.quote(AST_GREP_RULES)} --json=compact"
                          " > /dev/null", ast_grep),
        # Both codegraphs would write to `.codegraph`.
        Tool("codegraph (optave), cold", "symbols, calls",
             lambda tree: f"mkdir ../optave && {optave} build --db ../optave/graph.db .",
             "node", True, ["../optave", ".codegraph"]),
        Tool("codegraph (optave), no change", "the same",
             lambda tree: f"{optave} build --db ../optave/graph.db .", "node"),
        Tool("codegraph (colbymchenry), cold", "symbols, calls",
             lambda tree: f"{shlex.quote(colbymchenry)} init --yes .", colbymchenry, True, [".codegraph"]),
        Tool("codegraph (colbymchenry), no change", "the same",
             lambda tree: f"{shlex.quote(colbymchenry)} sync .", colbymchenry),
        Tool("aider repo map, cold", "ranked definitions, 4,096 tokens",
             lambda tree: f"{shlex.quote(aider)} {aider_map} . > ../aider.txt",
             aider, True, [".aider.tags.cache.v4", ".aider.tags.cache.v3"]),
        Tool("aider repo map, no change", "the same",
             lambda tree: f"{shlex.quote(aider)} {aider_map} . > ../aider.txt", aider),
        Tool("scip-typescript", "symbols, references by the compiler; not installed",
             lambda tree: scip_command(scip_typescript, tree), scip_typescript, wants=TYPESCRIPT),
        Tool("rust-analyzer scip", "symbols, references by the compiler",
             lambda tree: "rust-analyzer scip . --output ../rust.scip --exclude-vendored-libraries",
             "rust-analyzer", wants=(".rs",)),
    ]


def scip_command(program, tree):
    """One run over every folder with a tsconfig.json. The packages of others are not installed."""
    tracked = tree.tracked()
    link_workspace(tree, tracked)
    projects = sorted(os.path.dirname(path) or "." for path in tracked if os.path.basename(path) == "tsconfig.json")
    words = " ".join(shlex.quote(project) for project in projects)
    return (f"NODE_OPTIONS=--max-old-space-size=8000 {shlex.quote(program)} index --no-progress-bar"
            f" --output ../typescript.scip {words}")


def link_workspace(tree, tracked):
    """What an install does for the workspace's own packages; without it a tsconfig that extends another package's names
    no files at all, and scip-typescript passes the whole project over."""
    for path in tracked:
        if os.path.basename(path) != "package.json":
            continue
        with open(os.path.join(tree.path, path), encoding="utf-8") as file:
            try:
                name = json.load(file).get("name")
            except (ValueError, AttributeError):
                continue
        if not re.fullmatch(r"(@[\w.-]+/)?[\w-][\w.-]*", name or ""):
            continue
        link = os.path.join(tree.path, "node_modules", name)
        if not os.path.lexists(link):
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(os.path.join(tree.path, os.path.dirname(path)), link)
