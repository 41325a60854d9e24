//! lefthook's file: a command among those that run before a push.

use saphyr::{Mapping, MarkedYaml, Yaml};

use super::lines::{appended, cut, entry, inserted, marked, plain};
use super::{LINE, PRE_PUSH};

/// What stands in the file where it has no `pre-push` yet.
pub(super) const SNIPPET: &str = "pre-push:\n  commands:\n    improve:\n      use_stdin: true\n      run: {line}\n";
/// The same below `pre-push`.
const COMMANDS: &str = "commands:\n  improve:\n    use_stdin: true\n    run: {line}\n";
/// The same below `commands`.
const COMMAND: &str = "improve:\n  use_stdin: true\n  run: {line}\n";
/// The same below `jobs`.
const JOB: &str = "- name: improve\n  use_stdin: true\n  run: {line}\n";

/// The file with our command. `None` where that would be a guess.
pub(super) fn added(text: &str) -> Option<String> {
    let after = match written(text)? {
        (Some((behind, like)), lines) => inserted(text, behind, like, &lines.replace("{line}", LINE))?,
        (None, lines) => appended(text, &lines.replace("{line}", LINE)),
    };
    let is_the_same = without(plain(&after)?)? == plain(text).unwrap_or(Yaml::Mapping(Mapping::default()));
    is_the_same.then_some(after)
}

/// The file without our command. `None` where it is not as we wrote it.
pub(super) fn removed(text: &str) -> Option<String> {
    // The longest first: the shorter ones are parts of it.
    [SNIPPET, COMMANDS, COMMAND, JOB].into_iter().find_map(|lines| {
        let after = cut(text, &lines.replace("{line}", LINE))?;
        let is_the_same = without(plain(text)?)? == plain(&after).unwrap_or(Yaml::Mapping(Mapping::default()));
        is_the_same.then_some(after)
    })
}

/// Behind which line our lines go and like which they are indented, and what they are. No line: at the end.
fn written(text: &str) -> Option<(Option<(usize, usize)>, &'static str)> {
    // A file of comments alone is no document.
    let Some(root) = marked(text) else { return Some((None, SNIPPET)) };
    root.data.as_mapping()?;
    let Some((line, push)) = entry(&root, PRE_PUSH) else { return Some((None, SNIPPET)) };
    let first = |node: &MarkedYaml<'_>| {
        let in_mapping = node.data.as_mapping().and_then(|it| it.keys().next()).map(|key| key.span.start.line());
        in_mapping.or_else(|| node.data.as_sequence().and_then(|it| it.first()).map(|item| item.span.start.line()))
    };
    let behind =
        |line: usize, node: &MarkedYaml<'_>| first(node).filter(|&first| first > line).map(|first| (line, first));
    if let Some((line, jobs)) = entry(push, "jobs") {
        jobs.data.as_sequence()?;
        return Some((Some(behind(line, jobs)?), JOB));
    }
    if let Some((line, commands)) = entry(push, "commands") {
        commands.data.as_mapping()?;
        return Some((Some(behind(line, commands)?), COMMAND));
    }
    Some((Some(behind(line, push)?), COMMANDS))
}

/// The document without our command, and without what is empty then.
fn without(mut root: Yaml<'_>) -> Option<Yaml<'_>> {
    let key = |word: &'static str| Yaml::value_from_str(word);
    let push = root.as_mapping_mut()?.get_mut(&key(PRE_PUSH))?.as_mapping_mut()?;
    let is_ours = |item: &Yaml<'_>| item.as_mapping_get("name").and_then(Yaml::as_str) == Some("improve");
    if let Some(jobs) = push.get_mut(&key("jobs")).and_then(Yaml::as_sequence_mut)
        && let Some(ours) = jobs.iter().position(is_ours)
    {
        jobs.remove(ours);
        return Some(root);
    }
    let commands = push.get_mut(&key("commands"))?.as_mapping_mut()?;
    commands.remove(&key("improve"))?;
    if commands.is_empty() {
        push.remove(&key("commands"));
        if push.is_empty() {
            root.as_mapping_mut()?.remove(&key(PRE_PUSH));
        }
    }
    Some(root)
}
