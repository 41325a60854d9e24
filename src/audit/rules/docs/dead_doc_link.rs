//! `dead-doc-link`: a link of a document to a file that is not there.

use std::collections::{BTreeMap, BTreeSet};

use ignore::gitignore::GitignoreBuilder;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::pages::{is_archived, is_translated};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of, folder_of, join_path, relative_path};
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::name::{file_name, words};
use crate::repo_map::recon::prose::DocumentLink;
use crate::repo_map::recon::{Document, DocumentKind};
use crate::tree::Tree;

/// A relative link that leads nowhere.
pub struct DeadDocLink;

static DOC: RuleDoc = RuleDoc {
    id: "dead-doc-link",
    category: Category::Docs,
    what: "a relative link of a Markdown document to a file or folder that does not exist",
    why: "a reader, or an agent that gathers context, follows it and stops there",
    quiet_when: "the link starts at the root of a site, leaves the repository, has no file extension and may be a route, points \
                 into a submodule, to what a sparse checkout left out or to what git is told to ignore, or the document is a changelog, a translation, one of an archive or a template to fill in (`adr/template.md`, `ISSUE_TEMPLATE/`)",
    example: "See [the guide](docs/guide.md)   <!-- docs/guide.md was renamed -->",
};

/// Links shown for one document.
const SHOWN: usize = 5;

impl Rule for DeadDocLink {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        groups(ground.map, ground.tree).iter().map(|group| finding(ground.map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// A dead link and its document.
type Dead<'a> = (&'a Document, &'a DocumentLink);

/// Dead links that are mended together: those of several documents to one file, those that are written alike in documents of one name,
/// then what is left of each document.
fn groups<'a>(map: &'a RepoMap, tree: &dyn Tree) -> Vec<Vec<Dead<'a>>> {
    let dead: Vec<Dead<'a>> = map
        .recon
        .documents
        .iter()
        // What an old version linked to may be gone.
        .filter(|document| document.kind != DocumentKind::Changelog && !is_template(&document.path))
        .filter(|document| !is_translated(&document.path) && !is_archived(&document.path))
        .flat_map(|document| document.links.iter().map(move |link| (document, link)))
        .filter(|(document, link)| is_dead(map, tree, document, link))
        .collect();
    let mut linking: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (document, link) in &dead {
        linking.entry(destination(document, link).unwrap_or_default()).or_default().insert(&document.path);
    }
    // Pages that lead into a folder that is gone are mended together.
    let mut into: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (document, link) in &dead {
        let folder = destination(document, link).and_then(|to| missing_folder(map, &to));
        into.entry(folder.unwrap_or_default()).or_default().insert(&document.path);
    }
    // Packages are begun by copying another: `[license](./LICENSE)` in the README of each.
    let alike = |document: &Document, link: &DocumentLink| (file_name(&document.path).to_owned(), link.target.clone());
    let mut written: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for (document, link) in &dead {
        written.entry(alike(document, link)).or_default().insert(&document.path);
    }
    let mut groups: BTreeMap<(bool, String), Vec<Dead<'a>>> = BTreeMap::new();
    for (document, link) in dead {
        let to = destination(document, link).unwrap_or_default();
        let folder = missing_folder(map, &to).filter(|folder| into[folder].len() > 1);
        let key = if let Some(folder) = folder {
            (false, folder)
        } else if linking[&to].len() > 1 {
            (false, to)
        } else if written[&alike(document, link)].len() > 1 {
            (false, link.target.clone())
        } else {
            (true, document.path.clone())
        };
        groups.entry(key).or_default().push((document, link));
    }
    // One line is the place of one finding.
    let mut found: Vec<Vec<Dead<'a>>> = Vec::new();
    for group in groups.into_values() {
        let place = |group: &[Dead<'_>]| (group[0].0.path.clone(), group[0].1.line);
        match found.iter_mut().find(|own| place(own) == place(&group)) {
            Some(own) => own.extend(group),
            None => found.push(group),
        }
    }
    found
}

/// `adr/template.md`, `adr/0000-template.md`, `.github/ISSUE_TEMPLATE/bug.md`: its links are for whoever fills it in.
fn is_template(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    words(stem).last().is_some_and(|word| word == "template")
        || matches!(parts.next(), Some("ISSUE_TEMPLATE" | "PULL_REQUEST_TEMPLATE"))
}

/// The first folder on the way to `path` that is not there.
fn missing_folder(map: &RepoMap, path: &str) -> Option<String> {
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    folders.into_iter().find(|folder| !has_folder(map, folder)).map(str::to_owned)
}

/// The path a link leads to, without fragment and query.
fn destination(document: &Document, link: &DocumentLink) -> Option<String> {
    let path = link.target.split(['#', '?']).next().unwrap_or_default();
    let path = path.replace("%20", " ");
    join_path(folder_of(&document.path), &path)
}

fn is_dead(map: &RepoMap, tree: &dyn Tree, document: &Document, link: &DocumentLink) -> bool {
    let written = link.target.split(['#', '?']).next().unwrap_or_default();
    let is_path = !written.is_empty()
        && !written.starts_with('/')
        && !written.contains(['{', '<', '$', '*', '|', '\\', '@', ' ', '('])
        && !written.ends_with("...");
    let Some(path) = destination(document, link).filter(|_| is_path) else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    // `./setup` may be a page of a documentation site: only names that say they are files are certain.
    let says_file = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && (1..=8).contains(&extension.len()) && extension.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let says_file =
        says_file || ["LICENSE", "COPYING", "Dockerfile", "Makefile", "CHANGELOG", "NOTICE"].contains(&name);
    // A generated page: the source has another extension.
    let is_page = name.ends_with(".html") || name.ends_with(".htm");
    let folder = folder_of(&path);
    says_file
        && !is_page
        && !exists(map, &path)
        && !tree.is_left_out(&path)
        && !in_submodule(map, &path)
        && !is_made(tree, &path)
        && (folder.is_empty() || reachable(map, folder))
}

/// Whether git is told to ignore the file: a program writes it, and it is there once that has run.
fn is_made(tree: &dyn Tree, path: &str) -> bool {
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    std::iter::once("").chain(folders).any(|folder| {
        let Some(patterns) = join_path(folder, ".gitignore").and_then(|file| tree.text(&file)) else { return false };
        let mut builder = GitignoreBuilder::new("");
        for line in patterns.lines() {
            // A line that is no pattern excludes nothing, as in git.
            let _ = builder.add_line(None, line);
        }
        let inside = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
        builder.build().is_ok_and(|ignored| ignored.matched_path_or_any_parents(inside, false).is_ignore())
    })
}

/// Whether it is there, or what it is made from: `config.yaml.t`, `settings.json.tmpl`.
fn exists(map: &RepoMap, path: &str) -> bool {
    let is_rendered = || {
        [".t", ".tmpl", ".template", ".tpl", ".tera", ".hbs", ".ejs", ".j2", ".liquid"]
            .iter()
            .any(|end| map.has_path(&format!("{path}{end}")))
    };
    map.has_path(path) || has_folder(map, path) || is_rendered()
}

/// Whether any file stands below `folder`.
pub(super) fn has_folder(map: &RepoMap, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    let starts = |paths: &[String]| {
        let at = paths.partition_point(|path| path.as_str() < prefix.as_str());
        paths.get(at).is_some_and(|path| path.starts_with(&prefix))
    };
    let at = map.files.partition_point(|file| file.path.as_str() < prefix.as_str());
    map.files.get(at).is_some_and(|file| file.path.starts_with(&prefix))
        || starts(&map.other_files)
        || map.skipped.iter().any(|skipped| skipped.path.starts_with(&prefix))
}

/// A folder that git knows to be another repository has no files here.
fn in_submodule(map: &RepoMap, path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    map.has_path(".gitmodules") && !has_folder(map, top)
}

/// At least the first folder is there: else the link was written for another place, as in a template.
fn reachable(map: &RepoMap, folder: &str) -> bool {
    has_folder(map, folder.split('/').next().unwrap_or_default())
}

fn finding(map: &RepoMap, dead: &[Dead<'_>]) -> Finding {
    let (home, first) = dead[0];
    let documents: BTreeSet<&str> = dead.iter().map(|(document, _)| document.path.as_str()).collect();
    let target = destination(home, first).unwrap_or_default();
    let listed: Vec<String> = dead
        .iter()
        .take(SHOWN)
        .map(|(document, link)| {
            if documents.len() == 1 {
                format!("`{}` (line {})", link.target, link.line)
            } else {
                format!("`{}:{}`", document.path, link.line)
            }
        })
        .collect();
    let more = dead.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let is_one_file = dead.iter().all(|(document, link)| destination(document, link).is_some_and(|own| own == target));
    let folder = missing_folder(map, &target).filter(|folder| {
        let into = |(document, link): &Dead<'_>| destination(document, link).and_then(|to| missing_folder(map, &to));
        dead.iter().all(|own| into(own).as_ref() == Some(folder))
    });
    let (title, message) = if let Some(folder) = folder.filter(|_| documents.len() > 1 && !is_one_file) {
        let title = format!("{} link into `{folder}/`, which does not exist", count_of(documents.len(), "document"));
        (title, format!("There is no folder `{folder}/`, and links lead into it from {}{more}", listed.join(", ")))
    } else if documents.len() > 1 && !is_one_file {
        let written = &first.target;
        let title =
            format!("{} link to `{written}`, which does not exist beside them", count_of(documents.len(), "document"));
        (
            title,
            format!("`{written}` exists in none of the folders from where it is linked: {}{more}", listed.join(", ")),
        )
    } else if documents.len() > 1 {
        let title = format!("{} link to `{target}`, which does not exist", count_of(documents.len(), "document"));
        (title, format!("`{target}` does not exist and is linked from {}{more}", listed.join(", ")))
    } else {
        let title = if dead.len() == 1 {
            format!("`{}` links to `{}`, which does not exist", home.path, first.target)
        } else {
            format!("{} of `{}` lead to files that do not exist", count_of(dead.len(), "link"), home.path)
        };
        (title, format!("`{}` links to {}{more}: no file of the repository stands there", home.path, listed.join(", ")))
    };
    // A translation is read by fewer, and repeats the fault of the others.
    let is_first_read = |document: &Document| match document.kind {
        DocumentKind::Readme => document.path.to_ascii_lowercase().ends_with("readme.md"),
        DocumentKind::Agents | DocumentKind::Contributing => true,
        _ => false,
    };
    let mut draft = FindingDraft::at_lines(&DOC, &home.path, first.line, first.line, "link")
        .title(title)
        .message(format!("{message}; readers and agents that follow it get nothing."))
        .impact(if dead.iter().any(|(document, _)| is_first_read(document)) { 2 } else { 1 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High);
    for (document, link) in dead.iter().skip(1).take(SHOWN - 1) {
        draft = draft.and_lines(&document.path, link.line, link.line, "link");
    }
    draft.build()
}

/// The one file that a dead link can only mean.
///
/// A file of the same name is not enough for source code: another package may hold a namesake. It counts when the link was
/// written for another folder (`../` too few or too many) or when the file moved within its package.
fn moved_to(map: &RepoMap, document: &Document, link: &DocumentLink) -> Option<String> {
    let written = link.target.split(['#', '?']).next()?;
    let name = written.rsplit('/').next()?;
    // Every folder has one of these.
    const COMMON: [&str; 8] =
        ["readme.md", "index.md", "package.json", "cargo.toml", "mod.rs", "lib.rs", "main.rs", "index.ts"];
    if COMMON.contains(&name.to_ascii_lowercase().as_str()) {
        return None;
    }
    let is_same = |path: &&str| path.rsplit('/').next() == Some(name);
    let sources = map.files.iter().map(|file| file.path.as_str());
    let mut found = sources.chain(map.other_files.iter().map(String::as_str)).filter(is_same);
    let only = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let tail = written.trim_start_matches("./").trim_start_matches("../");
    let tail = tail.rsplit("../").next().unwrap_or(tail);
    let is_depth = written.starts_with("../") && tail.matches('/').count() >= 2 && only.ends_with(tail);
    let package = |path: &str| map.recon.package_of(path).map(|package| package.folder.as_str());
    let is_within = || package(&destination(document, link)?).filter(|folder| Some(*folder) == package(only));
    let is_source = map.file_by_path(only).is_some();
    (!is_source || is_depth || is_within().is_some()).then(|| only.to_owned())
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let place: &Evidence = finding.location();
    let dead: Vec<Dead<'_>> = groups(map, context.tree)
        .into_iter()
        .find(|group| group[0].0.path == place.file && group[0].1.line == place.start_line)?;
    let mut paths: Vec<&str> = dead.iter().map(|(document, _)| document.path.as_str()).collect();
    paths.dedup();
    let named = match paths.as_slice() {
        [one] => format!("`{one}`"),
        _ => format!("{} documents", paths.len()),
    };
    let mut edits = Vec::new();
    let mut gates = Vec::new();
    let mut moved = Vec::new();
    let mut by_hand = Vec::new();
    for (document, link) in &dead {
        let text = FileText::read(context.tree, &document.path)?;
        let path = link.target.split(['#', '?']).next()?;
        let target = moved_to(map, document, link);
        let span = text.part_span(link.line, path);
        // Part of another path that does exist, the text could not be gone.
        let gone = (text.text.matches(path).count() == 1)
            .then(|| GateDraft::TextGone { text: path.to_owned(), file: document.path.clone() });
        gates.extend(gone.clone());
        match (target, span) {
            (Some(target), Some(span)) => {
                moved.extend(gone);
                let new = relative_path(folder_of(&document.path), &target);
                edits.push(EditDraft::Replace { file: document.path.clone(), span, text: new });
            }
            _ => by_hand.push(format!("`{}` line {}: `{}`", document.path, link.line, link.target)),
        }
    }
    edits.sort_by_key(|edit| match edit {
        EditDraft::Replace { file, span, .. } => (file.clone(), span.start),
        EditDraft::Create { file, .. } | EditDraft::Delete { file } => (file.clone(), 0),
    });
    edits.dedup();
    let gates: Vec<GateDraft> = gates.into_iter().take(SHOWN).collect();
    let mut steps = Vec::new();
    if !edits.is_empty() {
        steps.push(StepDraft {
            title: "Point the links to where the files are now".to_owned(),
            instruction: format!("In {named}, the edits below: one file of the repository has each of these names."),
            edits,
            gates: if by_hand.is_empty() { gates.clone() } else { moved },
        });
    }
    if !by_hand.is_empty() {
        steps.push(StepDraft {
            title: "Mend or remove the links that lead nowhere".to_owned(),
            instruction: format!(
                "{}. `git log --diff-filter=DR --name-status -- '*NAME'` says what became of each file. Where it was \
                 renamed, link to the new path; where it was deleted, remove the link and, if nothing is left of it, the \
                 sentence.",
                by_hand.join("; ")
            ),
            edits: Vec::new(),
            gates: gates.clone(),
        });
    }
    Some(PlanDraft {
        title: format!("Mend the dead links of {named}"),
        why: finding.message.clone(),
        steps,
        in_scope: paths
            .iter()
            .map(|path| ScopeDraft { path: (*path).to_owned(), remark: "link targets".to_owned() })
            .collect(),
        out_of_scope: vec![("the text around the links".to_owned(), "it is not what is wrong".to_owned())],
        goals: gates,
        stop_conditions: vec![format!(
            "the folder of `{}` is copied elsewhere when the documentation is built, and the links are right there",
            place.file
        )],
        ..PlanDraft::default()
    })
}
