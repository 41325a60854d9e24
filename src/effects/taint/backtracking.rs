//! Backtracking: patterns for which a search takes much longer than the text is long, when nothing is found.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use crate::effects::taint::letters::plain_classes;

/// How the time of a search grows with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Twice for every further character.
    Exponential,
    /// With the square of the length or worse.
    Polynomial,
}

/// The cost of a pattern of JavaScript; `None` for one that takes its time with the length, or that cannot be read.
pub fn cost(pattern: &str) -> Option<Cost> {
    // Two repetitions, or one that is tried at every place.
    if pattern.matches(['+', '*']).count() + usize::from(pattern.ends_with('$')) < 2 {
        return None;
    }
    let hir = regex_syntax::Parser::new().parse(&plain_classes(pattern)).ok()?;
    let mut worst = None;
    walk(&hir, false, &mut worst);
    if worst.is_none() && is_tried_everywhere(&hir) {
        worst = Some(Cost::Polynomial);
    }
    worst
}

/// Looks at `hir`; `fails` says whether what follows it may not match, so that the search goes back.
fn walk(hir: &Hir, fails: bool, worst: &mut Option<Cost>) {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            if repetition.max.is_none() && fails && is_ambiguous(&repetition.sub) {
                *worst = Some(Cost::Exponential);
            }
            walk(&repetition.sub, fails || repetition.max.is_none_or(|max| max > 1), worst);
        }
        HirKind::Capture(capture) => walk(&capture.sub, fails, worst),
        HirKind::Alternation(parts) => {
            for part in parts {
                walk(part, fails, worst);
            }
        }
        HirKind::Concat(parts) => {
            for (at, part) in parts.iter().enumerate() {
                let fails = fails || parts[at + 1..].iter().any(may_fail);
                walk(part, fails, worst);
            }
            if worst.is_none() && meets_itself(parts, fails) {
                *worst = Some(Cost::Polynomial);
            }
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

/// Something that a text can lack.
fn may_fail(hir: &Hir) -> bool {
    hir.properties().minimum_len().is_none_or(|length| length > 0) || matches!(hir.kind(), HirKind::Look(Look::End))
}

fn is_nullable(hir: &Hir) -> bool {
    hir.properties().minimum_len() == Some(0) && !matches!(hir.kind(), HirKind::Look(_))
}

/// Whether a text that the repeated part matches can be cut into parts in many ways: `(a+)+`, `(\s*a?)*`.
fn is_ambiguous(sub: &Hir) -> bool {
    match sub.kind() {
        HirKind::Capture(capture) => is_ambiguous(&capture.sub),
        HirKind::Repetition(repetition) => repetition.max.is_none(),
        HirKind::Alternation(parts) => parts.iter().any(is_ambiguous),
        HirKind::Concat(parts) => parts.iter().enumerate().any(|(at, part)| {
            unbounded(part).is_some() && parts.iter().enumerate().all(|(other, part)| other == at || is_nullable(part))
        }),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// Two endless repetitions of the same characters with nothing certain between, before something that a text can lack.
fn meets_itself(parts: &[Hir], fails: bool) -> bool {
    (0..parts.len()).any(|first| {
        let Some(one) = unbounded(&parts[first]).and_then(class) else { return false };
        for second in first + 1..parts.len() {
            let fails = fails || parts[second + 1..].iter().any(may_fail);
            let other = unbounded(&parts[second]).and_then(class);
            if fails && other.is_some_and(|other| overlap(&one, &other)) {
                return true;
            }
            if !is_nullable(&parts[second]) {
                return false;
            }
        }
        false
    })
}

/// `\s+$`: from every place of a long run to its end, and then nothing.
fn is_tried_everywhere(hir: &Hir) -> bool {
    let HirKind::Concat(parts) = hir.kind() else { return false };
    matches!(parts.as_slice(), [run, end] if unbounded(run).is_some_and(|run| run.min > 0 && class(run).is_some())
        && matches!(end.kind(), HirKind::Look(Look::End)))
}

/// An endless repetition, groups seen through.
fn unbounded(hir: &Hir) -> Option<&Repetition> {
    match hir.kind() {
        HirKind::Repetition(repetition) if repetition.max.is_none() => Some(repetition),
        HirKind::Capture(capture) => unbounded(&capture.sub),
        _ => None,
    }
}

/// The characters of a repetition of single ones.
fn class(repetition: &Repetition) -> Option<ClassUnicode> {
    let mut sub = &*repetition.sub;
    while let HirKind::Capture(capture) = sub.kind() {
        sub = &capture.sub;
    }
    match sub.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            let mut letters = text.chars();
            let (letter, None) = (letters.next()?, letters.next()) else { return None };
            Some(ClassUnicode::new([ClassUnicodeRange::new(letter, letter)]))
        }
        _ => None,
    }
}

fn overlap(one: &ClassUnicode, other: &ClassUnicode) -> bool {
    let mut both = one.clone();
    both.intersect(other);
    !both.ranges().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_repetitions_before_something_that_can_be_absent_are_exponential() {
        for pattern in [r"^(a+)+$", r"^(\w+\s?)*$", r"^([a-z]+|\d)*!", r"(\s*,?)*;"] {
            assert_eq!(cost(pattern), Some(Cost::Exponential), "{pattern}");
        }
        for pattern in [r"(a+)+", r"^(ab+)+$", r"^(\w+-)*\w+$", r"^(?:[a-z]+\.)+com$", r"^(a{1,3})+$"] {
            assert_ne!(cost(pattern), Some(Cost::Exponential), "{pattern}");
        }
    }

    #[test]
    fn repetitions_that_meet_themselves_are_polynomial() {
        for pattern in [r"\s*\s*$", r"^\s+.*\s+x$", r"\/+$", r"\s+$", r"^\d+\w*x"] {
            assert_eq!(cost(pattern), Some(Cost::Polynomial), "{pattern}");
        }
        for pattern in [r"^\s+|x+", r"^\d+\s+\d+$", r"^[a-z]+$", r"\s+", r"^\w+@\w+$", r"(?<!x)\s+$", r"a*b*"] {
            assert_eq!(cost(pattern), None, "{pattern}");
        }
    }
}
