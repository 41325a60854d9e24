//! Not audited: what nobody looked at, and why.

use std::collections::BTreeMap;

use crate::audit::rule::Rule;
use crate::audit::rules::deps::vulnerable_dependency::lock_files;
use crate::audit::text::count_of;
use crate::audit::{AuditOptions, NotAudited};
use crate::repo_map::facts::LanguageName;
use crate::repo_map::{CallTarget, FileRole, RepoMap, SkipReason, SkippedFile};

/// Lock files whose packages no advisory database speaks of.
pub(super) fn without_advisories(
    rules: &[&'static dyn Rule],
    map: &RepoMap,
    options: &AuditOptions,
) -> Option<NotAudited> {
    let asked = rules.iter().any(|rule| rule.doc().id == "vulnerable-dependency");
    let covered = |ecosystem| options.advisories.as_ref().is_some_and(|advisories| advisories.covers(ecosystem));
    let locks = lock_files(map);
    let open: Vec<&str> =
        locks.iter().filter(|(_, ecosystem)| !covered(**ecosystem)).map(|(path, _)| path.as_str()).collect();
    (asked && !open.is_empty()).then(|| NotAudited {
        what: format!("known vulnerabilities of what {} locks", sample(&open)),
        why: "no advisory database: name one with `--advisories` (RustSec's advisory-db, or OSV files)".to_owned(),
    })
}

/// What nobody looked at: languages without an extractor, files left out or only partly read, calls left open.
pub(super) fn not_audited(map: &RepoMap) -> Vec<NotAudited> {
    let mut list = Vec::new();
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &map.other_files {
        if let Some(language) = unread_language(path) {
            *languages.entry(language).or_default() += 1;
        }
    }
    for (language, count) in languages {
        list.push(NotAudited {
            what: count_of(count, &format!("{language} file")),
            why: "no reader for this language yet".to_owned(),
        });
    }
    let mut skipped: BTreeMap<SkipReason, Vec<&str>> = BTreeMap::new();
    // Pictures and lock files are no code that somebody could miss here; `improve map` counts them.
    let is_code = |file: &&SkippedFile| match file.reason {
        SkipReason::Binary => false,
        SkipReason::Generated => SOURCE_ENDINGS.iter().any(|ending| file.path.ends_with(ending)),
        SkipReason::Vendored
        | SkipReason::Minified
        | SkipReason::TooLarge
        | SkipReason::NotUtf8
        | SkipReason::Symlink
        | SkipReason::Unreadable
        | SkipReason::TooSlow => true,
    };
    for file in map.skipped.iter().filter(is_code) {
        skipped.entry(file.reason).or_default().push(&file.path);
    }
    for file in map.files.iter().filter(|file| file.role == FileRole::Generated) {
        skipped.entry(SkipReason::Generated).or_default().push(&file.path);
    }
    list.extend(map.notes.iter().map(|note| NotAudited { what: note.what.clone(), why: note.why.clone() }));
    for (reason, paths) in skipped {
        list.push(NotAudited {
            what: format!("{} ({})", count_of(paths.len(), "file"), sample(&paths)),
            why: skip_reason(reason).to_owned(),
        });
    }
    let partly: Vec<&str> =
        map.files.iter().filter(|file| file.facts.partly_read).map(|file| file.path.as_str()).collect();
    if !partly.is_empty() {
        list.push(NotAudited {
            what: format!("parts of {} ({})", count_of(partly.len(), "file"), sample(&partly)),
            why: "syntax the parser does not know".to_owned(),
        });
    }
    for (name, is_family) in [("JavaScript and TypeScript", true), ("Rust", false)] {
        let files = map.files.iter().zip(&map.targets);
        let family = files.filter(|(file, _)| (file.language != LanguageName::Rust) == is_family);
        let (mut open, mut total) = (0_usize, 0_usize);
        for (_, targets) in family {
            total += targets.len();
            open += targets.iter().filter(|target| matches!(target, CallTarget::Unresolved)).count();
        }
        if open > 0 {
            list.push(NotAudited {
                what: format!("{}% of {total} {name} calls", (open * 100).div_ceil(total)),
                why: "the callee is not known without types: paths through these calls are not followed".to_owned(),
            });
        }
    }
    list
}

/// Endings of the languages that rules read.
const SOURCE_ENDINGS: &[&str] = &[".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".rs"];

fn sample(paths: &[&str]) -> String {
    let shown = paths.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    if paths.len() > 3 { format!("{shown}, …") } else { shown }
}

fn skip_reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Vendored => "copied from elsewhere",
        SkipReason::Generated => "written by a tool",
        SkipReason::Minified => "minified",
        SkipReason::Binary => "not text",
        SkipReason::TooLarge => "over the size limit",
        SkipReason::NotUtf8 => "not UTF-8",
        SkipReason::Symlink => "symbolic links are not followed",
        SkipReason::Unreadable => "could not be read",
        SkipReason::TooSlow => "parsing took too long and was given up",
    }
}

/// Programming languages that are recognised but not read, by extension.
fn unread_language(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "py" | "pyi" => "Python",
        "go" => "Go",
        "java" => "Java",
        "kt" | "kts" => "Kotlin",
        "swift" => "Swift",
        "rb" | "erb" => "Ruby",
        "php" => "PHP",
        "cs" => "C#",
        "c" | "h" => "C",
        "cc" | "cpp" | "cxx" | "hpp" | "hh" => "C++",
        "scala" => "Scala",
        "ex" | "exs" => "Elixir",
        "dart" => "Dart",
        "lua" => "Lua",
        "vue" => "Vue",
        "svelte" => "Svelte",
        "astro" => "Astro",
        "sql" => "SQL",
        "sh" | "bash" | "zsh" => "shell",
        "ps1" => "PowerShell",
        "zig" => "Zig",
        "hs" => "Haskell",
        "clj" | "cljs" => "Clojure",
        "tf" => "Terraform",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::audit::AuditOptions;
    use crate::audit::engine::tests::audit;

    #[test]
    fn what_was_not_looked_at_is_said() {
        let audit = audit(&[("src/a.py", "print(1)\n"), ("src/b.ts", "foo.bar();\n")], &AuditOptions::default());
        let said: Vec<(&str, &str)> =
            audit.not_audited.iter().map(|one| (one.what.as_str(), one.why.as_str())).collect();
        assert_eq!(
            said,
            [
                ("1 Python file", "no reader for this language yet"),
                (
                    "100% of 1 JavaScript and TypeScript calls",
                    "the callee is not known without types: paths through these calls are not followed"
                ),
            ]
        );
    }
}
