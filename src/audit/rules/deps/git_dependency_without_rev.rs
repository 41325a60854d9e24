//! `git-dependency-without-rev`: a dependency on whatever a branch of a git repository holds.

use std::collections::BTreeSet;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::owners::owners;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::lockfile_of;
use crate::audit::text::FileText;
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{CommandPurpose, GitReference, GitSource, Package, PackageManager};

/// A git dependency that moves.
pub struct GitDependencyWithoutRev;

static DOC: RuleDoc = RuleDoc {
    id: "git-dependency-without-rev",
    category: Category::Migration,
    what: "a dependency fetched from a git repository that names no commit and no tag",
    why: "every refresh of the lock file takes whatever the branch holds that day, unreviewed and without a version to compare",
    quiet_when: "the requirement names a `rev` or a `tag`; shown only at `--effort deep` where a lock file holds it",
    example: "[dependencies]\nactivitypub = { git = \"https://example.org/activitypub\", branch = \"main\" }",
};

impl Rule for GitDependencyWithoutRev {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let owners = owners(map, ground.tree);
        let mut found: Vec<(Vec<&GitSource>, Vec<&str>, &Package)> = Vec::new();
        for package in &map.recon.packages {
            for dependency in &package.dependencies {
                let Some(source) = &dependency.git else { continue };
                let is_held = matches!(source.reference, Some(GitReference::Rev(_) | GitReference::Tag(_)));
                if is_held {
                    continue;
                }
                // Crates of one repository move together, and a workspace inherits one line many times.
                let same =
                    found.iter_mut().find(|(own, ..)| own[0].url == source.url && own[0].reference == source.reference);
                let Some((sources, names, _)) = same else {
                    found.push((vec![source], vec![&dependency.name], package));
                    continue;
                };
                if !names.contains(&dependency.name.as_str()) {
                    names.push(&dependency.name);
                }
                if sources.iter().all(|own| own.manifest != source.manifest) {
                    sources.push(source);
                }
            }
        }
        let is_own =
            |source: &GitSource| owner_of(&source.url).is_some_and(|owner| owners.contains(&owner.to_lowercase()));
        found
            .into_iter()
            .map(|(sources, names, package)| finding(map, &sources, &names, package, is_own(sources[0])))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let at = |place: &Evidence| {
            context.map.recon.packages.iter().find_map(|package| {
                let dependency = package.dependencies.iter().find(|own| {
                    own.git.as_ref().is_some_and(|git| git.manifest == place.file && git.line == place.start_line)
                })?;
                Some((dependency.git.as_ref()?, package))
            })
        };
        let (source, package) = at(finding.location())?;
        let lockfiles: BTreeSet<String> =
            finding.evidence.iter().filter_map(|place| lockfile_of(context.map, at(place)?.1)).collect();
        let gone: Vec<GateDraft> = finding
            .evidence
            .iter()
            .filter_map(|place| {
                let text = FileText::read(context.tree, &place.file)?;
                let line = text.line(place.start_line)?.trim().trim_end_matches(',').to_owned();
                Some(GateDraft::TextGone { text: line, file: place.file.clone() })
            })
            .collect();
        let places: Vec<String> =
            finding.evidence.iter().map(|place| format!("`{}` line {}", place.file, place.start_line)).collect();
        let written = if package.manager == PackageManager::Cargo {
            "add `rev = \"<commit>\"` and remove `branch`, for every crate that names this repository; then `cargo check` rewrites the lock file"
        } else {
            "end the requirement in `#<commit>`; then install, which rewrites the lock file"
        };
        let today = lockfiles.first().map_or_else(
            || format!("`git ls-remote {}` says what the branch holds.", source.url),
            |lockfile| format!("The commit in use today stands in `{lockfile}`, behind the address `{}`.", source.url),
        );
        let scope = |path: &str, remark: &str| ScopeDraft { path: path.to_owned(), remark: remark.to_owned() };
        let manifests = finding.evidence.iter().map(|place| scope(&place.file, "the requirement"));
        let locks = lockfiles.iter().map(|path| scope(path, "as the package manager writes it"));
        Some(PlanDraft {
            title: format!("Hold the git dependency on `{}` at a commit", source.url),
            why: format!("{} With a commit named, taking a newer one is a change somebody reviews.", finding.message),
            steps: vec![StepDraft {
                title: "Name the commit that is in use".to_owned(),
                instruction: format!("{today} In {}: {written}.", places.join(", ")),
                edits: Vec::new(),
                gates: gone
                    .iter()
                    .cloned()
                    .chain([GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)])
                    .collect(),
            }],
            in_scope: manifests.chain(locks).collect(),
            out_of_scope: vec![("a newer commit".to_owned(), "the code that is built must stay the same".to_owned())],
            goals: gone,
            stop_conditions: vec![
                format!("the lock file does not name a commit of `{}`", source.url),
                "a released version holds the same commit: then require that version instead, and say so".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// `acme` of `https://github.com/acme/shop`, `git@github.com:acme/shop.git` and `github:acme/shop`.
fn owner_of(url: &str) -> Option<&str> {
    let (_, rest) =
        [".com/", ".com:", ".org/", ".org:", "github:", "gitlab:"].iter().find_map(|host| url.split_once(host))?;
    rest.split('/').next().filter(|owner| !owner.is_empty())
}

fn finding(map: &RepoMap, sources: &[&GitSource], names: &[&str], package: &Package, is_own: bool) -> Finding {
    let source = sources[0];
    let held = match &source.reference {
        Some(GitReference::Branch(branch)) => format!("the branch `{branch}`"),
        Some(GitReference::Rev(_) | GitReference::Tag(_)) | None => "the default branch".to_owned(),
    };
    let locked = lockfile_of(map, package).is_some();
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut draft = FindingDraft::at_lines(&DOC, &source.manifest, source.line, source.line, "requirement")
        .title(format!("{listed} {} {held} of a git repository", if names.len() == 1 { "follows" } else { "follow" }))
        .message(format!(
            "{listed} {} from {held} of `{}`; {}.",
            if names.len() == 1 { "comes" } else { "come" },
            source.url,
            if locked {
                "the next refresh of the lock file takes whatever stands there"
            } else {
                "no lock file holds it, so every build takes whatever stands there"
            }
        ))
        .impact(if locked { 2 } else { 3 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(match (locked, is_own) {
            (false, false) => Confidence::High,
            // Own code is reviewed where it is written.
            (false, true) => Confidence::Med,
            // A lock file holds it until somebody asks for a newer one.
            (true, _) => Confidence::Low,
        });
    for other in &sources[1..] {
        draft = draft.and_lines(&other.manifest, other.line, other.line, "requirement");
    }
    draft.build()
}

#[cfg(test)]
mod tests {
    use super::owner_of;

    #[test]
    fn the_owner_of_a_repository_stands_behind_its_host() {
        assert_eq!(owner_of("https://github.com/acme/shop.git"), Some("acme"));
        assert_eq!(owner_of("git@github.com:acme/shop.git"), Some("acme"));
        assert_eq!(owner_of("github:acme/shop#main"), Some("acme"));
        assert_eq!(owner_of("https://example.net/shop"), None);
    }
}
