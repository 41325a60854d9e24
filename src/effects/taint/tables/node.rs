//! Node.js: shells, programs and files.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::{Option, Path, Regex, Shell};
use crate::effects::taint::tables::{Argument, Cleaner, Library, Sink, sink};

/// Functions whose first argument is a path.
const FILES: &str = "**.readFile|readFileSync|writeFile|writeFileSync|appendFile|appendFileSync|createReadStream|createWriteStream|\
unlink|unlinkSync|rm|rmSync|rmdir|rmdirSync|readdir|readdirSync|open|openSync|readJson|readJSON|readJsonSync|writeJson|outputFile|\
outputFileSync|remove|removeSync|cp|cpSync|copyFile|copyFileSync|rename|renameSync|symlink|symlinkSync";

const SINKS: &[Sink] = &[
    sink(Shell, Argument::At(0), "**.exec|execSync|execaCommand|execaCommandSync"),
    sink(Shell, Argument::WithShell, "**.spawn|spawnSync|execFile|execFileSync|execa|execaSync|default"),
    sink(Shell, Argument::AfterShellFlag, "**.spawn|spawnSync|execFile|execFileSync|execa|execaSync|default"),
    sink(Option, Argument::Words, "**.spawn|spawnSync|execFile|execFileSync|execa|execaSync|default"),
    sink(Path, Argument::At(0), FILES),
    sink(Path, Argument::At(1), "**.cp|cpSync|copyFile|copyFileSync|rename|renameSync"),
    sink(Path, Argument::At(0), "file"),
];

pub static LIBRARY: Library = Library {
    sinks: SINKS,
    cleaners: &[
        Cleaner { names: "basename|sanitizefilename|sanitizepath|safejoin|slugify", dangers: &[Path] },
        Cleaner { names: "shellescape|shellquote|escapeshellarg|quoteforshell", dangers: &[Shell] },
        Cleaner {
            names: "escaperegexp|escaperegex|escapestringregexp|escaperegexpattern|escaperegexstring|regexescape",
            dangers: &[Regex],
        },
    ],
    ..Library::new(
        "node",
        Ecosystem::Npm,
        &[
            origin("Node.js child_process", "22", "https://nodejs.org/api/child_process.html"),
            origin("Node.js fs", "22", "https://nodejs.org/api/fs.html"),
            origin("Node.js path", "22", "https://nodejs.org/api/path.html"),
            origin("execa", "9", "https://www.npmjs.com/package/execa"),
            origin("shelljs", "0.10", "https://www.npmjs.com/package/shelljs"),
            origin("node-pty", "1", "https://www.npmjs.com/package/node-pty"),
            origin("fs-extra", "11", "https://www.npmjs.com/package/fs-extra"),
            origin("Bun", "1", "https://bun.sh/docs/runtime/shell"),
        ],
        &["child_process", "execa", "shelljs", "node-pty", "fs", "fs/promises", "fs-extra", "graceful-fs", "Bun"],
    )
};
