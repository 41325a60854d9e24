//! Functions of languages and well-known packages whose result carries no syntax; regular expressions.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::{Backtracking, Path, Redirect, Regex, Shell, Sql, Url};
use crate::effects::taint::tables::{Argument, Cleaner, Library, sink};

pub static NPM: Library = Library {
    sinks: &[sink(Regex, Argument::At(0), "RegExp")],
    cleaners: &[
        Cleaner {
            names: "parseint|parsefloat|number|bigint|boolean|date|uuid|randomuuid|uuidv4|nanoid|createid|cuid|now|gettime|hash|\
digest|createhash|getrandomvalues|randombytes|indexof|findindex|tofixed|toisostring|length|size|count|isarray|charcodeat|test",
            dangers: &[],
        },
        Cleaner { names: "encodeuricomponent", dangers: &[Path, Url, Redirect, Shell] },
        Cleaner { names: "encodeuri", dangers: &[Shell] },
        Cleaner { names: "escape", dangers: &[Shell, Regex, Sql] },
        Cleaner { names: "quote", dangers: &[Shell, Sql] },
        // A text of bounded length.
        Cleaner { names: "slice|substring|substr|truncate", dangers: &[Backtracking] },
    ],
    ..Library::new(
        "ecmascript",
        Ecosystem::Npm,
        &[
            origin("ECMAScript", "living standard", "https://tc39.es/ecma262/"),
            origin("Node.js crypto", "22", "https://nodejs.org/api/crypto.html"),
            origin("uuid", "11", "https://www.npmjs.com/package/uuid"),
            origin("nanoid", "5", "https://www.npmjs.com/package/nanoid"),
            origin("shell-quote", "1", "https://www.npmjs.com/package/shell-quote"),
        ],
        &["global"],
    )
};

pub static CARGO: Library = Library {
    cleaners: &[
        Cleaner {
            names: "len|count|now|toi64|asi64|asu64|asf64|hash|digest|finalize|hex|newv4|newv7|id|timestamp|\
timestampmillis|asmillis|assecs|isempty|contains|tohex",
            dangers: &[],
        },
        Cleaner { names: "encode|utf8percentencode|percentencode", dangers: &[Path, Url, Redirect, Shell] },
        Cleaner { names: "escape", dangers: &[Shell, Regex, Sql] },
        Cleaner { names: "quote|shellescape|escapesingle", dangers: &[Shell, Sql] },
    ],
    ..Library::new(
        "rust text",
        Ecosystem::Cargo,
        &[
            origin("std", "1", "https://doc.rust-lang.org/std/"),
            origin("uuid", "1", "https://docs.rs/uuid/1"),
            origin("urlencoding", "2", "https://docs.rs/urlencoding/2"),
            origin("shell-words", "1", "https://docs.rs/shell-words/1"),
            origin("regex", "1", "https://docs.rs/regex/1"),
        ],
        &[],
    )
};
