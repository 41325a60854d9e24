//! Node.js built-in modules: files, processes, crypto and compression.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "node",
    ecosystem: Ecosystem::Npm,
    source: "Node.js 22, API of fs, fs/promises, child_process, crypto and zlib",
    packages: &["fs", "fs/promises", "fs-extra", "graceful-fs", "child_process", "crypto", "zlib", "execa", "Bun"],
    apis: &[
        does(
            Effect::Fs,
            "promises.readFile|writeFile|appendFile|stat|lstat|readdir|mkdir|rm|rmdir|unlink|rename|\
             copyFile|access|cp|open|mkdtemp|realpath|chmod|truncate|utimes",
        ),
        does(
            Effect::Fs,
            "default.promises.readFile|writeFile|appendFile|stat|lstat|readdir|mkdir|rm|rmdir|unlink|\
             rename|copyFile|access|cp|open|mkdtemp|realpath|chmod|truncate|utimes",
        ),
        does(
            Effect::Fs,
            "readFile|writeFile|appendFile|stat|lstat|readdir|mkdir|rm|rmdir|unlink|rename|copyFile|\
             access|cp|open|mkdtemp|realpath|chmod|truncate|utimes",
        ),
        does(
            Effect::Fs,
            "default.readFile|writeFile|appendFile|stat|lstat|readdir|mkdir|rm|rmdir|unlink|rename|\
             copyFile|access|cp|open|mkdtemp|realpath|chmod|truncate|utimes",
        ),
        does(
            Effect::Fs,
            "**.readFileSync|writeFileSync|appendFileSync|statSync|lstatSync|readdirSync|mkdirSync|\
             rmSync|rmdirSync|unlinkSync|renameSync|copyFileSync|cpSync|openSync|readSync|writeSync|\
             mkdtempSync|realpathSync|existsSync|accessSync",
        )
        .blocking(),
        does(Effect::Fs, "**.createReadStream|createWriteStream").sync(),
        does(Effect::Process, "**.execSync|spawnSync|execFileSync|execaSync").blocking(),
        does(Effect::Process, "**.exec|spawn|execFile|fork").sync(),
        does(Effect::Process, "execa|$|execaCommand|default|execaNode"),
        does(
            Effect::Blocking,
            "**.pbkdf2Sync|scryptSync|generateKeyPairSync|gzipSync|gunzipSync|deflateSync|inflateSync|\
             brotliCompressSync|brotliDecompressSync",
        )
        .blocking(),
    ],
    shapes: &[],
};
