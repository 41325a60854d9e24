//! A repository that greets by the bare name, and a plan that says in words how it should.

use super::common::{git, write};

/// What it greets with.
pub const GREET: &str = "export function greet(name) {\n  return name;\n}\n";

/// The plan. `verify` is the gate of its one step.
pub fn plan(verify: &str) -> String {
    PLAN.replace("@verify", verify)
}

/// A repository with the plan, these files besides, and one commit.
#[allow(dead_code)] // Some suites make their own.
pub fn repository(verify: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "package.json", "{ \"name\": \"greeter\", \"type\": \"module\" }\n");
    write(folder.path(), "src/greet.js", GREET);
    write(folder.path(), "plans/001-greet-politely.md", &plan(verify));
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "-f", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

const PLAN: &str = "\
# Plan 001: Greet politely

## Status

- **Priority**: P2
- **Effort**: S
- **Risk**: LOW

## Why this matters

Visitors are addressed by their bare name.

## Current state

```js file=src/greet.js lines=1-3
export function greet(name) {
  return name;
}
```

## Scope

**In scope** (nothing else may change):

- `src/greet.js`

## Steps

### Step 1: Say hello in `greet`

Return `Hello, ` followed by the name.

**Verify**: @verify

## Done criteria

- [ ] `grep -c 'Hello, ' src/greet.js` → contains \"1\"

## STOP conditions

- `greet` is not there
";
