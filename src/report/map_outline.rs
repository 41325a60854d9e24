//! `improve map --tokens N`: as much of what matters as fits into N tokens of a prompt.
//!
//! Definitions stand under their file, files under their folder. The more important a definition, the more is said: its
//! signature with why it is there, its signature without parameters, its name. The budget is a ceiling.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::layout::count;
use crate::map::rank::{Focus, Near, Ranking, entry_files, is_entry};
use crate::repo_map::{FileId, RepoMap, SymbolId};

mod document;
mod signature;
mod text;

use document::Document;
pub use document::OutlineDocument;
use text::Text;

/// Characters to a token. Code in public tokenisers runs at 3.3 to 3.6; the low end keeps the budget a ceiling.
pub const CHARACTERS_PER_TOKEN: usize = 3;
/// Definitions shown in 1,000 tokens at least, as long as there are any: an overview is worth its breadth.
const DENSITY: usize = 50;
/// Share of the budget that may go to folders of which nothing else is shown.
const FOLDERS: f64 = 0.15;
/// Ways to spend the rest, tried in order until the outline is dense enough: the share that may go to signatures, the
/// remainder going to names, and how many of its other names a file brings along that is opened for a name. The path of a
/// file costs as much as two or three names, most of all in JSON: what is opened must be worth its path.
const WAYS: [(f64, usize); 8] =
    [(1.0, 0), (0.8, 0), (0.6, 0), (0.45, 0), (0.45, 2), (0.3, 2), (0.3, 5), (0.3, usize::MAX)];
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

/// Definitions and how much is said of each.
type Levels = BTreeMap<SymbolId, Level>;
/// A folder of which nothing is shown, with its source files and definitions.
type Folder<'a> = (&'a str, (usize, usize));

/// How an outline is written: what is shown depends on how much room that takes.
trait Form {
    /// Folders, files and definitions, in order of path and position.
    fn body(&self, outliner: &Outliner<'_>, levels: &Levels) -> String;
    /// A definition by itself.
    fn line(&self, outliner: &Outliner<'_>, id: SymbolId, level: Level) -> String;
    /// Folders of which nothing is shown.
    fn folders(&self, folders: &[Folder<'_>]) -> String;
    /// What stands around all that when so many definitions are shown: what was left out, by count.
    fn frame(&self, outliner: &Outliner<'_>, shown: &BTreeSet<SymbolId>) -> String;
    /// The whole.
    fn page(&self, outliner: &Outliner<'_>, levels: &Levels, folders: &[Folder<'_>]) -> String;
}

/// The outline of `map` in at most `tokens`, as text.
pub fn outline(map: &RepoMap, ranking: &Ranking, focus: &Focus, tokens: usize) -> String {
    written(&Outliner::new(map, ranking, focus), &Text, tokens).map_or_else(String::new, |(_, text)| text)
}

/// The definitions that [`outline`] shows, sorted.
pub fn outlined(map: &RepoMap, ranking: &Ranking, focus: &Focus, tokens: usize) -> Vec<SymbolId> {
    let written = written(&Outliner::new(map, ranking, focus), &Text, tokens);
    written.map_or_else(Vec::new, |(levels, _)| levels.into_keys().collect())
}

/// The same as a document, on one line because white space costs tokens, too. What stands around its lists is always there, which
/// takes some eighty tokens.
pub fn outline_json(map: &RepoMap, ranking: &Ranking, focus: &Focus, tokens: usize) -> String {
    let outliner = Outliner::new(map, ranking, focus);
    let form = Document { tokens };
    written(&outliner, &form, tokens).map_or_else(|| form.page(&outliner, &Levels::new(), &[]), |(_, text)| text)
}

/// As much as fits into `tokens`; `None` when nothing does.
fn written(outliner: &Outliner<'_>, form: &dyn Form, tokens: usize) -> Option<(Levels, String)> {
    let room = tokens.saturating_mul(CHARACTERS_PER_TOKEN);
    let frame = |shown| weight(&form.frame(outliner, shown));
    let room = room.checked_sub(frame(&BTreeSet::new()).max(frame(&outliner.everything())))?;
    let mut best = Levels::new();
    for (share, companions) in WAYS {
        best = outliner.fill(form, room, share, companions);
        if best.len() >= (tokens * DENSITY / 1000).min(outliner.ranking.symbols.len()) {
            break;
        }
    }
    let hidden = outliner.other_folders(form, &best, room.saturating_sub(weight(&form.body(outliner, &best))));
    let text = form.page(outliner, &best, &hidden);
    Some((best, text))
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

    /// The most definitions that fit when the room is spent in this way.
    fn fill(&self, form: &dyn Form, room: usize, share: f64, companions: usize) -> Levels {
        let ranked = &self.ranking.symbols;
        let weigh = |levels: &Levels| weight(&form.body(self, levels));
        let folders = self.other_folders(form, &Levels::new(), (room as f64 * FOLDERS) as usize);
        let folders = weight(&form.folders(&folders));
        let for_body = room - folders;
        let for_signatures = (for_body as f64 * share) as usize;
        let signed = most(ranked.len().min(for_signatures / SHORTEST), |number| {
            weigh(&signatures(&ranked[..number])) <= for_signatures
        });
        let mut levels = signatures(&ranked[..signed]);
        let others = named(ranked, signed, companions);
        let with = |number: usize| -> Levels {
            levels
                .iter()
                .map(|(&id, &level)| (id, level))
                .chain(others[..number].iter().map(|&id| (id, Level::Name)))
                .collect()
        };
        let named = most(others.len().min(for_body / SHORTEST), |number| weigh(&with(number)) <= for_body);
        levels = with(named);
        self.upgrade(form, &mut levels, &ranked[..signed], for_body);
        levels
    }

    /// Spends what is left on saying more of the most important ones.
    fn upgrade(&self, form: &dyn Form, levels: &mut Levels, ranked: &[SymbolId], room: usize) {
        let mut left = room.saturating_sub(weight(&form.body(self, levels)));
        for &id in ranked {
            let level = levels.get_mut(&id).expect("every ranked one has a level");
            if *level == Level::Short {
                let size = |level| weight(&form.line(self, id, level));
                let more = size(Level::Full).saturating_sub(size(Level::Short));
                if more > left {
                    break;
                }
                left -= more;
                *level = Level::Full;
            }
        }
    }

    /// Definitions by file, in order of path and position: all of a folder before its subfolders.
    fn by_file(&self, levels: &Levels) -> Vec<(FileId, Vec<(SymbolId, Level)>)> {
        let mut files: BTreeMap<usize, Vec<(SymbolId, Level)>> = BTreeMap::new();
        for (&id, &level) in levels {
            files.entry(self.places[id.file as usize]).or_default().push((id, level));
        }
        files.into_values().map(|definitions| (definitions[0].0.file, definitions)).collect()
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

    /// Why a definition is there.
    fn reasons(&self, id: SymbolId) -> Vec<String> {
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
        said
    }

    /// Folders of which nothing is shown, in at most `room`: at full depth if they fit, else at the depth that does.
    fn other_folders(&self, form: &dyn Form, levels: &Levels, room: usize) -> Vec<Folder<'a>> {
        let shown: BTreeSet<&str> = levels.keys().map(|id| folder(&self.map.file(id.file).path)).collect();
        let hidden: Vec<Folder<'a>> = self
            .folders
            .iter()
            .filter(|(folder, _)| !shown.contains(*folder))
            .map(|(&folder, &size)| (folder, size))
            .collect();
        let deepest = hidden.iter().map(|(folder, _)| folder.split('/').count()).max().unwrap_or(0);
        for depth in (1..=deepest).rev() {
            let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            for &(folder, (files, definitions)) in &hidden {
                let entry = groups.entry(upto(folder, depth)).or_default();
                *entry = (entry.0 + files, entry.1 + definitions);
            }
            let groups: Vec<Folder<'a>> = groups.into_iter().collect();
            if weight(&form.folders(&groups)) <= room {
                return groups;
            }
        }
        Vec::new()
    }

    /// Files and definitions of the whole map.
    fn total(&self) -> (usize, usize) {
        (self.map.files.len(), self.map.files.iter().map(|file| file.facts.symbols.len()).sum())
    }

    /// Files that were read in part.
    fn read_in_part(&self) -> usize {
        self.map.files.iter().filter(|file| file.facts.partly_read).count()
    }
}

/// Signatures, the first ones in full.
fn signatures(ranked: &[SymbolId]) -> Levels {
    let full = (ranked.len() as f64 * IN_FULL).ceil() as usize;
    let level = |place: usize| if place < full { Level::Full } else { Level::Short };
    ranked.iter().enumerate().map(|(place, &id)| (id, level(place))).collect()
}

/// What may be named beside the first `signed`, in order: what is in the files of those, since names cost least there, then the
/// rest, each file that is opened with so many `companions`.
fn named(ranked: &[SymbolId], signed: usize, companions: usize) -> Vec<SymbolId> {
    let open: HashSet<FileId> = ranked[..signed].iter().map(|id| id.file).collect();
    let (mut named, outside): (Vec<SymbolId>, Vec<SymbolId>) =
        ranked[signed..].iter().partition(|id| open.contains(&id.file));
    let mut waiting: HashMap<FileId, VecDeque<SymbolId>> = HashMap::new();
    for &id in &outside {
        waiting.entry(id.file).or_default().push_back(id);
    }
    for id in outside {
        let waiting = waiting.get_mut(&id.file).expect("every one outside waits with its file");
        // Those that came along earlier are gone from the front: they rank first in their file.
        if waiting.front() == Some(&id) {
            let together = companions.saturating_add(1).min(waiting.len());
            named.extend(waiting.drain(..together));
        }
    }
    named
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
pub(crate) fn weight(text: &str) -> usize {
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
            let text = outline_json(&map, &ranking, &Focus::default(), tokens);
            assert!(weight(&text) <= tokens.max(80) * CHARACTERS_PER_TOKEN, "{tokens} tokens: {text}");
            serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON however small");
        }
    }

    #[test]
    fn the_document_says_what_the_text_says() {
        let map = sample::map();
        let focus = Focus { files: vec![1], ..Focus::default() };
        let text = outline_json(&map, &rank(&map, &focus), &focus, 1000);
        let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        insta::assert_json_snapshot!(document);
    }

    #[test]
    fn a_file_that_is_opened_for_a_name_brings_its_next_ones_along() {
        let id = |file, index| SymbolId { file, index };
        let ranked = [id(0, 0), id(1, 0), id(2, 0), id(1, 1), id(0, 1), id(1, 2), id(2, 1), id(1, 3)];
        let rest = [id(1, 0), id(2, 0), id(1, 1), id(1, 2), id(2, 1), id(1, 3)];
        assert_eq!(named(&ranked, 1, 0), [&[id(0, 1)], &rest[..]].concat(), "names inside first, then by rank");
        let rest = [id(1, 0), id(1, 1), id(2, 0), id(2, 1), id(1, 2), id(1, 3)];
        assert_eq!(named(&ranked, 1, 1), [&[id(0, 1)], &rest[..]].concat());
        let rest = [id(1, 0), id(1, 1), id(1, 2), id(1, 3), id(2, 0), id(2, 1)];
        assert_eq!(named(&ranked, 1, usize::MAX), [&[id(0, 1)], &rest[..]].concat());
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
