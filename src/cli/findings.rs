//! Every finding there is, for commands that look for one of them, or for what became of it.

use std::sync::Arc;

use improve::audit::sarif_in::Imports;
use improve::audit::{AuditOptions, Depth};
use improve::effects::{Effects, effects};
use improve::finding::Finding;
use improve::git::{CommitId, Repository};
use improve::repo_map::RepoMap;
use improve::survey::{Survey, map_at};
use improve::tree::Tree;

use super::Context;
use super::audit::read_advisories;
use super::failure::Failure;
use super::globals::Workspace;
use super::progress::Bar;

/// Every finding there is, however doubtful, suppressed ones and those of other tools included.
pub fn all_findings(
    imports: Option<Arc<Imports>>,
    workspace: &Workspace,
    survey: &Survey,
) -> Result<Vec<Finding>, Failure> {
    all_of(&survey.map, survey.effects(), &survey.tree, imports, workspace)
}

/// The same at a commit; `name` is what is kept for the next time.
pub fn all_findings_at(
    commit: &CommitId,
    name: &str,
    git: &Repository,
    workspace: &Workspace,
    context: &Context,
) -> Result<Vec<Finding>, Failure> {
    let bar = Bar::new(&context.console, context.cancel.clone());
    let (tree, map) = map_at(git, commit, name, &workspace.settings, &bar)?;
    all_of(&map, &effects(&map), &tree, None, workspace)
}

fn all_of(
    map: &RepoMap,
    effects: &Effects,
    tree: &dyn Tree,
    imports: Option<Arc<Imports>>,
    workspace: &Workspace,
) -> Result<Vec<Finding>, Failure> {
    let advisories = read_advisories(workspace)?;
    let options = AuditOptions { depth: Depth::Deep, advisories, imports, ..AuditOptions::default() };
    let audit = improve::audit::run(map, effects, tree, &options)?;
    let suppressed = audit.suppressed.into_iter().map(|suppressed| suppressed.finding);
    Ok(audit.findings.into_iter().chain(suppressed).chain(audit.rejected).chain(audit.known).collect())
}

/// The finding whose fingerprint begins with `id`.
pub fn find(id: &str, findings: Vec<Finding>) -> Result<Finding, Failure> {
    let wanted = id.to_ascii_lowercase();
    let mut matching: Vec<Finding> =
        findings.into_iter().filter(|finding| !wanted.is_empty() && finding.fingerprint.starts_with(&wanted)).collect();
    match matching.len() {
        1 => Ok(matching.remove(0)),
        0 => Err(Failure::usage(format!("no finding of this repository has a fingerprint that begins with `{id}`"))
            .hint(
                "`improve audit` lists them; a fingerprint changes when the quoted line does; what another tool found is known \
                 with --sarif-in FILE",
            )),
        _ => {
            let mut failure = Failure::usage(format!("several findings have a fingerprint that begins with `{id}`"))
                .hint("write more of it");
            failure.places =
                matching.iter().take(8).map(|finding| format!("{}  {}", finding.fingerprint, finding.title)).collect();
            Err(failure)
        }
    }
}
