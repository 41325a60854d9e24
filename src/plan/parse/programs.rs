//! Telling a command from a name: code spans in plans are both.

use std::sync::LazyLock;

use regex::Regex;

/// Programs that plans call, with arguments.
const PROGRAMS: &str = "\
    act actionlint ansible ansible-playbook apt asdf ast-grep aws awk az bash bats bazel biome black brew buf \
    bun bundle bunx cargo cat cd chmod clang cmake cmd cmp comm composer corepack cp ctest curl cut cypress \
    dart dbt deno detekt diff docker docker-compose dotenv dotnet drizzle-kit du echo egrep env eslint expo \
    export false fd fgrep find firebase flake8 fly flyctl flutter forge gcc gem gh git gitleaks go gofmt \
    golangci-lint govulncheck gradle gradlew grep gunzip head helm hugo hyperfine iex isort java javac jest jq \
    julia just knip kotlin ktlint kubectl lake lefthook lerna ls lua make mdbook mise mix mkdir mocha moon mv \
    mvn mvnw mypy nest next ninja nix node nohup nox npm npx ng nx oxlint perl php phpstan phpunit pip pip3 \
    pipenv playwright pnpm podman poetry powershell pre-commit prettier prisma ps psql publint pwsh pylint \
    pyright pytest python python3 rails rake redis-cli rg rm rollup rspec rtk rubocop ruby ruff rustc rustfmt \
    rustup sam sbt sed select-string semgrep serverless set sh sha256sum shellcheck size-limit sleep sort \
    sqlite3 sqlx stat storybook stylelint sudo supabase svelte-check swift swiftlint tail tar taplo task tee \
    terraform test test-path time timeout tofu touch tox tr tree trivy true tsc tsd tsup tsx ts-node turbo ty \
    typos uniq unzip uv uvx vercel vite vitest volta vp vue-tsc wait wasm-pack wc webpack which wrangler xargs \
    xcodebuild xmllint xvfb-run yamllint yarn yq zig zizmor zsh [ [[ !";

/// Programs that do something useful without arguments.
const ALONE: &str = "\
    actionlint eslint golangci-lint jest just knip make mocha mypy phpunit pyright pytest rake rspec rubocop \
    svelte-check tox nox tsc typos vitest vue-tsc govulncheck zizmor oxlint";

/// Extensions of files that are read rather than run.
const SOURCE: &str = "\
    c cc cpp cs css go h html java js json jsx kt lock md mdx mjs php rb rs scss snap sql svelte swift toml ts \
    tsx txt vue yaml yml zig ex exs cjs";

static SHOWS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:prints?|shows?|contains?|outputs?|returns?|includes?|lists?|mentions?|match(?:es)?|reports?|says|reads|displays?|emits?|lines?|like|named|called|is|as|be|equals?|finds?|gives|with|no|only|the new|in|from|imports?|calls?|uses?|of|for|to|at|on|by)\s*[:=]?\s*$|[=(]\s*$").expect("a constant pattern")
});
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[;,.:：；，。)\n→]|\b(?:run|and|then|also|or|execute|both|either|again|re-run|rerun|first)|&|\+|/)\s*$").expect("a constant pattern")
});
static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*\)?\s*(?:→|->|=>|⇒|[—–]\s|-\s|:\s|：|\(?\s*(?:must|should|now|still|then)?\s*(?:exits?|pass(?:es)?|fails?|prints?|shows?|returns?|succeeds?|outputs?|reports?|finds?|is (?:green|clean|empty)|green|clean)\b)").expect("a constant pattern")
});

/// The program a command line starts, wrappers and assignments left out; empty when there is none.
pub(crate) fn program(command: &str) -> &str {
    let mut words = command.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let word = word.trim_start_matches(['(', '$']);
        let assignment = word
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        match word {
            "" | "!" | "sudo" | "time" | "env" | "command" | "nohup" | "&&" | ";" => {}
            _ if assignment => {}
            "rtk" => {}
            "mise" | "asdf" if words.peek().is_some_and(|next| matches!(*next, "exec" | "x")) => {
                words.by_ref().find(|word| *word == "--");
            }
            "timeout" => {
                words.next();
            }
            "cd" | "pushd" if command.contains("&&") || command.contains(';') => {
                words.by_ref().find(|word| *word == "&&" || word.ends_with(';'));
            }
            _ => return word,
        }
    }
    ""
}

/// The word without its folder and extension, in lower case: `./node_modules/.bin/tsc` is `tsc`.
pub(crate) fn program_name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name);
    name.to_lowercase()
}

/// Whether `word` is one of the words of `list`, which blanks part.
pub(crate) fn is_listed(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// Whether a program is one plans are known to call.
pub(crate) fn is_known_program(program: &str) -> bool {
    is_listed(PROGRAMS, &program_name(program))
}

/// Whether `word` names a file with one of the extensions of code, data and documents.
pub(crate) fn is_source_path(word: &str) -> bool {
    let word = word.split([':', '#']).next().unwrap_or(word);
    word.rsplit_once('.').is_some_and(|(stem, extension)| !stem.is_empty() && is_listed(SOURCE, extension))
}

/// Whether the code span `span`, between the texts `before` and `after`, is a command to run.
pub(super) fn is_command(span: &str, before: &str, after: &str) -> bool {
    let program = program(span);
    let has_arguments = span.trim() != program;
    let first = program.chars().next().unwrap_or(' ');
    let shaped = (first.is_ascii_alphanumeric() || matches!(first, '.' | '/' | '[' | '<' | '~' | '$'))
        && program.chars().all(|c| c.is_ascii_alphanumeric() || "._-/\\:@[]+~<>${}\"".contains(c));
    let path_program = program.starts_with("./") || program.contains("/bin/") || program.ends_with(".sh");
    let certain_after = AFTER.is_match(after);
    let starts = BEFORE.is_match(before) || before.trim().is_empty();
    if is_known_program(program) || (path_program && !is_source_path(program)) {
        let alone = is_listed(ALONE, &program_name(program)) || path_program;
        let complete = has_arguments || (alone && (starts || certain_after)) || (starts && certain_after);
        // Words that programs are named after: `test` alone, `make sure`, `find the …` are never in code spans.
        return complete && (certain_after || !SHOWS.is_match(before));
    }
    let is_path = is_source_path(program) && !has_arguments;
    shaped && starts && certain_after && !is_path && (has_arguments || program.contains('/') || arrow(after))
}

fn arrow(after: &str) -> bool {
    ["→", "->", "=>", "⇒"].iter().any(|arrow| after.trim_start().starts_with(arrow))
}
