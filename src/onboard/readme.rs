//! The first paragraph of a README that says something: badges, pictures, links and notes about versions are passed over.

use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use regex::Regex;

use super::doc_comment::{cut, sentence};

/// Words below which a paragraph says nothing, links and pictures not counted.
const FEWEST_WORDS: usize = 6;
/// Characters that are quoted.
const LONGEST: usize = 600;

/// A paragraph and the line it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paragraph {
    pub line: u32,
    pub text: String,
}

/// The first paragraph that tells what this is.
pub(super) fn first_paragraph(text: &str) -> Option<Paragraph> {
    let mut open: Option<(usize, String, usize)> = None;
    let (mut quotes, mut links) = (0_usize, 0_usize);
    let (mut heading, mut in_heading) = (String::new(), false);
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                heading.clear();
                in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(words) if in_heading => heading.push_str(&words.to_lowercase()),
            Event::Start(Tag::HtmlBlock) if quotes == 0 && !speaks_of_use(&heading) => {
                if let Some(said) = of_html(&text[range.clone()]) {
                    let line = text[..range.start].matches('\n').count() as u32 + 1;
                    return Some(Paragraph { line, text: cut(&said, LONGEST) });
                }
            }
            Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::Table(_)) => quotes += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Table) => quotes = quotes.saturating_sub(1),
            Event::Start(Tag::Paragraph) if quotes == 0 => open = Some((range.start, String::new(), 0)),
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => links += 1,
            Event::End(TagEnd::Link | TagEnd::Image) => links = links.saturating_sub(1),
            Event::Text(words) | Event::Code(words) => {
                if let Some((_, text, own)) = &mut open {
                    text.push_str(&words);
                    *own += if links == 0 { words.split_whitespace().count() } else { 0 };
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, text, _)) = &mut open {
                    text.push(' ');
                }
            }
            Event::End(TagEnd::Paragraph) => {
                if let Some((start, said, own)) = open.take()
                    && own >= FEWEST_WORDS
                    && !is_remark(&said)
                    && !speaks_of_use(&heading)
                {
                    let line = text[..start].matches('\n').count() as u32 + 1;
                    let text = cut(&said.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST);
                    return Some(Paragraph { line, text });
                }
            }
            _ => {}
        }
    }
    None
}

/// The first sentence of that paragraph.
pub(super) fn first_sentence(text: &str) -> Option<String> {
    sentence(&first_paragraph(text)?.text)
}

/// A section on how to use or build it, which does not say what it is.
fn speaks_of_use(heading: &str) -> bool {
    let words = [
        "install",
        "getting started",
        "get started",
        "usage",
        "quick",
        "documentation",
        "docs",
        "licen",
        "contribut",
        "community",
        "support",
        "requirement",
        "sponsor",
        "build",
        "running",
        "example",
        "setup",
        "set up",
        "deploy",
        "news",
        "changelog",
        "contents",
    ];
    words.iter().any(|word| heading.contains(word))
}

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)<a\b.*?</a>|<!--.*?-->").expect("the pattern is tested"));
static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<[^>]*>").expect("the pattern is tested"));

/// What a block of HTML says without its links: a line of welcome often stands centred.
fn of_html(block: &str) -> Option<String> {
    let text = LINK.replace_all(block, " ");
    let mut parts = text.split("</p>").flat_map(|part| part.split("<br")).map(|part| {
        TAG.replace_all(part, " ").split_whitespace().filter(|word| *word != "/>").collect::<Vec<_>>().join(" ")
    });
    let said = parts.find(|said| {
        said.split(' ').filter(|word| word.chars().any(char::is_alphabetic)).count() >= FEWEST_WORDS
            && !said.contains(['|', '&', '{'])
    })?;
    (!is_remark(&said)).then_some(said)
}

/// A note on versions or translations rather than on the project.
fn is_remark(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["note:", "warning:", "important:", "english |", "this readme is", "looking for", "[!"]
        .iter()
        .any(|head| lower.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges_notes_and_rows_of_links_are_passed_over() {
        let text = "# Shop\n\n[![ci](a)](b) ![x](y)\n\n> a note that is long enough to be taken for text\n\n[Docs](a) | [Chat](b)\n\n\
                    Sells things to people\nwho want [them](x) soon.\n\nMore.\n";
        let found = first_paragraph(text).expect("there is one");
        assert_eq!((found.line, found.text.as_str()), (9, "Sells things to people who want them soon."));
        assert_eq!(first_paragraph("# Title\n\n<p>html</p>\n"), None);
        let centred =
            "<p align=\"center\">\n  <img src=\"x\"/>\n  <i>A small and fast way to count your visitors.</i>\n</p>\n";
        let found = first_paragraph(centred).expect("there is one");
        assert_eq!(found.text, "A small and fast way to count your visitors.");
        assert_eq!(
            first_paragraph("# A\n\n## Getting started\n\nA detailed guide to all of this is elsewhere.\n"),
            None
        );
    }
}
