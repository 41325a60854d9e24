//! Exact edits against the tools that run the code: what compiles before an edit compiles after it.
//!
//! Tools that are missing are said and passed over; nothing is fetched. `IMPROVE_TSC` and `IMPROVE_NODE` name a compiler and a
//! Node.js that are not on the path.

#![expect(clippy::print_stderr, reason = "a test that passes something over says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use improve::audit::engine;
use improve::audit::rule::RecipeContext;
use improve::audit::rules::RULES;

use super::{Fixture, apply, folder, report};

/// One exact edit: the fixture's files before it and after it.
struct Edited {
    rule: &'static str,
    line: u32,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
}

impl Edited {
    /// Changed files with one of these endings that are there before and after.
    fn changed(&self, endings: &[&str]) -> impl Iterator<Item = &str> {
        self.after
            .iter()
            .filter(|(path, text)| self.before.get(*path).is_some_and(|before| before != *text))
            .map(|(path, _)| path.as_str())
            .filter(move |path| endings.iter().any(|ending| path.ends_with(ending)))
    }
}

/// Every exact edit of every fixture.
fn edits() -> Vec<Edited> {
    let mut found = Vec::new();
    for rule in RULES {
        let Some(fixture) = Fixture::load(&folder(*rule), "fires") else { continue };
        let (map, effects, findings) = report(*rule, &fixture);
        let context = RecipeContext { map: &map, effects: &effects, tree: &fixture };
        for finding in &findings {
            let Some(draft) = rule.recipe(finding, &context).filter(engine::is_mechanical) else { continue };
            found.push(Edited {
                rule: rule.doc().id,
                line: finding.location().start_line,
                before: fixture.files.clone(),
                after: apply(&fixture, &draft),
            });
        }
    }
    found
}

/// A folder of this test's own, empty.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn write(folder: &Path, files: &BTreeMap<String, String>) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the target folder can be written");
        fs::write(path, text).expect("the target folder can be written");
    }
}

/// Runs a tool; `None` when it is not there.
fn run(command: &mut Command) -> Option<Output> {
    command.stdin(Stdio::null()).output().ok()
}

/// Crates this project itself was built with, which fixtures may use: name → file. Of several builds of one the newest.
fn built_crates(deps: &Path) -> BTreeMap<String, PathBuf> {
    let mut found: BTreeMap<String, (std::time::SystemTime, PathBuf)> = BTreeMap::new();
    for entry in fs::read_dir(deps).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = name.strip_prefix("lib").and_then(|rest| rest.strip_suffix(".rlib")) else { continue };
        let Some((name, _)) = name.rsplit_once('-') else { continue };
        let Ok(built) = entry.metadata().and_then(|data| data.modified()) else { continue };
        let known = found.entry(name.to_owned()).or_insert_with(|| (built, path.clone()));
        if built > known.0 {
            *known = (built, path);
        }
    }
    found.into_iter().map(|(name, (_, path))| (name, path)).collect()
}

/// What rustc says of a fixture's crate, or nothing when it compiles.
fn rust_errors(rustc: &str, deps: &Path, folder: &Path, files: &BTreeMap<String, String>) -> Option<String> {
    const USED: [&str; 6] = ["regex", "reqwest", "tokio", "serde_json", "subtle", "rayon"];
    write(folder, files);
    let source: String =
        files.iter().filter(|(path, _)| path.ends_with(".rs")).map(|(_, text)| text.as_str()).collect();
    let mut command = Command::new(rustc);
    command.args(["--edition", "2021", "--crate-type", "lib", "--emit", "metadata", "--cap-lints", "allow"]);
    command.arg("-L").arg(format!("dependency={}", deps.display()));
    for (name, path) in built_crates(deps) {
        if USED.contains(&name.as_str()) && source.contains(&format!("{name}::")) {
            command.arg("--extern").arg(format!("{name}={}", path.display()));
        }
    }
    command.arg("-o").arg(folder.join("out.rmeta")).arg(folder.join("src/lib.rs"));
    let output = run(&mut command).expect("rustc was there a moment ago");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn rust_that_compiles_before_an_exact_edit_compiles_after_it() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    if run(Command::new(&rustc).arg("--version")).is_none_or(|output| !output.status.success()) {
        eprintln!("skipped: no `rustc` on the path");
        return;
    }
    let deps =
        env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf)).expect("a test has a path");
    let root = scratch("compiled-rust");
    let mut compiled = 0;
    for (number, edited) in edits().iter().enumerate() {
        if edited.changed(&[".rs"]).next().is_none() {
            continue;
        }
        if let Some(errors) = rust_errors(&rustc, &deps, &root.join(format!("{number}-before")), &edited.before) {
            let first = errors.lines().find(|line| line.starts_with("error")).unwrap_or_default();
            eprintln!("skipped: the fixture of {} does not compile by itself: {first}", edited.rule);
            continue;
        }
        let errors = rust_errors(&rustc, &deps, &root.join(format!("{number}-after")), &edited.after);
        assert!(errors.is_none(), "{} line {}: {}", edited.rule, edited.line, errors.unwrap_or_default());
        compiled += 1;
    }
    assert!(compiled > 0, "no fixture with an exact edit compiles");
    eprintln!("{compiled} exact edits of Rust compile before and after");
}

/// Diagnostics about what is not installed beside a fixture: they say nothing about the edit.
const ABSENT: [&str; 8] =
    ["TS2307", "TS2792", "TS7016", "TS2580", "TS2591", "TS2503", "TS2304: Cannot find name 'Buffer'", "TS2875"];

/// What the compiler says, without places, by the folder it says it of.
fn diagnostics(output: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in output.lines() {
        let Some((place, message)) = line.split_once(": error ") else { continue };
        let Some((folder, _)) = place.split_once('/') else { continue };
        if !ABSENT.iter().any(|absent| message.starts_with(absent)) {
            found.entry(folder.to_owned()).or_default().push(message.to_owned());
        }
    }
    found
}

#[test]
fn typescript_has_no_more_errors_after_an_exact_edit_than_before_it() {
    const ENDINGS: [&str; 4] = [".ts", ".tsx", ".mts", ".cts"];
    let tsc = env::var("IMPROVE_TSC").unwrap_or_else(|_| "tsc".to_owned());
    if run(Command::new(&tsc).arg("--version")).is_none_or(|output| !output.status.success()) {
        eprintln!("skipped: no `tsc` on the path, and `IMPROVE_TSC` names none");
        return;
    }
    let root = scratch("compiled-typescript");
    let edits: Vec<Edited> = edits().into_iter().filter(|edited| edited.changed(&ENDINGS).next().is_some()).collect();
    for (number, edited) in edits.iter().enumerate() {
        write(&root.join(format!("{number}-before")), &edited.before);
        write(&root.join(format!("{number}-after")), &edited.after);
    }
    let options = r#"{ "compilerOptions": { "noEmit": true, "skipLibCheck": true, "strict": false, "target": "es2022", "module": "esnext",
        "moduleResolution": "bundler", "moduleDetection": "force", "jsx": "preserve", "types": [], "lib": ["es2023", "dom", "dom.iterable"],
        "experimentalDecorators": true, "allowImportingTsExtensions": true } }"#;
    fs::write(root.join("tsconfig.json"), options).expect("the target folder can be written");
    let output = run(Command::new(&tsc).args(["-p", ".", "--pretty", "false"]).current_dir(&root))
        .expect("tsc was there a moment ago");
    let found = diagnostics(&String::from_utf8_lossy(&output.stdout));
    for (number, edited) in edits.iter().enumerate() {
        let mut before = found.get(&format!("{number}-before")).cloned().unwrap_or_default();
        for message in found.get(&format!("{number}-after")).into_iter().flatten() {
            match before.iter().position(|known| known == message) {
                Some(at) => drop(before.swap_remove(at)),
                None => panic!("{} line {}: after the edit {message}", edited.rule, edited.line),
            }
        }
    }
    eprintln!("{} exact edits of TypeScript have no more errors after than before", edits.len());
}

#[test]
fn node_reads_what_an_exact_edit_leaves() {
    const ENDINGS: [&str; 6] = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];
    let node = env::var("IMPROVE_NODE").unwrap_or_else(|_| "node".to_owned());
    let can_strip = "process.exit(typeof require('node:module').stripTypeScriptTypes === 'function' ? 0 : 1)";
    match run(Command::new(&node).args(["-e", can_strip])) {
        None => return eprintln!("skipped: no `node` on the path, and `IMPROVE_NODE` names none"),
        Some(output) if !output.status.success() => {
            return eprintln!("skipped: this Node.js cannot strip types (22.13 and later can)");
        }
        Some(_) => {}
    }
    let root = scratch("stripped");
    let mut files = Vec::new();
    for (number, edited) in edits().iter().enumerate() {
        let changed: BTreeMap<String, String> = edited
            .changed(&ENDINGS)
            // A fixture in JSX needs a bundler.
            .map(|path| (format!("{number}/{path}"), edited.after[path].clone()))
            .collect();
        write(&root, &changed);
        files.extend(changed.into_keys().map(|path| (path, edited.rule)));
    }
    let script = "const fs = require('node:fs'); const { stripTypeScriptTypes } = require('node:module');\n\
                  for (const file of process.argv.slice(1)) {\n  try { stripTypeScriptTypes(fs.readFileSync(file, 'utf8'), { mode: 'transform' }); }\n  \
                  catch (error) { console.log(file + ': ' + error.message); }\n}";
    let mut command = Command::new(&node);
    command.args(["--no-warnings", "-e", script, "--"]).args(files.iter().map(|(path, _)| path)).current_dir(&root);
    let output = run(&mut command).expect("node was there a moment ago");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.is_empty(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!files.is_empty(), "no fixture with an exact edit is TypeScript or JavaScript");
    eprintln!("Node.js reads {} files that exact edits leave", files.len());
}
