//! `stale-doc-command`: documents tell their readers to type something that does not exist.
//!
//! [`surroundings`] knows who types a command and where, [`missing`] what is not there, [`near`] what is like it.

mod missing;
mod near;
mod plan;
mod surroundings;

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::pages::{is_archived, is_translated};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::commands::{self, Named, Place, TargetKind};
use crate::audit::rules::docs::targets::Targets;
use crate::audit::text::{count_of, folder_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::prose::DocumentCommand;
use crate::repo_map::recon::{Document, DocumentKind};
use crate::tree::Tree;
use missing::is_missing;
use near::meant;
use surroundings::Surroundings;

/// A documented command that cannot work.
pub struct StaleDocCommand;

static DOC: RuleDoc = RuleDoc {
    id: "stale-doc-command",
    category: Category::Docs,
    what: "a README, CONTRIBUTING or AGENTS file that names a script, a make target, a crate, a \
           binary, an example or a feature of one, a service of a compose file or a path that does not exist",
    why: "it is the first thing a newcomer types, and what an agent takes for granted: both fail on it and guess",
    quiet_when: "the command is for the reader's own project (after `npm create`, `git clone` of something else, or `cd` into a \
                 folder that is not here) or for another repository that the text names, the sentence says what a tool runs, the page shows how to write the recipe, the \
                 task file includes others, a folder around the page has the path, any package of the repository has the script, or the document is a translation or one of an archive",
    example: "## Development\n\n    npm run dev:web     # package.json has no script of this name",
};

/// Programs that set up a project of the reader's own: what follows is typed there.
const SCAFFOLDS: [&str; 9] = [
    "npm create",
    "npm init ",
    "npx create-",
    "pnpm create",
    "yarn create",
    "bun create",
    "degit",
    "cargo new",
    "cargo init",
];

/// Missing names that are told one by one.
const SHOWN: usize = 6;
/// Places a finding keeps.
const KEPT: usize = 20;

/// A command that names something that is not there.
struct Stale<'a> {
    document: &'a Document,
    command: &'a DocumentCommand,
    named: Named,
}

impl Rule for StaleDocCommand {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let targets = Targets::read(ground.map, ground.tree);
        let groups = groups(ground.map, ground.tree, &targets);
        groups.iter().map(|group| finding(ground.map, &targets, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        plan::recipe(finding, context)
    }
}

/// Words of names that stand for the reader's own.
const PLACEHOLDERS: [&str; 8] = ["your", "my", "foo", "bar", "example", "name", "some", "xxx"];

fn is_placeholder(named: &Named) -> bool {
    let name = name_of(named);
    name.split(|c: char| !c.is_alphanumeric()).any(|word| PLACEHOLDERS.contains(&word.to_ascii_lowercase().as_str()))
        || (name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase))
}

/// What the page gives its reader: `"update-icons": "…"`, `"hook": "npm run build"`: the document tells its reader to give this script to a project of their own.
fn is_shown_to_reader(text: &str, stale: &Stale<'_>) -> bool {
    let Stale { command, named, .. } = stale;
    if let Named::Target(kind, name) = named {
        // A page that writes the service into a file of the reader's, or the target into a manifest, speaks of that one.
        return match kind {
            TargetKind::Service => text.lines().any(|line| line.trim() == format!("{name}:")),
            TargetKind::Binary | TargetKind::Example | TargetKind::Feature => {
                text.contains(&format!("\"{name}\"")) || text.lines().any(|line| line.starts_with(&format!("{name} =")))
            }
        };
    }
    // `backup:` in a fence: a recipe that the page shows how to write.
    if let Named::Just(name) | Named::Make(name) = named
        && text.lines().any(|line| defines_recipe(line, name))
    {
        return true;
    }
    let shown = [format!("\"{}\":", name_of(named)), format!(": \"{}\"", command.text)];
    matches!(named, Named::Script { .. }) && shown.iter().any(|shown| text.contains(shown))
}

/// `backup:`, `search QUERY:`, `alias b := build`.
fn defines_recipe(line: &str, name: &str) -> bool {
    let line = line.trim();
    let alias = line.strip_prefix("alias ").and_then(|rest| rest.split_once(":=")).map(|(alias, _)| alias.trim());
    let head = line.trim_start_matches('@').split_once(':').map(|(head, _)| head);
    let recipe = head.and_then(|head| head.split_whitespace().next());
    let is_head = |head: &str| head.split_whitespace().all(|word| !word.ends_with(['.', ',']));
    alias == Some(name) || recipe == Some(name) && head.is_some_and(is_head)
}

/// All there is, what one change mends together: a document, and the documents that name one of the same.
fn groups<'a>(map: &'a RepoMap, tree: &dyn Tree, targets: &Targets) -> Vec<Vec<Stale<'a>>> {
    let is_read = |document: &&Document| {
        matches!(
            document.kind,
            DocumentKind::Readme | DocumentKind::Agents | DocumentKind::Contributing | DocumentKind::Docs
        ) && !is_translated(&document.path)
            && !is_archived(&document.path)
    };
    let mut groups: Vec<Vec<Stale<'a>>> = Vec::new();
    for document in map.recon.documents.iter().filter(is_read) {
        let found = stale(map, tree, targets, document);
        if found.is_empty() {
            continue;
        }
        let is_same = |group: &Vec<Stale<'_>>| {
            group.iter().any(|own| found.iter().any(|other| label(&own.named) == label(&other.named)))
        };
        let (joined, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_same);
        groups = rest;
        groups.push(joined.into_iter().flatten().chain(found).collect());
    }
    groups
}

/// The first command of each missing name.
fn names<'s, 'a>(found: &'s [Stale<'a>]) -> Vec<&'s Stale<'a>> {
    let mut names: Vec<&Stale<'_>> = Vec::new();
    for stale in found {
        if names.iter().all(|own| label(&own.named) != label(&stale.named)) {
            names.push(stale);
        }
    }
    names
}

fn stale<'a>(map: &RepoMap, tree: &dyn Tree, targets: &Targets, document: &'a Document) -> Vec<Stale<'a>> {
    let text = tree.text(&document.path).unwrap_or_default();
    let surroundings = Surroundings::new(&text);
    let page = folder_of(&document.path);
    let mut found: Vec<Stale<'a>> = Vec::new();
    let mut place = Place { folder: None };
    let mut fence = None;
    // The section in which `cd` left the repository: what is typed below is typed there.
    let mut left_in = None;
    let mut foreign = false;
    for command in &document.commands {
        let section = surroundings.section(command.line);
        // Documents of a folder without a manifest speak of the repository.
        let home = if has_manifest(map, page) && !surroundings.is_from_root(command.line) { page } else { "" };
        if command.fence != fence || command.fence.is_none() {
            fence = command.fence;
            let folder = (command.fence.is_none() || left_in != Some(section)).then(|| home.to_owned());
            place = Place { folder };
            // What was set up in one fence is used in the next ones: they stay foreign.
        }
        foreign |=
            SCAFFOLDS.iter().any(|scaffold| command.text.contains(scaffold)) || clones_another(map, &command.text);
        if foreign {
            break;
        }
        for named in commands::read(&command.text, &mut place) {
            // One fault a line.
            let is_new = found.iter().all(|own| own.command.line != command.line);
            let stale = Stale { document, command, named };
            if !has_left(map, &place)
                && is_new
                && !is_placeholder(&stale.named)
                && is_missing(map, targets, &stale.named, home, page)
                && !is_shown_to_reader(&text, &stale)
                && (command.fence.is_some() || surroundings.is_for_reader(command.line, &command.text))
                && !surroundings.is_elsewhere(command.line, &|name| is_ours(map, name))
            {
                found.push(stale);
            }
        }
        if command.fence.is_some() && has_left(map, &place) {
            left_in = Some(section);
        }
    }
    found
}

/// Whether `cd` went where nothing of the repository is.
fn has_left(map: &RepoMap, place: &Place) -> bool {
    place.folder.as_deref().is_none_or(|folder| !folder.is_empty() && !map_has_folder(map, folder))
}

/// `git clone` of something that is not this repository.
fn clones_another(map: &RepoMap, text: &str) -> bool {
    let Some((_, rest)) = text.split_once("git clone") else { return false };
    let Some(url) = rest.split_whitespace().find(|word| word.contains('/')) else { return false };
    let name = url.trim_end_matches('/').trim_end_matches(".git").rsplit('/').next().unwrap_or_default();
    !is_ours(map, &name.to_ascii_lowercase())
}

/// Whether a repository is this one: judged by the name of a package or the title.
fn is_ours(map: &RepoMap, name: &str) -> bool {
    map.recon.packages.iter().any(|package| package.name.to_ascii_lowercase().contains(name))
        || map.recon.documents.iter().any(|document| {
            document.title.as_ref().is_some_and(|title| title.to_ascii_lowercase().replace(' ', "-").contains(name))
        })
}

fn has_manifest(map: &RepoMap, folder: &str) -> bool {
    map.recon.packages.iter().any(|package| package.folder == folder)
}

fn map_has_folder(map: &RepoMap, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    map.files.iter().any(|file| file.path.starts_with(&prefix))
        || map.other_files.iter().any(|path| path.starts_with(&prefix))
}

fn finding(map: &RepoMap, targets: &Targets, found: &[Stale<'_>]) -> Finding {
    let first = &found[0];
    let names = names(found);
    let mut documents: Vec<&Document> = found.iter().map(|stale| stale.document).collect();
    documents.dedup_by_key(|document| &document.path);
    let is_first_read = |document: &&Document| {
        matches!(document.kind, DocumentKind::Readme | DocumentKind::Agents | DocumentKind::Contributing)
    };
    let near = match meant(map, targets, &first.named) {
        Some(name) if names.len() == 1 => format!(" The closest that exists is `{name}`."),
        Some(_) | None => String::new(),
    };
    let name = name_of(&first.named);
    let (who, whose) = match documents.as_slice() {
        [one] => (format!("`{}` tells", one.path), "its"),
        [one, other] => (format!("`{}` and `{}` tell", one.path, other.path), "their"),
        many => (format!("`{}` and {} tell", many[0].path, count_of(many.len() - 1, "more document")), "their"),
    };
    let title = match (names.len(), documents.as_slice()) {
        (1, _) => format!("{who} readers to run `{name}`, which does not exist"),
        (several, [one]) => {
            format!("{} of `{}` name something that does not exist", count_of(several, "command"), one.path)
        }
        (several, many) => format!(
            "{} of {} name something that does not exist",
            count_of(several, "command"),
            count_of(many.len(), "document")
        ),
    };
    let said: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|stale| format!("`{}` (there is no {})", stale.command.text, label(&stale.named)))
        .collect();
    let path = &first.document.path;
    let mut draft = FindingDraft::at_lines(&DOC, path, first.command.line, first.command.line, "command")
        .expecting(name)
        .title(title)
        .message(format!("{who} {whose} readers to run {}.{near} Newcomers and agents fail on it.", said.join(", ")))
        .impact(if documents.iter().any(is_first_read) { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High);
    for stale in found.iter().skip(1).take(KEPT - 1) {
        draft = draft.and_lines(&stale.document.path, stale.command.line, stale.command.line, "command");
    }
    draft.build()
}

fn name_of(named: &Named) -> &str {
    match named {
        Named::Script { name, .. } | Named::Make(name) | Named::Just(name) | Named::Crate(name) => name,
        Named::Target(_, name) => name,
        Named::Path(path) => path.rsplit('/').next().unwrap_or(path),
    }
}

fn label(named: &Named) -> String {
    match named {
        Named::Script { name, .. } => format!("script `{name}`"),
        Named::Make(name) => format!("make target `{name}`"),
        Named::Just(name) => format!("just recipe `{name}`"),
        Named::Crate(name) => format!("crate `{name}`"),
        Named::Target(kind, name) => format!("{} `{name}`", kind.label()),
        Named::Path(path) => format!("file `{path}`"),
    }
}
