//! `stale-doc-subcommand`: a page shows a subcommand of the repository's own program that the program does not have.

use crate::audit::draft::PlanDraft;
use crate::audit::pages::Page;
use crate::audit::programs::given::{command_given, started};
use crate::audit::programs::{Program, programs};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::faults::{self, Fault, Words};
use crate::audit::rules::docs::mentions::{FORMS, forms, mentioned};
use crate::audit::text::count_of;
use crate::finding::{Category, Confidence, Finding};
use crate::nearest::nearest;

/// A documented subcommand that is gone.
pub struct StaleDocSubcommand;

static DOC: RuleDoc = RuleDoc {
    id: "stale-doc-subcommand",
    category: Category::Docs,
    what: "a command line of a page that gives a program of this repository a subcommand which the program does not define (clap, commander, \
           cac, sade, yargs), on a page that shows two of its subcommands or more as they are",
    why: "the command as it is printed ends in an error",
    quiet_when: "the program defines fewer than three subcommands in a way that can be read, takes operands or plugins in their place, the \
                 word stands in quotes anywhere in the code, or the page speaks of what was",
    example: "tool migrate   <!-- the code has `enum Command { Serve, Check, MigrateDatabase }` -->",
};

static WORDS: Words = Words {
    one: |fault| format!("shows the subcommand `{}`, which the program does not have", fault.written),
    many: |count| format!("shows {} that the program does not have", count_of(count, "subcommand")),
    cost: "The commands end in an error as they are printed.",
    mend: "Correct the subcommands",
    how: "`git log -S'NAME' --oneline` says when each one went away and what took its place. Show the one that does the job today, after \
          running the program with `--help`; where none does, remove the command and what depends on it.",
    stop: "the program gets the subcommand from a plugin or a library, and the page is right",
};

/// Subcommands a program must define for silence about one to mean something.
const ENOUGH: usize = 3;
/// Subcommands of the program that a page must show as they are, so that the word behind its name is known to be one.
const SHOWN: usize = 2;
/// Words that stand for any subcommand.
const PLACEHOLDERS: [&str; 6] = ["command", "subcommand", "cmd", "options", "args", "foo"];

impl Rule for StaleDocSubcommand {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let programs = ground.programs();
        let mut found: Vec<(&Page, Vec<Fault>)> = ground
            .pages()
            .iter()
            .map(|page| (page, stale(programs, page)))
            .filter(|(_, stale)| !stale.is_empty())
            .collect();
        // What the code names in quotes may be a subcommand by other means than a definition.
        let names: Vec<String> =
            found.iter().flat_map(|(_, stale)| stale).flat_map(|fault| forms(name_of(fault), true)).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let named = mentioned(ground.map, ground.tree, ground.texts(), &names, &|_| true);
        let mut at = 0;
        for (_, stale) in &mut found {
            stale.retain(|_| {
                at += FORMS;
                (at - FORMS..at).all(|at| !named.contains(&at))
            });
        }
        let found = found.iter();
        let found = found.filter_map(|(page, stale)| faults::finding(&DOC, &WORDS, page, stale, 3, Confidence::High));
        faults::bursts(found.collect())
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let programs = programs(context.map, context.tree);
        faults::recipe(&WORDS, finding, context, &|page| stale(&programs, page))
    }
}

/// The subcommand of what is written: the last word.
fn name_of(fault: &Fault) -> &str {
    fault.written.rsplit(' ').next().unwrap_or(&fault.written)
}

/// Subcommands of a page that no program of it has, each once.
fn stale(programs: &[Program], page: &Page) -> Vec<Fault> {
    let in_fences = page.fences.iter().flat_map(|fence| fence.commands());
    let lines = in_fences.chain(page.spans.iter().map(|piece| (piece.line, piece.text.as_str())));
    let given: Vec<(u32, &Program, &str, &str)> = lines
        .filter_map(|(line, text)| {
            let program = started(programs, &page.subject, text)?;
            command_given(program, text).map(|(name, word)| (line, program, name, word))
        })
        .collect();
    let mut found: Vec<Fault> = Vec::new();
    for (line, program, name, word) in &given {
        if program.is_open_to_commands || program.commands.len() < ENOUGH || program.has_command(word) {
            continue;
        }
        let mut shown: Vec<&str> = given
            .iter()
            .filter(|(_, other, _, word)| std::ptr::eq(*other, *program) && program.commands.contains(*word))
            .map(|(.., word)| *word)
            .collect();
        shown.sort_unstable();
        shown.dedup();
        let written = if *name == "--" { (*word).to_owned() } else { format!("{name} {word}") };
        let is_new = found.iter().all(|own| name_of(own) != *word);
        if shown.len() < SHOWN || !is_new || PLACEHOLDERS.contains(word) {
            continue;
        }
        let near = nearest(word, program.commands.iter().map(String::as_str));
        let instead = near.map_or_else(String::new, |near| format!("there is `{near}`"));
        found.push(Fault { line: *line, written, instead, replacement: None });
    }
    found.sort();
    found
}
