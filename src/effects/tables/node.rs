//! Node.js built-in modules: files, processes, crypto and compression.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "node",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("Node.js", "18, 20, 22, 24", "https://nodejs.org/api/fs.html"),
        origin("Node.js child_process", "18, 20, 22, 24", "https://nodejs.org/api/child_process.html"),
        origin("Node.js crypto", "18, 20, 22, 24", "https://nodejs.org/api/crypto.html"),
        origin("Node.js zlib", "18, 20, 22, 24", "https://nodejs.org/api/zlib.html"),
        origin("fs-extra", "10, 11", "https://www.npmjs.com/package/fs-extra"),
        origin("execa", "6, 7, 8, 9", "https://www.npmjs.com/package/execa"),
    ],
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
