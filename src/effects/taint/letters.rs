//! Letters: which characters an anchored pattern lets through, and whether those do harm.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::effects::taint::{Context, Danger};

/// What a pattern says of a text that it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No harm can be done with what matches.
    Harmless,
    /// It lets through a character that does harm.
    Lets(char),
    /// It does not speak of the whole text, or cannot be read.
    Unclear,
}

/// What `pattern` says of a text that has to match it, where the text is pasted.
pub fn verdict(pattern: &str, danger: Danger, context: &Context) -> Verdict {
    // JavaScript escapes the slash, which `regex-syntax` reads too; look-around it does not read.
    let Ok(hir) = regex_syntax::Parser::new().parse(&plain_classes(pattern)) else { return Verdict::Unclear };
    // Asked of what was read: `^a|b$` holds one of the anchors on either side only, and the dollar of `^a\$` is a letter.
    let ends = hir.properties();
    if !ends.look_set_prefix().contains(Look::Start) || !ends.look_set_suffix().contains(Look::End) {
        return Verdict::Unclear;
    }
    let harmful = harmful(danger, context);
    match harmful.iter().copied().find(|&letter| lets(&hir, letter)) {
        None => Verdict::Harmless,
        // A fixed start decides the host; what follows is a path.
        Some(_) if matches!(danger, Danger::Url | Danger::Redirect) => Verdict::Harmless,
        Some(letter) => Verdict::Lets(letter),
    }
}

/// The pattern with its classes written so that no bracket nests and no set operation is meant: JavaScript knows neither.
pub(super) fn plain_classes(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len() + 8);
    let mut inside = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                plain.push(letter);
                plain.extend(letters.next());
                continue;
            }
            '[' if !inside => inside = true,
            ']' => inside = false,
            '[' | '&' | '~' if inside => plain.push('\\'),
            _ => {}
        }
        plain.push(letter);
    }
    plain
}

/// Characters that do harm where a value stands.
fn harmful(danger: Danger, context: &Context) -> &'static [char] {
    match danger {
        Danger::Sql => match context.quote {
            Some('\'') => &['\''],
            Some('"') => &['"'],
            Some(_) => &['`'],
            None => &['\'', ';', '(', ' '],
        },
        Danger::Shell => match context.quote {
            Some('\'') => &['\''],
            Some(_) => &['$', '`', '"'],
            None => &[';', '|', '&', '$', '`', '<', '>', '\n'],
        },
        Danger::Option => &['-'],
        Danger::Path => &['/', '\\'],
        Danger::Url | Danger::Redirect => &['/', '@', '#', '?'],
        Danger::Regex => &['(', '*', '+', '{'],
        Danger::Html => &['<'],
        Danger::Backtracking => &[],
    }
}

/// Whether some text that matches holds `letter`.
fn lets(hir: &Hir, letter: char) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).contains(letter),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| range.start() <= letter && letter <= range.end())
        }
        HirKind::Class(Class::Bytes(class)) => u8::try_from(letter)
            .is_ok_and(|letter| class.ranges().iter().any(|range| range.start() <= letter && letter <= range.end())),
        HirKind::Repetition(repetition) => lets(&repetition.sub, letter),
        HirKind::Capture(capture) => lets(&capture.sub, letter),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|part| lets(part, letter)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted() -> Context {
        Context { quote: Some('\''), pasted: true, before: String::new() }
    }

    #[test]
    fn a_pattern_that_lets_the_quote_through_is_found_out() {
        let bare = Context { pasted: true, ..Context::default() };
        assert_eq!(verdict(r"^[a-z0-9_-]+$", Danger::Shell, &bare), Verdict::Harmless);
        assert_eq!(verdict(r"^[\x20-\x7E]{0,500}$", Danger::Shell, &quoted()), Verdict::Lets('\''));
        assert_eq!(verdict(r"^[\w.\/-]+$", Danger::Path, &bare), Verdict::Lets('/'));
        assert_eq!(verdict(r"^[\w.-]+$", Danger::Path, &bare), Verdict::Harmless);
        assert_eq!(verdict(r"^[a-z&&[\]~]*$", Danger::Shell, &bare), Verdict::Lets('&'));
        let password = r"^[a-zA-Z0-9@#%^&*()_+\-=[\]{}|;:,.<>?~`]*$";
        assert_eq!(verdict(password, Danger::Shell, &quoted()), Verdict::Harmless);
        assert_eq!(verdict(r"^\d+", Danger::Shell, &bare), Verdict::Unclear);
        assert_eq!(verdict(r"^(?!x)a$", Danger::Shell, &bare), Verdict::Unclear);
    }

    #[test]
    fn a_pattern_speaks_of_the_whole_text_only_when_every_way_through_it_is_anchored() {
        let bare = Context { pasted: true, ..Context::default() };
        for half in [r"^[a-z]+|[0-9]+$", r"^[a-z]+\$", r"[a-z]+$"] {
            assert_eq!(verdict(half, Danger::Shell, &bare), Verdict::Unclear, "{half}");
        }
        for whole in [r"^(?:[a-z]+|[0-9]+)$", r"^[a-z]+$|^[0-9]+$"] {
            assert_eq!(verdict(whole, Danger::Shell, &bare), Verdict::Harmless, "{whole}");
        }
    }
}
