#!/usr/bin/env python3
"""Aider's repository map of a folder, as it is sent to a model: 4,096 tokens, no file in the chat.

usage: aider_map.py FOLDER > map.txt        (with the python of a venv that has aider-chat)
"""

import os
import subprocess
import sys

from aider.repomap import RepoMap

SOURCE = (".rs", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


class Quiet:
    """Stands in for aider's terminal: reads files, says nothing."""

    def read_text(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except (OSError, UnicodeError):
            return None

    def tool_output(self, *_words, **_options):
        pass

    tool_warning = tool_error = tool_output


class Tokens:
    """Stands in for a model: aider's tokenizer is fetched at run time, and 3.5 characters a token is near it."""

    def token_count(self, text):
        return len(text) / 3.5


root = os.path.abspath(sys.argv[1])
listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
files = [os.path.join(root, path) for path in listed.split("\0") if path.endswith(SOURCE)]
repo_map = RepoMap(map_tokens=4096, root=root, main_model=Tokens(), io=Quiet())
print(repo_map.get_repo_map([], files) or "")
