//! Plans with one fault each, and plans without.

use std::collections::BTreeMap;

use super::*;
use crate::plan::parse::parse;
use crate::tree::{EntryKind, Identity, TreeEntry, TreeError};

/// Files in memory.
pub(crate) struct MemoryTree(BTreeMap<String, String>);

impl MemoryTree {
    pub(crate) fn of(files: &[(&str, &str)]) -> MemoryTree {
        MemoryTree(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Tree for MemoryTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |(path, text): (&String, &String)| TreeEntry {
            path: path.clone(),
            kind: EntryKind::File,
            bytes: text.len() as u64,
            identity: Identity::Unknown,
        };
        Ok(self.0.iter().map(entry).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let text = self.0.get(path).ok_or_else(|| TreeError::Missing { path: path.to_owned() })?;
        Ok(text.clone().into_bytes())
    }
}

fn tree() -> MemoryTree {
    MemoryTree::of(&[
        ("package.json", r#"{"scripts": {"test": "vitest", "lint": "eslint ."}}"#),
        ("src/a.ts", "export const a = 1;\nexport const b = 2;\nexport const b = 2;\n"),
        ("scripts/check.sh", "exit 0\n"),
        ("Makefile", "check: lint\n\tpnpm lint\n"),
    ])
}

const SOUND: &str = "# Plan 001: Give `a` a name\n\n## Current state\n\n```ts file=src/a.ts lines=1-1\nexport const a = 1;\n```\n\n## Commands you will need\n\n| Purpose | Command | Expected on success |\n|---|---|---|\n| Tests | `pnpm test` | all pass |\n\n## Scope\n\n**In scope**:\n\n- `src/a.ts`\n\n## Steps\n\n### Step 1: Rename `a` in `src/a.ts`\n\nDo it.\n\n```edit file=src/a.ts\n<<<<<<< SEARCH\nexport const a = 1;\n=======\nexport const one = 1;\n>>>>>>> REPLACE\n```\n\n**Verify**: `pnpm test` → all pass\n\n## Done criteria\n\n- [ ] `pnpm lint` → exit 0\n\n## STOP conditions\n\n- `a` is imported by generated code.\n";

fn codes(text: &str) -> Vec<&'static str> {
    let plan = parse(text).expect("a plan");
    lint(&plan, &tree(), &Recon::default()).into_iter().map(|problem| problem.code).collect()
}

fn with(from: &str, to: &str) -> Vec<&'static str> {
    assert!(SOUND.contains(from), "{from}");
    codes(&SOUND.replace(from, to))
}

#[test]
fn a_sound_plan_has_no_problem() {
    assert_eq!(codes(SOUND), Vec::<&str>::new());
}

#[test]
fn every_fault_has_its_code() {
    assert_eq!(with("- `src/a.ts`", "- `src/a.ts`\n- `src/b.ts`"), ["scope-path-missing"]);
    assert_eq!(with("- `src/a.ts`", "- `src/a.ts` (create)"), ["scope-path-exists"]);
    assert_eq!(with("- `src/a.ts`", "- `src/*.ts`\n- `lib/**`"), ["scope-path-missing"]);
    for path in ["../x", "/etc/passwd", ".git/config", "C:\\x.ts", "a/../../b.ts"] {
        assert_eq!(with("- `src/a.ts`", &format!("- `src/a.ts`\n- `{path}`")), ["scope-path-forbidden"], "{path}");
    }
    assert_eq!(with("- `src/a.ts`", "- `scripts/check.sh`"), ["edit-out-of-scope"]);
    assert_eq!(with("const a = 1;\n```", "const c = 1;\n```"), ["excerpt-changed"]);
    assert_eq!(with("file=src/a.ts lines", "file=src/z.ts lines"), ["excerpt-file-missing"]);
    assert_eq!(with("SEARCH\nexport const a = 1;", "SEARCH\nexport const c = 1;"), ["edit-not-found"]);
    assert_eq!(with("SEARCH\nexport const a = 1;", "SEARCH\nexport const b = 2;"), ["edit-ambiguous"]);
    assert_eq!(with("SEARCH\nexport const a = 1;", "SEARCH\nexport const a = [secret:x];"), ["edit-with-secret"]);
    assert_eq!(with("=======\n", "==\n"), ["unreadable-edit"]);
    assert_eq!(with("`pnpm test` → all pass", "`pnpm e2e` → all pass"), ["command-unknown-script"]);
    assert_eq!(with("`pnpm test` → all pass", "`make deploy` → exit 0"), ["command-unknown-script"]);
    assert_eq!(with("`pnpm test` → all pass", "`cargo frobnicate` → exit 0"), ["command-unknown-subcommand"]);
    assert_eq!(with("`pnpm test` → all pass", "`frobnicate all` → exit 0"), ["command-unknown-program"]);
    assert_eq!(with("`pnpm test` → all pass", "`bash scripts/none.sh` → exit 0"), ["command-missing-file"]);
    assert_eq!(with("`pnpm test` → all pass", "`cd lib && pnpm test` → exit 0"), ["command-missing-folder"]);
    assert_eq!(with("`pnpm test` → all pass", "`pnpm test <filter>` → exit 0"), ["command-placeholder"]);
    assert_eq!(with("**Verify**: `pnpm test` → all pass", ""), ["step-without-gate"]);
    assert_eq!(with("**Verify**: `pnpm test` → all pass", "**Verify**: it works"), ["unreadable-gate"]);
    assert_eq!(with("`pnpm lint` → exit 0", "the code is nice"), ["criterion-without-command"]);
    assert_eq!(with("Do it.", "Do it as discussed."), ["outside-reference"]);
    assert_eq!(with("Do it.", "Change the relevant module."), ["vague-step"]);
    assert_eq!(with("Rename `a` in `src/a.ts`", "Refactor the code"), ["vague-step"]);
    assert_eq!(with("`a` is imported by generated code.", "The excerpts have drifted."), ["stop-conditions-generic"]);
    assert_eq!(with("- `a` is imported by generated code.", ""), ["no-stop-conditions"]);
    let many = (2..53)
        .map(|number| format!("### Step {number}: Check `a`\n\n**Verify**: `pnpm test`\n\n"))
        .collect::<String>();
    assert_eq!(with("## Done criteria", &format!("{many}## Done criteria")), ["too-many-steps"]);
    assert_eq!(with("Do it.", &"word ".repeat(21_000)), ["too-large"]);
}

#[test]
fn commands_that_resolve_are_left_alone() {
    for command in [
        "make check",
        "pnpm lint && pnpm -r build",
        "bash scripts/check.sh",
        "cd src && git grep -nF -e 'a; b | c' -- a.ts",
        "npx vitest run",
        "yarn run vitest run",
        "bun run vitest",
        "FOO=1 cargo test --workspace 2>&1 | tail -5",
        "./scripts/check.sh",
        "node -e 'process.exit(0)'",
    ] {
        assert_eq!(with("`pnpm test` → all pass", &format!("`{command}` → exit 0")), Vec::<&str>::new(), "{command}");
    }
}

#[test]
fn later_edits_are_checked_against_what_earlier_ones_leave() {
    let second = "### Step 2: Rename `one` in `src/a.ts`\n\n```edit file=src/a.ts\n<<<<<<< SEARCH\nexport const one = 1;\n=======\nexport const uno = 1;\n>>>>>>> REPLACE\n```\n\n**Verify**: `pnpm test` → all pass\n\n## Done criteria";
    assert_eq!(with("## Done criteria", second), Vec::<&str>::new());
}
