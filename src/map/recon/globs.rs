//! Workspace member patterns: `packages/*`, `./apps/**`, `!**/test`.

use globset::{GlobBuilder, GlobMatcher};

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
