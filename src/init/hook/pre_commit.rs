//! pre-commit's file: a local hook of the stage before a push.

use saphyr::Yaml;

use super::LINE;
use super::lines::{entry, inserted, marked, plain};

/// What stands below `repos:`.
pub(super) const SNIPPET: &str = "- repo: local
  hooks:
    - id: improve
      name: what this branch brings
      entry: sh -c '{line}'
      language: system
      stages: [pre-push]
      pass_filenames: false
      always_run: true
";

/// The file with our hook. `None` where that would be a guess.
pub(super) fn added(text: &str) -> Option<String> {
    let root = marked(text)?;
    let (line, repos) = entry(&root, "repos")?;
    let first = repos.data.as_sequence()?.first()?.span.start.line();
    if first <= line {
        return None;
    }
    let after = inserted(text, line, first, &SNIPPET.replace("{line}", LINE))?;
    let is_the_same = without(plain(&after)?)? == plain(text)?;
    is_the_same.then_some(after)
}

/// The document without the first of its repositories, which is ours.
fn without(mut root: Yaml<'_>) -> Option<Yaml<'_>> {
    root.as_mapping_mut()?.get_mut(&Yaml::value_from_str("repos"))?.as_sequence_mut()?.remove(0);
    Some(root)
}
