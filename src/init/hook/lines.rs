//! Lines added to YAML that people wrote: comments and layout stay, and the result is read again before it counts.

use saphyr::{LoadableYamlNode, MarkedYaml, Yaml};

/// The only document of `text`, with places.
pub(super) fn marked(text: &str) -> Option<MarkedYaml<'_>> {
    let mut documents = MarkedYaml::load_from_str(text).ok()?;
    (documents.len() == 1).then(|| documents.remove(0))
}

/// The only document of `text`.
pub(super) fn plain(text: &str) -> Option<Yaml<'_>> {
    let mut documents = Yaml::load_from_str(text).ok()?;
    (documents.len() == 1).then(|| documents.remove(0))
}

/// The value of `key`, with the line on which the key stands, 1-based.
pub(super) fn entry<'a, 'input>(node: &'a MarkedYaml<'input>, key: &str) -> Option<(usize, &'a MarkedYaml<'input>)> {
    let mapping = node.data.as_mapping()?;
    let (name, value) = mapping.iter().find(|(name, _)| name.data.as_str() == Some(key))?;
    Some((name.span.start.line(), value))
}

/// `text` with `lines` behind its line `number`, each as far in as line `like` is. `None` where that line holds a tab.
pub(super) fn inserted(text: &str, number: usize, like: usize, lines: &str) -> Option<String> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let model = text.lines().nth(like.checked_sub(1)?)?;
    let margin = &model[..model.len() - model.trim_start().len()];
    if margin.contains('\t') {
        return None;
    }
    let mut result = String::with_capacity(text.len() + lines.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        result.push_str(line);
        if index + 1 == number {
            if !line.ends_with('\n') {
                result.push_str(end);
            }
            lines.lines().for_each(|line| result.extend([margin, line, end]));
        }
    }
    Some(result)
}

/// `text` with `lines` at its end, behind an empty line.
pub(super) fn appended(text: &str, lines: &str) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if text.is_empty() { "" } else { end };
    let close = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    format!("{text}{close}{gap}{}", lines.replace('\n', end))
}

/// `text` without `lines`, which stand in it together and as far in as one another, and without the empty line that was put before
/// them at its end.
pub(super) fn cut(text: &str, lines: &str) -> Option<String> {
    let wanted: Vec<&str> = lines.lines().collect();
    let there: Vec<&str> = text.split_inclusive('\n').collect();
    let bare: Vec<&str> = there.iter().map(|line| line.trim_end_matches(['\n', '\r'])).collect();
    let stand = |window: &[&str]| {
        let margin =
            window[0].strip_suffix(wanted[0]).filter(|margin| margin.chars().all(|character| character == ' '));
        margin
            .is_some_and(|margin| window.iter().zip(&wanted).all(|(line, own)| line.strip_prefix(margin) == Some(own)))
    };
    let at = bare.windows(wanted.len()).position(stand)?;
    let end = at + wanted.len();
    let gap = end == there.len() && at > 0 && bare[at - 1].is_empty();
    Some([&there[..at - usize::from(gap)], &there[end..]].concat().concat())
}
