//! The guide as a file: generated sections between marks, so that what people write between them stays, and a section is
//! written again only when what it is made from changed.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::onboard::{Guide, SectionId};

/// Who wrote what no model wrote.
pub const BUILT_IN: &str = "built-in";

/// What `improve onboard --format json` says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OnboardDocument {
    /// The facts.
    #[serde(flatten)]
    pub guide: Guide,
    /// The text of each section, as Markdown.
    pub sections: Vec<SectionText>,
}

/// The text of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SectionText {
    /// Which.
    pub section: SectionId,
    /// `built-in`, or the model that wrote it.
    pub by: String,
    /// Hash of what it says when no model writes it.
    pub facts: String,
    /// Hash of those facts and of the files they are taken from: what a model's text depends on.
    pub source: String,
    /// The text, as Markdown.
    pub markdown: String,
}

impl SectionText {
    /// A section that no model wrote.
    pub fn built_in(section: SectionId, markdown: String, source: String) -> SectionText {
        SectionText { section, by: BUILT_IN.to_owned(), facts: hash(&markdown), source, markdown }
    }

    fn marked(&self) -> String {
        let SectionText { section, by, facts, source, markdown } = self;
        // What nobody but us wrote depends on what it says alone: a line that moves in a file it names changes nothing.
        let (hash, text) = match by.as_str() {
            BUILT_IN => (facts, String::new()),
            _ => (source, format!(" text={} by={}", hash(markdown), word(by))),
        };
        format!("{OPEN} section={} hash={hash}{text} -->\n{}\n{CLOSE}\n", section.word(), markdown.trim_end())
    }
}

const OPEN: &str = "<!-- improve:onboard";
const CLOSE: &str = "<!-- /improve:onboard -->";

/// Eight bytes of a hash are enough to tell texts apart.
pub fn hash(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.trim_end().as_bytes()))[..16].to_owned()
}

fn word(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() || matches!(c, '<' | '>') { '_' } else { c })
        .collect::<String>()
        .replace("--", "__")
}

/// A file that holds a guide, as it is and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// What should stand in the file.
    pub text: String,
    /// Sections that differ from what stands there.
    pub changed: Vec<SectionId>,
    /// Sections that somebody edited: they stay as they are.
    pub edited: Vec<SectionId>,
}

/// A section found in a file.
struct Found<'a> {
    section: SectionId,
    source: &'a str,
    text: Option<&'a str>,
    by: Option<&'a str>,
    body: &'a str,
}

enum Piece<'a> {
    Kept(&'a str),
    Section(Found<'a>, &'a str),
}

/// Puts `sections` below `title` into the file `before`, if there is one that we wrote.
pub fn assembled(title: &str, sections: &[SectionText], before: Option<&str>) -> Assembled {
    let pieces = before.map(pieces).unwrap_or_default();
    if !pieces.iter().any(|piece| matches!(piece, Piece::Section(..))) {
        let mut text = title.to_owned();
        for section in sections {
            text.push('\n');
            text.push_str(&section.marked());
        }
        return Assembled {
            text,
            changed: sections.iter().map(|section| section.section).collect(),
            edited: Vec::new(),
        };
    }
    let there: BTreeSet<SectionId> = pieces.iter().filter_map(Piece::section).collect();
    let (mut known, new): (Vec<&SectionText>, Vec<&SectionText>) =
        sections.iter().partition(|own| there.contains(&own.section));
    let mut new = new.into_iter().peekable();
    let mut assembled = Assembled { text: String::new(), changed: Vec::new(), edited: Vec::new() };
    for (at, piece) in pieces.into_iter().enumerate() {
        let (found, whole) = match piece {
            Piece::Kept(text) => {
                assembled.text.push_str(&if at == 0 { titled(text, title) } else { text.to_owned() });
                continue;
            }
            Piece::Section(found, whole) => (found, whole),
        };
        // What the file lacks comes before the first section that follows it.
        while let Some(new) = new.next_if(|new| new.section < found.section) {
            assembled.changed.push(new.section);
            assembled.text.push_str(&format!("{}\n", new.marked()));
        }
        let own = known.iter().position(|known| known.section == found.section).map(|at| known.remove(at));
        match own {
            _ if found.is_edited() => {
                assembled.edited.push(found.section);
                assembled.text.push_str(whole);
            }
            Some(own) if found.is_current(own) => assembled.text.push_str(whole),
            Some(own) => {
                assembled.changed.push(found.section);
                assembled.text.push_str(&own.marked());
            }
            None => assembled.changed.push(found.section),
        }
    }
    for new in new {
        assembled.changed.push(new.section);
        assembled.text.push_str(&format!("\n{}", new.marked()));
    }
    assembled
}

/// The file's first lines with our title in the place of an older one of ours.
fn titled(head: &str, title: &str) -> String {
    let ours = head.lines().next().is_some_and(|line| line.ends_with(": what to read first"));
    let name = title.lines().next().unwrap_or_default();
    match head.split_once('\n') {
        Some((_, rest)) if ours => format!("{name}\n{rest}"),
        Some(_) | None => head.to_owned(),
    }
}

impl Piece<'_> {
    fn section(&self) -> Option<SectionId> {
        match self {
            Piece::Kept(_) => None,
            Piece::Section(found, _) => Some(found.section),
        }
    }
}

impl Found<'_> {
    /// The text is not what we wrote.
    fn is_edited(&self) -> bool {
        hash(self.body) != self.text.unwrap_or(self.source)
    }

    /// What it is made from is what it was made from, and nobody has a better text.
    fn is_current(&self, new: &SectionText) -> bool {
        match self.by {
            Some(_) => self.source == new.source,
            None => self.source == new.facts && new.by == BUILT_IN,
        }
    }
}

/// Whether a file holds a section of ours.
pub fn is_guide(text: &str) -> bool {
    pieces(text).iter().any(|piece| piece.section().is_some())
}

/// A section of a file that a model wrote, and that nobody edited since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which.
    pub section: SectionId,
    /// Hash of what it was made from.
    pub source: String,
    /// The model.
    pub by: String,
    /// The text.
    pub markdown: String,
}

/// What models wrote of a file.
pub fn written(text: &str) -> Vec<Written> {
    let of_model = |piece: Piece<'_>| match piece {
        Piece::Section(found, _) if !found.is_edited() => Some(Written {
            section: found.section,
            source: found.source.to_owned(),
            by: found.by?.to_owned(),
            markdown: found.body.to_owned(),
        }),
        Piece::Section(..) | Piece::Kept(_) => None,
    };
    pieces(text).into_iter().filter_map(of_model).collect()
}

/// The file in pieces: sections of ours, and what stands around them.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut kept = 0;
    let mut at = 0;
    while let Some(start) = rest[at..].find(OPEN).map(|found| at + found) {
        let Some((found, length)) = section_at(&rest[start..]) else {
            at = start + OPEN.len();
            continue;
        };
        pieces.push(Piece::Kept(&rest[kept..start]));
        pieces.push(Piece::Section(found, &rest[start..start + length]));
        rest = &rest[start + length..];
        (kept, at) = (0, 0);
    }
    pieces.push(Piece::Kept(&rest[kept..]));
    pieces
}

/// The section that `text` starts with, and its length, the line break behind it included.
fn section_at(text: &str) -> Option<(Found<'_>, usize)> {
    let head_end = text.find("-->\n")? + 4;
    let head = &text[OPEN.len()..head_end - 4];
    let value = |name: &str| head.split_whitespace().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let end = head_end + text[head_end..].find(CLOSE)?;
    let body = &text[head_end..end];
    let length = end + CLOSE.len() + usize::from(text[end + CLOSE.len()..].starts_with('\n'));
    let found = Found {
        section: SectionId::of_word(value("section")?)?,
        source: value("hash")?,
        text: value("text"),
        by: value("by"),
        body,
    };
    (!body.contains(OPEN)).then_some((found, length))
}
