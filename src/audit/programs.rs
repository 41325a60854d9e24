//! Command-line programs of the repository: what they are called, which long flags they take and which subcommands they have, as far
//! as their own words tell.

mod commands;
pub mod given;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use self::commands::Commands;
use crate::audit::text::folder_of;
use crate::repo_map::facts::CallSite;
use crate::repo_map::name::words;
use crate::repo_map::recon::{Package, PackageManager};
use crate::repo_map::{FileRole, RepoMap, SourceFile};
use crate::tree::Tree;

/// The programs of one package.
#[derive(Debug, Default)]
pub struct Program {
    /// What is typed: names of its binaries, and of the package for `npx`.
    pub names: BTreeSet<String>,
    /// The package's folder.
    pub folder: String,
    /// Long flags without dashes, of all subcommands.
    pub flags: BTreeMap<String, Flag>,
    /// It takes more than can be read: flags of another library, computed ones, or those of a command it starts.
    pub is_open: bool,
    /// Subcommands with their aliases, those of nested ones among them.
    pub commands: BTreeSet<String>,
    /// The first word behind its name may be none of [`Program::commands`]: an operand, a plugin.
    pub is_open_to_commands: bool,
    /// What `cargo run` without a name starts.
    is_alone: bool,
}

/// Where a flag is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// Not shown by `--help`, or another name of one that is.
    pub is_hidden: bool,
}

/// What one file defines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Defined {
    /// Flag, byte of its definition, hidden.
    flags: Vec<(String, usize, bool)>,
    /// Types whose flags are taken in.
    flattened: Vec<String>,
    is_open: bool,
    commands: Commands,
}

/// Programs with flags or subcommands that can be read.
pub fn programs(map: &RepoMap, tree: &dyn Tree) -> Vec<Program> {
    let types: BTreeSet<&str> =
        map.symbols().filter(|(_, symbol)| symbol.kind.is_type()).map(|(_, symbol)| symbol.name.as_str()).collect();
    let entries: BTreeSet<&str> =
        map.recon.packages.iter().flat_map(|package| &package.entry_points).map(String::as_str).collect();
    let read: Vec<(&SourceFile, Defined, Vec<usize>)> = map
        .files
        .par_iter()
        // A script of the repository's own takes flags of its own.
        .filter(|file| file.role == FileRole::Production || entries.contains(file.path.as_str()))
        .filter_map(|file| {
            let library = library_of(file).or_else(|| builds_for_clap(map, file).then_some(Library::Clap))?;
            let text = tree.text(&file.path)?;
            let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            let mut defined = library.read(&text);
            // What a comment takes out is no flag.
            let is_code =
                |at: usize| !text[..at].rsplit('\n').next().unwrap_or_default().trim_start().starts_with("//");
            defined.flags.retain(|(_, at, _)| is_code(*at));
            Some((file, defined, starts))
        })
        .collect();
    let mut found: Vec<Program> = map.recon.packages.iter().filter_map(|package| named(tree, package)).collect();
    for (file, defined, starts) in read {
        let cargo = !file.language.is_ecmascript();
        let Some(home) = map.recon.package_in(&file.path, cargo) else { continue };
        // The flags of a library crate or package belong to the programs that use it.
        let owners: Vec<usize> = match found.iter().position(|program| program.folder == home.folder) {
            Some(own) => vec![own],
            None => (0..found.len()).filter(|at| depends_on(map, &found[*at], home)).collect(),
        };
        let is_foreign = |name: &String| !types.contains(name.as_str());
        let open = defined.is_open || defined.flattened.iter().any(is_foreign);
        let open_to_commands = defined.commands.is_open || defined.commands.flattened.iter().any(is_foreign);
        for owner in owners {
            let program = &mut found[owner];
            program.is_open |= open;
            program.is_open_to_commands |= open_to_commands;
            program.commands.extend(defined.commands.names.iter().cloned());
            for (name, at, is_hidden) in &defined.flags {
                let line = starts.partition_point(|start| start <= at) as u32;
                let flag = Flag { file: file.path.clone(), line, is_hidden: *is_hidden };
                let own = program.flags.entry(name.clone()).or_insert_with(|| flag.clone());
                own.is_hidden &= is_hidden;
            }
        }
    }
    let all_of_cargo: usize = map.recon.packages.iter().map(started_by_cargo).sum();
    for program in &mut found {
        program.is_alone &= all_of_cargo == 1;
    }
    found.retain(|program| !program.flags.is_empty() || !program.commands.is_empty());
    found
}

fn depends_on(map: &RepoMap, program: &Program, library: &Package) -> bool {
    map.recon
        .packages
        .iter()
        .filter(|package| package.folder == program.folder)
        .any(|package| package.dependencies.iter().any(|dependency| dependency.name == library.name))
}

/// How many programs `cargo run` can start here.
fn started_by_cargo(package: &Package) -> usize {
    let is_library = |path: &&String| path.ends_with("/lib.rs");
    let of_cargo = package.manager == PackageManager::Cargo;
    if of_cargo { package.entry_points.iter().filter(|path| !is_library(path)).count() } else { 0 }
}

/// A package that has programs, with their names.
fn named(tree: &dyn Tree, package: &Package) -> Option<Program> {
    let mut names = BTreeSet::new();
    if package.manager == PackageManager::Cargo {
        let inside = |path: &str| package.inside(path).map(str::to_owned);
        for path in &package.entry_points {
            let Some(path) = inside(path) else { continue };
            if path == "src/main.rs" {
                names.insert(package.name.clone());
            } else if let Some(name) = path.strip_prefix("src/bin/") {
                names.insert(name.split(['/', '.']).next().unwrap_or(name).to_owned());
            }
        }
        let manifest = tree.text(&package.manifest)?.parse::<toml::Table>().ok()?;
        let bins = manifest.get("bin").and_then(toml::Value::as_array);
        names.extend(bins.into_iter().flatten().filter_map(|bin| bin.get("name")?.as_str().map(str::to_owned)));
    } else {
        let manifest: serde_json::Value = serde_json::from_str(&tree.text(&package.manifest)?).ok()?;
        match manifest.get("bin")? {
            serde_json::Value::Object(bins) => names.extend(bins.keys().cloned()),
            _ => {
                names.insert(package.name.rsplit('/').next().unwrap_or(&package.name).to_owned());
            }
        }
        names.insert(package.name.clone());
    }
    let is_alone = started_by_cargo(package) == 1;
    (!names.is_empty()).then(|| Program { names, folder: package.folder.clone(), is_alone, ..Program::default() })
}

/// The library a file defines flags with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Library {
    Clap,
    /// `.option('-p, --port <n>')`: commander, cac, sade.
    Written,
    Yargs,
    ParseArgs,
    /// `{ '--port': Number }`.
    Arg,
    Oclif,
    /// One whose definitions are not read.
    Other,
}

fn library_of(file: &SourceFile) -> Option<Library> {
    if !file.language.is_ecmascript() {
        let is_clap = |name: &str| matches!(name, "clap" | "structopt");
        let imports =
            file.facts.imports.iter().any(|import| is_clap(import.source.split("::").next().unwrap_or_default()));
        let derives = |attribute: &str| attribute.contains("clap::") || attribute.contains("structopt::");
        let in_attributes =
            file.facts.symbols.iter().flat_map(|symbol| &symbol.attributes).any(|attribute| derives(attribute));
        return (imports || in_attributes).then_some(Library::Clap);
    }
    file.facts.imports.iter().find_map(|import| match import.source.as_str() {
        "commander" | "@commander-js/extra-typings" | "cac" | "sade" => Some(Library::Written),
        "yargs" | "yargs/yargs" => Some(Library::Yargs),
        "node:util" | "util" if file.facts.references.iter().any(|name| name.as_str() == "parseArgs") => {
            Some(Library::ParseArgs)
        }
        "arg" => Some(Library::Arg),
        "@oclif/core" => Some(Library::Oclif),
        "minimist" | "mri" | "meow" | "citty" | "getopts" | "clipanion" | "yargs-parser" | "command-line-args"
        | "caporal" | "optimist" | "nopt" | "dashdash" | "@stricli/core" | "furious-commander" | "cmd-ts"
        | "gunshi" => Some(Library::Other),
        _ => None,
    })
}

/// Whether a file builds a command by names that another module of its package takes in from clap.
fn builds_for_clap(map: &RepoMap, file: &SourceFile) -> bool {
    let builds = |site: &CallSite| {
        site.name == "new" && matches!(site.callee.dotted().as_deref(), Some("Command::new" | "Arg::new"))
    };
    !file.language.is_ecmascript()
        && file.facts.calls.iter().any(builds)
        && map
            .recon
            .package_in(&file.path, true)
            .is_some_and(|package| package.dependencies.iter().any(|own| own.name == "clap"))
}

static LONG_CALL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\.long\(\s*"([^"]+)""#));
static LONG_ALIAS: LazyLock<Regex> = LazyLock::new(|| pattern(r#"alias(?:es)?\s*(?:=|\()\s*\[?\s*"([^\])]*)""#));
static ARG_MACRO: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\barg!\(\s*(?:-\w\s*,?\s*)?--"?([A-Za-z][\w-]*)"#));
static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| pattern(r"#\[\s*(?:arg|clap|structopt|command)\s*\("));
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\s|///[^\n]*\n|//[^\n]*\n|#\[[^\]]*\]|pub(?:\([^)]*\))?\s)*(?:r#)?(?P<name>[a-z_][a-z0-9_]*)\s*:\s*(?P<type>[\w:]+)",
    )
});
static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?:\.option|\.requiredOption|\bnew Option|\bcreateOption)\(\s*(?:['"`]([^'"`]+)['"`]|(\S))"#)
});
static YARGS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\.(?:option|boolean|string|number|alias)\(\s*(?:['"`]([\w-]+)['"`]|(\S))"#));
static YARGS_ALIAS: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\balias:\s*\[?\s*((?:['"`][\w-]+['"`]\s*,?\s*)+)"#));
static ARG_KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r#"['"]--([a-z][\w-]*)['"]\s*:"#));
static OCLIF: LazyLock<Regex> = LazyLock::new(|| pattern(r#"['"]?([a-z][\w-]*)['"]?\s*:\s*[Ff]lags\.\w+"#));
static PLAIN_KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^\s*['"]?([A-Za-z][\w-]*)['"]?\s*:"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is fixed")
}

impl Library {
    fn read(self, text: &str) -> Defined {
        match self {
            Library::Clap => clap(text),
            Library::Written => Defined { commands: commands::written(text), ..by_words(text, &WRITTEN, true) },
            Library::Yargs => {
                let mut defined = Defined { commands: commands::yargs(text), ..by_words(text, &YARGS, false) };
                defined.is_open |= text.contains(".options(") || text.contains("yargs-parser");
                for found in YARGS_ALIAS.captures_iter(text) {
                    let names = found[1].split(['\'', '"', '`', ',', ' ', '\n']).filter(|name| name.len() > 1);
                    defined
                        .flags
                        .extend(names.map(|name| (name.to_owned(), found.get(0).map_or(0, |all| all.start()), true)));
                }
                defined
            }
            Library::ParseArgs => parse_args(text),
            Library::Arg => keys(text, &ARG_KEY),
            Library::Oclif => {
                let mut defined = keys(text, &OCLIF);
                let negated = text.contains("allowNo");
                let no: Vec<_> = defined.flags.iter().map(|(name, at, _)| (format!("no-{name}"), *at, true)).collect();
                defined.flags.extend(no.into_iter().filter(|_| negated));
                // Flags of a base class or of another module come in by a spread.
                defined.is_open |= text.contains("...flags") || text.contains("baseFlags");
                defined
            }
            Library::Other => Defined { is_open: true, ..Defined::default() },
        }
    }
}

fn keys(text: &str, pattern: &Regex) -> Defined {
    let flags = pattern
        .captures_iter(text)
        .filter_map(|found| found.get(1))
        .map(|name| (name.as_str().to_owned(), name.start(), false));
    Defined { flags: flags.collect(), ..Defined::default() }
}

/// Flags written as the user types them, or as bare names.
fn by_words(text: &str, pattern: &Regex, dashed: bool) -> Defined {
    let mut defined = Defined::default();
    for found in pattern.captures_iter(text) {
        let Some(written) = found.get(1) else {
            defined.is_open |= found.get(2).is_some();
            continue;
        };
        let rest: String = text[written.end()..].chars().take(300).collect();
        let next = [".option(", ".requiredOption(", "new Option(", "createOption("].into_iter();
        let end = next.filter_map(|word| rest.find(word)).min().unwrap_or(rest.len());
        let help = rest[..end].to_ascii_lowercase();
        let is_hidden =
            ["hidehelp", "hidden: true", "(deprecated", "[deprecated", "\"deprecated", "'deprecated", "same as --"]
                .iter()
                .any(|mark| help.contains(mark));
        let names = written.as_str().split([' ', ',', '|', '=', '<', '[']);
        let long =
            names.filter_map(|word| if dashed { word.strip_prefix("--") } else { (word.len() > 1).then_some(word) });
        // `--${flag}`: which flags there are shows when it runs.
        let long = long.filter(|name| !name.contains(['$', '{']));
        defined.flags.extend(long.map(|name| (name.to_owned(), written.start(), is_hidden)));
    }
    defined
}

/// Keys of `options: { … }` behind `parseArgs(`.
fn parse_args(text: &str) -> Defined {
    let mut defined = Defined::default();
    let Some(at) =
        text.find("options:").map(|at| at + "options:".len()).filter(|at| text[*at..].trim_start().starts_with('{'))
    else {
        return Defined { is_open: true, ..defined };
    };
    let mut depth = 0;
    let mut offset = at;
    for line in text[at..].split_inclusive('\n') {
        if depth == 1
            && let Some(key) = PLAIN_KEY.captures(line)
        {
            defined.flags.push((key[1].to_owned(), offset + key.get(1).map_or(0, |key| key.start()), false));
        }
        defined.is_open |= depth == 1 && line.trim_start().starts_with("...");
        depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
        offset += line.len();
        if depth <= 0 {
            break;
        }
    }
    defined
}

fn clap(text: &str) -> Defined {
    // Tests show flags of programs that are none.
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let mut defined = Defined { commands: commands::clap(text), ..Defined::default() };
    for found in ATTRIBUTE.find_iter(text) {
        let Some(end) = closing(text, found.end()) else { continue };
        let body = &text[found.end()..end];
        let after = text[end..].split_once(']').map_or("", |(_, after)| after);
        let entries = entries(body);
        let has = |key: &str| entries.iter().any(|entry| entry.split(['=', '(', ' ']).next() == Some(key));
        defined.is_open |=
            ["external_subcommand", "allow_external_subcommands", "trailing_var_arg", "allow_hyphen_values"]
                .iter()
                .any(|key| has(key))
                || entries.iter().any(|entry| entry.starts_with("rename_all") && !entry.contains("kebab"));
        let field = FIELD.captures(after);
        if has("flatten")
            && let Some(field) = &field
        {
            defined.flattened.push(field["type"].rsplit("::").next().unwrap_or_default().to_owned());
        }
        let is_hidden = entries.iter().any(|entry| {
            entry.replace(' ', "") == "hide=true" || *entry == "hidden" || entry.replace(' ', "") == "hidden=true"
        });
        let Some(long) = entries.iter().find(|entry| entry.split(['=', '(', ' ']).next() == Some("long")) else {
            continue;
        };
        let written = long.split('"').nth(1).map(str::to_owned);
        let name = written.or_else(|| Some(words(&field.as_ref()?["name"]).join("-")));
        defined.flags.extend(name.map(|name| (name, found.start(), is_hidden)));
        for alias in LONG_ALIAS.captures_iter(body) {
            let names = alias[1].split(['"', ',', ' ']).filter(|name| !name.is_empty());
            defined.flags.extend(names.map(|name| (name.to_owned(), found.start(), true)));
        }
    }
    for (pattern, is_builder) in [(&*LONG_CALL, true), (&*ARG_MACRO, false)] {
        for found in pattern.captures_iter(text) {
            let Some(name) = found.get(1) else { continue };
            // What belongs to one flag stands between its `Arg::new` and the next.
            let before = text[..name.start()].rsplit("Arg::new").next().unwrap_or_default();
            let after = text[name.end()..].split("Arg::new").next().unwrap_or_default();
            let is_hidden = before.contains(".hide(true)") || after.contains(".hide(true)");
            defined.flags.push((name.as_str().to_owned(), name.start(), is_builder && is_hidden));
        }
    }
    defined.is_open |= text.contains(".long(") && LONG_CALL.find_iter(text).count() < text.matches(".long(").count();
    let builder_aliases = LONG_ALIAS.captures_iter(text).flat_map(|found| {
        let at = found.get(0).map_or(0, |all| all.start());
        found[1]
            .split(['"', ',', ' '])
            .filter(|name| !name.is_empty())
            .map(|name| (name.to_owned(), at, true))
            .collect::<Vec<_>>()
    });
    defined.flags.extend(builder_aliases.collect::<Vec<_>>());
    defined
}

/// Where the parenthesis that was opened before `from` is closed.
fn closing(text: &str, from: usize) -> Option<usize> {
    let mut depth = 1;
    let mut in_text = false;
    let mut escaped = false;
    for (at, c) in text[from..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => {
                depth -= 1;
                if depth == 0 {
                    return Some(from + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// What stands between the commas of an attribute, those in texts and brackets left alone.
fn entries(body: &str) -> Vec<&str> {
    let (mut depth, mut in_text, mut start) = (0_i32, false, 0);
    let mut found = Vec::new();
    for (at, c) in body.char_indices() {
        match c {
            '"' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            ',' if !in_text && depth == 0 => {
                found.push(body[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(body[start..].trim());
    found
}

impl Program {
    /// Whether the program takes the flag, as far as is known. The library gives some of its own, and the opposite of a switch.
    pub fn takes(&self, name: &str) -> bool {
        let positive = name.strip_prefix("no-").unwrap_or(name);
        let camel = |own: &str| words(own).join("-") == words(name).join("-");
        matches!(name, "help" | "version")
            || self.flags.contains_key(name)
            || self.flags.contains_key(positive)
            || self.flags.contains_key(&format!("no-{name}"))
            || self.flags.keys().any(|own| camel(own))
    }

    /// Whether the program has the subcommand, as far as is known. Libraries give some of their own.
    pub fn has_command(&self, name: &str) -> bool {
        matches!(name, "help" | "version" | "completion" | "completions")
            || self.commands.iter().any(|own| words(own) == words(name))
    }

    /// Whether pages of `subject` speak of this program.
    pub fn is_spoken_of_in(&self, subject: &str) -> bool {
        self.folder == subject
            || subject.is_empty()
            || self.folder.starts_with(&format!("{subject}/"))
            || folder_of(&self.folder) == subject
    }
}

#[cfg(test)]
mod tests {
    use super::given::flags_given;
    use super::*;

    fn names(defined: &Defined) -> Vec<&str> {
        defined.flags.iter().filter(|(_, _, hidden)| !hidden).map(|(name, ..)| name.as_str()).collect()
    }

    #[test]
    fn clap_is_read_in_both_forms() {
        let text = "#[derive(Parser)]\nstruct Cli {\n    /// Where, e.g. (here)\n    #[arg(short, long, value_name = \"DIR)\")]\n    out_dir: PathBuf,\n    \
                    #[arg(long = \"colour\", visible_alias = \"color\")]\n    pub(crate) c: String,\n    #[arg(long, hide = true)]\n    secret: bool,\n    \
                    #[command(flatten)]\n    verbose: clap_verbosity_flag::Verbosity,\n}\nfn f() { Arg::new(\"x\").long(\"extra\"); Arg::new(\"y\").hide(true).long(\"old\"); }\n";
        let defined = clap(text);
        assert_eq!(names(&defined), ["out-dir", "colour", "extra"]);
        assert_eq!(defined.flattened, ["Verbosity"]);
        assert!(!defined.is_open);
        assert!(clap("Arg::new(name).long(name)").is_open);
    }

    #[test]
    fn libraries_of_node_are_read() {
        let text =
            "program.option('-p, --port <n>', 'port').addOption(new Option('--old').hideHelp()).option('--no-colour');";
        assert_eq!(names(&Library::Written.read(text)), ["port", "no-colour"]);
        let text =
            "program.option('--yes', 'go on').option('--y', '(deprecated) same as --yes').option(`--${flag} <value>`);";
        assert_eq!(names(&Library::Written.read(text)), ["yes"]);
        let text = "yargs(args).option('dry-run', { alias: ['d', 'dry'], type: 'boolean' })";
        assert_eq!(names(&Library::Yargs.read(text)), ["dry-run"]);
        let text = "parseArgs({\n  options: {\n    watch: { type: 'boolean' },\n    'out-dir': {\n      type: 'string',\n    },\n  },\n});";
        assert_eq!(names(&Library::ParseArgs.read(text)), ["watch", "out-dir"]);
        let text = "static flags = { force: Flags.boolean({ char: 'f' }), 'dry-run': Flags.boolean() }";
        assert_eq!(names(&Library::Oclif.read(text)), ["force", "dry-run"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(#\\[arg\\(|long|=|\"|\\)|\\]|,|é|a|\\n|\\.option\\('|'|\\{|options:|parseArgs\\(){0,40}") {
            for library in [Library::Clap, Library::Written, Library::Yargs, Library::ParseArgs, Library::Arg, Library::Oclif] {
                library.read(&text);
            }
            flags_given(&Program::default(), &text);
        }
    }
}
