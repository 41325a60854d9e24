//! What `--help` begins with: command lines to copy. Each is parsed in a test, so that none names a flag that is gone.

use clap::Command;

/// A command line and what it is for.
pub type Example = (&'static str, &'static str);

/// Where examples stand: behind the usage, before everything else.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}";

/// Examples by command; the empty name is the program's own.
const EXAMPLES: [(&str, &[Example]); 25] = [
    (
        "",
        &[
            ("improve", "find what is worth changing, choose, write plans"),
            ("improve security src/api", "one kind of finding, in one folder"),
            ("improve apply 1", "carry out the first plan on a branch of its own"),
            ("improve branch", "what this branch brings, before a pull request"),
            ("improve show 58f696d0", "one finding: the code, the path to it, the fix"),
        ],
    ),
    (
        "audit",
        &[
            ("improve audit", "the findings, worst first"),
            ("improve audit security perf", "two kinds of them"),
            ("improve audit packages/api --all", "everything in one folder"),
            ("improve audit --fail-on high --output sarif=out.sarif", "in CI"),
            (
                "improve audit --planner anthropic/claude-opus-5-5 --max-usd 2",
                "judged by a model, for two dollars at most",
            ),
        ],
    ),
    (
        "docs",
        &[
            ("improve docs", "every document, held against the code"),
            ("improve docs README.md guides/", "these alone"),
            ("improve docs --dry-run --all", "what plans there would be"),
            ("improve audit docs", "the findings alone"),
        ],
    ),
    (
        "onboard",
        &[
            ("improve onboard", "what to read first, and why"),
            ("improve onboard --role backend", "for one kind of work"),
            (
                "improve onboard --output markdown=docs/ONBOARDING.md",
                "as a file; what you write between its sections stays",
            ),
            (
                "improve onboard --check --output markdown=docs/ONBOARDING.md",
                "in CI: exits with 1 when the file is out of date",
            ),
        ],
    ),
    (
        "report",
        &[
            ("improve report", "a page of its own, and a link to it"),
            ("improve report --output report.html", "where you say"),
            ("improve report --format markdown", "for a pull request"),
        ],
    ),
    (
        "branch",
        &[
            ("improve branch", "against the branch it left"),
            ("improve branch --base origin/main --fail-on medium", "against another one, and stricter"),
            ("improve branch --worktree-changes", "what is not committed yet"),
            ("improve branch --format markdown", "a comment for the pull request"),
        ],
    ),
    (
        "merge",
        &[
            ("improve audit --shard 1/2 --output json=shard-1.json", "on one machine"),
            ("improve merge shard-1.json shard-2.json", "on any"),
        ],
    ),
    (
        "map",
        &[
            ("improve map", "the repository on one screen"),
            ("improve map --tokens 2000 --focus diff", "what a model should see of what you are changing"),
            ("improve map callers Orders.load --depth 2", "who calls it, and who calls those"),
            ("improve map path main Store::load", "how one gets to the other"),
            ("improve map --format mermaid packages/api", "a graph of folders"),
        ],
    ),
    (
        "plan",
        &[
            ("improve plan \"retry failed webhooks with backoff\"", "a plan for what you want"),
            ("improve plan \"move sessions to redis\" --dry-run", "what would be asked of the model, and for how much"),
        ],
    ),
    ("next", &[("improve next", "two to six directions, to pick from")]),
    (
        "review",
        &[
            ("improve review 1", "what would stop whoever carries it out"),
            ("improve review plans/001.md --offline --format json", "the mechanical part, for a program"),
            ("improve review 1 --tighten", "have a model write it anew where it is vague"),
        ],
    ),
    (
        "apply",
        &[
            ("improve apply 1", "one plan, by number, path or the beginning of its name"),
            ("improve apply --all --jobs 2 --trust", "every open one, two at a time, its commands agreed to"),
            ("improve apply 1 --executor anthropic/claude-haiku-5-5", "its steps by an economy model"),
            ("improve apply 1 --continue", "go on after a step was carried out by hand"),
        ],
    ),
    (
        "verify",
        &[
            ("improve verify 1 --branch my-work", "work of yours on a branch"),
            ("improve verify 1 --worktree .", "work that is not committed"),
        ],
    ),
    (
        "status",
        &[
            ("improve status", "what waits, what was verified, what it cost"),
            ("improve status --format json", "for a dashboard"),
        ],
    ),
    (
        "reconcile",
        &[
            ("improve reconcile --dry-run", "what became of the plans"),
            ("improve reconcile 3", "of one of them, written down"),
        ],
    ),
    (
        "bench",
        &[
            ("improve bench --offline", "what exact edits solve, without a key"),
            ("improve bench --dry-run", "what would be measured, for how much"),
            ("improve bench --repeat 3 --max-usd 20", "every arm whose models are bound, three times"),
        ],
    ),
    (
        "clean",
        &[
            ("improve clean", "worktrees nothing works in, and caches"),
            ("improve clean 1", "one plan's worktree and branch"),
        ],
    ),
    (
        "show",
        &[
            ("improve show 58f696d0", "a finding, by the beginning of its fingerprint"),
            ("improve show 1", "a plan"),
            ("improve show 1 --diff", "the work done for it"),
        ],
    ),
    (
        "rules",
        &[
            ("improve rules", "all of them"),
            ("improve rules n-plus-one", "what one finds, why it matters, when it stays quiet"),
            ("improve rules --format markdown", "all of them in full, as a page"),
        ],
    ),
    (
        "reject",
        &[
            ("improve reject 58f696d0 --reason \"at most three tenants\"", "a finding"),
            ("improve reject 4 --reason \"the module goes away in May\"", "a plan"),
        ],
    ),
    (
        "init",
        &[
            ("improve init", "choose from a list"),
            ("improve init --hook --dry-run", "the lines a hook would get, and where"),
            ("improve init --undo", "take it back, and nothing that somebody wrote since"),
        ],
    ),
    (
        "config",
        &[
            ("improve config show", "what is set, and what stands at its default"),
            ("improve config show max-usd", "one setting, and the line or variable it comes from"),
            ("improve init --config", "write improve.toml, every key at its default"),
        ],
    ),
    (
        "doctor",
        &[
            ("improve doctor", "models, agents, sandbox, places"),
            ("improve doctor --offline", "the same without asking a server"),
        ],
    ),
    (
        "completions",
        &[
            ("improve completions bash", "for ~/.local/share/bash-completion/completions/improve"),
            ("improve completions zsh", "for a file _improve in a folder of $fpath"),
            ("improve completions fish", "for ~/.config/fish/completions/improve.fish"),
        ],
    ),
    (
        "man",
        &[
            ("improve man apply", "one page; `| man -l -` shows it"),
            ("improve man --dir ~/.local/share/man/man1", "all of them, where man looks"),
        ],
    ),
];

/// The examples of a command.
pub fn of(command: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, examples)| examples)
}

/// The program with examples in its help and in that of each command.
pub fn taught(program: Command) -> Command {
    let names: Vec<String> = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let program = with(program, of(""));
    names.into_iter().fold(program, |program, name| {
        let examples = of(&name);
        program.mut_subcommand(name, |command| with(command, examples))
    })
}

fn with(command: Command, examples: &[Example]) -> Command {
    if examples.is_empty() { command } else { command.help_template(TEMPLATE).before_help(page(examples)) }
}

fn page(examples: &[Example]) -> String {
    let wide = examples.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    let row = |(line, purpose): &Example| {
        // What a terminal of 80 columns would break stands on a line of its own.
        if wide + 4 + purpose.len() <= 80 {
            format!("  {line:wide$}  {purpose}")
        } else {
            format!("  {line}\n      {purpose}")
        }
    };
    format!("Examples:\n{}", examples.iter().map(row).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::program;

    #[test]
    fn every_command_has_examples_and_each_is_understood() {
        let program = program();
        for command in program.get_subcommands() {
            assert!(!of(command.get_name()).is_empty() || command.is_hide_set(), "{}: no example", command.get_name());
        }
        for (name, examples) in EXAMPLES {
            assert!(name.is_empty() || program.find_subcommand(name).is_some(), "{name}: no such command");
            for (line, _) in examples {
                let words = shell_words::split(line).expect("a command line");
                if let Err(error) = program.clone().try_get_matches_from(words) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
