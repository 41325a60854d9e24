//! `sql-injection`: values pasted into a statement.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Context, Danger, Flow, Trust};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;

/// A value pasted into the text of an SQL statement.
pub struct SqlInjection;

static DOC: RuleDoc = RuleDoc {
    id: "sql-injection",
    category: Category::Security,
    what: "an SQL statement built by pasting values into its text",
    why: "a value with a quote in it ends the string and becomes part of the statement: whoever chooses it reads or deletes any row",
    quiet_when: "every value is a literal, a number, an escaped identifier or a bound parameter (tagged templates bind), or the \
                 code does not ship; told with low confidence of an app's own database on a telephone",
    example: "await prisma.$queryRawUnsafe(`SELECT * FROM users WHERE email = '${email}'`);",
};

impl Rule for SqlInjection {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Sql)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        tainted::groups(map, effects, &[Danger::Sql]).iter().map(|group| finding(map, effects, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, &[Danger::Sql], finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let name = tainted::callee(map, flow);
        let library = context.effects.direct(flow.sink).first().map_or(flow.library, |direct| direct.library);
        let (first, last) = tainted::lines(map, &group);
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
            "clickhouse" => "`{name: String}` in the statement and the value in `query_params`",
            "diesel" | "database-rust" => {
                "`sql_query(\"… WHERE email = $1\").bind::<Text, _>(email)`, or the query builder"
            }
            "sqlx" => {
                "`$1` (or `?`) in the statement and `.bind(email)` on the query; for lists and optional parts `QueryBuilder::push_bind`"
            }
            _ => "placeholders (`$1` or `?`) in the statement and the values in the parameter list",
        };
        let goal = place::unique_line(context.tree, &path, first, last, &|line| {
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
                    "In `{path}`, `{function}`, lines {first} to {last}: give every value to the database as a parameter. Use {shape}. A name of \
                     a table or column cannot be a parameter: choose it from a fixed list in the code and refuse anything else. The \
                     statement must stay the same for ordinary values."
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

fn finding(map: &RepoMap, effects: &Effects, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let quoted = flow.context.quote == Some('\'');
    let identifier = is_identifier(flow);
    let (impact, confidence) = match flow.trust {
        // Words of the language come from fixed lists, which a schema that could not be read may well be.
        Trust::Client if flow.doubtful && !quoted => (4, Confidence::Low),
        Trust::Client if identifier => (4, Confidence::Med),
        Trust::Client => (5, tainted::confidence(flow)),
        Trust::Stored => (4, Confidence::Med),
        // The catalogue is asked for names of the schema, which configuration holds.
        Trust::Parameter if asks_catalogue(flow) => (2, Confidence::Low),
        // A quote around a value in the code is a decision to paste it. What no request leads to is given by who runs the program.
        Trust::Parameter
            if quoted
                && effects.entries.of_call(map, flow.sink).is_some_and(|reach| !reach.entry.kind.is_request()) =>
        {
            (3, Confidence::Low)
        }
        // The database of an app holds what its one user may read anyway.
        Trust::Parameter if quoted && place::depends_on(map, flow.sink.file, "react-native") => (2, Confidence::Low),
        Trust::Parameter if quoted => (4, Confidence::Med),
        Trust::Parameter | Trust::Page | Trust::Unknown | Trust::Constant if identifier => (2, Confidence::Low),
        Trust::Parameter | Trust::Page | Trust::Unknown | Trust::Constant => (3, Confidence::Low),
    };
    let (function, name) = (tainted::function(map, flow), tainted::callee(map, flow));
    let what = tainted::value(flow);
    let message = if identifier {
        format!(
            "The statement that `{function}` builds for `{name}` takes {what} for a name or a part of its syntax, which cannot be \
             bound: it must come from a fixed list in the code, and nothing here says that it does.{}",
            tainted::leak(flow)
        )
    } else {
        format!(
            "The statement that `{function}` builds for `{name}` contains {what} as text, not as a bound parameter: a value with a \
             quote in it changes the statement.{}",
            tainted::leak(flow)
        )
    };
    tainted::draft(&DOC, map, group, "statement")
        .title(format!("`{function}` pastes {} into the SQL of `{name}`", tainted::whose(flow)))
        .message(message)
        .impact(impact)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence)
        .build()
}

/// Whether the statement reads the database's own catalogue: `pg_tables`, `information_schema`.
fn asks_catalogue(flow: &Flow) -> bool {
    let text = flow.text.to_ascii_lowercase();
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word.starts_with("pg_") || matches!(word, "information_schema" | "sqlite_master"))
}

/// Whether the value stands where a table, a column or a word of the language does, which no database binds.
fn is_identifier(flow: &Flow) -> bool {
    if flow.context.quote == Some('\'') {
        return false;
    }
    let before = flow.context.before.trim_end_matches(Context::HOLE);
    let word = before.split_whitespace().next_back().unwrap_or_default().to_ascii_lowercase();
    matches!(flow.context.quote, Some('"' | '`'))
        || matches!(
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
                | "order"
        )
        || before.ends_with(['"', '`', '.', '['])
}
