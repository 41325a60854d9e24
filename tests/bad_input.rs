//! Bad input, end to end: what the program says, how it ends, and that it leaves the user's tree as it was.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longest wait for something that takes no time on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

const SHOP: &str = "\
import { PrismaClient } from '@prisma/client'

const prisma = new PrismaClient()

export async function listOrders(ids: string[]) {
  const orders = []
  for (const id of ids) {
    orders.push(await prisma.order.findUnique({ where: { id } }))
  }
  return orders
}
";

/// A folder of the user's, with their home beside it.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// A folder that is no repository.
    fn bare() -> World {
        let world = World { folder: tempfile::tempdir().expect("a temporary folder") };
        world.write("package.json", "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n");
        world.write("src/orders.ts", SHOP);
        world.write("src/app.txt", "alpha\nbeta\n");
        world
    }

    /// A repository with one commit.
    fn new() -> World {
        let world = World::bare();
        // Nothing is fetched: no dependency is named.
        world.write("package.json", "{ \"name\": \"shop\" }\n");
        world.git(&["init", "-q", "-b", "main"]);
        world.commit();
        world
    }

    /// A repository with one commit that holds a plan with these gates for its step.
    fn with_plan(scope: &str, verify: &str) -> World {
        let world = World::new();
        world.write("plans/001-rename.md", &plan(scope, &[("beta", "BETA")], verify));
        world.commit();
        world
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is ours");
        fs::write(path, text).expect("the folder is ours");
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"])
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("git is installed");
        assert!(status.success(), "git {args:?}");
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "state"]);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_improve"));
        self.environment(&mut command);
        command.args(args);
        command
    }

    fn environment(&self, command: &mut Command) {
        command.current_dir(self.root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in
            ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "IMPROVE_CACHE_DIR", "IMPROVE_STATE_DIR"]
        {
            command.env_remove(variable);
        }
        command.env("HOME", self.folder.path().join("home")).env("COLUMNS", "200").env("NO_COLOR", "1");
        // A key of whoever runs the tests must not be spent.
        command.env("IMPROVE_PLANNER", "none");
    }

    /// Runs the program and holds that the user's tree is as it was.
    fn run(&self, args: &[&str]) -> Ran {
        let before = snapshot(&self.root());
        let ran = Ran::of(self.command(args).output().expect("the program starts"));
        assert!(snapshot(&self.root()) == before, "{args:?} changed the user's tree");
        ran
    }

    /// Runs the program, which may write plans.
    fn write_plans(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("the program starts"))
    }

    /// Worktrees of ours that are left, as `improve status` tells them.
    fn worktrees(&self) -> usize {
        let status = self.run(&["status", "--format", "json"]).json();
        status["worktrees"].as_array().expect("a list").len()
    }

    fn on_branch(&self, path: &str) -> String {
        let output = Command::new("git")
            .args(["show", &format!("improve/001-rename:{path}")])
            .current_dir(self.root())
            .output()
            .expect("git is installed");
        String::from_utf8(output.stdout).expect("the file is text")
    }
}

/// What a run of the program gave.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Ran {
        assert!(self.stderr.contains(text) || self.stdout.contains(text), "{}{}", self.stdout, self.stderr);
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// Every file of the user's, and what git knows of their work; the index of plans, which the program keeps, apart.
fn snapshot(root: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is ours").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).expect("it is inside").as_os_str().as_bytes().to_vec();
            let kind = entry.file_type().expect("it is there");
            if kind.is_dir() && name != b".git" {
                pending.push(path);
            } else if kind.is_symlink() {
                files.insert(name, fs::read_link(&path).expect("a link").as_os_str().as_bytes().to_vec());
            } else if kind.is_file() && name != b"plans/README.md" {
                files.insert(name, fs::read(&path).expect("the file is ours"));
            }
        }
    }
    for name in ["index", "HEAD", "config", "refs/heads/main"] {
        if let Ok(bytes) = fs::read(root.join(".git").join(name)) {
            files.insert(format!(".git/{name}").into_bytes(), bytes);
        }
    }
    files
}

/// A plan with one step an edit of `src/app.txt`; every step has the same gates.
fn plan(scope: &str, edits: &[(&str, &str)], verify: &str) -> String {
    let mut text = format!(
        "# Plan 001: Rename the letters\n\n## Status\n\n- **Priority**: P3\n- **Effort**: S\n- **Risk**: LOW\n\
         - **Category**: tech-debt\n\n## Why this matters\n\nIt reads better.\n\n## Scope\n\n**In scope**\n\n- `{scope}`\n\n## Steps\n"
    );
    for (index, (search, replacement)) in edits.iter().enumerate() {
        text.push_str(&format!(
            "\n### Step {}: Write {replacement}\n\n```edit file=src/app.txt\n<<<<<<< SEARCH\n{search}\n=======\n\
             {replacement}\n>>>>>>> REPLACE\n```\n\n**Verify**: {verify}\n",
            index + 1
        ));
    }
    text.push_str(&format!("\n## Done criteria\n\n- [ ] {verify}\n\n## STOP conditions\n\n- The letters are gone.\n"));
    text
}

const FOUND: &str = "`grep -q BETA src/app.txt` → exit 0";

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("not zero");
    kill_process(pid, signal).expect("the process is there");
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the process handles ctrl-C by now.
fn handles_ctrl_c(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
    u64::from_str_radix(&mask, 16).unwrap_or(0) & 0b10 != 0
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn a_folder_that_is_no_repository_is_read_and_planned_for_but_nothing_is_applied() {
    let world = World::bare();
    world.run(&["map"]).ends(0);
    let audit = world.run(&["audit", "perf", "--format", "json"]).ends(0).json();
    assert_eq!(audit["repository"]["commit"], Value::Null);
    let written = world.write_plans(&["perf", "--format", "json"]).ends(0).json();
    let path = written["plans"][0]["path"].as_str().expect("a plan").to_owned();
    let text = fs::read_to_string(world.root().join(&path)).expect("it is written");
    assert!(text.contains("**Planned at**: no commit"), "{text}");
    world.run(&["apply", "1", "--trust"]).ends(2).says("not inside a git repository").says("hint: ");
    world.run(&["verify", "1", "--branch", "main", "--trust"]).ends(2).says("not inside a git repository");
}

#[test]
fn a_repository_without_commit_is_read_and_planned_for_but_nothing_is_applied() {
    let world = World::bare();
    world.git(&["init", "-q", "-b", "main"]);
    world.run(&["map"]).ends(0);
    let audit = world.run(&["audit", "perf", "--format", "json"]).ends(0).json();
    assert_eq!(audit["repository"]["commit"], Value::Null);
    world.write_plans(&["perf"]).ends(0);
    world.run(&["apply", "1", "--trust"]).ends(2).says("has no commit yet").says("commit something first");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn a_detached_head_is_worked_on_and_stays_detached() {
    let world = World::with_plan("src/app.txt", FOUND);
    world.git(&["checkout", "-q", "--detach"]);
    world.run(&["apply", "1", "--trust"]).ends(0).says("verified");
    assert_eq!(world.on_branch("src/app.txt"), "alpha\nBETA\n");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn a_dirty_tree_stops_only_a_plan_that_changes_what_is_dirty() {
    let world = World::with_plan("src/app.txt", FOUND);
    world.write("src/orders.ts", "// not committed\n");
    world.write("new.txt", "not added\n");
    world.run(&["apply", "1", "--trust"]).ends(0).says("2 files with uncommitted changes");
    world.write("src/app.txt", "alpha\nbeta\ngamma\n");
    world.run(&["apply", "1", "--trust", "--fresh"]).ends(4).says("uncommitted changes").says("src/app.txt");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn submodules_are_said_and_no_obstacle() {
    let library = World::new();
    let world = World::with_plan("src/app.txt", FOUND);
    world.git(&["submodule", "add", "-q", &library.root().to_string_lossy(), "library"]);
    world.git(&["commit", "-q", "-m", "a submodule"]);
    world.run(&["map"]).ends(0);
    world.run(&["audit"]).ends(0);
    world.run(&["apply", "1", "--trust"]).ends(0).says("submodule library: copied from your checkout");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn loops_of_links_end() {
    let world = World::with_plan("src/app.txt", FOUND);
    symlink("two", world.root().join("one")).expect("a link");
    symlink("one", world.root().join("two")).expect("a link");
    symlink(".", world.root().join("src/here")).expect("a link");
    world.commit();
    world.run(&["map"]).ends(0);
    world.run(&["audit"]).ends(0);
    world.run(&["apply", "1", "--trust"]).ends(0);
    assert_eq!(world.worktrees(), 0);
}

/// Ways of nesting: ending of the file, what opens, what stands in the middle, what closes.
const NESTED: [(&str, &str, &str, &str); 16] = [
    ("ts", "const x = (", "1", ")"),
    ("ts", "const x = [", "", "]"),
    ("ts", "const x = {a:", "1", "}"),
    ("ts", "const x = `${", "1", "}`"),
    ("ts", "const x = f(() => ", "1", ")"),
    ("ts", "type X = Array<", "number", ">"),
    ("ts", "type X = A extends B ? ", "1", " : 2"),
    ("ts", "class A { m() {", "", "}}"),
    ("ts", "function f() {", "", "}"),
    ("tsx", "const x = <a>", "", "</a>"),
    ("rs", "fn f() { (", "1", ")"),
    ("rs", "fn f() { {", "", "}"),
    ("rs", "fn f() { m!(", "", ")"),
    ("rs", "type X = Vec<", "u8", ">"),
    ("rs", "mod m {", "", "}"),
    ("rs", "use a::{b::", "c", "}"),
];

#[test]
fn code_that_is_nested_ten_thousand_deep_is_read_around_and_costs_little() {
    const DEPTH: usize = 10_000;
    let world = World::new();
    for (number, (ending, open, middle, close)) in NESTED.iter().enumerate() {
        let after = if *ending == "rs" { "pub fn after() {}" } else { "export function after() {}" };
        // The first word belongs to the outermost one; lines, or it would pass for minified.
        let inner = open.rsplit(['=', '{']).next().expect("there is a part");
        let nested: String = if open.contains("class") || open.contains("mod") || open.starts_with("function") {
            format!("{open}\n").repeat(DEPTH)
        } else {
            format!("{open}\n{}", format!("{inner}\n").repeat(DEPTH - 1))
        };
        let end = if *ending == "rs" && open.starts_with("fn") { "}" } else { "" };
        let text = format!("{nested}{middle}{}{end};\n{after}\n", format!("{close}\n").repeat(DEPTH));
        world.write(&format!("deep/n{number}.{ending}"), &text);
    }
    world.write("deep/open.ts", &format!("export function before() {{}}\n{}", "(\n".repeat(DEPTH)));
    world.write("deep/open.rs", &format!("pub fn before() {{}}\nfn f() {{ {}", "(\n".repeat(DEPTH)));
    let start = Instant::now();
    let ran = world.run(&["map", "--symbols", "--format", "jsonl"]).ends(0);
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let has = |file: &str, name: &str| rows.iter().any(|row| row["file"] == file && row["name"] == name);
    for (number, (ending, open, ..)) in NESTED.iter().enumerate() {
        assert!(has(&format!("deep/n{number}.{ending}"), "after"), "what follows `{open}` is lost");
    }
    assert!(has("deep/open.ts", "before") && has("deep/open.rs", "before"));
    assert!(ran.stdout.len() < 40 << 20, "names grow with their depth: {} bytes", ran.stdout.len());
    world.run(&["audit", "--format", "json"]).ends(0);
}

#[test]
fn lines_of_a_megabyte_are_read_within_code_and_said_to_be_minified_alone() {
    let world = World::new();
    let line = format!("export const words = [{}];\n", "'a b c d e', ".repeat(40_000));
    world.write("src/words.ts", &format!("{line}{line}"));
    let code = "export function f(a: number) { return g(a, 1); }\n".repeat(4_000);
    world.write("src/mixed.ts", &format!("{code}{line}export function last() {{}}\n"));
    world.write(
        "src/mixed.rs",
        &format!("{}pub fn t() {{ {} }}\npub fn last() {{}}\n", "// a line\n".repeat(9_000), "f(1);".repeat(140_000)),
    );
    let symbols = world.run(&["map", "--symbols", "--format", "jsonl"]).ends(0).stdout;
    for file in ["src/mixed.ts", "src/mixed.rs"] {
        assert!(symbols.lines().any(|row| row.contains(file) && row.contains("last")), "{file}");
    }
    assert!(!symbols.contains("src/words.ts"));
    let files = world.run(&["map", "--files", "--format", "jsonl"]).ends(0).stdout;
    let row = files.lines().find(|row| row.contains("src/words.ts")).expect("it is listed");
    assert_eq!(serde_json::from_str::<Value>(row).expect("JSON")["skipped"], "minified");
    world.run(&["map"]).ends(0).says("1 minified");
}

#[test]
fn modules_that_reexport_each_other_in_circles_end() {
    let world = World::new();
    for number in 0..30 {
        let all: String = (0..30).map(|other| format!("export * from './m{other}';\n")).collect();
        world.write(
            &format!("src/m{number}.ts"),
            &format!("{all}export {{ own{number} as other{number} }} from './m{}';\n", (number + 1) % 30),
        );
        let all: String = (0..30).map(|other| format!("pub use crate::m{other}::*;\n")).collect();
        world.write(&format!("rust/src/m{number}.rs"), &all);
    }
    world.write("src/m29.ts", "export * from './m0';\nexport function found() {}\n");
    world.write("src/use.ts", "import { found, missing } from './m0';\nfound();\nmissing();\n");
    world.write("rust/Cargo.toml", "[package]\nname = \"round\"\n");
    let modules: String = (0..30).map(|number| format!("mod m{number};\n")).collect();
    world.write("rust/src/lib.rs", &format!("{modules}use m0::*;\nfn f() {{ nowhere(); }}\n"));
    let start = Instant::now();
    let calls = world.run(&["map", "--calls", "--unresolved", "--format", "jsonl"]).ends(0).stdout;
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
    let call = |line: u32| {
        let rows = calls.lines().map(|row| serde_json::from_str::<Value>(row).expect("a JSON line"));
        let mut rows = rows.filter(|row| row["caller_file"] == "src/use.ts" && row["call_line"] == line);
        rows.next().expect("the call is listed")["callee_file"].clone()
    };
    assert_eq!((call(2), call(3)), (Value::from("src/m29.ts"), Value::Null));
}

#[test]
fn packages_that_are_linked_into_each_other_are_read_once_and_said() {
    let world = World::new();
    world.write("package.json", "{ \"name\": \"root\", \"workspaces\": [\"packages/*\"] }\n");
    world.write("packages/core/package.json", "{ \"name\": \"@acme/core\", \"main\": \"index.js\" }\n");
    world.write("packages/core/index.ts", "export function core() {}\n");
    world.write("packages/app/package.json", "{ \"name\": \"app\" }\n");
    world.write("packages/app/a.ts", "import { core } from '@acme/core';\ncore();\n");
    let link = |target: &str, name: &str| {
        fs::create_dir_all(world.root().join(name).parent().expect("it has a folder")).expect("the folder is ours");
        symlink(target, world.root().join(name)).expect("a link");
    };
    link("../../packages/core", "node_modules/@acme/core");
    link("core", "packages/again");
    link("../../app", "packages/core/node_modules/app");
    world.commit();
    let calls = world.run(&["map", "--calls", "--format", "jsonl"]).ends(0).stdout;
    assert!(calls.contains("\"callee_file\":\"packages/core/index.ts\""), "{calls}");
    let symbols = world.run(&["map", "--symbols", "--format", "jsonl"]).ends(0).stdout;
    assert_eq!(symbols.matches("\"name\":\"core\"").count(), 1, "{symbols}");
    let files = world.run(&["map", "--files", "--format", "jsonl"]).ends(0).stdout;
    assert!(files.lines().any(|row| row.contains("packages/again") && row.contains("symlink")), "{files}");
    let audit = world.run(&["audit", "--format", "json"]).ends(0).json();
    assert!(audit["not_audited"].to_string().contains("packages/again"), "{}", audit["not_audited"]);
}

#[test]
fn configuration_that_is_broken_costs_what_depends_on_it_and_is_said() {
    let world = World::new();
    world.write("package.json", "{ \"name\": \"root\", \"workspaces\": [\"packages/*\", \"gone\"] }\n");
    world.write("tsconfig.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"src/*\"] \n");
    world.write(
        "web/tsconfig.json",
        "{ // comments\n \"compilerOptions\": { \"paths\": { \"@/*\": [\"./*\"], }, }, }\n",
    );
    world.write("web/lib.ts", "export function lib() {}\n");
    world.write("web/a.ts", "import { lib } from '@/lib';\nimport { one } from 'same';\nlib();\none();\n");
    for folder in ["packages/a", "packages/b"] {
        world.write(&format!("{folder}/package.json"), "{ \"name\": \"same\", \"main\": \"index.ts\" }\n");
        world.write(&format!("{folder}/index.ts"), "export function one() {}\n");
    }
    world.write("Cargo.toml", "[workspace]\nmembers = [\"here\", \"absent\", \"broken\"]\n");
    world.write("here/Cargo.toml", "[package]\nname = \"here\"\n[dependencies]\nabsent = { path = \"../absent\" }\n");
    world.write("here/src/lib.rs", "pub fn own() {}\npub fn f() { own(); absent::g(); }\n");
    world.write("broken/Cargo.toml", "[package\n");
    let calls = world.run(&["map", "--calls", "--format", "jsonl"]).ends(0).stdout;
    for found in
        ["\"callee_file\":\"web/lib.ts\"", "\"callee_file\":\"packages/a/index.ts\"", "\"callee_name\":\"own\""]
    {
        assert!(calls.contains(found), "{found}: {calls}");
    }
    let audit = world.run(&["audit", "--format", "json"]).ends(0).json();
    let said = audit["not_audited"].to_string();
    for what in [
        "\"tsconfig.json\"",
        "workspace member `absent`",
        "broken/Cargo.toml",
        "packages/a/package.json, packages/b/package.json",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert!(!said.contains("web/tsconfig.json"), "comments and a last comma are fine: {said}");
}

#[test]
fn names_and_contents_that_are_not_utf8_are_passed_by() {
    let world = World::with_plan("src/app.txt", FOUND);
    fs::write(world.root().join(OsStr::from_bytes(b"src/caf\xe9.ts")), SHOP).expect("this file system takes any name");
    fs::write(world.root().join("src/latin1.ts"), b"export const caf\xe9 = 1\n").expect("the folder is ours");
    world.commit();
    let symbols = world.run(&["map", "--symbols", "--format", "jsonl"]).ends(0);
    let files: Vec<Value> =
        symbols.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    assert!(files.iter().all(|row| row["file"] == "src/orders.ts") && !files.is_empty(), "{}", symbols.stdout);
    world.run(&["audit"]).ends(0);
    world.run(&["apply", "1", "--trust"]).ends(0);
    assert_eq!(world.on_branch("src/app.txt"), "alpha\nBETA\n");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn files_that_do_not_parse_do_not_hide_the_others() {
    let world = World::new();
    world.write("src/broken.ts", "export function (((( {{{{ `${ 'never closed\n<<<<<<< HEAD\n");
    world.write("src/broken.rs", "fn fn fn { ]] }}} impl for\n");
    world.write("package.json", "{ \"name\": \n");
    world.run(&["map"]).ends(0);
    world.run(&["map", "--symbols", "--format", "jsonl"]).ends(0).says("listOrders");
    let findings = world.run(&["audit", "--format", "json"]).ends(0).json();
    assert!(findings["findings"].is_array());
}

#[test]
fn a_file_of_fifty_megabytes_is_not_read_as_source() {
    let world = World::with_plan("src/app.txt", FOUND);
    world.write("src/big.ts", &"export const x = 'a long line of text';\n".repeat(50 * 1024 * 1024 / 40));
    let start = Instant::now();
    world.run(&["map"]).ends(0);
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
    let symbols = world.run(&["map", "--symbols", "--format", "jsonl"]).ends(0).says("src/orders.ts");
    assert!(!symbols.stdout.contains("src/big.ts"));
    world.run(&["audit"]).ends(0);
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that proves nothing has to say so")]
fn a_repository_that_cannot_be_written_is_read_and_writing_is_refused_with_a_reason() {
    let world = World::new();
    let lock = |mode| fs::set_permissions(world.root(), fs::Permissions::from_mode(mode)).expect("it is ours");
    lock(0o555);
    if fs::write(world.root().join("probe"), "").is_ok() {
        lock(0o755);
        fs::remove_file(world.root().join("probe")).expect("it was just written");
        println!("skipped: this user may write where nobody may; `plans_that_are_a_file…` is the variant for root");
        return;
    }
    let audit = world.run(&["audit"]);
    let plans = world.run(&["perf"]);
    lock(0o755);
    audit.ends(0);
    plans.ends(2).says("cannot be written to");
}

#[test]
fn plans_that_are_a_file_or_belong_to_something_else_stay_as_they_are() {
    for (path, text) in [("plans", "a file\n"), ("plans/pricing.json", "{}\n")] {
        let world = World::bare();
        world.write(path, text);
        world.write_plans(&["perf"]).ends(0).says("advisor-plans/");
        assert_eq!(fs::read_to_string(world.root().join(path)).expect("it is there"), text);
        assert!(world.root().join("advisor-plans/README.md").is_file());
    }
    let world = World::bare();
    world.write("plans", "a file\n");
    world.write("advisor-plans", "a file too\n");
    world.run(&["perf"]).ends(2).says("both hold something other than plans").says("hint: ");
}

#[test]
fn what_is_no_plan_is_refused() {
    let world = World::new();
    world.write("notes.md", "Some prose without a heading.\n");
    world.write("empty.md", "");
    fs::write(world.root().join("binary.md"), [0xff, 0xfe, 0x00]).expect("the folder is ours");
    world.commit();
    for name in ["notes.md", "empty.md", "binary.md"] {
        world.run(&["apply", name, "--trust"]).ends(2).says(name);
        world.run(&["show", name]).ends(2).says(name);
    }
    world.run(&["apply", "src", "--trust"]).ends(2).says("no plan is called `src`");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn a_scope_that_leaves_the_repository_or_names_gits_own_files_blocks_the_plan() {
    for scope in ["../x", ".git/config", "/etc/passwd"] {
        let world = World::with_plan(scope, FOUND);
        world.run(&["apply", "1", "--trust"]).ends(4).says("blocked").says(scope);
        assert_eq!(world.worktrees(), 0);
        assert!(!world.folder.path().join("x").exists());
    }
}

#[test]
fn a_gate_that_hangs_runs_out_of_time_and_is_gone() {
    let world = World::with_plan("src/app.txt", "`echo $$ > \"$HOME/pid\"; sleep 600 & sleep 600` → exit 0");
    fs::create_dir_all(world.folder.path().join("home")).expect("the folder is ours");
    let start = Instant::now();
    world
        .run(&["apply", "1", "--trust", "--sandbox", "none", "--gate-timeout", "1s"])
        .ends(1)
        .says("ran out of time")
        .says("worktree left at");
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
    let pid = fs::read_to_string(world.folder.path().join("home/pid")).expect("the gate ran");
    assert!(!is_alive(&pid), "the gate's shell goes on");
}

/// Three hundred megabytes show that memory is bounded as well as a gigabyte would, and take a second.
#[test]
fn a_gate_that_prints_without_end_takes_bounded_memory() {
    let world = World::with_plan("src/app.txt", "`head -c 300000000 /dev/zero | tr '\\0' x` → exit 0");
    let mut child = world.command(&["apply", "1", "--trust", "--format", "json"]).spawn().expect("the program starts");
    let mut peak = 0u64;
    while child.try_wait().expect("it is our child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(high.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut receipt = String::new();
    child.stdout.take().expect("it is piped").read_to_string(&mut receipt).expect("it prints UTF-8");
    assert!(receipt.len() < 1 << 20, "the receipt has {} bytes", receipt.len());
    assert!((1..200_000).contains(&peak), "it took {peak} kB");
}

#[test]
fn ctrl_c_ends_a_map_and_nothing_is_written() {
    let world = World::new();
    for number in 0..600 {
        let text: String = (0..120).map(|line| SHOP.replace("listOrders", &format!("listOrders{line}"))).collect();
        world.write(&format!("src/many/orders{number}.ts"), &text);
    }
    let before = snapshot(&world.root());
    let child = world.command(&["map", "--jobs", "1"]).spawn().expect("the program starts");
    wait_for("the handler of ctrl-C", || handles_ctrl_c(&child));
    signal(&child, Signal::INT);
    Ran::of(child.wait_with_output().expect("it ends")).ends(130).says("interrupted");
    assert!(snapshot(&world.root()) == before);
}

/// Applies the plan without a sandbox, which would keep the files from a gate by which it tells of itself.
const OPEN: [&str; 5] = ["apply", "1", "--trust", "--sandbox", "none"];

/// A plan whose gate waits for ever once, and is quick as soon as `home/go` is there.
fn waiting() -> World {
    let verify = "`test -e \"$HOME/go\" || { echo $$ > \"$HOME/pid.new\"; mv \"$HOME/pid.new\" \"$HOME/pid\"; sleep 600; }; \
                  grep -q BETA src/app.txt` → exit 0";
    let world = World::with_plan("src/app.txt", verify);
    fs::create_dir_all(world.folder.path().join("home")).expect("the folder is ours");
    world
}

#[test]
fn ctrl_c_ends_a_gate_and_the_next_run_goes_on() {
    let world = waiting();
    let before = snapshot(&world.root());
    let home = world.folder.path().join("home");
    let child = world.command(&OPEN).spawn().expect("the program starts");
    wait_for("the gate", || home.join("pid").exists());
    signal(&child, Signal::INT);
    let ran = Ran::of(child.wait_with_output().expect("it ends")).ends(130);
    // Either nothing is left, or it is said where.
    if world.worktrees() > 0 {
        ran.says("the worktree ").says("stays");
    }
    assert!(!is_alive(&fs::read_to_string(home.join("pid")).expect("the gate ran")));
    assert!(snapshot(&world.root()) == before);
    fs::write(home.join("go"), "").expect("the folder is ours");
    world.run(&OPEN).ends(0).says("verified");
    assert_eq!((world.on_branch("src/app.txt").as_str(), world.worktrees()), ("alpha\nBETA\n", 0));
}

#[test]
fn a_run_that_is_killed_during_a_gate_is_taken_up_again() {
    let world = waiting();
    let before = snapshot(&world.root());
    let home = world.folder.path().join("home");
    let mut child = world.command(&OPEN).spawn().expect("the program starts");
    wait_for("the gate", || home.join("pid").exists());
    signal(&child, Signal::KILL);
    child.wait().expect("it ends");
    assert!(snapshot(&world.root()) == before);
    world.run(&["status"]).ends(0).says("001-rename");
    fs::write(home.join("go"), "").expect("the folder is ours");
    world.run(&OPEN).ends(0).says("verified");
    let gate = fs::read_to_string(home.join("pid")).expect("the gate ran");
    assert!(!is_alive(&gate), "the gate of the killed run goes on");
    assert_eq!((world.on_branch("src/app.txt").as_str(), world.worktrees()), ("alpha\nBETA\n", 0));
}

#[test]
fn ctrl_c_between_edits_keeps_the_green_steps() {
    let world = World::new();
    let letters: Vec<String> = (10..50).map(|number| format!("letter{number}")).collect();
    world.write("src/app.txt", &letters.iter().map(|letter| format!("{letter}\n")).collect::<String>());
    let upper: Vec<String> = letters.iter().map(|letter| letter.to_uppercase()).collect();
    let edits: Vec<(&str, &str)> = letters.iter().zip(&upper).map(|(a, b)| (a.as_str(), b.as_str())).collect();
    world.write("plans/001-rename.md", &plan("src/app.txt", &edits, "`grep -q LETTER src/app.txt` → exit 0"));
    world.commit();
    let before = snapshot(&world.root());
    let mut child = world.command(&["apply", "1", "--trust"]).spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let third = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("step 3 of 40"));
    assert!(third.is_some(), "it never came to step 3");
    signal(&child, Signal::INT);
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted; the worktree ")), "{rest:?}");
    assert!(snapshot(&world.root()) == before);
    assert_eq!(world.worktrees(), 1);
    let went_on = world.run(&["apply", "1", "--trust", "--format", "json"]).ends(0);
    assert_eq!(went_on.json()["commits"].as_array().expect("a list").len(), 40);
    assert!(!went_on.stderr.contains("step 1 of 40"), "{}", went_on.stderr);
    assert_eq!(world.worktrees(), 0);
}

/// A limit on the size of files stands for a full disk: writes fail in the middle of the work.
#[test]
fn a_disk_that_is_full_is_said_and_the_work_can_be_done_later() {
    let world = World::new();
    world.write("src/large.txt", &"a line of text that takes some space\n".repeat(20_000));
    world.write("plans/001-rename.md", &plan("src/app.txt", &[("beta", "BETA")], FOUND));
    world.commit();
    let before = snapshot(&world.root());
    let mut limited = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_improve");
    let script = format!("trap '' XFSZ; ulimit -f 200; exec '{program}' apply 1 --trust");
    limited.args(["-c", &script]);
    world.environment(&mut limited);
    let ran = Ran::of(limited.output().expect("the shell starts"));
    ran.ends(3).says("error: ").says("; the worktree ").says("run the same command to go on");
    assert_eq!(world.worktrees(), 1);
    assert!(snapshot(&world.root()) == before);
    world.run(&["apply", "1", "--trust"]).ends(0).says("verified");
    assert_eq!(world.worktrees(), 0);
}

#[test]
fn a_reader_that_goes_away_changes_no_exit_code_and_no_tree() {
    let world = World::with_plan("src/app.txt", "`grep -q nowhere src/app.txt` → exit 0");
    let before = snapshot(&world.root());
    for (args, code) in [(vec!["map"], 0), (vec!["audit"], 0), (vec!["apply", "1", "--trust"], 1)] {
        let mut child = world.command(&args).spawn().expect("the program starts");
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().expect("it ends"));
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("roken pipe"), "{}", ran.stderr);
    }
    assert!(snapshot(&world.root()) == before);
}
