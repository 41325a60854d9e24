//! `stale-version-claim`: a page asks for a version that the manifest contradicts, or shows how to install one long gone.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use crate::audit::draft::PlanDraft;
use crate::audit::pages::{Fence, Page};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::faults::{self, Fault, Words};
use crate::audit::rules::docs::manifest::{
    Release, Said, numbers, oldest_node, oldest_rust, pinned_node, pinned_rust, releases,
};
use crate::audit::text::{count_of, folder_of};
use crate::finding::{Category, Confidence, Finding};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{Package, PackageManager};
use crate::tree::Tree;

/// A version that is not so any more.
pub struct StaleVersionClaim;

static DOC: RuleDoc = RuleDoc {
    id: "stale-version-claim",
    category: Category::Docs,
    what: "a page that says an older Node.js or Rust is enough than `engines` or `rust-version` ask for or, on a page for \
           developers, than `.nvmrc`, `.node-version` or `rust-toolchain` pin; or that installs a version of \
           this package which is not compatible with today's",
    why: "who follows it gets an error from the package manager or the compiler, or an old release that the rest of the page does not \
          describe",
    quiet_when: "the manifest says nothing, asks for the same or for less, has a pre-release or is filled in at release, the page tells to install another package of the repository whose manifest agrees, or the line \
                 speaks of what was: since, before, dropped, deprecated",
    example: "Requires Node.js 16 or later.   <!-- \"engines\": { \"node\": \">=20\" } -->",
};

static WORDS: Words = Words {
    one: |fault| format!("says `{}`, which is out of date", fault.written),
    many: |count| {
        format!("states {} that {} out of date", count_of(count, "version"), if count == 1 { "is" } else { "are" })
    },
    cost: "Who goes by it is stopped by the package manager or the compiler, or gets a release that the page does not describe.",
    mend: "Correct the versions",
    how: "Write the version that the manifest states, in the form the page has. Where a sentence gives a reason for the old one, read \
          whether it still holds.",
    stop: "the manifest is what is wrong: the code builds and runs with the version that the page states",
};

impl Rule for StaleVersionClaim {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let releases = releases(ground.map, ground.tree);
        let found = ground.pages().par_iter().filter_map(|page| {
            let stale = stale(ground.map, ground.tree, page, &releases);
            let impact = if page.is_first_read { 3 } else { 2 };
            let contradicted: BTreeSet<&str> = stale.iter().map(|fault| fault.instead.as_str()).collect();
            let contradicted = contradicted.into_iter().collect::<Vec<_>>().join(", ");
            let how = how_it_is_mended(page, &contradicted);
            Some((how, faults::finding(&DOC, &WORDS, page, &stale, impact, Confidence::High)?))
        });
        faults::folded(found.collect())
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let releases = releases(context.map, context.tree);
        faults::recipe(&WORDS, finding, context, &|page| stale(context.map, context.tree, page, &releases))
    }
}

/// By what pages belong together: the first page of each package says of its own what one sweep corrects; others are mended with their
/// neighbours, since pages elsewhere may be for other readers.
fn how_it_is_mended(page: &Page, contradicted: &str) -> String {
    static MANIFEST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" of `[^`]*`").expect("the pattern is fixed"));
    let folder = folder_of(&page.path);
    let name = page.path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if folder == page.subject && name.starts_with("readme") {
        return MANIFEST.replace_all(contradicted, "").into_owned();
    }
    format!("{folder}: {contradicted}")
}

/// Words of a sentence that speaks of what was, or of somebody else's version.
const HEDGES: [&str; 20] = [
    "since",
    "before",
    "prior",
    "dropped",
    "drop ",
    "deprecat",
    "removed",
    "older",
    "until",
    "legacy",
    "if you",
    "not support",
    "no longer",
    "below",
    "was ",
    "only when",
    "for example",
    // A program that is run on its own has the version of whoever runs it.
    "npx ",
    "standalone",
    "stand-alone",
];

/// `Node.js >= 16`, `Node 16+`, `node v16 or later`.
static NODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bnode(?:\.?js)?\b[\s*_`\])(]{0,4}(?:version\s*)?(?:>=?|≥|v)?\s*v?(?P<version>\d{1,2}(?:\.\d+){0,2})(?:\.x)?(?P<end>[\s*_`]*(?:\+|or (?:later|newer|higher|above|greater)|and (?:later|newer|above|up)))?")
        .expect("the pattern is fixed")
});
/// `Rust 1.70`, `rustc 1.70`, `MSRV: 1.70`.
static RUST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:rust|rustc|msrv|minimum supported rust version)\b[\s*_`:)(\]is]{0,10}(?:version\s*)?(?:>=?|≥|v)?\s*(?P<version>1\.\d{2}(?:\.\d+)?)\b")
        .expect("the pattern is fixed")
});
/// A badge: `img.shields.io/badge/rustc-1.70+-blue`.
static BADGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)badge/(?P<what>[a-z._%0-9-]*?(?:rust|rustc|msrv|node)[a-z._]*)(?:[-_]|%20|%3E%3D|>=|v)+(?P<version>\d+(?:\.\d+){0,2})")
        .expect("the pattern is fixed")
});

/// Versions of a page that the manifests contradict, one a line.
fn stale(map: &RepoMap, tree: &dyn Tree, page: &Page, releases: &[Release]) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    // Who works on the code gets what is pinned; who uses it may do with what nobody has tried.
    let pinned =
        |read: fn(&dyn Tree, &str) -> Option<Said>| read(tree, &page.subject).filter(|_| is_for_developers(page));
    let node = LazyLock::<Option<Said>, _>::new(|| match installed(map, page) {
        Some(package) => oldest_node(map, tree, &package.folder),
        None => oldest_node(map, tree, &page.subject).or_else(|| pinned(pinned_node)),
    });
    let rust =
        LazyLock::<Option<Said>, _>::new(|| oldest_rust(map, tree, &page.subject).or_else(|| pinned(pinned_rust)));
    let mut lines: Vec<u32> = page.prose.iter().map(|piece| piece.line).collect();
    lines.dedup();
    for line in lines {
        let Some(text) = page.text.line(line) else { continue };
        // The patterns ask for a version, which few lines hold.
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let lower = text.to_lowercase();
        if HEDGES.iter().any(|hedge| lower.contains(hedge)) {
            continue;
        }
        found.extend(runtime(&NODE, text, line, || node.as_ref(), 1));
        found.extend(runtime(&RUST, text, line, || rust.as_ref(), 2));
    }
    for (line, text) in (1..).zip(page.text.text.lines()) {
        if let Some(badge) = BADGE.captures(text) {
            let of_node = badge["what"].to_lowercase().contains("node");
            found.extend(if of_node {
                runtime(&BADGE, text, line, || node.as_ref(), 1)
            } else {
                runtime(&BADGE, text, line, || rust.as_ref(), 2)
            });
        }
    }
    let named: Vec<&Release> = releases.iter().filter(|release| page.text.text.contains(&release.name)).collect();
    for fence in page.fences.iter().filter(|fence| asks_for_versions(fence)) {
        // What follows a prompt in a session is what the program answered.
        let is_session = fence.text.lines().any(|line| line.starts_with("$ "));
        for (line, text) in fence.lines().filter(|(_, text)| !is_session || text.starts_with("$ ")) {
            found.extend(named.iter().find_map(|release| install(release, &fence.language, text, line)));
        }
    }
    found.sort();
    found.dedup_by_key(|fault| fault.line);
    found
}

/// A package of the repository beside the page's own that the page tells to install: what it asks for is that package's.
fn installed<'m>(map: &'m RepoMap, page: &Page) -> Option<&'m Package> {
    let packages = map.recon.packages.iter().filter(|own| own.folder != page.subject && !own.name.is_empty());
    packages.into_iter().find(|package| {
        page.fences.iter().flat_map(|fence| fence.text.lines()).any(|line| {
            let mut words = line.split_whitespace();
            let manager = words.find(|word| *word != "$");
            let is_it = |word: &str| {
                word.strip_prefix(package.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
            };
            matches!(manager, Some("npm" | "pnpm" | "yarn" | "bun")) && words.any(is_it)
        })
    })
}

/// Whether versions in a fence are asked for: JSON may show what a program prints or sends.
fn asks_for_versions(fence: &Fence) -> bool {
    let lists = ["ependencies\"", "\"overrides\"", "\"resolutions\"", "\"catalog\""];
    fence.language != "json" || !fence.text.contains('{') || lists.iter().any(|list| fence.text.contains(list))
}

/// Whether a page is for whoever works on the code.
fn is_for_developers(page: &Page) -> bool {
    let name = page.path.rsplit('/').next().unwrap_or(&page.path).to_lowercase();
    ["contributing", "agents", "claude", "develop", "hacking", "building"].iter().any(|word| name.starts_with(word))
}

/// Whether a sentence that begins so asks for a version: with it at once, or by saying so.
fn is_asked_for(before: &str) -> bool {
    let before = before.to_lowercase();
    let asks = [
        "msrv",
        "minimum",
        "this ",
        "we ",
        "project",
        "crate",
        "package",
        "need",
        "install",
        "make sure",
        "ensure",
        "prerequisite",
        "at least",
        "it requires",
        "built with",
        "tested",
        "supports",
        "depends on",
        "badge",
    ];
    before.split_whitespace().count() <= 3 && !before.contains('`') || asks.iter().any(|word| before.contains(word))
}

/// A claim that less is enough than the manifest asks for. `depth` is how many numbers tell one release line from another.
fn runtime<'s>(
    pattern: &Regex,
    text: &str,
    line: u32,
    said: impl FnOnce() -> Option<&'s Said>,
    depth: usize,
) -> Option<Fault> {
    let found = pattern.captures(text)?;
    // Manifests are read for the few lines that speak of a version.
    let said = said()?;
    if !is_asked_for(text[..found.get(0)?.start()].rsplit(". ").next().unwrap_or_default()) {
        return None;
    }
    let claimed = numbers(&found["version"]);
    let asked = numbers(&said.version);
    let claimed_line: Vec<u64> = claimed.iter().copied().chain([0; 3]).take(depth).collect();
    let asked_line: Vec<u64> = asked.iter().copied().chain([0; 3]).take(depth).collect();
    if claimed.len() < depth || claimed_line >= asked_line {
        return None;
    }
    // As many numbers as the page writes.
    let wanted: Vec<String> =
        asked.iter().copied().chain([0; 3]).take(claimed.len()).map(|number| number.to_string()).collect();
    let whole = found.get(0)?.as_str();
    let at = found.name("version")?.start() - found.get(0)?.start();
    let written = whole.trim().to_owned();
    let mended = format!("{}{}{}", &whole[..at], wanted.join("."), &whole[at + found["version"].len()..]);
    Some(Fault {
        line,
        written,
        instead: format!("{} asks for {}", said.place, said.version),
        replacement: Some(mended.trim().to_owned()),
    })
}

/// `foo = "0.3"`, `cargo add foo@0.3`, `npm install foo@3`: a version that is not compatible with today's.
fn install(release: &Release, language: &str, text: &str, line: u32) -> Option<Fault> {
    if !text.contains(release.name.as_str()) {
        return None;
    }
    let name = regex::escape(&release.name);
    let pattern = match (release.manager == PackageManager::Cargo, language) {
        (true, "toml") => {
            format!(r#"^\s*{name}\s*=\s*(?:"|\{{[^}}]*?\bversion\s*=\s*")[\^~=]?\s*(?P<version>\d+(?:\.\d+){{0,2}})""#)
        }
        (true, _) => format!(
            r"\bcargo (?:add|install) (?:\S+ )*?{name}(?:@| --version[ =]| --vers[ =])=?(?P<version>\d+(?:\.\d+){{0,2}})\b"
        ),
        (false, "json") => format!(r#"^\s*"{name}"\s*:\s*"[\^~]?(?P<version>\d+(?:\.\d+){{0,2}})""#),
        (false, _) => format!(r"(?:^|[\s/:]){name}@\^?(?P<version>\d+(?:\.\d+){{0,2}})(?:[\s/]|$)"),
    };
    let found = Regex::new(&pattern).ok()?.captures(text)?;
    // `@x/foo` is another package; `https://esm.sh/foo` is not.
    let before = &text[..found.get(0)?.start()];
    let is_scoped =
        found[0].starts_with('/') && before.rsplit([' ', '/', ':']).next().is_some_and(|part| part.starts_with('@'));
    if is_scoped {
        return None;
    }
    let shown = numbers(&found["version"]);
    let today = numbers(&release.said.version);
    // The first number that is not zero decides what is compatible.
    let line_of = |version: &[u64]| -> Vec<u64> {
        let first = version.iter().take_while(|number| **number == 0).count().min(2);
        version.iter().copied().take(first + 1).collect()
    };
    let (shown_line, today_line) = (line_of(&shown), line_of(&today));
    // `foo = "0"` lets any release of the zeroth line in.
    if shown_line >= today_line || today_line.starts_with(&shown) {
        return None;
    }
    let length = shown.len().max(today_line.len());
    let wanted: Vec<String> = today.iter().take(length).map(u64::to_string).collect();
    let version = found.name("version")?;
    let written = found.get(0)?.as_str().trim();
    let head = &found.get(0)?.as_str()[..version.start() - found.get(0)?.start()];
    let tail = &found.get(0)?.as_str()[version.end() - found.get(0)?.start()..];
    Some(Fault {
        line,
        written: written.to_owned(),
        instead: format!("{} has {}", release.said.place, release.said.version),
        replacement: Some(format!("{head}{}{tail}", wanted.join(".")).trim().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(version: &str) -> Option<Said> {
        Some(Said { version: version.to_owned(), place: "`manifest`".to_owned() })
    }

    #[test]
    fn claims_below_what_is_asked_for_are_stale() {
        let mended = |pattern: &Regex, text: &str, asked: &str, depth| {
            let said = said(asked);
            runtime(pattern, text, 1, || said.as_ref(), depth).and_then(|fault| fault.replacement)
        };
        assert_eq!(mended(&NODE, "- Node.js >= 16", ">=20", 1), None, "`>=20` is no version");
        assert_eq!(mended(&NODE, "- Node.js >= 16", "20.10.0", 1).as_deref(), Some("Node.js >= 20"));
        assert_eq!(mended(&NODE, "needs node 16.0 or later", "20.10.0", 1).as_deref(), Some("node 20.10 or later"));
        assert_eq!(mended(&NODE, "Node 22+", "20", 1), None);
        assert_eq!(mended(&RUST, "Values from `env!` require Rust >= 1.46 to be tracked", "1.85", 2), None);
        assert_eq!(mended(&RUST, "MSRV is 1.70.", "1.85", 2).as_deref(), Some("MSRV is 1.85"));
        assert_eq!(
            mended(&BADGE, "![](https://img.shields.io/badge/rustc-1.70+-blue)", "1.85", 2).as_deref(),
            Some("badge/rustc-1.85")
        );
    }

    #[test]
    fn installing_a_release_that_is_not_compatible_is_stale() {
        let release = |manager, version: &str| Release {
            name: "foo".to_owned(),
            manager,
            said: Said { version: version.to_owned(), place: "`manifest`".to_owned() },
        };
        let mended = |release: &Release, language: &str, text: &str| {
            install(release, language, text, 1).and_then(|fault| fault.replacement)
        };
        let cargo = release(PackageManager::Cargo, "0.8.2");
        assert_eq!(mended(&cargo, "toml", "foo = \"0.3\"").as_deref(), Some("foo = \"0.8\""));
        assert_eq!(
            mended(&cargo, "toml", "foo = { version = \"0.3.1\", features = [] }").as_deref(),
            Some("foo = { version = \"0.8.2\"")
        );
        assert_eq!(mended(&cargo, "toml", "foo = \"0.8\""), None);
        assert_eq!(mended(&cargo, "toml", "foo = \"0\""), None);
        assert_eq!(
            mended(&cargo, "sh", "cargo install foo --version 0.3.0").as_deref(),
            Some("cargo install foo --version 0.8.2")
        );
        let npm = release(PackageManager::Npm, "4.1.0");
        assert_eq!(mended(&npm, "sh", "npm i foo@3").as_deref(), Some("foo@4"));
        assert_eq!(mended(&npm, "sh", "npm i @x/foo@3"), None);
    }
}
