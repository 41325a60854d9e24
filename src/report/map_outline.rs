//! `improve map --tokens N`: as much of what matters as fits into N tokens of a prompt.
//!
//! Definitions stand under their file, files under their folder. The more important a definition, the more is said: its
//! signature with why it is there, its signature without parameters, its name. The budget is a ceiling.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use super::layout::{count, grouped};
use super::sanitize;
use crate::map::rank::{Focus, Near, Ranking, entry_files, is_entry};
use crate::repo_map::{FileId, RepoMap, SymbolId};

mod signature;

/// Characters to a token. Code in public tokenisers runs at 3.3 to 3.6; the low end keeps the budget a ceiling.
pub const CHARACTERS_PER_TOKEN: usize = 3;
/// Definitions shown in 1,000 tokens at least, as long as there are any: an overview is worth its breadth.
const DENSITY: usize = 50;
/// Share of the budget that may go to folders of which nothing else is shown.
const FOLDERS: f64 = 0.15;
/// Shares of the rest that may go to signatures, the remainder to names. Tried in order until the outline is dense enough.
const SIGNATURES: [f64; 5] = [1.0, 0.8, 0.6, 0.45, 0.3];
/// Share of the signatures that is shown in full from the start; others are when something is left.
const IN_FULL: f64 = 0.35;
/// Characters the shortest entry takes: a line number, a name, what stands between.
const SHORTEST: usize = 8;

/// How much is said of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Name,
    Short,
    Full,
}

/// The outline of `map` in at most `tokens`.
pub fn outline(map: &RepoMap, ranking: &Ranking, focus: &Focus, tokens: usize) -> String {
    let room = tokens.saturating_mul(CHARACTERS_PER_TOKEN);
    let outliner = Outliner::new(map, ranking, focus);
    let closing = outliner.closing(&BTreeSet::new()).len().max(outliner.closing(&outliner.everything()).len());
    let Some(room) = room.checked_sub(closing) else { return String::new() };
    let mut best = String::new();
    for share in SIGNATURES {
        let (shown, text) = outliner.fill(room, share);
        best = text;
        if shown >= (tokens * DENSITY / 1000).min(ranking.symbols.len()) {
            break;
        }
    }
    best
}

struct Outliner<'a> {
    map: &'a RepoMap,
    ranking: &'a Ranking,
    near: BTreeMap<FileId, &'a Near>,
    focus: BTreeSet<FileId>,
    entries: HashSet<&'a str>,
    /// Place of each file in the order of folders: all files of a folder before its subfolders.
    places: Vec<usize>,
    /// Source files and definitions of each folder.
    folders: BTreeMap<&'a str, (usize, usize)>,
}

impl<'a> Outliner<'a> {
    fn new(map: &'a RepoMap, ranking: &'a Ranking, focus: &Focus) -> Outliner<'a> {
        let mut folders: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for file in &map.files {
            let entry = folders.entry(folder(&file.path)).or_default();
            entry.0 += 1;
            entry.1 += file.facts.symbols.len();
        }
        let mut order: Vec<usize> = (0..map.files.len()).collect();
        order.sort_by_key(|&file| (folder(&map.files[file].path), &map.files[file].path));
        let mut places = vec![0; order.len()];
        for (place, file) in order.into_iter().enumerate() {
            places[file] = place;
        }
        Outliner {
            map,
            places,
            ranking,
            near: ranking.near.iter().map(|near| (near.file, near)).collect(),
            focus: focus.all_files().into_iter().collect(),
            entries: entry_files(map),
            folders,
        }
    }

    fn everything(&self) -> BTreeSet<SymbolId> {
        self.ranking.symbols.iter().copied().collect()
    }

    /// The most definitions that fit when this share goes to signatures, and the text.
    fn fill(&self, room: usize, share: f64) -> (usize, String) {
        let ranked = &self.ranking.symbols;
        let folders = weight(&self.other_folders(&Levels::new(), (room as f64 * FOLDERS) as usize));
        let for_body = room - folders;
        let for_signatures = (for_body as f64 * share) as usize;
        let signed = most(ranked.len().min(for_signatures / SHORTEST), |number| {
            weight(&self.body(&signatures(&ranked[..number]))) <= for_signatures
        });
        let mut levels = signatures(&ranked[..signed]);
        // Names cost least in files that are there already.
        let open: HashSet<FileId> = ranked[..signed].iter().map(|id| id.file).collect();
        let (inside, outside): (Vec<SymbolId>, Vec<SymbolId>) =
            ranked[signed..].iter().partition(|id| open.contains(&id.file));
        let others: Vec<SymbolId> = inside.into_iter().chain(outside).collect();
        let with = |number: usize| -> Levels {
            levels
                .iter()
                .map(|(&id, &level)| (id, level))
                .chain(others[..number].iter().map(|&id| (id, Level::Name)))
                .collect()
        };
        let named = most(others.len().min(for_body / SHORTEST), |number| weight(&self.body(&with(number))) <= for_body);
        levels = with(named);
        self.upgrade(&mut levels, &ranked[..signed], for_body);
        let mut text = self.body(&levels);
        text.push_str(&self.other_folders(&levels, room.saturating_sub(weight(&text))));
        let shown: BTreeSet<SymbolId> = levels.keys().copied().collect();
        text.push_str(&self.closing(&shown));
        (shown.len(), text)
    }

    /// Spends what is left on saying more of the most important ones.
    fn upgrade(&self, levels: &mut Levels, ranked: &[SymbolId], room: usize) {
        let mut left = room.saturating_sub(weight(&self.body(levels)));
        for &id in ranked {
            let level = levels.get_mut(&id).expect("every ranked one has a level");
            if *level == Level::Short {
                let more = weight(&self.line(id, Level::Full)).saturating_sub(weight(&self.line(id, Level::Short)));
                if more > left {
                    break;
                }
                left -= more;
                *level = Level::Full;
            }
        }
    }

    /// Folders, files and definitions, in order of path and position.
    fn body(&self, levels: &Levels) -> String {
        let mut files: BTreeMap<usize, Vec<(SymbolId, Level)>> = BTreeMap::new();
        for (&id, &level) in levels {
            files.entry(self.places[id.file as usize]).or_default().push((id, level));
        }
        let mut text = String::new();
        let mut last = None;
        for definitions in files.into_values() {
            let file = definitions[0].0.file;
            let folder = folder(&self.map.file(file).path);
            if last != Some(folder) {
                last = Some(folder);
                let _ = writeln!(text, "{}/", sanitize::line(if folder.is_empty() { "." } else { folder }));
            }
            self.file(&mut text, file, &definitions);
        }
        text
    }

    /// A file with its definitions: signatures on lines of their own, names on one.
    fn file(&self, text: &mut String, file: FileId, definitions: &[(SymbolId, Level)]) {
        let names: Vec<String> = definitions
            .iter()
            .filter(|(_, level)| *level == Level::Name)
            .map(|(id, _)| {
                let symbol = self.map.symbol(*id);
                format!("{} {}", symbol.name_line, sanitize::line(&symbol.qualified))
            })
            .collect();
        let path = &self.map.file(file).path;
        let name = sanitize::line(path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name));
        if names.len() == definitions.len() {
            let reasons = if self.near.contains_key(&file) { self.because(file) } else { String::new() };
            let _ = writeln!(text, " {name}: {}{reasons}", names.join(", "));
            return;
        }
        let _ = writeln!(text, " {name}{}", self.because(file));
        for &(id, level) in definitions.iter().filter(|(_, level)| *level != Level::Name) {
            text.push_str(&self.line(id, level));
        }
        if !names.is_empty() {
            let _ = writeln!(text, "  also {}", names.join(", "));
        }
    }

    fn because(&self, file: FileId) -> String {
        let reasons = self.file_reasons(file);
        if reasons.is_empty() { String::new() } else { format!("  <- {}", reasons.join(", ")) }
    }

    /// Why a file is there.
    fn file_reasons(&self, file: FileId) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.focus.contains(&file) {
            reasons.push("focus".to_owned());
        }
        if let Some(near) = self.near.get(&file) {
            let said = [
                (near.used, "used by the focus".to_owned()),
                (near.uses, "uses the focus".to_owned()),
                (near.together > 0, format!("changed with it {}", times(near.together))),
                (near.alike, "same words".to_owned()),
                (near.same_folder, "same folder".to_owned()),
            ];
            reasons.extend(said.into_iter().filter(|(holds, _)| *holds).map(|(_, said)| said).take(2));
        } else if self.focus.is_empty() {
            let file = self.map.file(file);
            if self.entries.contains(file.path.as_str()) {
                reasons.push("entry point".to_owned());
            }
            if file.history.churn_90d > 1 {
                reasons.push(format!("{} commits in 90 days", file.history.churn_90d));
            }
        }
        reasons
    }

    /// A definition on a line of its own.
    fn line(&self, id: SymbolId, level: Level) -> String {
        let symbol = self.map.symbol(id);
        let written = match level {
            Level::Full => signature::full(symbol),
            Level::Short | Level::Name => signature::short(symbol),
        };
        let reason = if level == Level::Full { self.reason(id) } else { String::new() };
        format!("  {} {}{reason}\n", symbol.name_line, sanitize::line(&written))
    }

    /// Why a definition is there.
    fn reason(&self, id: SymbolId) -> String {
        let used = self.ranking.reach.of(id);
        let mut said = Vec::new();
        if is_entry(self.map, &self.entries, id) && self.map.symbol(id).name == "main" {
            said.push("entry point".to_owned());
        }
        match (used.calls, used.files) {
            (0, 0) => {}
            (0, files) => said.push(format!("imported by {}", count(files as usize, "file"))),
            (calls, 0) => said.push(count(calls as usize, "caller")),
            (calls, files) => {
                said.push(format!("{} in {}", count(calls as usize, "caller"), count(files as usize, "file")))
            }
        }
        if said.is_empty() { String::new() } else { format!("  <- {}", said.join(", ")) }
    }

    /// Folders of which nothing is shown, in at most `room`: at full depth if they fit, else at the depth that does.
    fn other_folders(&self, levels: &Levels, room: usize) -> String {
        let shown: BTreeSet<&str> = levels.keys().map(|id| folder(&self.map.file(id.file).path)).collect();
        let hidden: Vec<(&str, (usize, usize))> = self
            .folders
            .iter()
            .filter(|(folder, _)| !shown.contains(*folder))
            .map(|(&folder, &size)| (folder, size))
            .collect();
        if hidden.is_empty() {
            return String::new();
        }
        let deepest = hidden.iter().map(|(folder, _)| folder.split('/').count()).max().unwrap_or(1);
        for depth in (1..=deepest).rev() {
            let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            for &(folder, (files, definitions)) in &hidden {
                let entry = groups.entry(upto(folder, depth)).or_default();
                *entry = (entry.0 + files, entry.1 + definitions);
            }
            let mut text = "not shown:\n".to_owned();
            for (folder, (files, definitions)) in groups {
                let folder = if folder.is_empty() { "." } else { folder };
                let _ = writeln!(
                    text,
                    " {}/ {}, {}",
                    sanitize::line(folder),
                    count(files, "file"),
                    count(definitions, "definition")
                );
            }
            if weight(&text) <= room {
                return text;
            }
        }
        String::new()
    }

    /// What was left out, by count.
    fn closing(&self, shown: &BTreeSet<SymbolId>) -> String {
        let files: BTreeSet<FileId> = shown.iter().map(|id| id.file).collect();
        let definitions: usize = self.map.files.iter().map(|file| file.facts.symbols.len()).sum();
        let mut text = format!(
            "shown: {} of {} in {} of {}",
            grouped(shown.len()),
            count(definitions, "definition"),
            grouped(files.len()),
            count(self.map.files.len(), "file"),
        );
        let partly = self.map.files.iter().filter(|file| file.facts.partly_read).count();
        if !self.map.skipped.is_empty() {
            let _ = write!(text, "; {} not read", count(self.map.skipped.len(), "file"));
        }
        if partly > 0 {
            let _ = write!(text, "; {} read in part", count(partly, "file"));
        }
        text.push('\n');
        text
    }
}

/// How much is said of each definition.
type Levels = BTreeMap<SymbolId, Level>;

/// Signatures, the first ones in full.
fn signatures(ranked: &[SymbolId]) -> Levels {
    let full = (ranked.len() as f64 * IN_FULL).ceil() as usize;
    let level = |place: usize| if place < full { Level::Full } else { Level::Short };
    ranked.iter().enumerate().map(|(place, &id)| (id, level(place))).collect()
}

/// The largest number up to `limit` that fits.
fn most(limit: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, limit);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

fn times(number: u32) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The first `depth` parts of a folder.
fn upto(folder: &str, depth: usize) -> &str {
    folder.match_indices('/').nth(depth - 1).map_or(folder, |(end, _)| &folder[..end])
}

/// Characters, those outside ASCII as a whole token: tokenisers split them.
fn weight(text: &str) -> usize {
    text.chars().map(|character| if character.is_ascii() { 1 } else { CHARACTERS_PER_TOKEN }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::rank::rank;
    use crate::repo_map::sample;

    #[test]
    fn the_budget_is_never_exceeded() {
        let map = sample::map();
        let ranking = rank(&map, &Focus::default());
        for tokens in 0..200 {
            let text = outline(&map, &ranking, &Focus::default(), tokens);
            assert!(weight(&text) <= tokens * CHARACTERS_PER_TOKEN, "{tokens} tokens: {text}");
        }
    }

    #[test]
    fn definitions_stand_under_their_file_in_order_of_position() {
        let map = sample::map();
        insta::assert_snapshot!(outline(&map, &rank(&map, &Focus::default()), &Focus::default(), 1000));
    }

    #[test]
    fn a_focus_comes_first_and_every_file_says_why_it_is_there() {
        let map = sample::map();
        let focus = Focus { files: vec![1], ..Focus::default() };
        insta::assert_snapshot!(outline(&map, &rank(&map, &focus), &focus, 1000));
    }
}
