//! Reader: text read from left to right, with the quote that is open where each value stands.

use crate::effects::taint::text::{Hole, MAX_PIECES, Pasted, Piece, Statement};
use crate::effects::taint::{Context, Danger};

/// Reads pieces from left to right and keeps track of quotes.
pub(super) struct Reader<'a> {
    danger: Danger,
    quote: Option<char>,
    /// Text was left out before: quotes can only be told from what is nearest.
    cut: bool,
    tail: String,
    holes: Vec<Pasted<'a>>,
    text: String,
}

impl<'a> Reader<'a> {
    /// The holes of `pieces`, each with how it stands there, for a text that ends in `danger`.
    pub(super) fn statement(danger: Danger, pieces: &[Piece<'a>]) -> Statement<'a> {
        let mut reader =
            Reader { danger, quote: None, cut: false, tail: String::new(), holes: Vec::new(), text: String::new() };
        reader.read(pieces);
        let Reader { mut holes, text, .. } = reader;
        let pasted = text.replace("{}", "").chars().any(|letter| !letter.is_whitespace());
        for hole in &mut holes {
            hole.context.pasted = pasted;
        }
        Statement { holes, text }
    }

    fn read(&mut self, pieces: &[Piece<'a>]) {
        for (place, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => self.read_text(text),
                Piece::Hole(hole) => {
                    let after = match pieces.get(place + 1) {
                        Some(Piece::Text(text)) => text.as_str(),
                        Some(Piece::Hole(_) | Piece::Either(_)) | None => "",
                    };
                    self.read_hole(hole, after);
                }
                Piece::Either(alternatives) => {
                    let (quote, cut, tail) = (self.quote, self.cut, self.tail.clone());
                    for inner in alternatives {
                        (self.quote, self.cut, self.tail) = (quote, cut, tail.clone());
                        self.read(inner);
                    }
                }
            }
            if self.holes.len() > MAX_PIECES {
                return;
            }
        }
    }

    fn read_hole(&mut self, hole: &Hole<'a>, after: &str) {
        let near =
            self.tail.trim_end_matches('%').chars().next_back().filter(|letter| matches!(letter, '\'' | '"' | '`'));
        let quote = match self.cut {
            false => self.quote,
            true => near.filter(|quote| after.trim_start_matches('%').starts_with(*quote)),
        };
        let context = Context { quote, pasted: false, before: self.tail.clone() };
        let first = self.text.is_empty();
        self.holes.push(Pasted { hole: hole.clone(), context, first });
        self.show("{}");
        // What came before the hole is no longer right before what comes after.
        self.tail.push(Context::HOLE);
    }

    fn read_text(&mut self, text: &str) {
        self.show(text);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '…' => {
                    self.cut = true;
                    self.quote = None;
                }
                '\\' if self.danger == Danger::Shell => {
                    letters.next();
                }
                // A comment's apostrophe opens nothing.
                '-' if self.danger == Danger::Sql && self.quote.is_none() && letters.peek() == Some(&'-') => {
                    while letters.next_if(|next| *next != '\n').is_some() {}
                }
                '\'' | '"' | '`' if self.danger == Danger::Sql || (self.danger == Danger::Shell && letter != '`') => {
                    match self.quote {
                        Some(open) if open == letter => self.quote = None,
                        Some(_) => {}
                        None => self.quote = Some(letter),
                    }
                }
                _ => {}
            }
        }
        self.tail.push_str(text);
        let start = self.tail.char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        self.tail.drain(..start);
    }

    fn show(&mut self, text: &str) {
        if self.text.len() < 600 {
            self.text.push_str(text);
        }
    }
}
