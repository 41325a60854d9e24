//! pre-commit's file: a local hook of the stage before a push.

use saphyr::Yaml;

use super::LINE;
use super::lines::{cut, entry, inserted, marked, plain};

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

/// The file without our hook. `None` where it is not as we wrote it.
pub(super) fn removed(text: &str) -> Option<String> {
    let after = cut(text, &SNIPPET.replace("{line}", LINE))?;
    let is_the_same = without(plain(text)?)? == plain(&after)?;
    is_the_same.then_some(after)
}

/// The document without the repository that is ours.
fn without(mut root: Yaml<'_>) -> Option<Yaml<'_>> {
    let repositories = root.as_mapping_mut()?.get_mut(&Yaml::value_from_str("repos"))?.as_sequence_mut()?;
    let is_ours = |repository: &Yaml<'_>| {
        let first = repository.as_mapping_get("hooks").and_then(|hooks| hooks.as_sequence()?.first());
        first.and_then(|hook| hook.as_mapping_get("id")).and_then(Yaml::as_str) == Some("improve")
    };
    let ours = repositories.iter().position(is_ours)?;
    repositories.remove(ours);
    Some(root)
}
