//! Regions: the lines that stand under a heading, as a hunk's `@@ class A` says. Told by indent, so that it works in any language.

use std::ops::Range;

use super::indent::indent_of;
use super::matching::Line;

/// The lines under `headings`, each inside the one before, headings included; all lines when there are none. An error is the
/// heading that is not there.
pub(crate) fn under(file: &[Line<'_>], headings: &[String]) -> Result<Vec<Range<usize>>, String> {
    let mut regions: Vec<Range<usize>> = std::iter::once(0..file.len()).collect();
    for heading in headings.iter().filter(|heading| !heading.trim().is_empty()) {
        let inside: Vec<Range<usize>> = regions
            .iter()
            .flat_map(|region| lines_with(file, region.clone(), heading.trim()))
            .map(|line| line..end_of(file, line))
            .collect();
        if inside.is_empty() {
            return Err(heading.clone());
        }
        regions = disjoint(inside);
    }
    Ok(regions)
}

/// The lines that are `heading`, else those that hold it as words.
fn lines_with(file: &[Line<'_>], region: Range<usize>, heading: &str) -> Vec<usize> {
    let found = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
        region.clone().filter(|line| is_it(file[*line].text.trim())).collect()
    };
    let same = found(&|line| line == heading);
    if !same.is_empty() {
        return same;
    }
    let words = heading.trim_end_matches(['{', ':', '.', ' ']);
    if words.is_empty() { Vec::new() } else { found(&|line| holds_words(line, words)) }
}

fn holds_words(line: &str, words: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(words).any(|(at, _)| {
        let cut_left = is_word(line[..at].chars().next_back()) && is_word(words.chars().next());
        let cut_right = is_word(line[at + words.len()..].chars().next()) && is_word(words.chars().next_back());
        !cut_left && !cut_right
    })
}

/// The index behind the last line that stands deeper than the heading, or closes what it opened.
fn end_of(file: &[Line<'_>], heading: usize) -> usize {
    let depth = indent_of(file[heading].text).len();
    let goes_on = |line: &Line<'_>| {
        let text = line.text.trim();
        let belongs = text.starts_with(['}', ')', ']', '{']) || text == "where" || text.starts_with("where ");
        text.is_empty() || indent_of(line.text).len() > depth || indent_of(line.text).len() == depth && belongs
    };
    let length = file[heading + 1..].iter().take_while(|line| goes_on(line)).count();
    heading + 1 + length
}

/// Without the regions that lie inside another.
fn disjoint(mut regions: Vec<Range<usize>>) -> Vec<Range<usize>> {
    regions.sort_by_key(|region| (region.start, usize::MAX - region.end));
    let mut kept: Vec<Range<usize>> = Vec::new();
    for region in regions {
        match kept.last_mut() {
            Some(last) if region.start < last.end => last.end = last.end.max(region.end),
            _ => kept.push(region),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::matching::lines_of;
    use super::*;

    const TEXT: &str = "class A {\n  get(\n    a: B,\n  ) {\n    one();\n  }\n}\n\nexport class B extends A {\n  get() {\n    two();\n  }\n}\n";

    fn regions(headings: &[&str]) -> Result<Vec<(usize, usize)>, String> {
        let headings: Vec<String> = headings.iter().map(|it| (*it).to_owned()).collect();
        let regions = under(&lines_of(TEXT), &headings)?;
        Ok(regions.into_iter().map(|region| (region.start, region.end)).collect())
    }

    #[test]
    fn a_region_reaches_to_the_end_of_what_its_heading_opens() {
        assert_eq!(regions(&[]), Ok(vec![(0, 13)]));
        assert_eq!(regions(&["class A {"]), Ok(vec![(0, 8)]));
        assert_eq!(regions(&["class B"]), Ok(vec![(8, 13)]), "a heading may leave out what stands around it");
        assert_eq!(regions(&["get("]), Ok(vec![(1, 6)]), "the whole line goes before a part of one");
        assert_eq!(regions(&["class B", "get()"]), Ok(vec![(9, 12)]));
        assert_eq!(regions(&["class C"]), Err("class C".to_owned()));
        assert_eq!(regions(&["class A", "two();"]), Err("two();".to_owned()), "a heading inside another region");
    }
}
