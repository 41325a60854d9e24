//! Placing one edit in one text: where it goes, on which rung, or why nowhere.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::indent::{Shift, indent_of};
use super::matching::{Found, Line, Match, Rung, block_lines, find, lines_of};
use super::rewrite::{Change, common, differences, rewrite};
use super::surface::{elision, fence};
use super::{Block, Hunk, Insertion, Side, numbers, region, symbols};

/// A text with an edit in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub text: String,
    /// Index of the first line it was found on.
    pub line: usize,
    pub rung: Rung,
}

/// Why an edit has no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotFound,
    /// The line that a hunk names as the one it stands under is not there.
    NoHeading(String),
    /// Lines (1-based) of every place.
    Ambiguous(Vec<u32>),
    /// The line (1-based) on which the replacement stands.
    AlreadyApplied(u32),
    Malformed {
        message: String,
        advice: &'static str,
    },
}

fn malformed(message: impl Into<String>, advice: &'static str) -> Refusal {
    Refusal::Malformed { message: message.into(), advice }
}

/// What an edit is placed in.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The file's path: its language decides what a definition is.
    pub path: &'a str,
    pub text: &'a str,
    /// Whether the last rung may be tried. It may not in a file that has changed since the edit's writer read it.
    pub may_guess: bool,
}

/// `target` with one SEARCH/REPLACE block applied.
///
/// A fence around the block is the file's own where it stands there, and else the message's.
pub(crate) fn block(target: Target<'_>, block: &Block) -> Result<Placed, Refusal> {
    let Some(inner) = fence::unwrapped_block(target.path, block) else { return bare_block(target, block) };
    match bare_block(Target { may_guess: false, ..target }, block) {
        Err(Refusal::NotFound) => match bare_block(target, &inner) {
            Err(Refusal::NotFound) => bare_block(target, block),
            found => found,
        },
        found => found,
    }
}

fn bare_block(target: Target<'_>, block: &Block) -> Result<Placed, Refusal> {
    in_region(target, block, &|file| Ok(std::iter::once(0..file.len()).collect()))
}

/// `target` with one hunk of a patch applied, under its headings.
pub(crate) fn hunk(target: Target<'_>, hunk: &Hunk) -> Result<Placed, Refusal> {
    in_region(target, &hunk.block, &|file| {
        let regions = region::under(file, &hunk.under).map_err(Refusal::NoHeading)?;
        if !hunk.at_end {
            return Ok(regions);
        }
        let filled = file.iter().rposition(|line| !line.text.trim().is_empty()).map_or(0, |last| last + 1);
        let lines = block_lines(&hunk.block.search).iter().rev().skip_while(|line| line.trim().is_empty()).count();
        Ok(std::iter::once(filled.saturating_sub(lines)..file.len()).collect())
    })
}

/// `target` with a text put next to its anchor.
pub(crate) fn insertion(target: Target<'_>, insertion: &Insertion) -> Result<Placed, Refusal> {
    if insertion.text.trim().is_empty() {
        return Err(malformed("the text to insert is empty", "send the lines that come"));
    }
    if insertion.anchor.trim().is_empty() {
        return at_edge(target, insertion);
    }
    let (anchor, text) = (&insertion.anchor, &insertion.text);
    let replace = match insertion.side {
        Side::Before => format!("{text}\n{anchor}"),
        Side::After => format!("{anchor}\n{text}"),
    };
    block(target, &Block { search: anchor.clone(), replace })
}

fn at_edge(target: Target<'_>, insertion: &Insertion) -> Result<Placed, Refusal> {
    masks(target, &[&insertion.text])?;
    let (mark, body) = split_mark(target.text);
    let file = lines_of(body);
    let new: Vec<String> = block_lines(&insertion.text).into_iter().map(str::to_owned).collect();
    let at = match insertion.side {
        Side::Before => 0,
        Side::After => file.len(),
    };
    let stands = match insertion.side {
        Side::Before => 0..new.len().min(file.len()),
        Side::After => file.len().saturating_sub(new.len())..file.len(),
    };
    if file[stands.clone()].iter().map(|line| line.text.trim_end()).eq(new.iter().map(|line| line.trim_end())) {
        return Err(Refusal::AlreadyApplied(number(stands.start)));
    }
    if file.is_empty() {
        return Ok(Placed { text: format!("{mark}{}\n", new.join("\n")), line: 0, rung: Rung::Exact });
    }
    let text = rewrite(&file, &[Change { lines: at..at, new }]);
    Ok(Placed { text: format!("{mark}{text}"), line: at, rung: Rung::Exact })
}

/// `target` with `new` in place of `old`, which may begin and end inside lines.
///
/// Whole lines go first. A part of a line has to stand there byte for byte and once, and may not cut a word.
pub(crate) fn substitution(target: Target<'_>, old: &str, new: &str) -> Result<Placed, Refusal> {
    let (inner_old, inner_new) = fence::unwrapped_pair(target.path, old, new);
    if inner_old == old {
        return bare_substitution(target, old, new);
    }
    match bare_substitution(Target { may_guess: false, ..target }, old, new) {
        Err(Refusal::NotFound) => bare_substitution(target, &inner_old, &inner_new),
        found => found,
    }
}

fn bare_substitution(target: Target<'_>, old: &str, new: &str) -> Result<Placed, Refusal> {
    let as_lines = Block::of_texts(old, new);
    checked(target, &as_lines)?;
    let (mark, body) = split_mark(target.text);
    let adapted = |text: &str| {
        let unix = text.replace("\r\n", "\n");
        if body.contains("\r\n") { unix.replace('\n', "\r\n") } else { unix }
    };
    let (old_text, new_text) = (adapted(old), adapted(new));
    let starts = overlapping(body, &old_text);
    let line_at = |at: usize| body[..at].matches('\n').count();
    match starts.as_slice() {
        [at] if is_inside_line(body, *at, &old_text) && !cuts_word(body, *at, &old_text) => {
            let stands = overlapping(body, &new_text);
            if !new_text.is_empty()
                && stands.iter().any(|start| *start <= *at && at + old_text.len() <= start + new_text.len())
            {
                return Err(Refusal::AlreadyApplied(number(line_at(*at))));
            }
            let text = format!("{mark}{}{new_text}{}", &body[..*at], &body[at + old_text.len()..]);
            if let Ok(lines) = block(target, &as_lines)
                && lines.text != text
            {
                return Err(Refusal::Ambiguous(vec![number(line_at(*at)), number(lines.line)]));
            }
            Ok(Placed { text, line: line_at(*at), rung: Rung::Exact })
        }
        [] | [_] => block(target, &as_lines),
        several => match block(target, &as_lines) {
            // Of several places only one that is whole lines byte for byte is meant for certain.
            Ok(placed) if placed.rung <= Rung::TrailingSpace => Ok(placed),
            Err(refusal @ Refusal::AlreadyApplied(_)) => Err(refusal),
            Ok(_) | Err(_) => Err(Refusal::Ambiguous(several.iter().map(|at| number(line_at(*at))).collect())),
        },
    }
}

fn overlapping(text: &str, wanted: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let Some(step) = wanted.chars().next().map(char::len_utf8) else { return found };
    let mut from = 0;
    while let Some(at) = text[from..].find(wanted) {
        found.push(from + at);
        if found.len() > MAX_PLACES {
            break;
        }
        from += at + step;
    }
    found
}

/// Places of one search text that are looked for. Our choice: more help nobody.
const MAX_PLACES: usize = 50;

/// Whether a place is more or less than whole lines, their indent aside.
fn is_inside_line(body: &str, at: usize, old: &str) -> bool {
    let end = at + old.len();
    let head = &body[body[..at].rfind('\n').map_or(0, |line| line + 1)..at];
    let tail = &body[end..body[end..].find('\n').map_or(body.len(), |line| end + line)];
    let ends_line = tail.trim().is_empty() || old.ends_with('\n');
    !(head.trim().is_empty() && ends_line)
}

fn cuts_word(body: &str, at: usize, old: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let end = at + old.len();
    let joined = |left: Option<char>, right: Option<char>| left.is_some_and(is_word) && right.is_some_and(is_word);
    joined(body[..at].chars().next_back(), old.chars().next())
        || joined(old.chars().next_back(), body[end..].chars().next())
}

type Regions<'r> = &'r dyn Fn(&[Line<'_>]) -> Result<Vec<Range<usize>>, Refusal>;

fn in_region(target: Target<'_>, block: &Block, regions: Regions<'_>) -> Result<Placed, Refusal> {
    checked(target, block)?;
    let (mark, body) = split_mark(target.text);
    let file = lines_of(body);
    let (search, replace) = (block_lines(&block.search), block_lines(&block.replace));
    let regions = regions(&file)?;
    let whole = Variant { search: search.clone(), replace: replace.clone(), floor: Rung::Exact, keeps_indent: false };
    let placed = |text: String, line: usize, rung: Rung| Placed { text: format!("{mark}{text}"), line, rung };
    let mut variants = vec![whole];
    variants.extend(without_blank_edges(&search, &replace));
    for variant in &variants {
        if let Some((found, at)) = variant.find(&file, &regions)? {
            return variant.write(&file, &found, at).map(|text| placed(text, at, found.rung.max(variant.floor)));
        }
    }
    if let Some(line) = stands(&file, &regions, &replace) {
        return Err(Refusal::AlreadyApplied(line));
    }
    // Where lines of the file itself start with numbers, those of a search text may be meant.
    let are_numbers = !file.iter().any(|line| numbers::number(line.text).is_some());
    for (search, replace, keeps_indent) in
        are_numbers.then(|| numbers::stripped(&search, &replace)).into_iter().flatten()
    {
        let variant = Variant { search, replace, floor: Rung::LineNumbers, keeps_indent };
        if let Some((found, at)) = variant.find(&file, &regions)? {
            return variant.write(&file, &found, at).map(|text| placed(text, at, Rung::LineNumbers));
        }
        if let Some(line) = stands(&file, &regions, &variant.replace) {
            return Err(Refusal::AlreadyApplied(line));
        }
    }
    if target.may_guess
        && let Some((changes, at)) = symbols::merged(target.path, body, &file, &search, &replace)
        && regions
            .iter()
            .any(|region| changes.iter().all(|it| region.start <= it.lines.start && it.lines.end <= region.end))
    {
        return Ok(placed(rewrite(&file, &changes), at, Rung::SameSymbol));
    }
    if let Some(line) = elision::elided(target.path, body, &block.search) {
        let advice = "quote only lines that stand next to each other, and write each of them out";
        return Err(malformed(format!("the search text leaves code out: `{}`", line.trim()), advice));
    }
    Err(Refusal::NotFound)
}

/// A block as it may have been meant.
struct Variant<'a> {
    search: Vec<&'a str>,
    replace: Vec<&'a str>,
    /// The rung it takes at least.
    floor: Rung,
    /// The search text lost its indent in a way that the replacement did not, so only a place without a shift is certain.
    keeps_indent: bool,
}

impl Variant<'_> {
    /// The one place, and the index of its first line in the file.
    fn find(&self, file: &[Line<'_>], regions: &[Range<usize>]) -> Result<Option<(Match, usize)>, Refusal> {
        let mut once: Vec<(Match, usize)> = Vec::new();
        let mut many = Vec::new();
        for region in regions {
            match find(&file[region.clone()], &self.search, &self.replace) {
                Found::Once(found) => {
                    let at = region.start + found.start;
                    once.push((found, at));
                }
                Found::Many(starts) => many.extend(starts.into_iter().map(|start| region.start + start)),
                Found::Nowhere => {}
            }
        }
        if self.keeps_indent {
            once.retain(|(found, _)| found.shift == Shift::None);
        }
        match once.len() + many.len() {
            0 => Ok(None),
            1 => Ok(once.pop()),
            _ => {
                let mut lines: Vec<u32> = once.iter().map(|(_, at)| *at).chain(many).map(number).collect();
                lines.sort_unstable();
                lines.dedup();
                lines.truncate(MAX_PLACES);
                Err(Refusal::Ambiguous(lines))
            }
        }
    }

    /// The file with the lines of a match replaced. Lines that the block keeps keep the file's bytes.
    fn write(&self, file: &[Line<'_>], found: &Match, at: usize) -> Result<String, Refusal> {
        let Some(moved) = found.shift.apply(&self.replace) else {
            let advice = "indent the replacement as the lines of the search text are indented";
            let message = "the search text is indented otherwise than the file, and its replacement otherwise again";
            return Err(malformed(message, advice));
        };
        if let Some(line) = stands_around(file, at, &self.search, &self.replace, &moved) {
            return Err(Refusal::AlreadyApplied(line));
        }
        let window = &file[at..at + self.search.len()];
        let change = |(old, new): (Range<usize>, Range<usize>), lines: &[String]| Change {
            lines: at + old.start..at + old.end,
            new: lines[new].to_vec(),
        };
        let changes: Vec<Change> = if self.stays(window, &found.shift) {
            let lines: Vec<String> = self.replace.iter().map(|line| (*line).to_owned()).collect();
            let old: Vec<&str> = window.iter().map(|line| line.text).collect();
            differences(&old, &self.replace).into_iter().map(|it| change(it, &lines)).collect()
        } else {
            differences(&self.search, &self.replace).into_iter().map(|it| change(it, &moved)).collect()
        };
        Ok(rewrite(file, &changes))
    }

    /// Whether the replacement is indented as the file is, though the search text is not: every line that both have stands in it
    /// exactly as in the file, and no line stands left of all of the file's.
    fn stays(&self, window: &[Line<'_>], shift: &Shift) -> bool {
        if *shift == Shift::None || matches!(shift, Shift::FirstLine(_)) {
            return false;
        }
        let filled = |line: &&str| !line.trim().is_empty();
        let depth = |line: &str| indent_of(line).len();
        let least = window.iter().map(|line| line.text).filter(filled).map(depth).min().unwrap_or(0);
        let search: Vec<&str> = self.search.iter().map(|line| line.trim()).collect();
        let replace: Vec<&str> = self.replace.iter().map(|line| line.trim()).collect();
        let mut tells = false;
        for (old, new) in common(&search, &replace) {
            let (have, quoted, line) = (window[old].text, self.search[old], self.replace[new]);
            if line.trim().is_empty() {
                continue;
            }
            if have.trim_end() != line.trim_end() {
                return false;
            }
            // A line that is quoted as it stands tells nothing.
            tells |= have.trim_end() != quoted.trim_end();
        }
        tells && self.replace.iter().copied().filter(filled).all(|line| depth(line) >= least)
    }
}

/// The block without blank lines around its search text, and as many fewer around the replacement.
fn without_blank_edges<'a>(search: &[&'a str], replace: &[&'a str]) -> Option<Variant<'a>> {
    let is_blank = |line: &&&str| line.trim().is_empty();
    let above = search.iter().take_while(is_blank).count();
    let below = search[above..].iter().rev().take_while(is_blank).count();
    if above + below == 0 {
        return None;
    }
    let from = replace.iter().take(above).take_while(is_blank).count();
    let to = replace[from..].iter().rev().take(below).take_while(is_blank).count();
    Some(Variant {
        search: search[above..search.len() - below].to_vec(),
        replace: replace[from..replace.len() - to].to_vec(),
        floor: Rung::TrailingSpace,
        keeps_indent: false,
    })
}

/// The line (1-based) on which a whole replacement stands already, once. Brackets alone tell nothing.
fn stands(file: &[Line<'_>], regions: &[Range<usize>], replace: &[&str]) -> Option<u32> {
    if !replace.iter().any(|line| line.chars().any(char::is_alphanumeric)) {
        return None;
    }
    let mut places = regions.iter().map(|region| (region, find(&file[region.clone()], replace, replace)));
    let (region, found) = places.find(|(_, found)| *found != Found::Nowhere)?;
    match found {
        Found::Once(found) => Some(number(region.start + found.start)),
        Found::Many(_) | Found::Nowhere => None,
    }
}

/// The line on which the whole replacement already stands around a match, when the replacement only adds to the search text.
fn stands_around(file: &[Line<'_>], at: usize, search: &[&str], replace: &[&str], moved: &[String]) -> Option<u32> {
    if replace.len() <= search.len() {
        return None;
    }
    let offsets = 0..=replace.len() - search.len();
    offsets.filter(|offset| replace[*offset..*offset + search.len()] == *search).find_map(|offset| {
        let start = at.checked_sub(offset)?;
        let window = file.get(start..start + replace.len())?;
        let same = window.iter().zip(moved).all(|(line, want)| line.text.trim_end() == want.trim_end());
        same.then(|| number(start))
    })
}

fn checked(target: Target<'_>, block: &Block) -> Result<(), Refusal> {
    if block.search.trim().is_empty() {
        return Err(malformed("the search text is empty", "quote the lines that the change is at"));
    }
    masks(target, &[&block.search, &block.replace])?;
    if block.search == block.replace {
        let message = "the search text and its replacement are the same";
        return Err(malformed(message, "send only edits that change something"));
    }
    if numbers::are_numbered(&block_lines(&block.replace)) && !numbers::are_numbered(&block_lines(&block.search)) {
        return Err(malformed("every line of the replacement starts with a line number", numbers::ADVICE));
    }
    Ok(())
}

fn masks(target: Target<'_>, texts: &[&str]) -> Result<(), Refusal> {
    match texts.iter().find_map(|text| foreign_mark(text, target.text)) {
        Some(mark) => Err(malformed(masked(mark), MASK_ADVICE)),
        None => Ok(()),
    }
}

/// The byte order mark of a text, and the rest: it is not part of the first line.
pub(crate) fn split_mark(text: &str) -> (&str, &str) {
    text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body))
}

/// A mask that stands in an edit and not in the file: writing it would replace a secret by its mask.
pub(crate) fn foreign_mark<'t>(edit: &'t str, file: &str) -> Option<&'t str> {
    static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[secret:[a-z0-9_-]+\]").expect("a constant pattern"));
    MARK.find_iter(edit).map(|found| found.as_str()).find(|mark| !file.contains(mark))
}

pub(crate) fn masked(mark: &str) -> String {
    format!("the edit holds the masked secret `{mark}`, whose text it cannot know")
}

pub(crate) const MASK_ADVICE: &str = "leave the line with the mask as it is, and edit other lines";

pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}
