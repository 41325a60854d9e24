//! Path filter: which files findings are reported on.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::audit::{AuditError, AuditOptions};

/// Which files the user asked about.
pub(super) struct PathFilter {
    paths: Option<GlobSet>,
    exclude: GlobSet,
}

impl PathFilter {
    pub(super) fn new(options: &AuditOptions) -> Result<PathFilter, AuditError> {
        let paths = (!options.paths.is_empty()).then(|| globs(&options.paths)).transpose()?;
        Ok(PathFilter { paths, exclude: globs(&options.exclude)? })
    }

    pub(super) fn keeps(&self, path: &str) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.is_match(path)) && !self.exclude.is_match(path)
    }
}

impl AuditOptions {
    /// Whether findings in this file are reported on. Globs that are none were refused when the audit began.
    pub fn keeps(&self, path: &str) -> bool {
        PathFilter::new(self).is_ok_and(|filter| filter.keeps(path))
    }
}

/// A path, a folder or a glob each; a bare name matches at any depth, as in `.gitignore`.
fn globs(patterns: &[String]) -> Result<GlobSet, AuditError> {
    let bad = |glob: &str, error: &globset::Error| AuditError::BadGlob {
        glob: glob.to_owned(),
        reason: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
        if trimmed.is_empty() || trimmed == "." {
            set.add(Glob::new("**").map_err(|error| bad(pattern, &error))?);
            continue;
        }
        let mut forms = vec![trimmed.to_owned(), format!("{trimmed}/**")];
        if !trimmed.contains('/') {
            forms.extend([format!("**/{trimmed}"), format!("**/{trimmed}/**")]);
        }
        for form in forms {
            set.add(Glob::new(&form).map_err(|error| bad(pattern, &error))?);
        }
    }
    set.build().map_err(|error| bad(&patterns.join(" "), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(paths: &[&str], exclude: &[&str], path: &str) -> bool {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let options = AuditOptions { paths: own(paths), exclude: own(exclude), ..AuditOptions::default() };
        PathFilter::new(&options).expect("the globs of this test are valid").keeps(path)
    }

    #[test]
    fn paths_are_files_folders_or_globs() {
        assert!(keeps(&["src"], &[], "src/a/b.ts"));
        assert!(keeps(&["./src/"], &[], "src/a/b.ts"));
        assert!(keeps(&["src/**/*.ts"], &[], "src/a/b.ts"));
        assert!(keeps(&["."], &[], "src/a/b.ts"));
        assert!(!keeps(&["lib"], &[], "src/a/b.ts"));
        assert!(!keeps(&[], &["*.ts"], "src/a/b.ts"));
        assert!(!keeps(&[], &["a"], "src/a/b.ts"));
    }
}
