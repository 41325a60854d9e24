//! With a cache or without one: the same map.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::map::{MapOptions, build};
use crate::progress::NoProgress;
use crate::repo_map::RepoMap;
use crate::repo_map::history::History;
use crate::tree::{EntryKind, Tree, TreeError};

/// Files in memory, with the identities the test gives them.
#[derive(Default)]
struct Files {
    files: BTreeMap<String, (String, Identity)>,
    reads: AtomicUsize,
}

impl Files {
    fn put(&mut self, path: &str, text: &str, modified_ns: i64) {
        let identity = Identity::Stat { modified_ns, changed_ns: modified_ns, inode: 1 };
        self.files.insert(path.to_owned(), (text.to_owned(), identity));
    }

    /// How many files were opened since the last time.
    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl Tree for Files {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |(path, (text, identity)): (&String, &(String, Identity))| TreeEntry {
            path: path.clone(),
            kind: EntryKind::File,
            bytes: text.len() as u64,
            identity: *identity,
        };
        Ok(self.files.iter().map(entry).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let (text, _) = self.files.get(path).ok_or(TreeError::Missing { path: path.to_owned() })?;
        Ok(text.clone().into_bytes())
    }
}

const SECOND: i64 = 1_000_000_000;
/// When the runs of a test happen, unless it says otherwise: long after its files were written.
const LATER: i64 = 1_000 * SECOND;

fn map(files: &Files, cache: Option<&Path>, now_ns: i64, jobs: usize) -> RepoMap {
    let cache = cache.map(|file| CachePlace { file: file.to_owned(), now_ns });
    let options = MapOptions { cache, jobs: Some(jobs), ..MapOptions::default() };
    build(files, &options, &History::default(), None, &NoProgress).expect("files in memory can be listed")
}

fn bytes(map: &RepoMap) -> String {
    format!("{map:?}")
}

fn sample() -> Files {
    let mut files = Files::default();
    files.put("src/a.ts", "import { b } from './b';\nexport const a = () => b();\n", SECOND);
    files.put("src/b.ts", "export function b() { return c(); }\nfunction c() {}\n", SECOND);
    files.put("src/lib.rs", "pub fn one() { two() }\nfn two() {}\n", SECOND);
    files.put("LICENSE", "words", SECOND);
    files
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("the system has a temporary folder")
}

#[test]
fn what_is_unchanged_is_not_opened_again() {
    let (files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    let first = map(&files, Some(&file), LATER, 2);
    assert_eq!(files.reads(), 4);
    let second = map(&files, Some(&file), LATER, 2);
    assert_eq!(files.reads(), 0);
    assert_eq!(bytes(&first), bytes(&second));
    assert_eq!(bytes(&first), bytes(&map(&files, None, LATER, 2)));
}

#[test]
fn an_unchanged_cache_is_not_written_again() {
    let (files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    map(&files, Some(&file), LATER, 2);
    let written = std::fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("it was written");
    map(&files, Some(&file), LATER + SECOND, 2);
    let again = std::fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("it is still there");
    assert_eq!(written, again);
}

#[test]
fn a_file_written_just_before_it_was_read_is_read_again() {
    let (mut files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    files.put("src/b.ts", "export function b() {}\n", LATER);
    map(&files, Some(&file), LATER + SECOND, 1);
    // The same size, and the clock of the file system did not tick.
    files.put("src/b.ts", "export function x() {}\n", LATER);
    let cached = map(&files, Some(&file), LATER + 9 * SECOND, 1);
    assert_eq!(bytes(&cached), bytes(&map(&files, None, LATER, 1)));
}

#[test]
fn a_renamed_file_is_known_by_its_content_but_not_in_another_language() {
    let (mut files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    map(&files, Some(&file), LATER, 1);
    let (text, _) = files.files.remove("src/b.ts").expect("it is there");
    files.put("src/moved.ts", &text, 2 * SECOND);
    files.put("src/same.rs", &text, 2 * SECOND);
    let cached = map(&files, Some(&file), LATER, 1);
    assert_eq!(bytes(&cached), bytes(&map(&files, None, LATER, 1)));
}

#[test]
fn a_change_in_one_file_changes_what_another_calls() {
    let (mut files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    map(&files, Some(&file), LATER, 1);
    files.put("src/b.ts", "export { c as b } from './c';\n", 2 * SECOND);
    files.put("src/c.ts", "export const c = () => 1;\n", 2 * SECOND);
    let cached = map(&files, Some(&file), LATER, 1);
    assert_eq!(bytes(&cached), bytes(&map(&files, None, LATER, 1)));
    assert_eq!(cached.callers.iter().count(), 2, "a.ts calls c.ts through b.ts, and lib.rs itself");
}

#[test]
fn a_damaged_cache_is_as_good_as_none() {
    let (files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    let clean = bytes(&map(&files, Some(&file), LATER, 1));
    for file in [&file, &file.with_extension("links")] {
        assert_damage_is_noticed(&files, file, &clean);
    }
    let mut files = files;
    files.put("src/b.ts", "export function b() {}\n", 2 * SECOND);
    files.files.remove("LICENSE");
    let clean = bytes(&map(&files, Some(&file), LATER, 1));
    for file in [&file.with_extension("changes"), &file.with_extension("links")] {
        assert_damage_is_noticed(&files, file, &clean);
    }
}

#[test]
fn an_edit_is_kept_without_writing_the_facts_of_all_files_again() {
    let (mut files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    map(&files, Some(&file), LATER, 1);
    let whole = std::fs::read(&file).expect("it was written");
    files.put("src/b.ts", "export function b() {}\n", 2 * SECOND);
    files.put("src/new.ts", "export const fresh = 1;\n", 2 * SECOND);
    files.files.remove("src/a.ts");
    for _ in 0..2 {
        let cached = map(&files, Some(&file), LATER, 2);
        assert_eq!(bytes(&cached), bytes(&map(&files, None, LATER, 1)));
        files.reads();
    }
    map(&files, Some(&file), LATER, 1);
    assert_eq!(files.reads(), 0, "what changed is known as well");
    assert!(std::fs::read(&file).expect("it is there") == whole);
}

#[test]
fn many_changes_are_written_with_everything_else() {
    let (mut files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    map(&files, Some(&file), LATER, 1);
    files.put("src/b.ts", "export function b() {}\n", 2 * SECOND);
    map(&files, Some(&file), LATER, 1);
    assert!(file.with_extension("changes").exists());
    for number in 0..20 {
        files.put(&format!("src/new{number}.ts"), "export const fresh = 1;\n", 2 * SECOND);
    }
    let cached = map(&files, Some(&file), LATER, 1);
    assert!(!file.with_extension("changes").exists(), "they stand in the file of all facts");
    assert_eq!(bytes(&cached), bytes(&map(&files, None, LATER, 1)));
    files.reads();
    map(&files, Some(&file), LATER, 1);
    assert_eq!(files.reads(), 0);
}

#[test]
fn changes_to_another_file_of_facts_are_not_used() {
    let (mut files, folder) = (sample(), folder());
    let (file, other) = (folder.path().join("facts"), folder.path().join("other"));
    map(&files, Some(&file), LATER, 1);
    files.put("src/b.ts", "export function x() {}\n", 2 * SECOND);
    map(&files, Some(&file), LATER, 1);
    let mut others = sample();
    others.put("src/b.ts", "export function y() {}\n", 2 * SECOND);
    map(&others, Some(&other), LATER, 1);
    std::fs::copy(file.with_extension("changes"), other.with_extension("changes")).expect("the folder is ours");
    assert_eq!(bytes(&map(&others, Some(&other), LATER, 1)), bytes(&map(&others, None, LATER, 1)));
}

/// Whatever is cut off, changed or added in `file`: the map is `clean`, and the file is made anew.
fn assert_damage_is_noticed(files: &Files, file: &Path, clean: &str) {
    let place = file.with_extension("");
    let whole = std::fs::read(file).expect("it was written");
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).step_by(7).map(|end| whole[..end].to_vec()).collect();
    damaged.extend((0..whole.len()).step_by(3).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        bytes
    }));
    damaged.push([whole.as_slice(), b"more"].concat());
    for bytes_on_disk in damaged {
        std::fs::write(file, &bytes_on_disk).expect("the folder is ours");
        assert_eq!(bytes(&map(files, Some(&place), LATER, 1)), clean);
        assert_eq!(std::fs::read(file).expect("it is there"), whole, "it was made anew");
    }
}

#[test]
fn edges_are_kept_for_the_same_sources_and_configuration_alone() {
    let (mut files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    let links = file.with_extension("links");
    let kept = |files: &Files| {
        let cached = bytes(&map(files, Some(&file), LATER, 2));
        assert_eq!(cached, bytes(&map(files, None, LATER, 1)));
        std::fs::read(&links).expect("edges are kept")
    };
    let first = kept(&files);
    assert_eq!(kept(&files), first);
    files.put("tsconfig.json", "{ \"compilerOptions\": { \"baseUrl\": \"src\" } }", 2 * SECOND);
    let configured = kept(&files);
    assert_ne!(configured, first);
    files.put("src/a.ts", "import { b } from 'b';\nexport const a = () => b();\n", 3 * SECOND);
    assert_ne!(kept(&files), configured);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let (files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    std::fs::create_dir(&file).expect("the folder is ours");
    assert_eq!(bytes(&map(&files, Some(&file), LATER, 1)), bytes(&map(&files, None, LATER, 1)));
}

#[test]
fn two_runs_at_once_leave_one_whole_cache() {
    let (files, folder) = (sample(), folder());
    let file = folder.path().join("facts");
    let clean = bytes(&map(&files, None, LATER, 1));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(bytes(&map(&files, Some(&file), LATER, 2)), clean));
        }
    });
    files.reads();
    map(&files, Some(&file), LATER, 1);
    assert_eq!(files.reads(), 0);
}

/// One step in the life of a repository.
#[derive(Debug, Clone)]
enum Step {
    Write(usize, usize),
    Delete(usize),
    Rename(usize, usize),
}

const PATHS: &[&str] = &[
    "src/a.ts",
    "src/b.ts",
    "src/b/index.ts",
    "src/c.tsx",
    "src/base.ts",
    "src/index.ts",
    "packages/p/src/index.ts",
    "src/lib.rs",
    "src/m.rs",
    "package.json",
    "packages/p/package.json",
    "tsconfig.json",
    "Cargo.toml",
];
const TEXTS: &[&str] = &[
    "export const a = () => b();\nimport { b } from './b';\n",
    "export function b() { return a(); }\nimport { a } from './a';\n",
    "export * from './b';\nexport { a as c } from './a';\n",
    "import * as all from './index';\nall.a(); all.b(); all.c();\nexport const C = () => <D/>;\nfunction D() { return null }\n",
    "",
    "export class K { m() { return this.n() } n() {} }\nnew K().m();\n",
    "((((((",
    // The same names with another meaning, at another place, from elsewhere.
    "export * from './a';\nexport * from './b';\nexport * from './base';\n",
    "export * from './base';\nexport { K as b } from './a';\n",
    "// moved\n\nexport function other() {}\nexport function b(): K { return other() as any }\nimport { K } from './base';\n",
    "export { make as a, make as b } from './base';\nexport { default } from './base';\n",
    // Types that build on each other across files, and what is called on them.
    "export interface Shape { area(): number }\nexport class Base { m() {} }\nexport const make = (): Base => new Base();\nexport default make;\n",
    "export class Base { n() {} static m() {} }\nexport class K extends Base { m() {} }\nexport function make(): K { return new K() }\n",
    "import { Base, Shape } from './base';\nexport class K extends Base implements Shape { area() { return 1 } m() { super.m() } }\nexport const a = (shape: Shape) => shape.area();\n",
    "import { Shape } from './base';\nexport class Other implements Shape { area() { return 2 } }\n",
    "import { make, a, b } from './index';\nimport other from './base';\nmake().m(); make().n(); b().m(); b().n(); a(b); other().m();\n",
    "import { Base } from 'p';\nimport { Shape } from '@/base';\nexport class K extends Base {}\nnew K().m();\nexport const b = (shape: Shape) => shape.area();\n",
    "module.exports = { a: () => 1, b() { return 2 } };\n",
    "const { a } = require('./a');\na();\nmodule.exports = require('./b');\n",
    // Rust.
    "mod m;\npub fn run() { m::go(); other() }\nfn other() {}\n",
    "pub fn go() { crate::run() }\npub struct S;\nimpl S { pub fn new() -> S { S } }\n",
    "mod m;\nuse m::S;\npub fn run() -> S { let s = S::new(); s.go(); s }\nimpl S { pub fn go(&self) {} }\n",
    // Configuration.
    "{ \"name\": \"x\", \"workspaces\": [\"packages/*\"] }\n",
    "{ \"name\": \"p\", \"main\": \"src/index.ts\" }\n",
    "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"], \"p\": [\"./src/a\"] } } }\n",
    "[package]\nname = \"y\"\n",
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..PATHS.len(), 0..TEXTS.len()).prop_map(|(path, text)| Step::Write(path, text)),
        1 => (0..PATHS.len()).prop_map(Step::Delete),
        1 => (0..PATHS.len(), 0..PATHS.len()).prop_map(|(from, to)| Step::Rename(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_history_of_edits_gives_what_a_clean_run_gives(
        start in prop::collection::vec(0..TEXTS.len(), PATHS.len()),
        runs in prop::collection::vec((prop::collection::vec(step(), 0..4), 1_usize..5), 1..9),
    ) {
        let mut files = Files::default();
        let (folder, clean) = (folder(), folder());
        let file = folder.path().join("facts");
        for (path, text) in PATHS.iter().zip(start) {
            files.put(path, TEXTS[text], 0);
        }
        let mut clock = 0;
        for (number, (steps, jobs)) in runs.into_iter().enumerate() {
            for step in steps {
                clock += 1;
                match step {
                    Step::Write(path, text) => files.put(PATHS[path], TEXTS[text], clock * SECOND),
                    Step::Delete(path) => {
                        files.files.remove(PATHS[path]);
                    }
                    Step::Rename(from, to) => {
                        // As on disk, the move counts as a change: two files that look alike from outside have inodes of their own.
                        if let Some((text, _)) = files.files.remove(PATHS[from]) {
                            files.put(PATHS[to], &text, clock * SECOND);
                        }
                    }
                }
            }
            clock += 1;
            let cached = map(&files, Some(&file), clock * SECOND, jobs);
            let anew = clean.path().join(format!("facts{number}"));
            prop_assert_eq!(bytes(&cached), bytes(&map(&files, Some(&anew), clock * SECOND, 1)));
            // What is kept for the next run is the same too, however it came about.
            let kept = |file: &Path| std::fs::read(file.with_extension("links")).expect("edges are kept");
            prop_assert!(kept(&file) == kept(&anew));
        }
        prop_assert_eq!(bytes(&map(&files, Some(&file), clock * SECOND, 1)), bytes(&map(&files, None, 0, 1)));
    }
}
