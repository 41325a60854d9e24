//! How a family of copies is told: where they stand, and what they do not share.

use crate::audit::clones::Stretch;
use crate::audit::rules::debt::clone_family::{Body, Family, file_lines};
use crate::audit::rules::debt::clone_whole::Whole;
use crate::audit::text::count_of;
use crate::repo_map::RepoMap;
use crate::repo_map::facts::Lines;

/// What the copies do not share, with the lines.
pub fn told(map: &RepoMap, bodies: &[Body], family: &Family) -> String {
    const SHOWN: usize = 3;
    let found = &family.differences;
    if !family.differ {
        // What stands around is compared too, so fewer equal lines than lines means that a copy ends elsewhere.
        return if family.copies.iter().all(|copy| copy.len() == family.shared) {
            " They are equal to the word.".to_owned()
        } else {
            String::new()
        };
    }
    let (first, second) = (family.copies[family.pair.0], family.copies[family.pair.1]);
    let path = |copy: Stretch| map.file(bodies[copy.sequence].file).path.as_str();
    let file = |copy: Stretch| path(copy).rsplit('/').next().unwrap_or_default();
    let one_file = path(first) == path(second);
    // The paths stand in the sentence before: here the names do, where they tell the files apart.
    let name = |copy: Stretch| match (one_file, file(first) == file(second)) {
        (true, _) => String::new(),
        (false, false) => format!(" of `{}`", file(copy)),
        (false, true) => format!(" of `{}`", path(copy)),
    };
    let lines = |lines: Lines| {
        if lines.start == lines.end {
            format!("line {}", lines.start)
        } else {
            format!("lines {}–{}", lines.start, lines.end)
        }
    };
    let mut parts = Vec::new();
    // Those that do something come first.
    let (steps, handed) = found.alone.split_at(found.steps);
    let places = |alone: &[(bool, Lines)]| {
        let places: Vec<String> = alone
            .iter()
            .take(SHOWN)
            .map(|(in_right, own)| format!("{}{}", lines(*own), name(if *in_right { second } else { first })))
            .collect();
        let more = alone.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {} more", count_of(more, "place")) } else { String::new() };
        format!("{}{more}", listed_all(&places))
    };
    if !steps.is_empty() {
        parts.push(format!("only one copy has {}", places(steps)));
    }
    if !handed.is_empty() {
        parts.push(format!("a parameter, a property or a case differs in {}", places(handed)));
    }
    if let Some((own, other)) = found.otherwise.first() {
        let more = found.otherwise.len() - 1;
        let more = if more > 0 { format!(" and {} more", count_of(more, "place")) } else { String::new() };
        parts.push(format!(
            "they differ in {}{} against {}{}{more}",
            lines(*own),
            name(first),
            lines(*other),
            name(second)
        ));
    }
    if !found.renamed.is_empty() {
        let differ = if found.renamed.len() == 1 { "differs" } else { "differ" };
        parts.push(format!("{} {differ} in a name or value alone", count_of(found.renamed.len(), "line")));
    }
    if parts.is_empty() {
        return String::new();
    }
    if family.copies.len() == 2 {
        format!(" Between the two, {}.", parts.join("; "))
    } else {
        let place = |copy: Stretch| {
            let start = file_lines(bodies, copy).start;
            if one_file { format!("line {start}") } else { format!("`{}:{start}`", path(copy)) }
        };
        format!(" Between the copies at {} and {}, {}.", place(first), place(second), parts.join("; "))
    }
}

/// `` lines 3–20 of `a.ts` ``.
pub fn place_of(map: &RepoMap, bodies: &[Body], whole: &Whole<'_>, stretch: Stretch) -> String {
    let lines = whole.lines(bodies, stretch);
    format!("lines {}–{} of `{}`", lines.start, lines.end, map.file(bodies[stretch.sequence].file).path)
}

pub fn functions_have(count: usize) -> String {
    if count == 1 { "One more function has".to_owned() } else { format!("{count} more functions have") }
}

/// `a`, `b` and `c`.
pub fn listed_all(parts: &[String]) -> String {
    match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => parts.join(", "),
    }
}

/// `a`, `b` and `c`; of many, the first ones.
pub fn listed(places: &[String]) -> String {
    const SHOWN: usize = 4;
    match places {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if places.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more files", places[..SHOWN - 1].join(", "), places.len() - SHOWN + 1),
    }
}

pub fn body_name(map: &RepoMap, body: &Body) -> String {
    match body.symbol {
        Some(index) => format!("`{}`", map.file(body.file).facts.symbols[index as usize].qualified),
        None => format!("`{}`", map.file(body.file).path.rsplit('/').next().unwrap_or_default()),
    }
}
