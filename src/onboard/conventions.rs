//! How code is written here: what most of it does, the tools that check it, error types, commit subjects, files to match.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Ground, Place, doc_comment, file_name};
use crate::planner::pack::conventions::{folders, habits, has_code};
use crate::repo_map::facts::{HeritageKind, SymbolKind};
use crate::repo_map::recon::DocumentKind;
use crate::repo_map::{FileRole, SourceFile};

/// Error types named.
const ERRORS: usize = 6;
/// Commits whose subjects are looked at, and how many of a hundred must agree.
const SUBJECTS: usize = 200;
const AGREE: usize = 70;
/// Commits below which nothing is called a style.
const FEWEST_SUBJECTS: usize = 10;

/// How code is written here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conventions {
    /// What most of the code does, in words, each with a file that does.
    pub habits: Vec<Habit>,
    /// Configuration of formatters, linters and hooks, by what it is for.
    pub tools: Vec<Configured>,
    /// Libraries that errors are made with.
    pub error_libraries: Vec<String>,
    /// Error types that most files use.
    pub errors: Vec<Named>,
    /// How commit subjects are written; null when they differ or there is no history.
    pub commits: Option<CommitStyle>,
    /// Documents that bind a change.
    pub documents: Vec<Named>,
    /// For large folders, a file of usual size to match.
    pub exemplars: Vec<Exemplar>,
}

/// What most of the code does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Habit {
    /// What can be done in several ways: `tests stand`.
    pub what: String,
    /// The way most of it does it: `beside the file they test`.
    pub value: String,
    /// How many do: `all`, `nearly all`, `most`.
    pub share: String,
    /// A file that does.
    pub example: String,
}

/// A tool and where it is configured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Configured {
    /// What it is for: `format`, `lint`, `hooks`, …
    pub purpose: String,
    /// The file.
    pub path: String,
}

/// Something with a name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Where.
    pub place: Place,
    /// What it says of itself.
    pub says: Option<String>,
}

/// How commit subjects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommitStyle {
    /// `feat(scope): what`.
    Conventional,
    /// `area: what`.
    Area,
    /// `Sentence that begins with a capital`.
    Capital,
    /// `all in lower case`.
    Lower,
}

/// A file to match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Exemplar {
    /// The folder.
    pub folder: String,
    /// The file.
    pub path: String,
}

impl Conventions {
    pub(super) fn files(&self) -> Vec<&str> {
        let habits = self.habits.iter().map(|habit| habit.example.as_str());
        let named = self.errors.iter().chain(&self.documents).map(|named| named.place.path.as_str());
        let tools = self.tools.iter().map(|tool| tool.path.as_str());
        habits.chain(named).chain(tools).chain(self.exemplars.iter().map(|exemplar| exemplar.path.as_str())).collect()
    }
}

pub(super) fn conventions(ground: &Ground<'_>) -> Conventions {
    let map = ground.sources.map;
    let kept = |file: &&SourceFile| map.file_by_path(&file.path).is_some_and(|(id, _)| ground.keeps(id));
    // The language asks for the first, and nobody needs to be told to do without the second.
    let says = |habit: &crate::planner::pack::conventions::Habit<'_>| {
        !habit.what.starts_with("Rust file names") && habit.value != "have no doc comment"
    };
    let habits = habits(map).into_iter().filter(says).filter_map(|habit| {
        let share = match habit.files.len() * 100 / habit.all.max(1) {
            100 => "all",
            90.. => "nearly all",
            _ => "most",
        };
        // A file of the reader's own area says more.
        let named = |file: &&SourceFile| {
            let name = file_name(&file.path);
            file.role != FileRole::Test || name.contains("test") || name.contains("spec")
        };
        let files = || habit.files.iter().copied().filter(named);
        let own = usual(files().filter(kept)).or_else(|| usual(files()))?;
        Some(Habit {
            what: habit.what,
            value: habit.value.to_owned(),
            share: share.to_owned(),
            example: own.path.clone(),
        })
    });
    let exemplars = folders(map).into_iter().filter_map(|(folder, files)| {
        let example = usual(files.into_iter().filter(kept))?;
        Some(Exemplar { folder: folder.to_owned(), path: example.path.clone() })
    });
    Conventions {
        habits: habits.collect(),
        tools: configured(ground),
        error_libraries: error_libraries(ground),
        errors: errors(ground),
        commits: commit_style(ground),
        documents: documents(ground),
        exemplars: exemplars.take(ERRORS).collect(),
    }
}

/// The file of median size: it shows what is usual, and stays the same for long.
fn usual<'m>(files: impl Iterator<Item = &'m SourceFile>) -> Option<&'m SourceFile> {
    let mut files: Vec<&SourceFile> = files.filter(|file| has_code(file)).collect();
    files.sort_by_key(|file| (file.facts.symbols.len(), file.path.as_str()));
    files.get(files.len() / 2).copied()
}

/// Names of configuration files, by what they are for. A star stands for an extension.
const CONFIGURATION: &[(&str, &[&str])] = &[
    (
        "format",
        &[
            "rustfmt.toml",
            ".rustfmt.toml",
            ".prettierrc*",
            "prettier.config.*",
            "dprint.json",
            ".editorconfig",
            ".dprint.json",
        ],
    ),
    (
        "lint",
        &[
            "clippy.toml",
            ".clippy.toml",
            ".eslintrc*",
            "eslint.config.*",
            "deny.toml",
            "oxlint.json",
            ".oxlintrc.json",
            ".stylelintrc*",
            "knip.json",
            "typos.toml",
            "_typos.toml",
        ],
    ),
    ("format and lint", &["biome.json", "biome.jsonc", "deno.json", "deno.jsonc"]),
    ("types", &["tsconfig.json"]),
    ("hooks before a commit", &[".pre-commit-config.yaml", "lefthook.yml", ".lintstagedrc*", "lint-staged.config.*"]),
    ("commit messages", &["commitlint.config.*", ".commitlintrc*", "cliff.toml"]),
    ("release notes for a change", &[".changeset/config.json"]),
];

fn configured(ground: &Ground<'_>) -> Vec<Configured> {
    let map = ground.sources.map;
    let all = map.files.iter().map(|file| file.path.as_str()).chain(map.other_files.iter().map(String::as_str));
    let mut found: Vec<Configured> = all
        .filter(|path| !path.contains('/') || path.starts_with(".changeset/") || path.starts_with(".husky/"))
        .filter_map(|path| Some(Configured { purpose: purpose(path)?.to_owned(), path: path.to_owned() }))
        .collect();
    found.sort();
    found
}

fn purpose(path: &str) -> Option<&'static str> {
    if path == ".husky/pre-commit" {
        return Some("hooks before a commit");
    }
    let is = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == pattern,
    };
    CONFIGURATION.iter().find(|(_, names)| names.iter().any(|name| is(name))).map(|(purpose, _)| *purpose)
}

fn error_libraries(ground: &Ground<'_>) -> Vec<String> {
    let known = [
        "anyhow",
        "eyre",
        "color-eyre",
        "miette",
        "snafu",
        "thiserror",
        "neverthrow",
        "effect",
        "http-errors",
        "@hapi/boom",
    ];
    let packages = &ground.sources.map.recon.packages;
    let used = |name: &str| packages.iter().any(|package| package.dependencies.iter().any(|own| own.name == name));
    known.into_iter().filter(|name| used(name)).map(str::to_owned).collect()
}

/// Error types by how many files name them.
fn errors(ground: &Ground<'_>) -> Vec<Named> {
    let map = ground.sources.map;
    let mut found: Vec<(usize, Named)> = Vec::new();
    for (id, file) in map.files_with_ids().filter(|(id, _)| ground.is_production(*id) && ground.keeps(*id)) {
        for symbol in
            file.facts.symbols.iter().filter(|symbol| symbol.exported && !symbol.test && symbol.container.is_none())
        {
            let derives = symbol.attributes.iter().any(|own| own.starts_with("derive") && own.contains("Error"));
            let implements = file.facts.heritage.iter().any(|own| {
                let of_error = own.base == "Error"
                    || own.base.ends_with("::Error")
                    || own.base.ends_with("Error") && own.kind == HeritageKind::Extends;
                own.of == symbol.name && of_error
            });
            let is_type = matches!(symbol.kind, SymbolKind::Enum | SymbolKind::Struct | SymbolKind::Class);
            if !is_type || !(derives || implements) {
                continue;
            }
            let users = users_of(ground, id, symbol.name.as_str());
            let says = symbol
                .documented
                .then(|| doc_comment::of_definition(&ground.sources.text(&file.path)?, symbol.lines.start));
            let place = Place { path: file.path.clone(), line: symbol.name_line };
            found.push((users, Named { name: symbol.name.to_string(), place, says: says.flatten() }));
        }
    }
    found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.place.cmp(&other.1.place)));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|(users, named)| *users > 0 && seen.insert(named.name.clone()));
    found.into_iter().take(ERRORS).map(|(_, named)| named).collect()
}

/// Files that use `file` and name `name`.
fn users_of(ground: &Ground<'_>, file: crate::repo_map::FileId, name: &str) -> usize {
    let names = |user: &crate::repo_map::FileId| {
        let references = &ground.sources.map.file(*user).facts.references;
        references.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    };
    ground.users[file as usize].iter().filter(|user| names(user)).count()
}

fn commit_style(ground: &Ground<'_>) -> Option<CommitStyle> {
    let mut styles: BTreeMap<u8, (CommitStyle, usize)> = BTreeMap::new();
    let mut all = 0;
    for commit in ground.sources.log.commits.iter().take(SUBJECTS) {
        let style = style_of(&commit.subject);
        styles.entry(style as u8).or_insert((style, 0)).1 += 1;
        all += 1;
    }
    let (style, count) = styles.into_values().max_by_key(|(_, count)| *count)?;
    (all >= FEWEST_SUBJECTS && count * 100 >= all * AGREE).then_some(style)
}

fn style_of(subject: &str) -> CommitStyle {
    let types = ["feat", "fix", "chore", "docs", "refactor", "test", "tests", "perf", "ci", "build", "style", "revert"];
    if let Some((head, _)) = subject.split_once(": ") {
        let kind = head.split(['(', '!']).next().unwrap_or(head).to_lowercase();
        if types.contains(&kind.as_str()) {
            return CommitStyle::Conventional;
        }
        if !head.contains(' ') {
            return CommitStyle::Area;
        }
    }
    if subject.starts_with(char::is_uppercase) { CommitStyle::Capital } else { CommitStyle::Lower }
}

/// Documents that bind a change, those at the top first.
fn documents(ground: &Ground<'_>) -> Vec<Named> {
    let mut found: Vec<Named> = ground
        .sources
        .map
        .recon
        .documents
        .iter()
        .filter(|document| match document.kind {
            DocumentKind::Agents | DocumentKind::Contributing | DocumentKind::Design => true,
            DocumentKind::Decision => false,
            DocumentKind::Readme | DocumentKind::Changelog | DocumentKind::Docs => false,
        })
        .map(|document| Named {
            name: document.title.clone().unwrap_or_else(|| file_name(&document.path).to_owned()),
            place: Place { path: document.path.clone(), line: 1 },
            says: None,
        })
        .collect();
    found.sort_by_key(|named| (named.place.path.matches('/').count(), named.place.path.clone()));
    found.truncate(8);
    found
}
