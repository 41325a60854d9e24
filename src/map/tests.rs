//! Maps of small trees, whole.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::progress::NoProgress;
use crate::repo_map::facts::{FileFacts, LanguageName, Lines, Span, Symbol, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{FileHistory, SkipReason};
use crate::tree::WorkingTree;

static GRAMMAR: LazyLock<syntax::grammar::Grammar> =
    LazyLock::new(|| syntax::grammar::Grammar::new(tree_sitter_rust::LANGUAGE.into(), &[], &[]));

/// Rust, cut down to the names of top-level functions, so that the mapper is tested and not an extractor.
static SMALL_RUST: Language = Language {
    name: LanguageName::Rust,
    extensions: &["rs"],
    grammar: |_| &GRAMMAR,
    extract: |tree, source, _| {
        let root = tree.root_node();
        let names = (0..root.child_count())
            .filter_map(|index| root.child(index)?.child_by_field_name("name"))
            .map(|name| function(&source[name.byte_range()]));
        FileFacts { partly_read: root.has_error(), symbols: names.collect(), ..FileFacts::default() }
    },
};

fn function(name: &str) -> Symbol {
    Symbol {
        name: name.into(),
        qualified: name.into(),
        kind: SymbolKind::Function,
        container: None,
        member_of: None,
        of_trait: None,
        exported: false,
        default_export: false,
        is_async: false,
        test: false,
        has_body: true,
        takes_self: false,
        span: Span::default(),
        lines: Lines::default(),
        name_line: 1,
        signature: Name::default(),
        parameters: Vec::new(),
        return_type: None,
        attributes: Vec::new(),
        documented: false,
        tokens: 0,
        complexity: 1,
    }
}

fn write(root: &std::path::Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
    std::fs::write(path, bytes).expect("the file can be written");
}

fn map(root: &std::path::Path, options: &MapOptions) -> RepoMap {
    let history = [("src/a.rs".to_owned(), FileHistory { churn_90d: 3, last_change: Some(1), authors: 2 })];
    build_with(&[&SMALL_RUST], &WorkingTree::new(root), options, &history.into_iter().collect(), None, &NoProgress)
        .expect("readable")
}

fn paths(map: &RepoMap) -> Vec<&str> {
    map.files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn every_file_is_source_other_or_skipped_for_a_reason() {
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    let root = folder.path();
    write(root, "src/a.rs", "fn one() {}\nfn two() {}\n");
    write(root, "src/broken.rs", "fn ) {{{ \"");
    write(root, "src/latin.rs", [b'/', b'/', 0xe9, b'\n']);
    write(root, "src/data.rs", [0_u8; 64]);
    write(root, "src/schema.rs", "// @generated automatically by Diesel CLI.\nfn x() {}\n");
    write(root, "src/data.gen.rs", format!("// @generated\n{}", "f(1);\n".repeat(50_000)));
    write(root, "src/long.rs", format!("const A: &str = \"{}\";\n", "x".repeat(4_000)));
    write(root, "vendor/b.rs", "fn b() {}\n");
    write(root, "tests/a.rs", "fn test() {}\n");
    write(root, "README.md", "# A\n");
    write(root, "noextension", "text\n");
    write(root, "blob", [1_u8, 0, 2]);
    write(root, ".gitignore", "ignored.rs\n");
    write(root, "ignored.rs", "fn ignored() {}\n");
    let huge = std::fs::File::create(root.join("src/huge.rs")).expect("the file can be made");
    huge.set_len(50 << 20).expect("a file may have a hole");

    let map = map(root, &MapOptions::default());
    let files: Vec<_> = map
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.role, file.facts.symbols.len(), file.facts.partly_read))
        .collect();
    use crate::repo_map::FileRole::{Generated, Production, Test};
    let expected = [
        ("src/a.rs", Production, 2, false),
        ("src/broken.rs", Production, 0, true),
        ("src/schema.rs", Generated, 1, false),
        ("tests/a.rs", Test, 1, false),
    ];
    assert_eq!(files, expected);
    assert_eq!((map.files[0].lines, map.files[0].bytes, map.files[0].history.churn_90d), (2, 24, 3));
    assert_eq!(map.other_files, [".gitignore", "README.md", "noextension"]);
    let skipped: Vec<_> = map.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.reason)).collect();
    let expected = [
        ("blob", SkipReason::Binary),
        ("src/data.gen.rs", SkipReason::Generated),
        ("src/data.rs", SkipReason::Binary),
        ("src/huge.rs", SkipReason::TooLarge),
        ("src/latin.rs", SkipReason::NotUtf8),
        ("src/long.rs", SkipReason::Minified),
        ("vendor/b.rs", SkipReason::Vendored),
    ];
    assert_eq!(skipped, expected);
}

#[test]
fn folders_files_and_globs_choose_source_files() {
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    for path in ["a/x.rs", "a/deep/y.rs", "b/z.rs", "top.rs"] {
        write(folder.path(), path, "fn f() {}\n");
    }
    write(folder.path(), "Cargo.toml", "[package]\nname = \"p\"\n");
    let chosen = |include: &[&str], exclude: &[&str]| {
        let own = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let options = MapOptions { include: own(include), exclude: own(exclude), ..MapOptions::default() };
        let map = map(folder.path(), &options);
        assert_eq!(map.recon.packages.len(), 1, "manifests are read whatever is chosen");
        paths(&map).join(" ")
    };
    assert_eq!(chosen(&[], &[]), "a/deep/y.rs a/x.rs b/z.rs top.rs");
    assert_eq!(chosen(&["a/"], &[]), "a/deep/y.rs a/x.rs");
    assert_eq!(chosen(&["./a", "top.rs"], &["**/y.rs"]), "a/x.rs top.rs");
    assert_eq!(chosen(&["."], &["a", "*.rs"]), "b/z.rs");
    let bad = MapOptions { exclude: vec!["a{".to_owned()], ..MapOptions::default() };
    let built = build(&WorkingTree::new(folder.path()), &bad, &History::default(), None, &NoProgress);
    assert!(matches!(built, Err(MapError::Glob { pattern, .. }) if pattern == "a{"));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    for number in 0..40 {
        write(folder.path(), &format!("src/f{number}.rs"), format!("fn f{number}() {{}}\n"));
    }
    let with = |jobs| format!("{:?}", map(folder.path(), &MapOptions { jobs: Some(jobs), ..MapOptions::default() }));
    assert_eq!(with(1), with(4));
}

#[test]
fn a_parse_that_takes_too_long_leaves_the_file_out() {
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    // The parser asks whether to go on only every so often.
    write(folder.path(), "long.rs", "fn f() { g(1, 2, 3); }\n".repeat(2_000));
    let options = MapOptions { parse_timeout: Duration::ZERO, jobs: Some(1), ..MapOptions::default() };
    let map = map(folder.path(), &options);
    let long = SkippedFile { path: "long.rs".to_owned(), reason: SkipReason::TooSlow };
    assert_eq!((map.files.len(), map.skipped), (0, vec![long]));
}

#[test]
fn an_unreadable_root_and_an_empty_one_differ() {
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    let empty = map(folder.path(), &MapOptions::default());
    assert!(empty.files.is_empty() && empty.other_files.is_empty() && empty.recon.packages.is_empty());
    let absent = WorkingTree::new(folder.path().join("absent"));
    let built = build(&absent, &MapOptions::default(), &History::default(), None, &NoProgress);
    assert!(matches!(built, Err(MapError::Tree(TreeError::Io { .. }))));
}

/// Counts ticks, and asks to stop once there have been `limit`.
struct StopAfter {
    limit: u64,
    ticks: AtomicU64,
    stopped: AtomicBool,
}

impl Progress for StopAfter {
    fn phase(&self, _name: &str, _total: Option<u64>) {}

    fn tick(&self, count: u64) {
        if self.ticks.fetch_add(count, Ordering::SeqCst) + count >= self.limit {
            self.stopped.store(true, Ordering::SeqCst);
        }
    }

    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

#[test]
fn mapping_stops_soon_after_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    for number in 0..200 {
        write(folder.path(), &format!("f{number}.rs"), "fn f() {}\n");
    }
    let progress = StopAfter { limit: 3, ticks: AtomicU64::new(0), stopped: AtomicBool::new(false) };
    let options = MapOptions { jobs: Some(1), ..MapOptions::default() };
    let built =
        build_with(&[&SMALL_RUST], &WorkingTree::new(folder.path()), &options, &History::default(), None, &progress);
    assert!(matches!(built, Err(MapError::Cancelled)));
    assert_eq!(progress.ticks.load(Ordering::SeqCst), 3);
}
