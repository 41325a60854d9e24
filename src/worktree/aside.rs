//! Setting aside: new files that are nobody's work, such as what an install command leaves where no `.gitignore` names it.

use git2::{Status, StatusOptions};

use super::{Worktree, WorktreeError, git};

impl Worktree {
    /// New files and folders that git does not ignore, sorted; a folder without any tracked file is one entry with a `/` behind it.
    pub fn untracked(&self) -> Result<Vec<String>, WorktreeError> {
        let repository = self.repository()?;
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(false).exclude_submodules(true);
        let statuses = repository.statuses(Some(&mut options)).map_err(git("read the status"))?;
        let new = statuses.iter().filter(|entry| entry.status().contains(Status::WT_NEW));
        let mut paths: Vec<String> = new.filter_map(|entry| Some(entry.path().ok()?.to_owned())).collect();
        paths.sort();
        Ok(paths)
    }

    /// Treats these new files and folders as if git ignored them: they are neither work nor removed by a reset.
    pub fn set_aside(&mut self, paths: &[String]) {
        // A rule is a line, so such a name cannot be one.
        self.aside.extend(paths.iter().filter(|path| !path.contains(['\n', '\r'])).cloned());
        self.aside.sort();
        self.aside.dedup();
    }

    /// What was set aside, sorted.
    pub fn aside(&self) -> &[String] {
        &self.aside
    }
}

/// The line of a `.gitignore` that means exactly this path from the top.
pub(super) fn ignore_rule(path: &str) -> String {
    let mut rule = "/".to_owned();
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[' | '\\' | ' ') {
            rule.push('\\');
        }
        rule.push(character);
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_means_one_path_and_no_pattern() {
        assert_eq!(ignore_rule("node_modules/"), "/node_modules/");
        assert_eq!(ignore_rule("a [b]*?.js"), r"/a\ \[b]\*\?.js");
    }
}
