//! The first paragraph of a README that says something: badges, pictures, links and notes about versions are passed over.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

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
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM).into_offset_iter() {
        match event {
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

/// A note on versions or translations rather than on the project.
fn is_remark(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["note:", "warning:", "important:", "english |", "this readme is", "looking for", "[!"].iter().any(|head| lower.starts_with(head))
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
    }
}
