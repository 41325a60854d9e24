#!/usr/bin/env python3
"""Call edges of a codegraph database, as rows that `cargo bench --bench call_edges` scores.

usage: codegraph_rows.py REPOSITORY/.codegraph/{graph.db|codegraph.db} > rows.jsonl

graph.db is @optave/codegraph (no lines of calls), codegraph.db is @colbymchenry/codegraph.
"""

import json
import os
import sqlite3
import sys

OPTAVE = """
    SELECT caller.file, COALESCE(caller.qualified_name, caller.name), NULL, NULL,
           callee.file, COALESCE(callee.qualified_name, callee.name), callee.line, NULL
    FROM edges JOIN nodes caller ON caller.id = source_id JOIN nodes callee ON callee.id = target_id
    WHERE edges.kind = 'calls'"""
COLBYMCHENRY = """
    SELECT caller.file_path, caller.qualified_name, edges.line, json_extract(metadata, '$.refName'),
           callee.file_path, callee.qualified_name, callee.start_line, json_extract(metadata, '$.resolvedBy')
    FROM edges JOIN nodes caller ON caller.id = source JOIN nodes callee ON callee.id = target
    WHERE edges.kind IN ('calls', 'instantiates')"""
FIELDS = "caller_file caller_name call_line call_name callee_file callee_name callee_line how".split()

path = sys.argv[1]
query = OPTAVE if os.path.basename(path) == "graph.db" else COLBYMCHENRY
for row in sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute(query):
    print(json.dumps(dict(zip(FIELDS, row))))
