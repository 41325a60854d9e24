//! Pages of documentation as rules about them see them: read once an audit, each as running text, code in a line and fences.
//!
//! Left out is what rightly speaks of something else than the code as it is: changelogs, decisions, migration guides, translations,
//! archives, templates, and sections of a page that are about the past or the future.

use std::sync::LazyLock;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};
use rayon::prelude::*;
use regex::Regex;

use crate::audit::text::{FileText, folder_of, join_path};
use crate::map::classify::{copied_folders, is_below};
use crate::repo_map::RepoMap;
use crate::repo_map::name::words;
use crate::tree::Tree;

/// Bytes of a page: what is larger was written by a tool.
const MAX_BYTES: u64 = 512 << 10;

/// A page.
pub struct Page {
    /// Its path.
    pub path: String,
    /// Folder of the package it speaks of: the nearest one that is not the documentation's own site.
    pub subject: String,
    /// Its text.
    pub text: FileText,
    /// Code within a line.
    pub spans: Vec<Piece>,
    /// Running text, a piece for each stretch without markup.
    pub prose: Vec<Piece>,
    /// Fences.
    pub fences: Vec<Fence>,
    /// README, AGENTS or CONTRIBUTING: what is read first.
    pub is_first_read: bool,
}

/// A stretch of a page's text on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Its line.
    pub line: u32,
}

/// A code block with an info string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The language, in lower case; empty when none is said.
    pub language: String,
    /// All of the info string.
    pub info: String,
    /// The line of its first line of code.
    pub line: u32,
    /// The code, without the indentation of a list around it.
    pub text: String,
}

impl Page {
    /// The page at `path`, when it is one.
    pub fn read(map: &RepoMap, tree: &dyn Tree, path: &str) -> Option<Page> {
        is_page(path).then(|| Some(Page::new(map, path, tree.text(path)?)))?
    }

    fn new(map: &RepoMap, path: &str, text: String) -> Page {
        let stem = stem(path).to_ascii_lowercase();
        let mut page = Page {
            path: path.to_owned(),
            subject: subject(map, path),
            text: FileText::new(String::new()),
            spans: Vec::new(),
            prose: Vec::new(),
            fences: Vec::new(),
            is_first_read: matches!(stem.as_str(), "readme" | "agents" | "claude" | "contributing"),
        };
        page.take_apart(&text);
        page.text = FileText::new(text);
        page
    }

    fn take_apart(&mut self, text: &str) {
        let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let line_of = |offset: usize| starts.partition_point(|&start| start <= offset) as u32;
        let mut around: Vec<(HeadingLevel, bool)> = Vec::new();
        let mut heading: Option<(HeadingLevel, String)> = None;
        let mut fence: Option<Fence> = None;
        let mut hidden = false;
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            let aside = hidden || around.iter().any(|(_, aside)| *aside);
            match event {
                Event::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new())),
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((level, title)) = heading.take() {
                        around.retain(|(own, _)| *own < level);
                        around.push((level, is_aside(&title)));
                    }
                }
                Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle)) => hidden = true,
                Event::End(TagEnd::MetadataBlock(_)) => hidden = false,
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let language = info.split([' ', ',', '{', ':']).next().unwrap_or_default().to_ascii_lowercase();
                    let line = line_of(range.start) + 1;
                    fence = Some(Fence { language, info: info.to_string(), line, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => self.fences.extend(fence.take().filter(|_| !aside)),
                Event::Text(content) => match (&mut fence, &mut heading) {
                    (Some(fence), _) => fence.text.push_str(&content),
                    (None, Some((_, title))) => title.push_str(&content),
                    (None, None) if aside => {}
                    (None, None) => self.prose.push(Piece { text: content.to_string(), line: line_of(range.start) }),
                },
                Event::Code(code) => {
                    if let Some((_, title)) = &mut heading {
                        title.push_str(&code);
                    }
                    if !aside {
                        self.spans.push(Piece { text: code.to_string(), line: line_of(range.start) });
                    }
                }
                _ => {}
            }
        }
    }

    /// Line `line` in lower case: what the sentence says around a piece of code.
    pub fn said_around(&self, line: u32) -> String {
        self.text.line(line).unwrap_or_default().to_lowercase()
    }
}

impl Fence {
    /// Its lines with their numbers in the page.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        (self.line..).zip(self.text.lines())
    }

    /// What is typed into a shell, a line each, without prompts, comments and output.
    pub fn commands(&self) -> Vec<(u32, &str)> {
        let is_shell = matches!(
            self.language.as_str(),
            "sh" | "bash" | "shell" | "zsh" | "fish" | "console" | "shell-session" | "terminal" | "powershell"
        );
        if !is_shell {
            return Vec::new();
        }
        let prompted = |line: &str| line.trim_start().starts_with("$ ") || line.trim_start().starts_with("> ");
        let with_prompts = self.text.lines().any(|line| line.trim_start().starts_with("$ "));
        self.lines()
            .filter(|(_, line)| !with_prompts || prompted(line))
            .map(|(number, line)| {
                let line = line.trim();
                (number, line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ")).unwrap_or(line))
            })
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }
}

/// Every page of a repository, sorted by path.
pub fn read(map: &RepoMap, tree: &dyn Tree) -> Vec<Page> {
    let Ok(entries) = tree.entries() else { return Vec::new() };
    let copied = copied_folders(entries.iter().map(|entry| entry.path.as_str()));
    let written = written_folders(map, tree);
    let is_written =
        |path: &str| written.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
    let paths: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.bytes <= MAX_BYTES && is_page(&entry.path) && !is_below(&entry.path, &copied))
        .filter(|entry| !is_written(&entry.path))
        .map(|entry| entry.path.as_str())
        .filter(|path| map.other_files.binary_search_by(|other| other.as_str().cmp(path)).is_ok())
        .collect();
    paths.into_par_iter().filter_map(|path| Some(Page::new(map, path, tree.text(path)?))).collect()
}

/// Folders that a tool fills with pages about the code: `typedoc --out ../docs/api`, or `"out"` in its settings.
fn written_folders(map: &RepoMap, tree: &dyn Tree) -> Vec<String> {
    const TOOLS: &[&str] = &["typedoc", "jsdoc", "api-documenter", "documentation"];
    const OUT: &[&str] = &["--out", "-o", "--output", "--output-folder", "--destination", "-d"];
    let mut found = Vec::new();
    for package in &map.recon.packages {
        for script in &package.scripts {
            let words: Vec<&str> = script.command.split([' ', '=']).filter(|word| !word.is_empty()).collect();
            if words.iter().any(|word| TOOLS.contains(word)) {
                let out =
                    words.windows(2).filter(|pair| OUT.contains(&pair[0])).map(|pair| pair[1].trim_end_matches('/'));
                found.extend(out.filter_map(|out| join_path(&package.folder, out)));
            }
        }
    }
    for path in map.other_files.iter().filter(|path| path.ends_with("typedoc.json")) {
        let text = tree.text(path).unwrap_or_default();
        let out = OUT_OF_TYPEDOC.captures(&text).and_then(|found| found.get(1));
        found.extend(out.and_then(|out| join_path(folder_of(path), out.as_str().trim_end_matches('/'))));
    }
    found.retain(|folder| !folder.is_empty());
    found
}

/// `"out": "../docs/api"`.
static OUT_OF_TYPEDOC: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""out"\s*:\s*"([^"]+)""#).expect("the pattern is fixed"));

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// Pages outside a folder of documentation, by stem.
const ALONE: [&str; 14] = [
    "readme",
    "agents",
    "claude",
    "contributing",
    "architecture",
    "install",
    "installation",
    "usage",
    "getting-started",
    "development",
    "developing",
    "hacking",
    "building",
    "configuration",
];
/// Folders of documentation.
const DOCUMENTATION: [&str; 12] =
    ["docs", "doc", "documentation", "guide", "guides", "book", "website", "site", "www", "wiki", "manual", "handbook"];
/// Folders whose texts are data, or speak of what was, will be or could be, or of what others made.
const ELSEWHERE: [&str; 51] = [
    "test",
    "tests",
    "__tests__",
    "fixtures",
    "testdata",
    "snapshots",
    "__snapshots__",
    "node_modules",
    "vendor",
    "third_party",
    "plans",
    "advisor-plans",
    "prompts",
    "templates",
    "template",
    "skills",
    "changelog",
    "changelogs",
    "release-notes",
    "releases",
    "blog",
    "posts",
    "news",
    "migration",
    "migrations",
    "archive",
    "archived",
    "archives",
    "legacy",
    "old",
    "deprecated",
    "adr",
    "adrs",
    "decisions",
    "designs",
    "rfc",
    "rfcs",
    "rfd",
    "proposals",
    "proposal",
    "versioned_docs",
    "history",
    "notes",
    "meetings",
    "i18n",
    "locales",
    "translations",
    "translated",
    "themes",
    "showcase",
    "recipes",
];
/// Words of a file's name that say the same.
const PAST: [&str; 21] = [
    "changelog",
    "changes",
    "history",
    "release",
    "releases",
    "news",
    "migrate",
    "migrating",
    "migration",
    "upgrade",
    "upgrading",
    "deprecated",
    "deprecations",
    "legacy",
    "archive",
    "archived",
    "template",
    "roadmap",
    "proposal",
    "rfc",
    "adr",
];
/// Languages that documents are translated into, as names of folders and ends of file names have them.
const LANGUAGES: [&str; 52] = [
    "ar", "bn", "ca", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "jp",
    "ka", "kk", "ko", "kr", "lt", "lv", "ms", "nb", "nl", "no", "pl", "pt", "pt-br", "ptbr", "pt-pt", "ro", "ru", "sk",
    "sl", "sr", "sv", "ta", "th", "tr", "uk", "ur", "uz", "vi", "zh", "zh-cn", "zh-hans", "zh-hant", "zh-tw",
];

fn is_language(word: &str) -> bool {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let (language, region) = word.split_once('-').map_or((word.as_str(), ""), |(language, region)| (language, region));
    LANGUAGES.contains(&word.as_str()) || (LANGUAGES.contains(&language) && region.len() == 2)
}

/// `contributing_de`, `readme-pt_br`, `publishing_zhtw`: a page and the language it was translated into.
fn is_named_for_a_language(name: &str) -> bool {
    /// Ends of names that are no English words, so that they mean a language behind any name.
    const CERTAIN: [&str; 20] = [
        "bn", "cn", "cz", "de", "es", "fa", "fr", "ja", "jp", "kr", "nl", "pl", "ptbr", "ru", "tr", "ua", "vi", "zh",
        "zhcn", "zhtw",
    ];
    let ends = name.match_indices(['_', '-']).map(|(at, _)| (&name[..at], &name[at + 1..]));
    ends.into_iter().any(|(base, end)| {
        let (language, region) = end.split_once(['_', '-']).unwrap_or((end, ""));
        let has_region = region.len() == 2 && is_language(language);
        !base.is_empty() && (CERTAIN.contains(&end) || has_region || ALONE.contains(&base) && is_language(end))
    })
}

/// Whether a document is a translation, which follows the page it was made from.
pub fn is_translated(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    name.split('.').rev().skip(1).any(is_language) || is_named_for_a_language(stem(name))
}

/// Whether a document lies among what nobody keeps up.
pub fn is_archived(path: &str) -> bool {
    folder_of(path)
        .split('/')
        .any(|folder| matches!(folder.to_ascii_lowercase().as_str(), "archive" | "archived" | "archives"))
}

/// Whether a page speaks of the code as it is, in the project's own language.
fn is_page(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    if ![".md", ".markdown", ".mdx"].iter().any(|end| lower.ends_with(end)) {
        return false;
    }
    let folders: Vec<&str> = folder_of(&lower).split('/').filter(|part| !part.is_empty()).collect();
    let name = stem(&lower);
    let is_hidden = folders.iter().any(|folder| folder.starts_with('.') && *folder != ".github");
    let is_version = |folder: &&str| {
        let number = folder.strip_prefix('v').unwrap_or(folder);
        number.starts_with(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'x' | '-'))
    };
    let is_elsewhere =
        folders.iter().any(|folder| ELSEWHERE.contains(folder) || is_language(folder) || is_version(folder))
            || folders.iter().any(|folder| folder.ends_with("_template"));
    let is_past = words(name).iter().any(|word| PAST.contains(&word.to_ascii_lowercase().as_str()));
    let is_documentation = folders.iter().any(|folder| DOCUMENTATION.contains(folder)) || ALONE.contains(&name);
    is_documentation && !is_hidden && !is_elsewhere && !is_translated(path) && !is_past
}

/// Headings of sections that speak of what was or will be.
fn is_aside(title: &str) -> bool {
    let title = title.to_lowercase();
    // Those of a database are done today; one leads from what was to what is.
    let of_database =
        words(&title).iter().any(|word| matches!(word.as_str(), "migrations" | "database" | "db" | "schema" | "sql"));
    let leads = words(&title).iter().any(|word| matches!(word.as_str(), "from" | "to" | "guide"));
    if title.contains("migrat") && (leads || !of_database) {
        return true;
    }
    [
        "upgrad",
        "changelog",
        "deprecat",
        "removed",
        "roadmap",
        "future",
        "planned",
        "history",
        "legacy",
        "breaking",
        "what's new",
        "release notes",
        "todo",
    ]
    .iter()
    .any(|word| title.contains(word))
}

/// The folder of the package a page speaks of.
fn subject(map: &RepoMap, path: &str) -> String {
    let mut folder = map.recon.package_of(path).map_or("", |package| package.folder.as_str());
    // The site has a package of its own, and its pages speak of what stands around it.
    while DOCUMENTATION.contains(&folder.rsplit('/').next().unwrap_or_default()) {
        folder = map.recon.package_of(folder_of(folder)).map_or("", |package| package.folder.as_str());
    }
    folder.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_speak_of_the_code_as_it_is() {
        for path in [
            "README.md",
            "docs/a/b.mdx",
            "crates/x/README.md",
            ".github/CONTRIBUTING.md",
            "website/src/intro.md",
            "docs/log-it.md",
            "docs/user-id.md",
        ] {
            assert!(is_page(path), "{path}");
        }
        for path in [
            "README.zh-CN.md",
            "README_de.md",
            "docs/contributing/contributing_pt_br.md",
            "docs/publishing/publishing_zhtw.md",
            "docs/ja/intro.md",
            "docs/pt_BR/intro.md",
            "docs/migration-from-v1.md",
            "docs/adr/0001-x.md",
            "docs/v2/intro.md",
            "CHANGELOG.md",
            "tests/README.md",
            "src/prompts/guide.md",
            "website/blog/one.md",
            "docs/a.txt",
        ] {
            assert!(!is_page(path), "{path}");
        }
    }

    #[test]
    fn sections_about_the_past_are_left_out() {
        let text =
            "---\ntitle: `x`\n---\n# A\n`one`\n## Migrating\n`two`\n### Deeper\n```sh\nthree\n```\n## B\nfour `five`\n";
        let page = Page::new(&RepoMap::default(), "README.md", text.to_owned());
        let spans: Vec<(&str, u32)> = page.spans.iter().map(|piece| (piece.text.as_str(), piece.line)).collect();
        assert_eq!(spans, [("one", 5), ("five", 13)]);
        assert!(page.fences.is_empty());
        assert_eq!(page.prose, [Piece { text: "four ".to_owned(), line: 13 }]);
    }

    #[test]
    fn migrations_of_a_database_are_no_migration_to_another_version() {
        for title in ["Migrating", "Migration guide", "Migrations from v1", "Migrate to v2", "Legacy"] {
            assert!(is_aside(title), "{title}");
        }
        for title in ["Create and run migrations", "Database migration", "Usage"] {
            assert!(!is_aside(title), "{title}");
        }
    }

    #[test]
    fn commands_are_told_from_output_and_comments() {
        let fence = |text: &str| Fence { language: "sh".into(), info: "sh".into(), line: 3, text: text.to_owned() };
        assert_eq!(fence("$ tool --a\nout --b\n").commands(), [(3, "tool --a")]);
        assert_eq!(fence("# c\ntool\n").commands(), [(4, "tool")]);
    }
}
