//! Repositories that are more than files and commits: submodules, Git LFS, sparse, shallow and partial checkouts, worktrees of worktrees, line
//! endings. `improve apply` works there, or says why it does not and what to do; made by git itself.

mod common;
#[path = "common/greeter.rs"]
mod greeter;
#[path = "common/models.rs"]
mod models;
#[path = "common/program.rs"]
mod program;
#[path = "common/skipped.rs"]
mod skipped;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use common::{git, write};
use models::Server;
use program::program;
use skipped::skipped;

const BRANCH: &str = "improve/001-greet-politely";
const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/// A plan of one exact edit.
fn plan() -> String {
    let exact = "### Step 1: Say hello in `greet`\n\n```edit file=src/greet.js\n<<<<<<< SEARCH\n  return name;\n=======\n  \
                 return `Hello, ${name}`;\n>>>>>>> REPLACE\n```\n";
    greeter::plan("`grep -c Hello src/greet.js` → contains \"1\"").replace("### Step 1: Say hello in `greet`\n", exact)
}

/// A folder with a repository in `repository` that has the plan and these files.
struct Place {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Place {
        Place::with(files, |_| {})
    }

    /// `before` is run on the repository before anything is committed.
    fn with(files: &[(&str, &str)], before: impl Fn(&Path)) -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("repository");
        write(&root, "package.json", "{ \"name\": \"greeter\", \"type\": \"module\" }\n");
        write(&root, "src/greet.js", greeter::GREET);
        write(&root, "plans/001-greet-politely.md", &plan());
        for (path, text) in files {
            write(&root, path, text);
        }
        git(&root, &["init", "-q", "-b", "main"]);
        before(&root);
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", "first"]);
        Place { folder, root }
    }

    /// A clone of it, made with these options.
    fn cloned(&self, name: &str, options: &[&str]) -> PathBuf {
        let from = format!("file://{}", self.root.display());
        let to = self.folder.path().join(name);
        git(&self.root, &["config", "uploadpack.allowFilter", "true"]);
        let to_text = to.display().to_string();
        git(self.folder.path(), &[&["clone", "-q"], options, &[from.as_str(), to_text.as_str()]].concat());
        to
    }

    fn apply(&self, root: &Path) -> Output {
        let server = Server::start(|_| (500, Value::Null));
        let home = self.folder.path().join("home");
        let output = program(root, &server, &["apply", "1", "--trust", "--offline", "--format", "json"])
            .env("HOME", home)
            .output()
            .expect("the program starts");
        assert!(server.asked().is_empty());
        output
    }

    fn receipt(&self, root: &Path) -> Value {
        let output = self.apply(root);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
    }

    fn verified(&self, root: &Path) -> Value {
        let receipt = self.receipt(root);
        assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
        assert_eq!(show(root, &format!("{BRANCH}:src/greet.js")), greeter::GREET.replace("name;", "`Hello, ${name}`;"));
        receipt
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn show(root: &Path, what: &str) -> String {
    let output = Command::new("git").args(["show", what]).current_dir(root).output().expect("git is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the receipt says beside the outcome.
fn notes(receipt: &Value) -> Vec<String> {
    receipt["notes"].as_array().into_iter().flatten().filter_map(|note| Some(note.as_str()?.to_owned())).collect()
}

fn reasons(receipt: &Value) -> String {
    receipt["reasons"].to_string()
}

/// A place with a submodule `vendor/lib`, whose gate reads a file of it.
fn with_submodule() -> Place {
    let reads = plan().replace("**Verify**: ", "**Verify**: `grep -q one vendor/lib/lib.txt` → exit 0; ");
    Place::with(&[("plans/001-greet-politely.md", &reads)], |root| {
        let lib = root.with_file_name("lib");
        write(&lib, "lib.txt", "one\n");
        git(&lib, &["init", "-q", "-b", "main"]);
        git(&lib, &["add", "-A"]);
        git(&lib, &["commit", "-q", "-m", "first"]);
        let lib = lib.display().to_string();
        git(root, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &lib, "vendor/lib"]);
    })
}

#[test]
fn a_submodule_is_there_for_the_gates_and_stays_what_it_is() {
    let place = with_submodule();
    let receipt = place.verified(&place.root);
    assert_eq!(notes(&receipt), ["submodule vendor/lib: copied from your checkout, without its history"]);
    let lists = |commit: &str| show(&place.root, commit).contains("vendor/");
    assert!(lists("main:") && lists(&format!("{BRANCH}:")));
}

#[test]
fn a_submodule_that_the_user_changed_is_brought_as_the_commit_records_it() {
    let place = with_submodule();
    let lib = place.root.join("vendor/lib");
    write(&lib, "lib.txt", "two\n");
    git(&lib, &["commit", "-q", "-a", "-m", "second"]);
    write(&lib, "lib.txt", "three\n");
    let index = place.root.join(".git/modules/vendor/lib/index");
    let before = fs::read(&index).expect("it has an index");
    let notes = notes(&place.verified(&place.root));
    assert!(
        notes.iter().any(|note| note.ends_with("as the commit records it; your checkout of it differs")),
        "{notes:?}"
    );
    assert_eq!(fs::read_to_string(lib.join("lib.txt")).expect("it is there"), "three\n");
    assert!(fs::read(&index).expect("it has an index") == before, "the submodule's own index was changed");
}

#[test]
fn a_submodule_that_is_not_checked_out_is_said_to_be_empty() {
    let place = with_submodule();
    let clone = place.cloned("clone", &[]);
    let receipt = place.receipt(&clone);
    assert_eq!(receipt["outcome"], "failed", "its gate reads it: {receipt:#}");
    let note = "submodule vendor/lib: not checked out, so its folder is empty; `git submodule update --init vendor/lib` brings it";
    assert!(notes(&receipt).iter().any(|other| other == note), "{receipt:#}");
}

#[test]
fn a_plan_that_changes_a_submodule_is_refused_with_the_reason() {
    let place = with_submodule();
    let inside = plan().replace("src/greet.js", "vendor/lib/lib.txt").replace("  return name;", "one");
    write(&place.root, "plans/001-greet-politely.md", &inside);
    let receipt = place.receipt(&place.root);
    assert_eq!(receipt["outcome"], "blocked");
    let why = "`vendor/lib/lib.txt` is in the submodule vendor/lib, which is a repository of its own";
    assert!(reasons(&receipt).contains(why), "{receipt:#}");
}

/// Filters of the user's that would run a program.
fn with_lfs(root: &Path) {
    git(root, &["config", "filter.lfs.clean", "cat >/dev/null; cat pointer"]);
    git(root, &["config", "filter.lfs.smudge", "cat"]);
    write(root, "pointer", LFS);
}

#[test]
fn files_that_git_lfs_keeps_stay_pointers_and_are_named() {
    let files =
        [("assets/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"), ("assets/a.bin", "content\n")];
    let place = Place::with(&files, with_lfs);
    assert_eq!(show(&place.root, "main:assets/a.bin"), LFS);
    let receipt = place.verified(&place.root);
    let note = "files kept by Git LFS are pointers in the worktree, as external filters are not run; a gate that reads them \
                fails: assets/a.bin";
    assert_eq!(notes(&receipt), [note]);
    assert_eq!(show(&place.root, &format!("{BRANCH}:assets/a.bin")), LFS);
    assert_eq!(fs::read_to_string(place.root.join("assets/a.bin")).expect("it is there"), "content\n");
}

#[test]
fn a_plan_that_changes_a_file_of_git_lfs_is_refused_with_the_reason() {
    let inside = plan().replace("src/greet.js", "assets/a.bin").replace("  return name;", "content");
    let files = [
        ("assets/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"),
        ("assets/a.bin", "content\n"),
        ("plans/001-greet-politely.md", &inside),
    ];
    let place = Place::with(&files, with_lfs);
    let receipt = place.receipt(&place.root);
    assert_eq!(receipt["outcome"], "blocked");
    assert!(reasons(&receipt).contains("`assets/a.bin` is kept by Git LFS, whose filters are not run"), "{receipt:#}");
}

#[test]
fn in_a_sparse_checkout_what_is_left_out_is_neither_missing_nor_changed() {
    let place = Place::new(&[("docs/a.md", "a\n"), ("big/b.txt", "b\n")]);
    let clone = place.cloned("sparse", &[]);
    git(&clone, &["sparse-checkout", "set", "plans", "docs"]);
    assert!(!clone.join("src").exists());
    let receipt = place.verified(&clone);
    assert_eq!(notes(&receipt), ["your checkout is sparse; the worktree has all files of the commit"]);
    assert!(!clone.join("src").exists() && show(&clone, &format!("{BRANCH}:")).contains("big/"));
}

#[test]
fn a_sparse_index_is_refused_with_what_to_do() {
    let place = Place::new(&[("docs/a.md", "a\n"), ("big/b.txt", "b\n")]);
    let clone = place.cloned("sparse", &[]);
    git(&clone, &["sparse-checkout", "set", "--cone", "--sparse-index", "plans", "src"]);
    let output = place.apply(&clone);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("the index is sparse, which cannot be read here"), "{}", said(&output));
    assert!(said(&output).contains("git sparse-checkout reapply --no-sparse-index"), "{}", said(&output));
    git(&clone, &["sparse-checkout", "reapply", "--no-sparse-index"]);
    place.verified(&clone);
}

#[test]
fn a_shallow_clone_is_as_good_as_a_whole_one() {
    let place = Place::new(&[]);
    for number in 0..3 {
        write(&place.root, "docs/a.md", &format!("{number}\n"));
        git(&place.root, &["add", "-A"]);
        git(&place.root, &["commit", "-q", "-m", "more"]);
    }
    let clone = place.cloned("shallow", &["--depth", "1"]);
    // The plan was written at a commit that is not here.
    let planned = format!("- **Risk**: LOW\n- **Planned at**: commit `{}`, 2026-01-02", "1".repeat(40));
    write(&clone, "plans/001-greet-politely.md", &plan().replace("- **Risk**: LOW", &planned));
    place.verified(&clone);
    let count = Command::new("git").args(["rev-list", "--count", BRANCH]).current_dir(&clone).output().expect("git");
    assert_eq!(String::from_utf8_lossy(&count.stdout).trim(), "2");
}

#[test]
fn a_partial_clone_works_with_what_it_has_and_says_what_it_lacks() {
    let place = Place::new(&[("docs/a.md", "a\n")]);
    place.verified(&place.cloned("whole", &["--filter=blob:none"]));
    let clone = place.cloned("partial", &["--filter=blob:none", "--sparse"]);
    git(&clone, &["sparse-checkout", "set", "plans", "src"]);
    let output = place.apply(&clone);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("a partial clone, in which files of the commit are missing"), "{}", said(&output));
    let archive = clone.with_file_name("archive").display().to_string();
    git(&clone, &["archive", "-o", &archive, "--format=tar", "HEAD"]);
    place.verified(&clone);
}

#[test]
fn in_a_worktree_of_the_users_the_plan_starts_from_what_is_there() {
    let place = Place::new(&[]);
    let side = place.folder.path().join("side");
    git(&place.root, &["worktree", "add", "-q", "-b", "side", &side.display().to_string()]);
    write(&side, "src/other.js", "export {};\n");
    git(&side, &["add", "-A"]);
    git(&side, &["commit", "-q", "-m", "other"]);
    place.verified(&side);
    assert!(show(&place.root, &format!("{BRANCH}:src")).contains("other.js"));
}

#[test]
fn a_bare_repository_has_no_plans_and_a_worktree_of_one_is_as_good_as_any() {
    let place = Place::new(&[]);
    let bare = place.cloned("bare.git", &["--bare"]);
    assert_eq!(place.apply(&bare).status.code(), Some(2));
    let side = place.folder.path().join("side");
    git(&bare, &["worktree", "add", "-q", "-b", "side", &side.display().to_string()]);
    place.verified(&side);
}

#[test]
fn line_endings_that_git_converts_are_no_changes() {
    let place = Place::with(&[], |root| git(root, &["config", "core.autocrlf", "true"]));
    let file = place.root.join("src/greet.js");
    fs::remove_file(&file).expect("it is ours");
    git(&place.root, &["checkout", "-q", "src/greet.js"]);
    assert!(fs::read_to_string(&file).expect("it is there").contains("\r\n"));
    let receipt = place.verified(&place.root);
    let changed = receipt["scope"]["changed"].as_array().map(Vec::len);
    assert_eq!((changed, &receipt["scope"]["changed"][0]["added"]), (Some(1), &Value::from(1)), "{receipt:#}");
}

#[test]
fn a_repository_of_another_kind_is_refused_with_what_it_is() {
    for (option, what) in [("--object-format=sha256", "sha256"), ("--ref-format=reftable", "refstorage")] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("repository");
        write(&root, "plans/001-greet-politely.md", &plan());
        write(&root, "src/greet.js", greeter::GREET);
        let made =
            Command::new("git").args(["init", "-q", option]).current_dir(&root).output().expect("git is installed");
        if !made.status.success() {
            skipped(format!("this git makes no repository with {option}"));
            continue;
        }
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", "first"]);
        let place = Place { folder, root: root.clone() };
        let output = place.apply(&root);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("a repository of a kind that cannot be read here"), "{what}: {}", said(&output));
    }
}
