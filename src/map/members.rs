//! Workspace member patterns: `packages/*`, `./apps/**`, `!**/test`, and where npm, yarn, bun and pnpm write them.

use globset::{GlobBuilder, GlobMatcher};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

/// Patterns of a workspace; a leading `!` takes out.
pub(super) struct Members {
    patterns: Vec<(bool, GlobMatcher)>,
}

impl Members {
    /// Patterns that are no glob match nothing.
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let patterns = patterns
            .into_iter()
            .filter_map(|pattern| {
                let (keep, plain) = match pattern.strip_prefix('!') {
                    Some(rest) => (false, rest),
                    None => (true, pattern),
                };
                let plain = plain.trim_start_matches("./").trim_end_matches('/');
                Some((keep, GlobBuilder::new(plain).literal_separator(true).build().ok()?.compile_matcher()))
            })
            .collect();
        Self { patterns }
    }

    /// Whether `folder`, relative to the workspace, is a member.
    pub(super) fn contains(&self, folder: &str) -> bool {
        let any = |wanted: bool| self.patterns.iter().any(|(keep, glob)| *keep == wanted && glob.is_match(folder));
        any(true) && !any(false)
    }
}

/// `path` relative to `folder`, if it stands below.
pub(super) fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// The patterns in `workspaces` of a `package.json`: a list, or an object that holds one.
pub(super) fn npm_patterns(workspaces: &Value) -> Vec<&str> {
    let list = workspaces.as_array().or_else(|| workspaces["packages"].as_array());
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The patterns in a `pnpm-workspace.yaml`; none when it holds settings alone or is broken.
pub(super) fn pnpm_patterns(text: &str) -> Vec<String> {
    let documents = Yaml::load_from_str(text).unwrap_or_default();
    let packages = documents.first().and_then(|root| root.as_mapping_get("packages"));
    let items = packages.and_then(Yaml::as_sequence).into_iter().flatten();
    items.filter_map(Yaml::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_pnpm_are_read_in_any_style_of_yaml() {
        let block = "# c\npackages:\n- \"apps/*\"\n- packages/** # all\ncatalog:\n  - x\n";
        assert_eq!(pnpm_patterns(block), ["apps/*", "packages/**"]);
        assert_eq!(
            pnpm_patterns("packages: ['apps/*', \"libs/**\", '!**/test/**']\n"),
            ["apps/*", "libs/**", "!**/test/**"]
        );
        assert_eq!(pnpm_patterns("onlyBuiltDependencies:\n  - esbuild\n"), [] as [&str; 0]);
        assert_eq!(pnpm_patterns("packages: [\n"), [] as [&str; 0]);
    }

    #[test]
    fn a_leading_exclamation_mark_takes_out() {
        let members = Members::new(["packages/**", "!packages/old", "./tools/cli/"]);
        assert!(members.contains("packages/a/b") && members.contains("tools/cli"));
        assert!(!members.contains("packages/old") && !members.contains("tools"));
    }
}
