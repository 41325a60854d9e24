//! The recon pack: what every prompt of the planner begins with, so that vendors' caches find the same bytes each time.
//!
//! Facts, commands, conventions, intent documents, entry points, hotspots, then as much of the map as fits. Nothing in it depends
//! on the clock or on the order of threads. The words are in `templates/planner/pack.md`.

use std::sync::LazyLock;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::effects::Effects;
use crate::map::rank::{Focus, rank};
use crate::plan::markdown::fence_for;
use crate::repo_map::RepoMap;
use crate::report::map_outline::{CHARACTERS_PER_TOKEN, outline, weight};
use crate::secrets;
use crate::tree::Tree;

pub(crate) mod conventions;
mod documents;
mod facts;
#[cfg(test)]
mod tests;

use documents::Quote;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment
        .add_template("pack.md", include_str!("../../templates/planner/pack.md"))
        .expect("the template is tested");
    environment
});

/// Tokens of a pack: enough for a project's main files, and cheap to send with every question. Our choice.
pub const PACK_TOKENS: usize = 8_000;
/// Shares of the ceiling, in hundredths, that each part may take; the map gets all that is left. Our choice: the map is what no
/// other tool gives a model, and documents are what keeps it from calling a decision a fault.
const FACTS: usize = 8;
const COMMANDS: usize = 6;
const CONVENTIONS: usize = 5;
const DOCUMENTS: usize = 30;
const ENTRY_POINTS: usize = 8;
const HOTSPOTS: usize = 5;
/// Tokens beyond which no model reads; a larger ceiling is this one.
const MAX_TOKENS: usize = 2_000_000;
/// Attempts to give the map what is left; each takes off what the one before was over.
const ATTEMPTS: usize = 4;

/// What the template is filled with; each part fenced, empty when there is nothing to say.
#[derive(Default, Serialize)]
struct Parts {
    facts: String,
    commands: String,
    conventions: String,
    documents: Vec<Quote>,
    left_out: String,
    entry_points: String,
    hotspots: String,
    outline: String,
}

/// The pack of `map`, what its functions do, and its tree in at most `tokens`, counted at three characters each.
pub fn pack(map: &RepoMap, effects: &Effects, tree: &dyn Tree, tokens: usize) -> String {
    let ceiling = tokens.min(MAX_TOKENS) * CHARACTERS_PER_TOKEN;
    let share = |hundredths: usize| ceiling / 100 * hundredths;
    let (documents, left_out) = documents::quotes(map, tree, share(DOCUMENTS));
    let mut parts = Parts {
        facts: fenced(&facts::project(map), share(FACTS)),
        commands: fenced(&facts::commands(map), share(COMMANDS)),
        conventions: fenced(&conventions::conventions(map), share(CONVENTIONS)),
        documents,
        left_out: fenced(&left_out, share(DOCUMENTS) / 10),
        entry_points: fenced(&facts::entry_points(map, effects), share(ENTRY_POINTS)),
        hotspots: fenced(&facts::hotspots(map), share(HOTSPOTS)),
        outline: String::new(),
    };
    let text = within(&mut parts, ceiling);
    with_map(map, parts, ceiling).unwrap_or(text)
}

/// The parts as text, the least telling ones dropped until it fits; empty when nothing does.
fn within(parts: &mut Parts, ceiling: usize) -> String {
    let drops: [fn(&mut Parts); 7] = [
        |parts| parts.left_out.clear(),
        |parts| parts.hotspots.clear(),
        |parts| parts.conventions.clear(),
        |parts| parts.entry_points.clear(),
        |parts| parts.documents.clear(),
        |parts| parts.facts.clear(),
        |parts| parts.commands.clear(),
    ];
    let mut drops = drops.into_iter();
    loop {
        let text = render(parts);
        if weight(&text) <= ceiling {
            return text;
        }
        match drops.next() {
            Some(drop) => drop(parts),
            None => return String::new(),
        }
    }
}

/// The parts with the map in what is left of the ceiling; `None` when not even its frame fits.
fn with_map(map: &RepoMap, mut parts: Parts, ceiling: usize) -> Option<String> {
    // A heading and a fence stand around the map.
    parts.outline = "x".to_owned();
    let mut room = ceiling.checked_sub(weight(&render(&parts)))?;
    let focus = Focus::default();
    let ranking = rank(map, &focus);
    for _ in 0..ATTEMPTS {
        let text = secrets::mask(&outline(map, &ranking, &focus, room / CHARACTERS_PER_TOKEN));
        if text.trim().is_empty() {
            return None;
        }
        parts.outline = fence(&text);
        let page = render(&parts);
        let over = match weight(&page).checked_sub(ceiling) {
            None | Some(0) => return Some(page),
            Some(over) => over,
        };
        room = room.checked_sub(over)?;
    }
    None
}

fn render(parts: &Parts) -> String {
    let template = TEMPLATES.get_template("pack.md").expect("named in the list of templates");
    let text = template.render(Serde(parts)).expect("every value the template names is given");
    format!("{}\n", text.trim())
}

/// `text` masked, cut to `room` at a line, and fenced; empty when there is none.
fn fenced(text: &str, room: usize) -> String {
    let text = cut(&secrets::mask(text), room);
    if text.trim().is_empty() { String::new() } else { fence(&text) }
}

/// A fence that nothing inside can close.
fn fence(text: &str) -> String {
    let fence = fence_for(text);
    format!("{fence}\n{}\n{fence}", text.trim_end())
}

/// Whole lines of `text` as far as they weigh at most `room`, and how many are missing.
fn cut(text: &str, room: usize) -> String {
    if weight(text) <= room {
        return text.to_owned();
    }
    // The last line says what is missing.
    let mut left = room.saturating_sub(24);
    let mut kept = String::new();
    let mut lines = text.lines();
    let mut missing = 0;
    for line in lines.by_ref() {
        let Some(rest) = left.checked_sub(weight(line) + 1) else {
            missing = 1;
            break;
        };
        left = rest;
        kept.push_str(line);
        kept.push('\n');
    }
    if kept.is_empty() {
        return kept;
    }
    missing += lines.count();
    kept.push_str(&format!("… {missing} more lines"));
    kept
}
