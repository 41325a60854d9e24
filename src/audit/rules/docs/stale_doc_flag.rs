//! `stale-doc-flag`: a page shows a flag of the repository's own program that the program does not take.

use crate::audit::draft::PlanDraft;
use crate::audit::pages::Page;
use crate::audit::programs::given::{flags_given, started};
use crate::audit::programs::{Program, programs};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::faults::{self, Fault, Words};
use crate::audit::rules::docs::mentions::{FORMS, forms, mentioned};
use crate::audit::text::count_of;
use crate::finding::{Category, Confidence, Finding};
use crate::nearest::nearest;

/// A documented flag that is gone.
pub struct StaleDocFlag;

static DOC: RuleDoc = RuleDoc {
    id: "stale-doc-flag",
    category: Category::Docs,
    what: "a command line of a page that gives a flag to a program of this repository which the program does not define (clap, \
           commander, cac, sade, yargs, `parseArgs`, arg, oclif)",
    why: "the command as it is printed ends in an error",
    quiet_when: "the program defines fewer than five flags in a way that can be read, takes in flags of another library or passes them \
                 on, the flag's name stands anywhere in the code (one plain word: in quotes, or behind its dashes), or the page speaks of what was",
    example: "tool build --out-dir dist   <!-- the code has `#[arg(long)] output: PathBuf` -->",
};

static WORDS: Words = Words {
    one: |fault| format!("shows the flag `{}`, which the program does not take", fault.written),
    many: |count| format!("shows {} that the program does not take", count_of(count, "flag")),
    cost: "The commands end in an error as they are printed.",
    mend: "Correct the flags",
    how: "`git log -S'NAME' --oneline` says when each flag went away and what took its place. Show the flag that does the job today, after \
          running the command with `--help`; where none does, remove the command and what depends on it.",
    stop: "the program gets the flag from a plugin or a library, and the page is right",
};

/// Flags a program must define for silence about one to mean something.
const ENOUGH: usize = 5;

impl Rule for StaleDocFlag {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let pages = ground.pages();
        if pages.is_empty() {
            return Vec::new();
        }
        let programs = ground.programs();
        let mut found: Vec<(&Page, Vec<Fault>)> =
            pages.iter().map(|page| (page, stale(programs, page))).filter(|(_, stale)| !stale.is_empty()).collect();
        // What the code names may be taken by other means than a definition.
        let names: Vec<String> = found
            .iter()
            .flat_map(|(_, stale)| stale)
            .flat_map(|fault| forms(fault.written.trim_start_matches('-'), false))
            .collect();
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

/// Flags of a page that no program of it takes, each once and one a line.
fn stale(programs: &[Program], page: &Page) -> Vec<Fault> {
    let in_fences = page.fences.iter().flat_map(|fence| fence.commands());
    let lines = in_fences.chain(page.spans.iter().map(|piece| (piece.line, piece.text.as_str())));
    let mut found: Vec<Fault> = Vec::new();
    for (line, text) in lines {
        let program = started(programs, &page.subject, text);
        let Some(program) = program.filter(|program| !program.is_open && program.flags.len() >= ENOUGH) else {
            continue;
        };
        for name in flags_given(program, text).unwrap_or_default() {
            let written = format!("--{name}");
            let is_new = found.iter().all(|own| own.line != line && own.written != written);
            let is_placeholder = ["flag", "option", "options", "flags", "foo", "bar", "xxx"].contains(&name);
            if is_new && !program.takes(name) && !is_placeholder {
                let near = nearest(
                    name,
                    program.flags.iter().filter(|(_, flag)| !flag.is_hidden).map(|(own, _)| own.as_str()),
                );
                let instead = near.map_or_else(String::new, |near| format!("there is `--{near}`"));
                found.push(Fault { line, written, instead, replacement: None });
            }
        }
    }
    found.sort();
    found
}
