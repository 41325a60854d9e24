//! What the guide does not know: languages that are not read, files left out or read in part, calls that stayed open.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Ground;
use crate::repo_map::SkipReason;
use crate::report::map_document::totals;

/// Files read in part that are named.
const PARTLY: usize = 8;

/// What the guide does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Limits {
    /// Languages that are not read, with how many files there are.
    pub unread: Vec<Unread>,
    /// Files with syntax the parser does not know.
    pub partly_read: Vec<String>,
    /// More of them.
    pub more_partly_read: usize,
    /// Files left out although they may be code, by why.
    pub skipped: BTreeMap<SkipReason, usize>,
    /// Of a hundred calls, those whose target is not known, to the nearest ten.
    pub open_calls: usize,
    /// There is no history, or not all of it.
    pub history: HistoryRead,
}

/// A language that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unread {
    /// Its name.
    pub language: String,
    /// Files.
    pub files: usize,
}

/// How much of the history was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HistoryRead {
    /// All of it.
    #[default]
    All,
    /// The newest part.
    Part,
    /// None.
    None,
}

/// Extensions of languages that nobody here reads.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("Astro", &["astro"]),
    ("C and C++", &["c", "h", "cc", "cpp", "hpp", "cxx"]),
    ("C#", &["cs"]),
    ("Dart", &["dart"]),
    ("Elixir", &["ex", "exs"]),
    ("Go", &["go"]),
    ("Java", &["java"]),
    ("Kotlin", &["kt", "kts"]),
    ("Lua", &["lua"]),
    ("PHP", &["php"]),
    ("Python", &["py"]),
    ("Ruby", &["rb"]),
    ("Scala", &["scala"]),
    ("shell", &["sh", "bash", "zsh", "fish"]),
    ("SQL", &["sql"]),
    ("Svelte", &["svelte"]),
    ("Swift", &["swift"]),
    ("Terraform", &["tf"]),
    ("Vue", &["vue"]),
    ("Zig", &["zig"]),
];

pub(super) fn limits(ground: &Ground<'_>) -> Limits {
    let map = ground.sources.map;
    let extension = |path: &str| path.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default();
    let mut unread: Vec<Unread> = LANGUAGES
        .iter()
        .map(|(language, extensions)| Unread {
            language: (*language).to_owned(),
            files: map.other_files.iter().filter(|path| extensions.contains(&extension(path).as_str())).count(),
        })
        .filter(|unread| unread.files > 0)
        .collect();
    unread.sort_by(|one, other| other.files.cmp(&one.files).then_with(|| one.language.cmp(&other.language)));
    let mut skipped = BTreeMap::new();
    for file in &map.skipped {
        let may_be_code = match file.reason {
            SkipReason::TooLarge | SkipReason::NotUtf8 | SkipReason::Unreadable | SkipReason::TooSlow => true,
            SkipReason::Vendored
            | SkipReason::Generated
            | SkipReason::Minified
            | SkipReason::Binary
            | SkipReason::Symlink => false,
        };
        if may_be_code {
            *skipped.entry(file.reason).or_insert(0) += 1;
        }
    }
    let mut partly_read: Vec<String> =
        map.files.iter().filter(|file| file.facts.partly_read).map(|file| file.path.clone()).collect();
    let more_partly_read = partly_read.len().saturating_sub(PARTLY);
    partly_read.truncate(PARTLY);
    let totals = totals(map);
    let open = (totals.calls_guessed + totals.calls_unresolved) * 100 / totals.calls.max(1);
    Limits {
        unread,
        partly_read,
        more_partly_read,
        skipped,
        open_calls: (open + 5) / 10 * 10,
        history: match ground.sources.log {
            log if log.commits.is_empty() => HistoryRead::None,
            log if log.bounded => HistoryRead::Part,
            _ => HistoryRead::All,
        },
    }
}
