//! Indents: how the lines of a search text are moved to where the file has them, and the lines of its replacement with them.

/// The indent by which a file's lines differ from a search text's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shift {
    None,
    /// The file has this before the indent of every line.
    Added(String),
    /// The search text has this before the indent of every line.
    Removed(String),
    /// The file has this before the first line alone: the search text begins behind it.
    FirstLine(String),
    /// Every level of indent is written differently, and all lines stand this many levels deeper.
    Rewritten {
        from: Unit,
        to: Unit,
        deeper: isize,
    },
}

/// One level of indent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Tab,
    Spaces(usize),
}

impl Unit {
    /// How `lines` are indented: what most of their indents begin with, and the step they most often take. `None` when no line
    /// is indented more than another.
    pub fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Unit> {
        let (mut tabs, mut spaces) = (0_usize, 0_usize);
        let mut steps = [0_usize; 9];
        let mut before: Option<usize> = None;
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let indent = indent_of(line);
            match indent.as_bytes().first() {
                Some(b'\t') => tabs += 1,
                Some(_) => spaces += 1,
                None => {}
            }
            if let Some(step) = before.map(|before| before.abs_diff(indent.len())).filter(|step| (2..=8).contains(step))
            {
                steps[step] += 1;
            }
            before = Some(indent.len());
        }
        if tabs > spaces {
            return Some(Unit::Tab);
        }
        // Of equals the smaller: a step over two levels is no unit.
        let best = (2..=8).max_by_key(|step| (steps[*step], usize::MAX - step))?;
        (steps[best] > 0).then_some(Unit::Spaces(best))
    }

    /// The levels of an indent and the spaces that are left over, as of ` * ` in a comment.
    fn levels(self, indent: &str) -> Option<(usize, usize)> {
        match self {
            Unit::Tab => {
                let rest = indent.trim_start_matches('\t');
                rest.bytes().all(|byte| byte == b' ').then_some((indent.len() - rest.len(), rest.len()))
            }
            Unit::Spaces(width) => {
                indent.bytes().all(|byte| byte == b' ').then_some((indent.len() / width, indent.len() % width))
            }
        }
    }

    fn write(self, levels: usize, over: usize) -> String {
        let indent = match self {
            Unit::Tab => "\t".repeat(levels),
            Unit::Spaces(width) => " ".repeat(width * levels),
        };
        indent + &" ".repeat(over)
    }
}

impl Shift {
    /// The lines of a replacement, moved to where the file has them; `None` when one has not the indent it would have to lose.
    pub fn apply(&self, lines: &[&str]) -> Option<Vec<String>> {
        lines.iter().enumerate().map(|(index, line)| self.moved(index, line)).collect()
    }

    fn moved(&self, index: usize, line: &str) -> Option<String> {
        if line.trim().is_empty() {
            return Some(line.to_owned());
        }
        let indent = indent_of(line);
        Some(match self {
            Shift::None => line.to_owned(),
            Shift::Added(added) => format!("{added}{line}"),
            Shift::Removed(removed) => line.strip_prefix(removed.as_str())?.to_owned(),
            Shift::FirstLine(added) if index == 0 && indent.is_empty() => format!("{added}{line}"),
            Shift::FirstLine(_) => line.to_owned(),
            Shift::Rewritten { from, to, deeper } => {
                let (levels, over) = from.levels(indent)?;
                format!("{}{}", to.write(levels.checked_add_signed(*deeper)?, over), &line[indent.len()..])
            }
        })
    }
}

/// What is known of how a file and an edit are indented.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    /// Of the edit, its replacement included.
    pub edit: Option<Unit>,
    /// Of the file.
    pub file: Option<Unit>,
}

/// The one shift that turns every line of `search` into its line of `window`, if there is one. `replace` decides whether a lone line
/// that is quoted without its indent was moved, or cut.
pub(crate) fn shift_between(window: &[String], search: &[String], replace: &[&str], units: Units) -> Option<Shift> {
    for (have, want) in window.iter().zip(search) {
        if have[indent_of(have).len()..] != want[indent_of(want).len()..] {
            return None;
        }
    }
    uniform(window, search, replace).or_else(|| first_line(window, search)).or_else(|| rewritten(window, search, units))
}

fn uniform(window: &[String], search: &[String], replace: &[&str]) -> Option<Shift> {
    let mut shift: Option<Shift> = None;
    for (have, want) in window.iter().zip(search).filter(|(have, _)| !have.is_empty()) {
        let (have_indent, want_indent) = (indent_of(have), indent_of(want));
        let here = if have_indent == want_indent {
            Shift::None
        } else if let Some(added) = have_indent.strip_suffix(want_indent) {
            Shift::Added(added.to_owned())
        } else {
            Shift::Removed(want_indent.strip_suffix(have_indent)?.to_owned())
        };
        match &shift {
            None => shift = Some(here),
            Some(known) if *known == here => {}
            Some(_) => return None,
        }
    }
    match (shift?, search) {
        (Shift::Added(added), [line]) if indent_of(line).is_empty() && is_cut(&added, line, replace) => {
            Some(Shift::FirstLine(added))
        }
        (shift, _) => Some(shift),
    }
}

/// Whether a replacement for a line that was quoted without its `indent` has that indent on every other line.
fn is_cut(indent: &str, line: &str, replace: &[&str]) -> bool {
    let mut others = replace.iter().skip(1).filter(|line| !line.trim().is_empty()).peekable();
    let Some(second) = others.peek() else { return false };
    // A line below an open bracket stands deeper than it.
    let opens = line.ends_with(['{', '(', '[', ':', '>']);
    let goes_deeper = !opens || indent_of(second).len() > indent.len() || second.trim().starts_with(['}', ')', ']']);
    goes_deeper && others.all(|line| line.starts_with(indent))
}

fn first_line(window: &[String], search: &[String]) -> Option<Shift> {
    let ([have, others @ ..], [want, rest @ ..]) = (window, search) else { return None };
    let is_first = indent_of(want).is_empty() && !want.is_empty() && !rest.is_empty() && others == rest;
    is_first.then(|| Shift::FirstLine(indent_of(have).to_owned()))
}

fn rewritten(window: &[String], search: &[String], units: Units) -> Option<Shift> {
    let widest = search.iter().map(|line| indent_of(line)).max_by_key(|indent| indent.len())?;
    let alone = if widest.starts_with('\t') { Unit::Tab } else { Unit::Spaces(widest.len().max(1)) };
    let (from, to) = (units.edit.unwrap_or(alone), units.file?);
    let mut deeper = None;
    for (have, want) in window.iter().zip(search).filter(|(have, _)| !have.is_empty()) {
        let ((levels, over), (wanted, left)) = (to.levels(indent_of(have))?, from.levels(indent_of(want))?);
        let here = isize::try_from(levels).ok()? - isize::try_from(wanted).ok()?;
        if over != left || deeper.is_some_and(|known| known != here) {
            return None;
        }
        deeper = Some(here);
    }
    Some(Shift::Rewritten { from, to, deeper: deeper? })
}

pub(crate) fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}
