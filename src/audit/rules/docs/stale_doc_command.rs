//! `stale-doc-command`: a document tells its reader to type something that does not exist.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::commands::{self, Named, Place, TargetKind};
use crate::audit::rules::docs::targets::Targets;
use crate::audit::text::{FileText, count_of, folder_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::prose::DocumentCommand;
use crate::repo_map::recon::task::TaskRunner;
use crate::repo_map::recon::{Document, DocumentKind, PackageManager};

/// A documented command that cannot work.
pub struct StaleDocCommand;

static DOC: RuleDoc = RuleDoc {
    id: "stale-doc-command",
    category: Category::Docs,
    what: "a README, CONTRIBUTING or AGENTS file that names a script, a make target, a crate, a \
           binary, an example or a feature of one, a service of a compose file or a path that does not exist",
    why: "it is the first thing a newcomer types, and what an agent takes for granted: both fail on it and guess",
    quiet_when: "the command is for the reader's own project (after `npm create`, `git clone` of something else, or `cd` into a \
                 folder that is not here), the task file includes others, or any package of the repository has the script",
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

/// Commands shown for one document.
const SHOWN: usize = 6;

/// A command that names something that is not there.
struct Stale<'a> {
    command: &'a DocumentCommand,
    named: Named,
}

impl Rule for StaleDocCommand {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let targets = Targets::read(map, ground.tree);
        map.recon
            .documents
            .iter()
            .filter(|document| {
                matches!(
                    document.kind,
                    DocumentKind::Readme | DocumentKind::Agents | DocumentKind::Contributing | DocumentKind::Docs
                )
            })
            .filter_map(|document| {
                let mut found = stale(map, &targets, document);
                if !found.is_empty() {
                    let text = ground.tree.text(&document.path).unwrap_or_default();
                    found.retain(|stale| !is_shown_to_reader(&text, stale));
                }
                (!found.is_empty()).then(|| finding(map, &targets, document, &found))
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let document = map.recon.documents.iter().find(|document| document.path == finding.location().file)?;
        let text = FileText::read(context.tree, &document.path)?;
        let targets = Targets::read(map, context.tree);
        let mut found = stale(map, &targets, document);
        found.retain(|stale| !is_shown_to_reader(&text.text, stale));
        let mut steps = Vec::new();
        let mut goals = Vec::new();
        for stale in found.iter().take(SHOWN) {
            let wanted = label(&stale.named);
            let nearest = nearest(map, &targets, &stale.named);
            let near = if nearest.is_empty() {
                "Nothing of a like name exists today.".to_owned()
            } else {
                let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
                format!("What exists today: {}.", names.join(", "))
            };
            let line = text.line(stale.command.line)?.trim().to_owned();
            let gone = GateDraft::TextGone { text: line, file: document.path.clone() };
            steps.push(StepDraft {
                title: format!("Replace the {wanted} by what does the job today"),
                instruction: format!(
                    "`git log -S'{}' --oneline` says when it went away and what took its place. {near} In `{}`, line {}, write \
                     the command that does what the sentence around it promises, after running it once. If nothing does, \
                     remove the command and what depends on it.",
                    name_of(&stale.named),
                    document.path,
                    stale.command.line
                ),
                edits: Vec::new(),
                gates: vec![gone.clone()],
            });
            goals.push(gone);
        }
        let first = found.first()?;
        Some(PlanDraft {
            title: if found.len() == 1 {
                format!("Correct the command `{}` in `{}`", first.command.text, document.path)
            } else {
                format!("Correct the commands of `{}` that do not exist", document.path)
            },
            why: format!("{} Whoever sets the project up from this document is stopped there.", finding.message),
            steps,
            in_scope: vec![ScopeDraft {
                path: document.path.clone(),
                remark: "the commands and their sentences".to_owned(),
            }],
            out_of_scope: vec![(
                "manifests and task files".to_owned(),
                "bringing a command back is a decision about the tooling, not about the document".to_owned(),
            )],
            goals,
            stop_conditions: vec![
                format!(
                    "the {} exists after all, for example because a tool creates it during setup",
                    label(&first.named)
                ),
                "no existing command does what the document promises".to_owned(),
            ],
            ..PlanDraft::default()
        })
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
    let Stale { command, named } = stale;
    if let Named::Target(kind, name) = named {
        // A page that writes the service into a file of the reader's, or the target into a manifest, speaks of that one.
        return match kind {
            TargetKind::Service => text.lines().any(|line| line.trim() == format!("{name}:")),
            TargetKind::Binary | TargetKind::Example | TargetKind::Feature => {
                text.contains(&format!("\"{name}\"")) || text.lines().any(|line| line.starts_with(&format!("{name} =")))
            }
        };
    }
    let shown = [format!("\"{}\":", name_of(named)), format!(": \"{}\"", command.text)];
    matches!(named, Named::Script { .. }) && shown.iter().any(|shown| text.contains(shown))
}

fn stale<'a>(map: &RepoMap, targets: &Targets, document: &'a Document) -> Vec<Stale<'a>> {
    let home = folder_of(&document.path).to_owned();
    // Documents of a folder without a manifest speak of the repository.
    let home = if has_manifest(map, &home) { home } else { String::new() };
    let mut found: Vec<Stale<'a>> = Vec::new();
    let mut place = Place { folder: Some(home.clone()) };
    let mut fence = None;
    let mut foreign = false;
    for command in &document.commands {
        if command.fence != fence || command.fence.is_none() {
            fence = command.fence;
            place = Place { folder: Some(home.clone()) };
            // What was set up in one fence is used in the next ones: they stay foreign.
        }
        foreign |=
            SCAFFOLDS.iter().any(|scaffold| command.text.contains(scaffold)) || clones_another(map, &command.text);
        if foreign {
            break;
        }
        for named in commands::read(&command.text, &mut place) {
            let left = place.folder.as_deref().is_none_or(|folder| !folder.is_empty() && !map_has_folder(map, folder));
            // One fault a line, and each missing name once.
            let is_new = found.iter().all(|own| own.named != named && own.command.line != command.line);
            if !left && is_new && !is_placeholder(&named) && is_missing(map, targets, &named, &home) {
                found.push(Stale { command, named });
            }
        }
    }
    found
}

/// `git clone` of something that is not this repository: judged by the name of a package or the title.
fn clones_another(map: &RepoMap, text: &str) -> bool {
    let Some((_, rest)) = text.split_once("git clone") else { return false };
    let Some(url) = rest.split_whitespace().find(|word| word.contains('/')) else { return false };
    let name =
        url.trim_end_matches('/').trim_end_matches(".git").rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let known = map.recon.packages.iter().any(|package| package.name.to_ascii_lowercase().contains(&name))
        || map.recon.documents.iter().any(|document| {
            document.title.as_ref().is_some_and(|title| title.to_ascii_lowercase().replace(' ', "-").contains(&name))
        });
    !known
}

fn has_manifest(map: &RepoMap, folder: &str) -> bool {
    map.recon.packages.iter().any(|package| package.folder == folder)
}

fn map_has_folder(map: &RepoMap, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    map.files.iter().any(|file| file.path.starts_with(&prefix))
        || map.other_files.iter().any(|path| path.starts_with(&prefix))
}

fn is_missing(map: &RepoMap, targets: &Targets, named: &Named, home: &str) -> bool {
    match named {
        Named::Script { name, folder, .. } => {
            let scripts: Vec<&str> = map
                .recon
                .packages
                .iter()
                .flat_map(|package| &package.scripts)
                .map(|script| script.name.as_str())
                .collect();
            // Somewhere in the repository is enough: which folder the reader is in is not certain.
            let is_node = map.recon.packages.iter().any(|package| package.manager != PackageManager::Cargo);
            let in_package = folder
                .as_deref()
                .is_some_and(|folder| package_json_around(map, folder) || package_json_around(map, home));
            is_node && in_package && !scripts.contains(&name.as_str())
        }
        Named::Make(name) => is_missing_task(map, TaskRunner::Make, name),
        Named::Just(name) => is_missing_task(map, TaskRunner::Just, name),
        Named::Crate(name) => {
            let mut crates =
                map.recon.packages.iter().filter(|package| package.manager == PackageManager::Cargo).peekable();
            crates.peek().is_some()
                && crates
                    .all(|package| package.name != *name && package.dependencies.iter().all(|own| own.name != *name))
        }
        Named::Target(kind, name) => targets.of(*kind).is_some_and(|names| !names.contains(name)),
        Named::Path(path) => {
            let folder = folder_of(path);
            let is_script = path
                .rsplit_once('.')
                .is_some_and(|(_, end)| ["sh", "bash", "js", "mjs", "cjs", "ts", "py", "rb", "pl"].contains(&end));
            // A folder that is there but does not hold the script; build output has no folder in the tree.
            is_script && !map.has_path(path) && !folder.is_empty() && map_has_folder(map, folder)
        }
    }
}

fn package_json_around(map: &RepoMap, folder: &str) -> bool {
    map.recon.packages.iter().any(|package| {
        package.manager != PackageManager::Cargo
            && (package.folder.is_empty()
                || package.folder == folder
                || folder.starts_with(&format!("{}/", package.folder)))
    })
}

fn is_missing_task(map: &RepoMap, runner: TaskRunner, name: &str) -> bool {
    let mut files = map.recon.task_files.iter().filter(|file| file.runner == runner).peekable();
    files.peek().is_some()
        && files.all(|file| !file.open && file.tasks.iter().all(|task| task != name))
        && !map.has_path(name)
}

fn finding(map: &RepoMap, targets: &Targets, document: &Document, found: &[Stale<'_>]) -> Finding {
    let first = &found[0];
    let is_first = matches!(document.kind, DocumentKind::Readme | DocumentKind::Agents | DocumentKind::Contributing);
    let near = match nearest(map, targets, &first.named).first() {
        Some(name) if found.len() == 1 => format!(" The closest that exists is `{name}`."),
        _ => String::new(),
    };
    let title = if found.len() == 1 {
        format!("`{}` tells readers to run `{}`, which does not exist", document.path, name_of(&first.named))
    } else {
        format!("{} of `{}` name something that does not exist", count_of(found.len(), "command"), document.path)
    };
    let said: Vec<String> = found
        .iter()
        .take(SHOWN)
        .map(|stale| format!("`{}` (there is no {})", stale.command.text, label(&stale.named)))
        .collect();
    let mut draft = FindingDraft::at_lines(&DOC, &document.path, first.command.line, first.command.line, "command")
        .expecting(name_of(&first.named))
        .title(title)
        .message(format!(
            "`{}` tells its readers to run {}.{near} Newcomers and agents fail on it.",
            document.path,
            said.join(", ")
        ))
        .impact(if is_first { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High);
    for stale in found.iter().skip(1).take(SHOWN - 1) {
        draft = draft.and_lines(&document.path, stale.command.line, stale.command.line, "command");
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

/// Existing names that share a word with the missing one, the closest first.
fn nearest(map: &RepoMap, targets: &Targets, named: &Named) -> Vec<String> {
    let recon = &map.recon;
    let tasks = |runner| {
        recon
            .task_files
            .iter()
            .filter(move |file| file.runner == runner)
            .flat_map(|file| file.tasks.iter().cloned())
            .collect()
    };
    let known: Vec<String> = match named {
        Named::Script { .. } => {
            recon.packages.iter().flat_map(|package| &package.scripts).map(|own| own.name.clone()).collect()
        }
        Named::Make(_) => tasks(TaskRunner::Make),
        Named::Just(_) => tasks(TaskRunner::Just),
        Named::Crate(_) => recon.packages.iter().map(|package| package.name.clone()).collect(),
        Named::Target(kind, _) => targets.of(*kind).into_iter().flatten().cloned().collect(),
        Named::Path(path) => {
            let folder = format!("{}/", folder_of(path));
            let sources = map.files.iter().map(|file| &file.path);
            sources.chain(&map.other_files).filter(|other| other.starts_with(&folder)).cloned().collect()
        }
    };
    let words = |name: &str| -> Vec<String> {
        let stem = name.rsplit('/').next().unwrap_or(name);
        stem.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_ascii_lowercase).collect()
    };
    // A file of that very name, moved elsewhere, is what is meant.
    if let Named::Path(path) = named {
        let name = path.rsplit('/').next().unwrap_or(path);
        let moved = map.files.iter().map(|file| &file.path).chain(&map.other_files);
        let moved: Vec<String> =
            moved.filter(|other| other.rsplit('/').next() == Some(name)).take(4).cloned().collect();
        if !moved.is_empty() {
            return moved;
        }
    }
    let wanted = words(name_of(named));
    let mut scored: Vec<(usize, String)> = known
        .into_iter()
        .map(|name| (words(&name).iter().filter(|word| wanted.contains(word)).count(), name))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.len().cmp(&b.1.len())).then_with(|| a.1.cmp(&b.1)));
    scored.dedup();
    scored.into_iter().take(4).map(|(_, name)| name).collect()
}
