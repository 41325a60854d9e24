//! A guide for people: Markdown from the templates, for a file or a terminal.
//!
//! Numbers are rounded, so that a page changes when the project does and not with every line.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::map_human::skip_word;
use super::{layout, sanitize};
use crate::onboard::{Guide, SectionId};
use crate::plan::markdown;

mod document;

pub use document::{Assembled, BUILT_IN, OnboardDocument, SectionText, Written, assembled, hash, is_guide, written};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for (name, text) in [
        ("guide.md", include_str!("../../templates/onboard/guide.md")),
        ("about.md", include_str!("../../templates/onboard/about.md")),
        ("setup.md", include_str!("../../templates/onboard/setup.md")),
        ("reading.md", include_str!("../../templates/onboard/reading.md")),
        ("walk.md", include_str!("../../templates/onboard/walk.md")),
        ("conventions.md", include_str!("../../templates/onboard/conventions.md")),
        ("people.md", include_str!("../../templates/onboard/people.md")),
        ("heat.md", include_str!("../../templates/onboard/heat.md")),
        ("surprises.md", include_str!("../../templates/onboard/surprises.md")),
        ("glossary.md", include_str!("../../templates/onboard/glossary.md")),
        ("limits.md", include_str!("../../templates/onboard/limits.md")),
    ] {
        environment.add_template(name, text).expect("the templates are tested");
    }
    environment.add_filter("text", |text: String| text_of(&text));
    environment.add_filter("code", |text: String| code(&text));
    environment.add_filter("codes", codes);
    environment.add_filter("cell", |text: String| code(&text).replace('|', "\\|"));
    environment.add_filter("folder", |path: String| code(&format!("{}/", if path.is_empty() { "." } else { &path })));
    environment.add_filter("place", place);
    environment.add_filter("round", round);
    environment.add_filter("s", |count: u64| if count == 1 { "" } else { "s" });
    environment.add_filter("words", words);
    environment.add_filter("numbers", |numbers: Vec<usize>| {
        words(numbers.into_iter().map(|number| number.to_string()).collect())
    });
    environment.add_filter("capital", capital);
    environment.add_filter("full_stop", |said: Option<String>| {
        if said.is_none_or(|said| said.ends_with(['.', '!', '?', '…'])) { "" } else { "." }
    });
    environment.add_filter("language", |name: String| match name.as_str() {
        "typescript" => "TypeScript".to_owned(),
        "javascript" => "JavaScript".to_owned(),
        _ => capital(name),
    });
    environment.add_filter("role", |role: String| match role.as_str() {
        "test" => "tests".to_owned(),
        "example" => "examples".to_owned(),
        "script" => "scripts".to_owned(),
        "migration" => "migrations".to_owned(),
        _ => role,
    });
    environment.add_filter("leading", leading);
    environment
});

/// Each section that has something to say, in order, as Markdown.
pub fn sections(guide: &Guide) -> Vec<(SectionId, String)> {
    let render = |name: &str, with: Value| {
        let text = TEMPLATES.get_template(name).expect("it is listed above").render(with);
        tidy(&text.expect("the templates are tested"))
    };
    let text = |section: SectionId| match section {
        SectionId::About => Some(render("about.md", Value::from(Serde(&guide.about)))),
        SectionId::Setup => Some(render("setup.md", Value::from(Serde(&guide.setup)))),
        SectionId::Reading => Some(render("reading.md", context! { modules => Value::from(Serde(&guide.reading)) })),
        SectionId::Walk => guide.walk.as_ref().map(|walk| render("walk.md", Value::from(Serde(walk)))),
        SectionId::Conventions => Some(render("conventions.md", Value::from(Serde(&guide.conventions)))),
        SectionId::People => guide.people.as_ref().map(|people| render("people.md", Value::from(Serde(people)))),
        SectionId::Heat => Some(render("heat.md", Value::from(Serde(&guide.heat)))),
        SectionId::Surprises => (!guide.surprises.is_empty())
            .then(|| render("surprises.md", context! { pairs => Value::from(Serde(&guide.surprises)) })),
        SectionId::Glossary => (!guide.glossary.is_empty())
            .then(|| render("glossary.md", context! { terms => Value::from(Serde(&guide.glossary)) })),
        SectionId::Limits => {
            let left_out: Vec<Value> = guide
                .limits
                .skipped
                .iter()
                .map(|(reason, files)| context! { files => files, why => skip_word(*reason) })
                .collect();
            Some(render("limits.md", context! { left_out, ..Value::from(Serde(&guide.limits)) }))
        }
    };
    SectionId::ALL.into_iter().filter_map(|section| Some((section, text(section)?))).collect()
}

/// What stands above the sections.
pub fn title(guide: &Guide) -> String {
    let with = context! { name => &guide.name, role => guide.role.map(crate::onboard::role::Role::word) };
    let text = TEMPLATES.get_template("guide.md").expect("it is listed above").render(with);
    tidy(&text.expect("the templates are tested"))
}

/// The guide without marks.
pub fn page(title: &str, sections: &[SectionText]) -> String {
    let texts = sections.iter().map(|section| section.markdown.as_str());
    std::iter::once(title).chain(texts).collect::<Vec<_>>().join("\n")
}

/// The guide for a terminal: headings in bold, lines wrapped, code as it is.
pub fn human(markdown: &str, page: &layout::Page) -> String {
    let mut text = String::new();
    let clean = sanitize::block(markdown);
    let cells = |line: &str| -> Option<Vec<String>> {
        let cells = line.strip_prefix("| ")?.trim_end_matches(" |");
        Some(cells.split(" | ").map(plain).collect())
    };
    let widest = |at: usize| {
        clean.lines().filter_map(&cells).filter_map(|row| Some(layout::width(row.get(at)?))).max().unwrap_or(0)
    };
    let (purposes, commands) = (widest(0), widest(1));
    for line in clean.lines() {
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() && heading.starts_with(' ') {
            text.push_str(&layout::paint(layout::style::STRONG, heading.trim()));
            text.push('\n');
            continue;
        }
        if line.starts_with("| ---") {
            continue;
        }
        if let Some(row) = cells(line) {
            let [purpose, command, source] = row.as_slice() else { continue };
            let (purpose, command) = (layout::pad(purpose, purposes), layout::pad(command, commands));
            text.push_str(&format!("  {purpose}  {command}  {source}\n"));
            continue;
        }
        let said = plain(line);
        let body = said.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '.', ' ']);
        let hang = if line.starts_with("- ") || line.starts_with(|c: char| c.is_ascii_digit()) {
            said.len() - body.len()
        } else {
            0
        };
        for (at, part) in layout::wrap(body, page.width.saturating_sub(hang)).into_iter().enumerate() {
            text.push_str(if at == 0 { &said[..hang] } else { "          " }.get(..hang).unwrap_or_default());
            text.push_str(&part);
            text.push('\n');
        }
        if line.is_empty() {
            text.push('\n');
        }
    }
    text
}

/// A line without the marks of Markdown.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let line = line.trim_start_matches("> ").replace("**", "").replace("&lt;", "<").replace('\u{200b}', "");
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '`' => {}
            '\\' if characters.peek().is_some_and(|next| matches!(next, '[' | ']' | '|' | '*' | '_' | '<' | '\\')) => {}
            other => text.push(other),
        }
    }
    text
}

/// Prose that came from the repository.
fn text_of(text: &str) -> String {
    sanitize::prose(&sanitize::line(text)).trim().to_owned()
}

/// Code that came from the repository.
fn code(text: &str) -> String {
    markdown::code_span(sanitize::line(text).trim())
}

/// `path:line` of a place.
fn place(place: Value) -> Result<String, minijinja::Error> {
    let (path, line) = (place.get_attr("path")?, place.get_attr("line")?);
    Ok(code(&format!("{path}:{line}")))
}

/// Codes with commas between them, at most so many.
fn codes(items: Vec<String>, most: Option<usize>) -> String {
    let most = most.unwrap_or(usize::MAX);
    let shown: Vec<String> = items.iter().take(most).map(|item| code(item)).collect();
    match items.len().checked_sub(most).filter(|more| *more > 0) {
        Some(more) => format!("{} and {} more", shown.join(", "), round(more as u64)),
        None => shown.join(", "),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn words(items: Vec<String>) -> String {
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn capital(text: String) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// A number to what matters of it: exact below twenty, else two digits at most.
fn round(number: u64) -> String {
    let unit = match number {
        0..20 => 1,
        20..100 => 10,
        100..1_000 => 50,
        1_000..10_000 => 500,
        10_000..100_000 => 1_000,
        _ => 10_000,
    };
    let rounded = (number + unit / 2) / unit * unit;
    let grouped = layout::grouped(rounded as usize);
    if unit == 1 { grouped } else { format!("about {grouped}") }
}

/// The definitions of a file that are shown: one that says what it is stands for the file, else their names.
fn leading(defined: Value) -> Result<Vec<Value>, minijinja::Error> {
    let all: Vec<Value> = defined.try_iter()?.collect();
    let says = |one: &&Value| one.get_attr("says").is_ok_and(|says| !says.is_none() && !says.is_undefined());
    match all.iter().find(says) {
        Some(first) => Ok(vec![first.clone()]),
        None => Ok(all),
    }
}

/// Blank lines that templates leave: at most one between two lines, none at the ends.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        tidy.push_str(line);
        tidy.push('\n');
    }
    format!("{}\n", tidy.trim_end())
}
