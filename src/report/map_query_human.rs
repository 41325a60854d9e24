//! Answers of the map's queries for people: one line a call, each with the place to open.

use std::fmt::Write as _;

use super::layout::{Page, columns, columns_to_path, count, paint, style};
use super::map_query::{
    CallStep, CallsAnswer, DefinitionRef, PathAnswer, Reference, ReferenceKind, RefsAnswer, SymbolAnswer,
};
use super::sanitize;

/// Tests listed before the rest is counted.
const TESTS: usize = 10;

/// Who calls it, or what it calls.
pub fn calls(answer: &CallsAnswer, page: &Page) -> String {
    let CallsAnswer { query, definition, calls, open, guessed, handed, .. } = answer;
    let mut text = title(definition);
    let upwards = query == "callers";
    let rows: Vec<Vec<String>> =
        calls.iter().map(|call| if upwards { caller_row(call) } else { callee_row(call) }).collect();
    text.push_str(&if upwards { columns(&rows, page.width, 2) } else { columns_to_path(&rows, page.width, 2) });
    if calls.is_empty() {
        let nothing = match (upwards, open + guessed + handed) {
            (true, 0) => "no callers, and no call of this name stayed open",
            (true, _) => "no known callers",
            (false, _) => "it calls nothing",
        };
        let _ = writeln!(text, "  {nothing}");
    }
    text.push_str(&handed_on(*handed));
    text.push_str(&doubt(*open, *guessed, upwards, &definition.name));
    text
}

fn caller_row(call: &CallStep) -> Vec<String> {
    let callee = match (call.depth, &call.callee) {
        (2.., Some(callee)) => format!(" → {}", sanitize::line(callee)),
        _ => String::new(),
    };
    let test = if call.test { "  (test)" } else { "" };
    vec![
        format!("{}:{}", sanitize::line(&call.file), call.line),
        format!("{}{}{callee}{test}", indent(call.depth), sanitize::line(&call.caller)),
    ]
}

fn callee_row(call: &CallStep) -> Vec<String> {
    let target = match (&call.callee, &call.callee_file, call.callee_line, &call.external) {
        (Some(name), Some(file), Some(line), _) => {
            vec![format!("{}{}", indent(call.depth), sanitize::line(name)), format!("{}:{line}", sanitize::line(file))]
        }
        (.., Some(external)) => {
            vec![
                format!("{}{}", indent(call.depth), sanitize::line(&call.name)),
                format!("outside: {}", sanitize::line(external)),
            ]
        }
        _ => {
            let name = if call.name.is_empty() { "an expression" } else { call.name.as_str() };
            vec![format!("{}{}", indent(call.depth), sanitize::line(name)), "not known".to_owned()]
        }
    };
    let mut row = vec![format!("{}:{}", sanitize::line(&call.file), call.line)];
    row.extend(target);
    row
}

/// A way, step by step.
pub fn path(answer: &PathAnswer, page: &Page) -> String {
    let PathAnswer { from, to, found, steps, .. } = answer;
    if !found {
        return format!("{}{}  no way along known calls from the first to the second\n", title(from), title(to));
    }
    let mut rows =
        vec![vec![format!("{}:{}", sanitize::line(&from.file), from.line), sanitize::line(&from.name).into_owned()]];
    rows.extend(steps.iter().map(|step| {
        let callee = sanitize::line(step.callee.as_deref().unwrap_or(&step.name)).into_owned();
        vec![format!("{}:{}", sanitize::line(&step.file), step.line), format!("{}→ {callee}", indent(step.depth + 1))]
    }));
    if let Some(last) = rows.last_mut() {
        last.push(format!("{}:{}", sanitize::line(&to.file), to.line));
    }
    columns_to_path(&rows, page.width, 0)
}

/// Definitions in full.
pub fn symbols(answers: &[SymbolAnswer], page: &Page) -> String {
    let pages: Vec<String> = answers.iter().map(|answer| symbol(answer, page)).collect();
    pages.join("\n")
}

fn symbol(answer: &SymbolAnswer, page: &Page) -> String {
    let mut text = title(&answer.definition);
    let _ = writeln!(text, "  {}", sanitize::line(&answer.definition.signature));
    let mut facts = Vec::new();
    if let Some(container) = &answer.container {
        facts.push(format!("in {}", sanitize::line(container)));
    }
    facts.push(if answer.exported { "visible outside its file" } else { "private to its file" }.to_owned());
    if answer.test {
        facts.push("test code".to_owned());
    }
    facts.push(format!("lines {} to {}", answer.definition.line, answer.definition.end_line));
    let _ = writeln!(text, "  {}", facts.join(" · "));
    let _ = writeln!(
        text,
        "  called {} in {} · calls {}",
        times(answer.callers),
        count(answer.caller_files, "file"),
        count(answer.callees, "definition"),
    );
    if answer.tests.is_empty() {
        let _ = writeln!(text, "  no test reaches it along known calls");
    } else {
        let _ = writeln!(text, "  {} reach it", count(answer.tests.len(), "test"));
        let rows: Vec<Vec<String>> = answer
            .tests
            .iter()
            .take(TESTS)
            .map(|test| {
                vec![format!("{}:{}", sanitize::line(&test.file), test.line), sanitize::line(&test.name).into_owned()]
            })
            .collect();
        text.push_str(&columns(&rows, page.width, 4));
        if answer.tests.len() > TESTS {
            let _ = writeln!(text, "    {}", paint(style::FAINT, &format!("and {} more", answer.tests.len() - TESTS)));
        }
    }
    text.push_str(&handed_on(answer.handed));
    text.push_str(&doubt(answer.open, answer.guessed, true, &answer.definition.name));
    text
}

/// Calls that are given the definition, to call it later.
fn handed_on(handed: usize) -> String {
    if handed == 0 {
        return String::new();
    }
    format!("  given by name to {}, to be called later: `improve map refs` lists them\n", count(handed, "call"))
}

/// Places, the certain ones first.
pub fn refs(answer: &RefsAnswer, page: &Page) -> String {
    let mut text: String = answer.definitions.iter().map(title).collect();
    let of = |kinds: &[ReferenceKind]| -> Vec<&Reference> {
        answer.references.iter().filter(|one| kinds.contains(&one.kind)).collect()
    };
    let certain = of(&[ReferenceKind::Call, ReferenceKind::Value, ReferenceKind::Import]);
    let guessed = of(&[ReferenceKind::Guess]);
    let open = of(&[ReferenceKind::Open]);
    if certain.is_empty() && guessed.is_empty() && open.is_empty() {
        text.push_str("  nothing uses it, and no call of this name stayed open\n");
    } else if certain.is_empty() {
        text.push_str("  no known use\n");
    }
    text.push_str(&columns(&certain.iter().map(|one| place(one)).collect::<Vec<_>>(), page.width, 2));
    for (title, list) in
        [("By name alone, so perhaps", guessed), ("Calls of this name whose target is not known", open)]
    {
        if !list.is_empty() {
            let _ = writeln!(text, "{}", paint(style::STRONG, title));
            text.push_str(&columns(&list.iter().map(|one| place(one)).collect::<Vec<_>>(), page.width, 2));
        }
    }
    text
}

fn place(one: &Reference) -> Vec<String> {
    let what = match one.kind {
        ReferenceKind::Import => "import".to_owned(),
        ReferenceKind::Value => {
            format!("given to a call in {}", sanitize::line(one.caller.as_deref().unwrap_or("<module>")))
        }
        ReferenceKind::Call | ReferenceKind::Guess | ReferenceKind::Open => {
            format!("in {}", sanitize::line(one.caller.as_deref().unwrap_or("<module>")))
        }
    };
    let test = if one.test { "  (test)" } else { "" };
    vec![format!("{}:{}", sanitize::line(&one.file), one.line), format!("{what}{test}")]
}

/// Definitions that a name may mean, each written so that it can be asked for.
pub fn candidates(definitions: &[DefinitionRef]) -> Vec<String> {
    let same = |one: &DefinitionRef, other: &DefinitionRef| one.file == other.file && one.name == other.name;
    definitions
        .iter()
        .map(|one| match definitions.iter().filter(|other| same(one, other)).count() {
            1 => format!("{}#{}", one.file, one.name),
            _ => format!("{}:{}  {}", one.file, one.line, one.name),
        })
        .collect()
}

fn title(definition: &DefinitionRef) -> String {
    let name = paint(style::STRONG, &sanitize::line(&definition.name));
    format!("{name}  {}:{}\n", sanitize::line(&definition.file), definition.line)
}

/// What may be missing from an answer.
fn doubt(open: usize, guessed: usize, upwards: bool, name: &str) -> String {
    let name = name.rsplit(['.', ':']).next().unwrap_or(name);
    let mut said = Vec::new();
    if open > 0 && upwards {
        said.push(format!("{} of `{}` elsewhere stayed open", count(open, "call"), sanitize::line(name)));
    } else if open > 0 {
        said.push(format!("{} of these stayed open", count(open, "call")));
    }
    if guessed > 0 {
        said.push(format!("{} by name alone may lead here", count(guessed, "call")));
    }
    if said.is_empty() {
        String::new()
    } else {
        format!("  {}\n", paint(style::FAINT, &format!("not certain: {}", said.join("; "))))
    }
}

fn indent(depth: u32) -> String {
    "  ".repeat(depth.saturating_sub(1) as usize)
}

fn times(number: usize) -> String {
    match number {
        0 => "nowhere".to_owned(),
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}
