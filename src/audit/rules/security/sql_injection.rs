//! `sql-injection`: values pasted into a statement.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::checks::{Check, check_before};
use crate::audit::rules::security::origin::{Origin, origin_behind};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallKind, FileFacts, LanguageName, SymbolIndex};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A value pasted into the text of an SQL statement.
pub struct SqlInjection;

static DOC: RuleDoc = RuleDoc {
    id: "sql-injection",
    category: Category::Security,
    what: "an SQL statement built by pasting values into its text",
    why: "a value with a quote in it ends the string and becomes part of the statement: whoever chooses it reads or deletes any row",
    quiet_when: "every value is a literal, a number, an escaped identifier or a bound parameter (tagged templates bind), or the \
                 code does not ship",
    example: "await prisma.$queryRawUnsafe(`SELECT * FROM users WHERE email = '${email}'`);",
};

/// Calls whose first argument is always a statement.
const RAW: &[&str] = &[
    "$queryRawUnsafe",
    "$executeRawUnsafe",
    "whereRaw",
    "orderByRaw",
    "havingRaw",
    "joinRaw",
    "groupByRaw",
    "sql_query",
    "raw_sql",
];

/// What is wrong with one statement.
struct Hole {
    origin: Origin,
    quoted: bool,
    /// Where a table or column stands, which no database binds.
    identifier: bool,
    /// What is pasted, as written.
    name: Option<String>,
}

impl Rule for SqlInjection {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        map.calls()
            .filter_map(|(call, _)| {
                let hole = worst_hole(map, effects, call)?;
                let (impact, confidence) = match hole {
                    Hole { origin: Origin::Request, .. } => (5, Confidence::High),
                    Hole { quoted: true, origin: Origin::Parameter, .. } => (5, Confidence::High),
                    Hole { quoted: true, .. } => (4, Confidence::Med),
                    Hole { identifier: true, .. } => (2, Confidence::Low),
                    Hole { origin: Origin::Parameter, .. } => (4, Confidence::Med),
                    Hole { .. } => (3, Confidence::Low),
                };
                let name = place::callee_text(map, call);
                let function = place::function_name(map, call);
                let whose = match hole.origin {
                    Origin::Request => "a value from the request",
                    Origin::Parameter => "a parameter",
                    Origin::Unknown | Origin::Safe => "a value",
                };
                let what = match &hole.name {
                    Some(value) => format!("`{value}` ({whose})"),
                    None => whose.to_owned(),
                };
                let message = if hole.identifier {
                    format!(
                        "The statement that `{function}` gives to `{name}` takes {what} for a name or a part of its syntax, which \
                         cannot be bound: it must come from a fixed list in the code, and nothing here says that it does."
                    )
                } else {
                    format!(
                        "The statement that `{function}` gives to `{name}` contains {what} as text, not as a bound parameter: a \
                         value with a quote in it changes the statement."
                    )
                };
                Some(
                    FindingDraft::at_call(&DOC, map, call, "statement")
                        .title(format!("`{function}` pastes {whose} into the SQL of `{name}`"))
                        .message(message)
                        .impact(impact)
                        .effort(Effort::S)
                        .risk(Risk::Low)
                        .confidence(confidence)
                        .build(),
                )
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call =
            place::calls_at(map, finding.location()).find(|call| worst_hole(map, context.effects, *call).is_some())?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let site = map.call(call);
        let name = place::callee_text(map, call);
        let library = context.effects.direct(call).first().map_or("", |direct| direct.library);
        let shape = match library {
            "prisma" => {
                "`$queryRaw` as a tagged template (`prisma.$queryRaw`\\`SELECT … WHERE email = ${email}\\``): every hole becomes a parameter; compose parts with `Prisma.sql` and lists with `Prisma.join`"
            }
            "knex" => {
                "`?` for values and `??` for identifiers, with the values in the second argument: `knex.raw('… WHERE email = ?', [email])`"
            }
            "sequelize" => {
                "`replacements` or `bind`: `sequelize.query('… WHERE email = :email', { replacements: { email } })`"
            }
            "typeorm" => {
                "parameters: `query('… WHERE email = $1', [email])`, or `.where('email = :email', { email })` on a builder"
            }
            "drizzle" => "the `sql` tagged template, which binds its holes",
            "mysql2" => "`?` placeholders with `execute('… WHERE email = ?', [email])`",
            "better-sqlite3" | "rusqlite" => {
                "`?` placeholders, with the values given to the call that runs the statement"
            }
            "diesel" => "`sql_query(\"… WHERE email = $1\").bind::<Text, _>(email)`, or the query builder",
            "sqlx" => {
                "`$1` (or `?`) in the statement and `.bind(email)` on the query; for lists and optional parts `QueryBuilder::push_bind`"
            }
            _ => "placeholders (`$1` or `?`) in the statement and the values in the parameter list",
        };
        let goal = place::unique_line(context.tree, &path, site.line, site.end_line, &|line| {
            line.contains("${") || line.contains("format!") || line.contains('{') || line.contains('+')
        })
        .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Bind the values in the SQL of `{function}`"),
            why: finding.message.clone(),
            context: vec![format!(
                "The statement is run by `{name}`{}.",
                if library.is_empty() { String::new() } else { format!(" of {library}") }
            )],
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Replace pasted values of `{name}` by parameters"),
                instruction: format!(
                    "In `{path}`, `{function}`, lines {} to {}: give every value to the database as a parameter. Use {shape}. A name of \
                     a table or column cannot be a parameter: choose it from a fixed list in the code and refuse anything else. The \
                     statement must stay the same for ordinary values.",
                    site.line, site.end_line
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the statement in `{function}`") }],
            out_of_scope: vec![(
                "what the statement selects".to_owned(),
                "only how its values reach the database changes".to_owned(),
            )],
            tests: vec![
                format!("`{function}` with an ordinary value gives the same rows as before"),
                "a value that holds `' OR '1'='1` matches nothing and breaks nothing".to_owned(),
            ],
            edge_cases: vec![
                "`LIKE` patterns: bind the whole pattern, and escape `%` and `_` when they are to be literal"
                    .to_owned(),
                "lists: `= ANY($1)` or one placeholder a value; an empty list must not give `IN ()`".to_owned(),
                "null: `= NULL` is never true; keep `IS NULL` where the value may be absent".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                "the pasted part is a whole fragment of SQL that other functions build: then those must change first"
                    .to_owned(),
                "all callers pass constants that stand in the code".to_owned(),
            ],
            maintenance: vec![
                "No statement of this repository needs pasted values; look for the same pattern in reviews.".to_owned(),
            ],
            risk: None,
        })
    }
}

fn worst_hole(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Hole> {
    let source = map.file(call.file);
    let site = map.call(call);
    if !matches!(source.role, FileRole::Production)
        || place::in_test(map, call)
        || matches!(site.kind, CallKind::Template | CallKind::Jsx)
    {
        return None;
    }
    let is_raw = RAW.contains(&site.name.as_str());
    let runs = is_raw || takes_statement(map, effects, call);
    if !runs {
        return None;
    }
    let facts = &source.facts;
    let statement = statement_text(facts, site.caller, site.arguments.first()?)?;
    // A fragment (`whereRaw`) need not start like a statement.
    if !is_raw && !looks_like_sql(&statement) {
        return None;
    }
    holes_of(facts, site.caller, &|name| check_before(map, call, name), &statement)
        .into_iter()
        .filter(|hole| hole.origin != Origin::Safe)
        .max_by_key(|hole| (!hole.identifier || hole.origin == Origin::Request, hole.origin, hole.quoted))
}

/// A call of a database library whose first argument is a statement.
fn takes_statement(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let site = map.call(call);
    let rust = map.file(call.file).language == LanguageName::Rust;
    let by_effect = effects.direct(call).iter().any(|direct| matches!(direct.effect, Effect::DbRead | Effect::DbWrite));
    let names: &[&str] = if rust {
        &[
            "query",
            "query_as",
            "query_scalar",
            "query_with",
            "query_row",
            "query_one",
            "query_opt",
            "execute",
            "batch_execute",
            "execute_batch",
            "simple_query",
            "prepare",
            "query_map",
        ]
    } else {
        &["query", "execute", "raw", "exec", "prepare", "unsafe"]
    };
    let builds = match site.callee.peeled() {
        // `sqlx::query(…)`, `Prisma.raw(…)`: nothing runs yet, the text is a statement all the same.
        Expr::Path(segments) => segments.first().is_some_and(|first| first == "sqlx"),
        Expr::Member(object, name) => name == "raw" && object.last_name() == Some("Prisma"),
        _ => false,
    };
    names.contains(&site.name.as_str()) && (by_effect || builds)
}

/// The statement as pieces: a template, a concatenation, or the name of one.
fn statement_text(facts: &FileFacts, owner: Option<SymbolIndex>, argument: &Expr) -> Option<Vec<TemplatePart>> {
    match place::resolve(facts, owner, argument) {
        Expr::Template(parts) => Some(parts.clone()),
        Expr::Binary(operator, left, right) if operator == "+" => {
            let mut parts = pieces(left);
            parts.extend(pieces(right));
            parts.iter().any(|part| matches!(part, TemplatePart::Hole(_))).then_some(parts)
        }
        Expr::Call(index) => {
            let site = facts.call(*index);
            if site.kind == CallKind::Macro && site.name == "format" {
                site.arguments.iter().find_map(|argument| match argument {
                    Expr::Template(parts) => Some(parts.clone()),
                    _ => None,
                })
            } else if matches!(site.name.as_str(), "as_str" | "as_ref" | "AssertSqlSafe" | "trim" | "to_string") {
                match site.callee.peeled() {
                    Expr::Member(object, _) => statement_text(facts, owner, object),
                    _ => statement_text(facts, owner, site.arguments.first()?),
                }
            } else {
                None
            }
        }
        _ => None,
    }
}

fn pieces(expr: &Expr) -> Vec<TemplatePart> {
    match expr.peeled() {
        Expr::Text(text) => vec![TemplatePart::Text(*text)],
        Expr::Binary(operator, left, right) if operator == "+" => {
            let mut parts = pieces(left);
            parts.extend(pieces(right));
            parts
        }
        Expr::Template(parts) => parts.clone(),
        other => vec![TemplatePart::Hole(other.clone())],
    }
}

fn looks_like_sql(parts: &[TemplatePart]) -> bool {
    let text: String = parts
        .iter()
        .filter_map(|part| match part {
            TemplatePart::Text(text) => Some(text.as_str()),
            TemplatePart::Hole(_) => None,
        })
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    (has("select") && has("from"))
        || (has("insert") && has("into"))
        || (has("update") && has("set"))
        || (has("delete") && has("from"))
}

fn holes_of(
    facts: &FileFacts,
    owner: Option<SymbolIndex>,
    check: &dyn Fn(&str) -> Check,
    parts: &[TemplatePart],
) -> Vec<Hole> {
    let mut found = Vec::new();
    let mut before = "";
    for (at, part) in parts.iter().enumerate() {
        match part {
            TemplatePart::Text(text) => before = text,
            TemplatePart::Hole(hole) => {
                let after = match parts.get(at + 1) {
                    Some(TemplatePart::Text(text)) => text.as_str(),
                    _ => "",
                };
                let quoted =
                    before.trim_end_matches('%').ends_with('\'') && after.trim_start_matches('%').starts_with('\'');
                let word = before.split_whitespace().next_back().unwrap_or_default().to_ascii_lowercase();
                let identifier = !quoted
                    && (matches!(
                        word.as_str(),
                        "from"
                            | "into"
                            | "update"
                            | "table"
                            | "join"
                            | "by"
                            | "column"
                            | "exists"
                            | "index"
                            | "schema"
                            | "select"
                            | "on"
                            | "set"
                            | "where"
                            | "and"
                    ) || before.ends_with(['"', '`', '.', '[']));
                // Placeholders made in the code (`$1, $2`) are what binding looks like.
                let placeholders = hole.last_name().is_some_and(|name| {
                    place::words(name).iter().any(|word| {
                        word.starts_with("placeholder") || word == "marks" || word == "columns" || word == "fields"
                    })
                });
                let origin = if placeholders { Origin::Safe } else { origin_behind(facts, owner, check, hole) };
                found.push(Hole { origin, quoted, identifier, name: hole.dotted() });
                before = "";
            }
        }
    }
    found
}
