//! A piece of a file with some of its lines marked and named.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::layout::{Page, cut, paint, style};
use super::sanitize;

/// Marked lines that are shown; of more, the first and the last.
const MARKED_LINES: u32 = 12;

/// Lines of a file and what is to be marked among them.
pub struct Excerpt<'a> {
    /// The file.
    pub file: &'a str,
    /// Lines of it.
    pub lines: &'a str,
    /// Number of the first of them, 1-based.
    pub first: u32,
    /// What to mark, at least one.
    pub marks: Vec<Mark<'a>>,
    /// Lines shown before and after what is marked.
    pub around: u32,
}

/// Lines to mark.
pub struct Mark<'a> {
    /// The lines.
    pub lines: RangeInclusive<u32>,
    /// What they have to do with the matter.
    pub role: &'a str,
}

impl Mark<'_> {
    /// Whether it has more lines than are shown, and this is one of those left out; the first of them says how many.
    fn leaves_out(&self, number: u32) -> Option<u32> {
        let (start, end) = (*self.lines.start(), *self.lines.end());
        let (head, tail) = (start.saturating_add(MARKED_LINES / 2), end.saturating_sub(MARKED_LINES / 2));
        (head <= tail && (head..=tail).contains(&number)).then(|| if number == head { tail - head + 1 } else { 0 })
    }
}

/// The excerpt: where it is, and its lines with numbers.
pub fn excerpt(shown: &Excerpt<'_>, page: &Page) -> String {
    let Excerpt { file, lines, first, marks, around } = shown;
    let start = marks.iter().map(|mark| *mark.lines.start()).min().unwrap_or(*first);
    let end = marks.iter().map(|mark| *mark.lines.end()).max().unwrap_or(*first);
    let mut text = String::new();
    for (index, mark) in marks.iter().enumerate() {
        let (from, to) = (*mark.lines.start(), *mark.lines.end());
        let lines = if from == to { from.to_string() } else { format!("{from}-{to}") };
        let place = if index == 0 { format!("{file}:{lines}") } else { format!("  :{lines}") };
        let gap = if index == 0 { "" } else { "  " };
        let place = page.link(&sanitize::line(&place), file, from);
        let _ = write!(text, "{gap}{place}  {}", paint(style::FAINT, &sanitize::line(mark.role)));
    }
    text.push('\n');
    let window = start.saturating_sub(*around)..=end.saturating_add(*around);
    let mut rows: Vec<(u32, &str)> =
        (*first..).zip(lines.lines()).filter(|(number, _)| window.contains(number)).collect();
    // Empty lines at the edges show nothing.
    while rows.first().is_some_and(|(number, line)| *number < start && line.trim().is_empty()) {
        rows.remove(0);
    }
    while rows.last().is_some_and(|(number, line)| *number > end && line.trim().is_empty()) {
        rows.pop();
    }
    let digits = end.saturating_add(*around).to_string().len().max(3);
    for (number, line) in rows {
        if let Some(skipped) = marks.iter().find_map(|mark| mark.leaves_out(number)) {
            if skipped > 0 {
                let gap = format!("{:>digits$} │ {skipped} lines more", "");
                let _ = writeln!(text, "    {}", paint(style::FAINT, &gap));
            }
            continue;
        }
        let is_marked = marks.iter().any(|mark| mark.lines.contains(&number));
        let sign = if is_marked { paint(style::BAD, "▶") } else { " ".to_owned() };
        let line = sanitize::block(line);
        let line = cut(line.trim_end(), page.width.saturating_sub(digits + 7));
        let line = if is_marked { line } else { paint(style::FAINT, &line) };
        let row = format!("  {sign} {} {line}", paint(style::FAINT, &format!("{number:>digits$} │")));
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: RangeInclusive<u32>, text: &str) -> String {
        let marks = vec![Mark { lines, role: "loop" }];
        let shown = Excerpt { file: "src/a.ts", lines: text, first: 1, marks, around: 1 };
        anstream::adapter::strip_str(&excerpt(&shown, &Page::plain(40))).to_string()
    }

    #[test]
    fn marked_lines_stand_between_their_neighbours() {
        let text = shown(2..=3, "one\n\ttwo\nthree, which is too long for a page of forty columns\n\nfive\n");
        assert_eq!(
            text,
            "src/a.ts:2-3  loop\n      1 │ one\n  ▶   2 │     two\n  ▶   3 │ three, which is too long for…\n"
        );
    }

    #[test]
    fn places_that_stand_together_share_an_excerpt() {
        let marks = vec![Mark { lines: 1..=1, role: "loop" }, Mark { lines: 3..=3, role: "query" }];
        let shown = Excerpt { file: "a.ts", lines: "one\ntwo\nthree\n", first: 1, marks, around: 1 };
        let text = anstream::adapter::strip_str(&excerpt(&shown, &Page::plain(40))).to_string();
        assert_eq!(text, "a.ts:1  loop    :3  query\n  ▶   1 │ one\n      2 │ two\n  ▶   3 │ three\n");
    }

    #[test]
    fn of_many_marked_lines_the_first_and_the_last_are_shown() {
        let lines: String = (1..=40).map(|number| format!("line {number}\n")).collect();
        let text = shown(5..=35, &lines);
        assert!(text.contains("  10 │ line 10\n        │ 19 lines more\n  ▶  30 │ line 30\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains('▶')).count(), 12);
    }
}
