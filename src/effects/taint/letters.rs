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
    /// It is about an address and does not fix the host.
    OpenHost,
    /// It does not speak of the whole text, or cannot be read.
    Unclear,
}

/// What `pattern` says of a text that has to match it, where the text is pasted.
pub fn verdict(pattern: &str, danger: Danger, context: &Context) -> Verdict {
    // JavaScript escapes the slash, which `regex-syntax` reads too; look-around it does not read.
    let Ok(hir) = regex_syntax::Parser::new().parse(&plain_classes(pattern)) else { return Verdict::Unclear };
    // Asked of what was read: `^a|b$` holds one of the anchors on either side only, and the dollar of `^a\$` is a letter.
    let ends = hir.properties();
    if matches!(danger, Danger::Url | Danger::Redirect) && ends.look_set_prefix().contains(Look::Start) {
        return address(&hir, danger, context);
    }
    if !ends.look_set_prefix().contains(Look::Start) || !ends.look_set_suffix().contains(Look::End) {
        return Verdict::Unclear;
    }
    let harmful = harmful(danger, context);
    match harmful.iter().copied().find(|&letter| lets(&hir, letter)) {
        None => Verdict::Harmless,
        Some(letter) => Verdict::Lets(letter),
    }
}

/// A piece of a pattern: a letter that has to stand there, or something that leaves a choice.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Letter(char),
    Free(&'a Hir),
}

/// What a pattern with a fixed start says of an address: only the host matters, what follows is a path.
fn address(hir: &Hir, danger: Danger, context: &Context) -> Verdict {
    let mut ways = vec![Vec::new()];
    take_apart(hir, &mut ways);
    let verdicts = ways.iter().map(|pieces| address_of_way(hir, pieces, danger, context));
    verdicts.into_iter().find(|verdict| *verdict != Verdict::Harmless).unwrap_or(Verdict::Harmless)
}

/// The same for one way through the pattern.
fn address_of_way(hir: &Hir, pieces: &[Piece<'_>], danger: Danger, context: &Context) -> Verdict {
    let is_letter =
        |piece: Option<&Piece<'_>>, letter: char| matches!(piece, Some(Piece::Letter(own)) if *own == letter);
    let whole = hir.properties().look_set_suffix().contains(Look::End);
    let scheme = (0..pieces.len()).find(|&at| {
        is_letter(pieces.get(at), ':') && is_letter(pieces.get(at + 1), '/') && is_letter(pieces.get(at + 2), '/')
    });
    let in_host = context.before.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
    let host = match scheme {
        Some(at) => &pieces[at + 3..],
        // One name of a host whose other names stand around it.
        None if in_host && whole && !['.', '/', '\\', '@', '#', '?', ':'].iter().any(|letter| lets(hir, *letter)) => {
            return Verdict::Harmless;
        }
        None if in_host => pieces,
        None if is_letter(pieces.first(), '/') => {
            // `//host`: a second slash makes the rest a host.
            let opens = match pieces.get(1) {
                Some(Piece::Letter(letter)) => matches!(letter, '/' | '\\'),
                Some(Piece::Free(sub)) => lets(sub, '/') || lets(sub, '\\'),
                None => !whole,
            };
            return if danger == Danger::Redirect && opens { Verdict::OpenHost } else { Verdict::Harmless };
        }
        None if !whole => return Verdict::Unclear,
        // Without a colon there is no scheme, and so no host.
        None => return if lets(hir, ':') && lets(hir, '/') { Verdict::OpenHost } else { Verdict::Harmless },
    };
    fixes_host(host, whole)
}

/// Whether the letters of a host are fixed, or at least the names at its end: `[a-z]+\.example\.com/`.
fn fixes_host(host: &[Piece<'_>], whole: bool) -> Verdict {
    const LEAVES: [char; 6] = ['/', '\\', '@', '#', '?', ':'];
    let (mut fixed, mut is_free, mut ends) = (String::new(), false, whole);
    for &piece in host {
        match piece {
            Piece::Letter('/' | '?' | '#') => {
                ends = true;
                break;
            }
            Piece::Letter(letter) => fixed.push(letter),
            // A port, a path: what follows the name leaves it as it is.
            Piece::Free(sub) if !fixed.is_empty() && starts_with_one_of(sub, &[':', '/', '?', '#']) => {
                ends = true;
                break;
            }
            Piece::Free(sub) if LEAVES.into_iter().any(|letter| lets(sub, letter)) => return Verdict::OpenHost,
            Piece::Free(_) => {
                is_free = true;
                fixed.clear();
            }
        }
    }
    let names = fixed.matches('.').count();
    let is_fixed = ends && !fixed.is_empty() && (!is_free || names >= 2);
    if is_fixed { Verdict::Harmless } else { Verdict::OpenHost }
}

/// Whether everything that matches a piece starts with one of `letters`, or is nothing: `(:\d+)?`, `(/.*)?`.
fn starts_with_one_of(hir: &Hir, letters: &[char]) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Look(_) => false,
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).starts_with(letters),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().all(|range| range.start() == range.end() && letters.contains(&range.start()))
        }
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Repetition(repetition) => starts_with_one_of(&repetition.sub, letters),
        HirKind::Capture(capture) => starts_with_one_of(&capture.sub, letters),
        HirKind::Concat(parts) => parts.first().is_some_and(|part| starts_with_one_of(part, letters)),
        HirKind::Alternation(parts) => parts.iter().all(|part| starts_with_one_of(part, letters)),
    }
}

/// Ways through a pattern that are told apart; one with more is a choice that is not looked into. Our choice.
const MAX_WAYS: usize = 16;

/// Adds what `hir` says to each way through the pattern, and a way for each of its alternatives.
fn take_apart<'a>(hir: &'a Hir, ways: &mut Vec<Vec<Piece<'a>>>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            ways.iter_mut().for_each(|way| way.extend(text.chars().map(Piece::Letter)));
        }
        HirKind::Capture(capture) => take_apart(&capture.sub, ways),
        HirKind::Concat(parts) => parts.iter().for_each(|part| take_apart(part, ways)),
        HirKind::Alternation(parts) if ways.len() * parts.len() <= MAX_WAYS => {
            let before = std::mem::take(ways);
            for part in parts {
                let mut own = before.clone();
                take_apart(part, &mut own);
                ways.append(&mut own);
            }
        }
        HirKind::Class(_) | HirKind::Repetition(_) | HirKind::Alternation(_) => {
            ways.iter_mut().for_each(|way| way.push(Piece::Free(hir)));
        }
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
    fn a_pattern_for_an_address_has_to_fix_the_host() {
        let bare = Context::default();
        for open in [
            r"^https?:\/\/",
            r"^https:\/\/.+$",
            r"^https://images\.example\.com",
            r"^https://[a-z.]+/images$",
            r"^https://[a-z-]+\.com/",
            r"^[\w:/.-]+$",
            r"^https://example\.com/|^http://",
        ] {
            assert_eq!(verdict(open, Danger::Url, &bare), Verdict::OpenHost, "{open}");
        }
        for fixed in [
            r"^https?:\/\/images\.example\.com\/",
            r"^https://[a-z0-9-]+\.example\.com/.*$",
            r"^https://example\.com(:\d+)?(/.*)?$",
            r"^[a-z0-9-]+$",
            r"^/images/",
            r"^https://(a|b)\.cdn\.example\.com/",
        ] {
            assert_eq!(verdict(fixed, Danger::Url, &bare), Verdict::Harmless, "{fixed}");
        }
        let host = Context { before: "https://".to_owned(), pasted: true, ..Context::default() };
        assert_eq!(verdict(r"^[a-z0-9-]+\.shop\.example\.com$", Danger::Url, &host), Verdict::Harmless);
        assert_eq!(verdict(r"^[a-z0-9.-]+$", Danger::Url, &host), Verdict::OpenHost);
        assert_eq!(verdict(r"^/[\w/-]*$", Danger::Redirect, &bare), Verdict::OpenHost);
        assert_eq!(verdict(r"^/[a-z]", Danger::Redirect, &bare), Verdict::Harmless);
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
