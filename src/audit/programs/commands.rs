//! Subcommands of command-line programs, as far as their definitions tell.

use std::sync::LazyLock;

use regex::Regex;
use tree_sitter::Node;

use super::{LONG_ALIAS, closing, entries, pattern};
use crate::edit::syntax;
use crate::repo_map::name::words;

/// What one file defines.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Their names and aliases, those of nested ones among them.
    pub names: Vec<String>,
    /// Enums whose variants are taken in.
    pub flattened: Vec<String>,
    /// The first word may be something else: an operand, a plugin, a name that is computed.
    pub is_open: bool,
}

static BUILDER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\b(?:Command|App|SubCommand)::(?:new|with_name)\(\s*(?:"([^"]+)"|([^\s(]+))"#));
static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:\.command|\bcreateCommand|\bnew Command|\.name|\.alias|\.aliases)\(\s*(?:['"`]([^'"`]*)['"`]|\[((?:[^\]'"`]|'[^']*'|"[^"]*"|`[^`]*`)*)\]|([^\s{)]))"#,
    )
});
static MODULE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"\b(?:command|aliases)\s*[:=]\s*(?:['"`]([^'"`]*)['"`]|\[((?:[^\]'"`]|'[^']*'|"[^"]*"|`[^`]*`)*)\])"#)
});

/// Enums of clap's derive, and its builder.
pub fn clap(text: &str) -> Commands {
    let mut found = Commands::default();
    built(text, &mut found);
    if !text.contains("ubcommand") {
        return found;
    }
    let Some(tree) = syntax::tree("a.rs", text) else { return Commands { is_open: true, ..found } };
    let mut pending = vec![tree.root_node()];
    while let Some(node) = pending.pop() {
        match node.kind() {
            "enum_item" if ["Subcommand", "Parser", "StructOpt"].iter().any(|name| derives(node, text, name)) => {
                variants(node, text, &mut found);
            }
            "struct_item" => found.is_open |= takes_operands(node, text),
            "source_file" | "mod_item" | "declaration_list" => {
                let mut cursor = node.walk();
                pending.extend(node.named_children(&mut cursor));
            }
            _ => {}
        }
    }
    found
}

/// `Command::new("build")`. The names of processes that are started count too: a name too many hides a finding and makes none.
fn built(text: &str, found: &mut Commands) {
    let has_subcommands = text.contains(".subcommand(") || text.contains(".subcommands(");
    for name in BUILDER.captures_iter(text) {
        match (name.get(1), name.get(2)) {
            (Some(literal), _) => found.names.push(literal.as_str().to_owned()),
            // The program itself.
            (None, Some(own)) if own.as_str().contains("crate_name!") || own.as_str().starts_with("env!") => {}
            (None, _) => found.is_open |= has_subcommands,
        }
    }
    if !has_subcommands {
        return;
    }
    for aliases in LONG_ALIAS.captures_iter(text) {
        found.names.extend(aliases[1].split(['"', ',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned));
    }
    let is_required = text.contains("subcommand_required(true)") || text.contains("SubcommandRequired");
    let is_operand = |argument: &str| !argument.contains(".long(") && !argument.contains(".short(");
    found.is_open |= text.contains("allow_external_subcommands")
        || (!is_required && without_subcommands(text).split("Arg::new").skip(1).any(is_operand));
}

/// The text without what is handed to `.subcommand(`.
fn without_subcommands(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(".subcommand(") {
        kept.push_str(before);
        rest = closing(after, 0).map_or("", |end| &after[end..]);
    }
    kept + rest
}

/// Attributes in front of a node or among its children, without `#[` and `]`.
fn attributes<'t>(node: Node<'_>, text: &'t str) -> Vec<&'t str> {
    let mut found = Vec::new();
    let mut before = node.prev_named_sibling();
    while let Some(one) = before {
        match one.kind() {
            "attribute_item" => found.push(&text[one.byte_range()]),
            "line_comment" | "block_comment" => {}
            _ => break,
        }
        before = one.prev_named_sibling();
    }
    found
}

fn derives(node: Node<'_>, text: &str, name: &str) -> bool {
    attributes(node, text).iter().any(|attribute| attribute.contains("derive") && attribute.contains(name))
}

/// What stands in `#[command(…)]`, `#[arg(…)]` and their like.
fn settings<'t>(node: Node<'_>, text: &'t str) -> Vec<&'t str> {
    let bodies = attributes(node, text).into_iter().filter_map(|attribute| {
        let (name, body) = attribute.strip_prefix("#[")?.split_once('(')?;
        matches!(name.trim(), "command" | "clap" | "structopt" | "arg")
            .then(|| body.rsplit_once(')').map(|(body, _)| body))?
    });
    bodies.flat_map(entries).filter(|entry| !entry.is_empty()).collect()
}

fn key(entry: &str) -> &str {
    entry.split(['=', '(', ' ']).next().unwrap_or_default()
}

fn variants(node: Node<'_>, text: &str, found: &mut Commands) {
    // Names in another style than the usual one are not derived here.
    found.is_open |=
        settings(node, text).iter().any(|entry| key(entry).starts_with("rename_all") && !entry.contains("kebab"));
    let Some(body) = node.child_by_field_name("body") else { return };
    let mut cursor = body.walk();
    for variant in body.named_children(&mut cursor).filter(|child| child.kind() == "enum_variant") {
        let settings = settings(variant, text);
        let has = |name: &str| settings.iter().any(|entry| key(entry) == name);
        found.is_open |= has("external_subcommand");
        if has("flatten") {
            let inner = variant.child_by_field_name("body").map_or("", |body| &text[body.byte_range()]);
            let inner = inner.trim_matches(['(', ')', ',', ' ', '\n']);
            found.flattened.push(inner.rsplit("::").next().unwrap_or(inner).to_owned());
            continue;
        }
        let Some(name) = variant.child_by_field_name("name") else { continue };
        let said = settings.iter().find(|entry| key(entry) == "name");
        match said.map(|entry| entry.split('"').nth(1)) {
            Some(Some(literal)) => found.names.push(literal.to_owned()),
            Some(None) => found.is_open = true,
            None => found.names.push(words(&text[name.byte_range()]).join("-")),
        }
        let aliases = settings.iter().filter(|entry| key(entry).contains("alias"));
        found.names.extend(aliases.flat_map(|entry| entry.split('"').skip(1).step_by(2)).map(str::to_owned));
    }
}

/// Whether a struct that has subcommands takes operands beside them: the first word may be one of these then.
fn takes_operands(node: Node<'_>, text: &str) -> bool {
    let Some(body) = node.child_by_field_name("body") else { return false };
    let mut cursor = body.walk();
    let fields: Vec<(Node<'_>, Vec<&str>)> = body
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "field_declaration")
        .map(|field| (field, settings(field, text)))
        .collect();
    let has = |settings: &[&str], names: &[&str]| settings.iter().any(|entry| names.contains(&key(entry)));
    let Some((command, _)) = fields.iter().find(|(_, settings)| has(settings, &["subcommand"])) else { return false };
    let is_optional =
        command.child_by_field_name("type").is_some_and(|kind| text[kind.byte_range()].starts_with("Option"));
    fields.iter().any(|(_, settings)| {
        // What is taken in may be the operands of the command that runs where none is named.
        if has(settings, &["flatten"]) {
            return is_optional;
        }
        !has(settings, &["subcommand", "long", "short", "skip"])
    })
}

/// `.command('build <dir>')` of commander, cac and sade.
pub fn written(text: &str) -> Commands {
    let mut found = by_words(text, &[&*WRITTEN]);
    let first = text.find(".command(").unwrap_or(text.len());
    found.is_open |= text[..first].contains(".argument(")
        || text[..first].contains(".arguments(")
        || ["isDefault: true", "default: true"].iter().any(|word| text.contains(word));
    found
}

/// `.command('serve [port]', …)` and modules that export a `command`, of yargs.
pub fn yargs(text: &str) -> Commands {
    let mut found = by_words(text, &[&*WRITTEN, &*MODULE]);
    found.is_open |= text.contains(".commandDir(");
    found
}

fn by_words(text: &str, patterns: &[&Regex]) -> Commands {
    let mut found = Commands::default();
    for written in patterns.iter().flat_map(|pattern| pattern.captures_iter(text)) {
        if let Some(one) = written.get(1) {
            add(one.as_str(), &mut found);
        } else if let Some(many) = written.get(2) {
            many.as_str().split(['\'', '"', '`']).skip(1).step_by(2).for_each(|one| add(one, &mut found));
        } else {
            found.is_open = true;
        }
    }
    found
}

fn add(written: &str, found: &mut Commands) {
    // `[dir]` and `$0` are the command that runs where none is named, `*` one for all names.
    found.is_open |= written.starts_with(['[', '<', '$', '*']) || written.contains("${");
    found.names.extend(written.split(' ').take_while(|word| !word.starts_with(['[', '<'])).map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_clap_are_commands() {
        let found = clap(
            "#[derive(Parser)]\nstruct Cli {\n    #[arg(long, global = true)]\n    quiet: bool,\n    #[command(subcommand)]\n    command: Command,\n}\n\
             /// What is done, {so}.\n#[derive(Debug, Subcommand)]\nenum Command {\n    /// It's built.\n    BuildAll { path: String },\n    \
             #[command(name = \"rm\", visible_alias = \"remove\")]\n    Delete(Args),\n    #[command(flatten)]\n    Other(more::Other),\n}\n",
        );
        assert_eq!(found.names, ["build-all", "rm", "remove"]);
        assert_eq!(found.flattened, ["Other"]);
        assert!(!found.is_open);
    }

    #[test]
    fn operands_beside_commands_leave_the_first_word_open() {
        let cli = |fields: &str| {
            clap(&format!("struct Cli {{ #[command(subcommand)] command: Option<Command>, {fields} }}")).is_open
        };
        assert!(!cli("#[arg(short)] verbose: bool"));
        assert!(cli("path: Option<String>"));
        assert!(cli("#[command(flatten)] args: Args"));
        assert!(clap("#[derive(Subcommand)] enum A { #[command(external_subcommand)] Plugin(Vec<String>) }").is_open);
    }

    #[test]
    fn builders_of_clap_are_read() {
        let found = clap(
            "Command::new(\"tool\").subcommand_required(true).subcommand(Command::new(\"up\").alias(\"start\").arg(Arg::new(\"x\")))",
        );
        assert_eq!(found.names, ["tool", "up", "start"]);
        assert!(!found.is_open);
        assert!(clap("Command::new(NAME).subcommand(other())").is_open);
        let own = |rest: &str| {
            clap(&format!(
                "Command::new(clap::crate_name!()).subcommand(Command::new(\"up\").arg(Arg::new(\"x\"))){rest}"
            ))
            .is_open
        };
        assert!(!own(""));
        assert!(own(".arg(Arg::new(\"path\"))"));
    }

    #[test]
    fn libraries_of_node_are_read() {
        let found =
            written("program.command('remote add <url>').alias('ra');\nprogram.addCommand(new Command('sync'));");
        assert_eq!(found.names, ["remote", "add", "ra", "sync"]);
        assert!(!found.is_open);
        assert!(written("cli.command('[root]', 'serve')").is_open);
        assert!(written("program.command(name)").is_open);
        let found = yargs("yargs.command(['start [app]', 'run'], 'x').command({ command: 'stop <id>' })");
        assert_eq!(found.names, ["start", "run", "stop"]);
        assert!(!found.is_open);
        assert!(yargs("yargs.command('$0', 'x')").is_open);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(#\\[command\\(|subcommand|name=|\"|\\)|\\]|,|é|enum A \\{|struct A \\{|\\.command\\('|'|\\[|\\}){0,40}") {
            clap(&text);
            written(&text);
            yargs(&text);
        }
    }
}
