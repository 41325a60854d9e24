//! Scope: which paths a plan may change, told by path segments and never by string prefixes.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::edit::path::fault;
use crate::plan::Plan;
use crate::receipt::{ChangedPath, ScopeReceipt, Violation};
use crate::worktree::{Change, Content};

/// Which paths a plan may change.
pub struct ScopeRules {
    entries: Vec<Entry>,
    /// The plan itself and its index, which belong to this program.
    ours: [String; 2],
}

struct Entry {
    /// A file, or a folder with everything in it.
    path: String,
    glob: Option<GlobMatcher>,
}

impl ScopeRules {
    /// The rules of `plan`, which stands at `plan_path`. The files of its exact edits are not in scope by themselves.
    pub fn of(plan: &Plan, plan_path: &str) -> ScopeRules {
        let entries = plan.scope.in_scope.iter().filter_map(|entry| Entry::new(entry.path.as_deref()?)).collect();
        let folder = plan_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let index = if folder.is_empty() { "README.md".to_owned() } else { format!("{folder}/README.md") };
        // A plan at the root has no index: the README there is the project's own.
        let index = if folder.is_empty() { plan_path.to_owned() } else { index };
        ScopeRules { entries, ours: [plan_path.to_owned(), index] }
    }

    /// Whether the plan names any path, so that there is something to check against.
    pub fn is_known(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether `path` may be changed.
    pub fn allows(&self, path: &str) -> bool {
        fault(path).is_none() && self.entries.iter().any(|entry| entry.covers(path))
    }

    /// Whether `path` may be changed or, when it is a folder with a `/` behind it, something in it.
    pub fn reaches(&self, path: &str) -> bool {
        let inside = |entry: &Entry| path.ends_with('/') && entry.path.starts_with(path);
        self.allows(path.trim_end_matches('/')) || self.entries.iter().any(inside)
    }

    /// Whether `path` is the plan or its index: changes to it are neither judged nor committed.
    pub fn is_ours(&self, path: &str) -> bool {
        self.ours.iter().any(|ours| ours == path)
    }

    /// Paths of the in-scope list that no plan may name, and why.
    pub fn faults(plan: &Plan) -> Vec<Violation> {
        let paths = plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref());
        let edited = plan.edited_paths();
        let mut violations: Vec<Violation> = paths
            .map(clean)
            .filter_map(|path| Some(Violation { path: path.to_owned(), why: fault(path)?.to_owned() }))
            .chain(edited.filter_map(|path| Some(Violation { path: path.to_owned(), why: fault(path)?.to_owned() })))
            .collect();
        violations.sort_by(|a, b| a.path.cmp(&b.path));
        violations.dedup();
        violations
    }

    /// Whether `path` stands in the folder of the plan, where plans and what goes with them are.
    pub fn is_beside_the_plan(&self, path: &str) -> bool {
        let folder = self.ours[0].rsplit_once('/').map(|(folder, _)| folder);
        folder.is_some_and(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }

    /// What was changed, and what of it may not be.
    pub fn judge(&self, changes: &[Change]) -> ScopeReceipt {
        let judged: Vec<&Change> = changes.iter().filter(|change| !self.is_ours(&change.path)).collect();
        ScopeReceipt {
            checked: self.is_known(),
            changed: judged.iter().map(|change| changed_path(change)).collect(),
            violations: judged.iter().filter_map(|change| self.violation(change)).collect(),
        }
    }

    fn violation(&self, change: &Change) -> Option<Violation> {
        let violation = |why: &str| Some(Violation { path: change.path.clone(), why: why.to_owned() });
        if let Some(fault) = fault(&change.path) {
            return violation(fault);
        }
        if self.is_known() && !self.allows(&change.path) {
            return violation("not in the plan's scope");
        }
        match &change.new {
            Some(Content::Link { target }) if leads_outside(&change.path, target) => {
                violation("a link that leads outside the repository")
            }
            Some(Content::Other) => violation("a nested repository"),
            Some(Content::Link { .. } | Content::File { .. }) | None => None,
        }
    }
}

fn changed_path(change: &Change) -> ChangedPath {
    let mode = |content: &Option<Content>| content.as_ref().map(|content| content.mode().to_owned());
    let (added, removed) = change.lines();
    ChangedPath {
        path: change.path.clone(),
        old_mode: mode(&change.old),
        new_mode: mode(&change.new),
        added: added.len(),
        removed: removed.len(),
    }
}

fn leads_outside(path: &str, target: &Path) -> bool {
    let mut depth = path.split('/').count() - 1;
    for component in target.components() {
        match component {
            std::path::Component::ParentDir if depth == 0 => return true,
            std::path::Component::ParentDir => depth -= 1,
            std::path::Component::Normal(name) if name == ".git" => return true,
            std::path::Component::Normal(_) => depth += 1,
            std::path::Component::CurDir => {}
            std::path::Component::RootDir | std::path::Component::Prefix(_) => return true,
        }
    }
    false
}

/// An entry as plans write it, without the parts that mean nothing.
fn clean(path: &str) -> &str {
    let path = path.trim().strip_prefix("./").unwrap_or(path.trim());
    path.strip_suffix("/**").or_else(|| path.strip_suffix("/*/")).unwrap_or(path).trim_end_matches('/')
}

impl Entry {
    fn new(written: &str) -> Option<Entry> {
        let path = clean(written);
        if path.is_empty() || fault(path).is_some() {
            return None;
        }
        let glob = path.contains(['*', '?', '{', '[']).then(|| GlobBuilder::new(path).literal_separator(true).build());
        Some(Entry { path: path.to_owned(), glob: glob.and_then(Result::ok).map(|glob| glob.compile_matcher()) })
    }

    fn covers(&self, path: &str) -> bool {
        // `app/[id]/page.tsx` is a file's name in some frameworks, so what looks like a glob is also read as a path.
        let inside = path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside || self.glob.as_ref().is_some_and(|glob| glob.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Scope, ScopeEntry};

    fn plan(paths: &[&str]) -> Plan {
        let entry =
            |path: &&str| ScopeEntry { path: Some((*path).to_owned()), create: false, text: (*path).to_owned() };
        Plan { scope: Scope { in_scope: paths.iter().map(entry).collect(), ..Scope::default() }, ..Plan::default() }
    }

    #[test]
    fn scope_is_read_by_segments() {
        let rules =
            ScopeRules::of(&plan(&["src/api", "lib/**", "a/*.ts", "app/[id]/page.tsx", "./x.rs"]), "plans/001-a.md");
        let allowed = ["src/api", "src/api/deep/a.ts", "lib/x/y.ts", "a/b.ts", "app/[id]/page.tsx", "x.rs"];
        let refused = [
            "src/api-v2/a.ts",
            "src/apis.ts",
            "a/b/c.ts",
            "library/x.ts",
            "x.rs.bak",
            "../src/api/x",
            "src/api/.git/x",
        ];
        for path in allowed {
            assert!(rules.allows(path), "{path}");
        }
        for path in refused {
            assert!(!rules.allows(path), "{path}");
        }
    }

    #[test]
    fn paths_that_no_plan_may_name_are_faults_and_allow_nothing() {
        let plan = plan(&["../x", ".git/config", "src"]);
        let paths: Vec<String> = ScopeRules::faults(&plan).into_iter().map(|violation| violation.path).collect();
        assert_eq!(paths, ["../x", ".git/config"]);
        assert!(!ScopeRules::of(&plan, "plans/1.md").allows(".git/config"));
    }

    #[test]
    fn the_plan_and_its_index_are_ours() {
        let rules = ScopeRules::of(&plan(&["src"]), "plans/001-a.md");
        assert!(rules.is_ours("plans/001-a.md") && rules.is_ours("plans/README.md") && !rules.is_ours("README.md"));
    }

    #[test]
    fn a_link_out_of_the_repository_is_a_violation_even_in_scope() {
        let rules = ScopeRules::of(&plan(&["src"]), "plans/001-a.md");
        let link = |target: &str| Change {
            path: "src/a".to_owned(),
            old: None,
            new: Some(Content::Link { target: target.into() }),
        };
        let violates = |target: &str| !rules.judge(&[link(target)]).violations.is_empty();
        assert_eq!(
            [violates("../b"), violates("b/../c"), violates("../../b"), violates("/etc"), violates("../.git/config")],
            [false, false, true, true, true]
        );
    }
}
