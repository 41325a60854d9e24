//! Promises: calls outside the repository that give one, whatever else they do. Data, with sources.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::effects::chain;
use crate::effects::tables::{Origin, matches, names_package, origin};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::CallKind;
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, CallTarget, External, RepoMap};

/// Calls of a library that always give a promise.
struct PromiseLibrary {
    /// Which versions the names were taken from, and where they are documented.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever mends the list"))]
    origins: &'static [Origin],
    /// npm packages; `global` is the runtime, `scope/*` a whole scope.
    packages: &'static [&'static str],
    /// Calls, by the path from the package's export, in the form of [`super::tables::Api::pattern`].
    calls: &'static [&'static str],
    /// Calls whose receiver could not be resolved, by the names written in the code. Only believed when the project depends on
    /// the library.
    shapes: &'static [&'static str],
}

static LIBRARIES: &[PromiseLibrary] = &[
    PromiseLibrary {
        origins: &[
            origin("ECMAScript, Promise", "living standard", "https://tc39.es/ecma262/"),
            origin("fetch", "living standard", "https://fetch.spec.whatwg.org/"),
            origin("Web Cryptography", "living standard", "https://w3c.github.io/webcrypto/"),
            origin("Service Workers, Cache", "living standard", "https://w3c.github.io/ServiceWorker/"),
        ],
        packages: &["global"],
        calls: &[
            "Promise.all|allSettled|race|any|resolve|reject",
            "fetch",
            // Workers have a `timingSafeEqual` beside these, which answers at once.
            "crypto.subtle.encrypt|decrypt|sign|verify|digest|generateKey|deriveKey|deriveBits|importKey|exportKey|wrapKey|unwrapKey",
            "navigator.clipboard.writeText|readText|write|read",
            "caches.open|match|delete",
        ],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[
            origin("Node.js fs", "22", "https://nodejs.org/api/fs.html"),
            origin("Node.js timers", "22", "https://nodejs.org/api/timers.html"),
            origin("Node.js stream", "22", "https://nodejs.org/api/stream.html"),
            origin("Node.js dns", "22", "https://nodejs.org/api/dns.html"),
        ],
        packages: &["fs/promises", "timers/promises", "stream/promises", "dns/promises"],
        calls: &[
            "**.readFile|writeFile|appendFile|stat|lstat|readdir|mkdir|rm|rmdir|unlink|rename|copyFile|access|cp|open|mkdtemp|\
             realpath|chmod|chown|truncate|utimes|symlink|link|readlink|statfs",
            "setTimeout|setImmediate",
            "pipeline|finished",
            "lookup|resolve|resolve4|resolve6|resolveMx|resolveTxt|reverse",
        ],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[origin("Node.js fs", "22", "https://nodejs.org/api/fs.html")],
        packages: &["fs", "graceful-fs", "fs-extra"],
        calls: &["promises.*", "default.promises.*"],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[origin("stripe", "17", "https://docs.stripe.com/api")],
        packages: &["stripe"],
        calls: &[
            "**.create|retrieve|update|del|cancel|confirm|capture|attach|detach|search|pay|voidInvoice|finalizeInvoice|\
             sendInvoice|resume|reverse|close|verify|expire",
        ],
        shapes: &[
            "**.stripe|stripeClient|*Stripe.*.create|retrieve|update|del|cancel|confirm|capture|attach|detach|search|pay|\
             voidInvoice|finalizeInvoice|sendInvoice|expire",
            "**.stripe|stripeClient|*Stripe.*.*.create|retrieve|update|del|expire",
        ],
    },
    PromiseLibrary {
        origins: &[
            origin("nodemailer", "6", "https://nodemailer.com/usage/"),
            origin("resend", "4", "https://www.npmjs.com/package/resend"),
            origin("postmark", "4", "https://www.npmjs.com/package/postmark"),
            origin("@sendgrid/mail", "8", "https://www.npmjs.com/package/@sendgrid/mail"),
        ],
        packages: &["nodemailer", "resend", "postmark", "@sendgrid/*"],
        calls: &["**.sendMail|sendEmail|sendEmailWithTemplate", "**.emails.send", "send|default.send"],
        shapes: &["**.sendMail", "**.resend.emails.send", "**.sgMail.send"],
    },
    PromiseLibrary {
        origins: &[
            origin("bcrypt", "5", "https://www.npmjs.com/package/bcrypt"),
            origin("bcryptjs", "2", "https://www.npmjs.com/package/bcryptjs"),
            origin("argon2", "0.41", "https://www.npmjs.com/package/argon2"),
        ],
        packages: &["bcrypt", "bcryptjs", "argon2", "@node-rs/*"],
        calls: &["hash|compare|verify|genSalt", "default.hash|compare|verify|genSalt"],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[origin("jose", "5", "https://www.npmjs.com/package/jose")],
        packages: &["jose"],
        calls: &[
            "jwtVerify|jwtDecrypt|compactVerify|compactDecrypt|importJWK|importSPKI|importPKCS8|exportJWK|generateKeyPair",
        ],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[origin("firebase-admin", "12", "https://firebase.google.com/docs/auth/admin/verify-id-tokens")],
        packages: &["firebase-admin", "firebase-admin/*"],
        calls: &["**.verifyIdToken|getUser|getUserByEmail|createUser|updateUser|deleteUser|setCustomUserClaims"],
        shapes: &["**.verifyIdToken"],
    },
    PromiseLibrary {
        origins: &[origin("next-auth", "4", "https://next-auth.js.org/configuration/nextjs")],
        packages: &["next-auth", "next-auth/*"],
        calls: &["getServerSession", "getToken", "getSession", "unstable_getServerSession"],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[
            origin("playwright", "1", "https://playwright.dev/docs/api/class-browsertype"),
            origin("puppeteer", "24", "https://pptr.dev/api/puppeteer.puppeteernode"),
        ],
        packages: &["playwright", "playwright-core", "@playwright/*", "puppeteer", "puppeteer-core"],
        calls: &[
            "**.launch|connect|connectOverCDP|launchPersistentContext|launchServer",
            "launch|connect|default.launch|default.connect",
        ],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[
            origin("octokit", "5", "https://octokit.github.io/rest.js/"),
            origin("probot", "14", "https://probot.github.io/docs/github-api/"),
            origin("@actions/github", "6", "https://www.npmjs.com/package/@actions/github"),
        ],
        packages: &["octokit", "@octokit/*", "probot", "@actions/github"],
        calls: &[
            "Octokit.rest.*.*",
            "Octokit.request|graphql|paginate|auth",
            "**.octokit.rest.*.*",
            "**.octokit.*.*",
            "**.octokit.request|graphql|paginate|auth",
        ],
        shapes: &["**.octokit.rest.*.*", "**.octokit.*.*", "**.octokit.request|graphql|paginate|auth"],
    },
    PromiseLibrary {
        origins: &[
            origin("@slack/web-api", "7", "https://docs.slack.dev/tools/node-slack-sdk/web-api/"),
            origin("openai", "5", "https://www.npmjs.com/package/openai"),
        ],
        packages: &["@slack/*", "openai"],
        calls: &[
            "WebClient.chat.*",
            "WebClient.conversations.*",
            "**.chat.completions.create|parse",
            "**.responses.create|parse",
        ],
        shapes: &[
            "**.chat.postMessage|postEphemeral|scheduleMessage",
            "**.openai.chat.completions.create|parse",
            "**.openai.responses.create|parse",
        ],
    },
    PromiseLibrary {
        origins: &[origin("bluebird", "3", "https://www.npmjs.com/package/bluebird")],
        packages: &["bluebird"],
        calls: &[
            "map|mapSeries|each|filter|reduce|props|all|some|any|delay|try",
            "default.map|mapSeries|each|filter|reduce|props|all|some|any|delay|try",
        ],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[origin("execa", "9", "https://www.npmjs.com/package/execa")],
        packages: &["execa"],
        calls: &["execa|execaCommand|execaNode|default"],
        shapes: &[],
    },
    PromiseLibrary {
        origins: &[
            origin("@prisma/client", "6", "https://www.prisma.io/docs/orm/prisma-client/queries/transactions"),
            origin("sequelize", "6", "https://sequelize.org/docs/v6/other-topics/transactions/"),
            origin("typeorm", "0.3", "https://typeorm.io/"),
        ],
        packages: &["@prisma/client", "sequelize", "sequelize-typescript", "typeorm"],
        calls: &["**.$transaction|$connect|$disconnect", "**.transaction"],
        shapes: &["**.$transaction", "**.sequelize.transaction"],
    },
];

/// Methods that show `promises` to be a list of them.
const OF_ARRAYS: &[&str] = &[
    "push", "map", "filter", "forEach", "find", "some", "every", "slice", "splice", "pop", "shift", "concat", "get",
    "set", "has",
];

/// Whether a call gives a promise by the API it names, or by the way it is written.
pub fn is_promise(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    match site.kind {
        CallKind::New => return site.name == "Promise" && matches!(site.callee, Expr::Name(_)),
        CallKind::Call => {}
        CallKind::Jsx | CallKind::Macro | CallKind::Template | CallKind::Decorator => return false,
    }
    if is_reaction(map, call) {
        return true;
    }
    if is_beside_callbacks(&site.callee) {
        return true;
    }
    // Nearly every call has a name that no list knows.
    if !NAMES.contains(site.name.as_str()) && !is_told_by_target(map.target(call)) && !is_told_by_holder(&site.callee) {
        return false;
    }
    if let CallTarget::External(External { package, path }) = map.target(call) {
        let names: Vec<&str> = path.iter().map(Name::as_str).collect();
        let library = LIBRARIES.iter().find(|library| {
            names_package(library.packages, package) && library.calls.iter().any(|pattern| matches(pattern, &names))
        });
        if let Some(library) = library {
            // Functions given to Bluebird are about items, not about errors.
            return library.packages.contains(&"bluebird") || !takes_callback(map, call);
        }
        if package != "global" {
            return false;
        }
    }
    let Some(names) = chain::names(facts, &site.callee).filter(|names| names.len() > 1) else { return false };
    let is_used = |library: &PromiseLibrary| {
        let dependencies = map.recon.packages.iter().flat_map(|package| &package.dependencies);
        dependencies.into_iter().any(|own| names_package(library.packages, &own.name))
    };
    LIBRARIES.iter().any(|library| library.shapes.iter().any(|shape| matches(shape, &names)) && is_used(library))
        && !takes_callback(map, call)
}

/// Last names of all patterns; `default` goes by the name it was imported under, so it is told by its package.
static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    LIBRARIES
        .iter()
        .flat_map(|library| library.calls.iter().chain(library.shapes))
        .flat_map(|pattern| pattern.rsplit('.').next().unwrap_or_default().split('|'))
        .collect()
});

/// Names of clients every method of which gives a promise: their patterns end in any name.
const CLIENTS: &[&str] = &["octokit"];

/// `context.octokit.issues.addLabels`.
fn is_told_by_holder(callee: &Expr) -> bool {
    let mut at = callee;
    while let Expr::Member(holder, _) = at.peeled() {
        if holder.last_name().is_some_and(|name| CLIENTS.contains(&name)) {
            return true;
        }
        at = holder;
    }
    false
}

/// Whether a target stands under a pattern that ends in any name, or is a package's default export.
fn is_told_by_target(target: &CallTarget) -> bool {
    match target {
        CallTarget::External(External { package, path }) => {
            path.last().is_some_and(|last| *last == "default")
                || path.iter().any(|name| *name == "promises" && package != "global")
        }
        CallTarget::Symbols(_) | CallTarget::Unresolved => false,
    }
}

/// `UserGetter.promises.getUser`: what gives promises beside what takes callbacks.
fn is_beside_callbacks(callee: &Expr) -> bool {
    let Expr::Member(promises, name) = callee else { return false };
    let Expr::Member(holder, promises) = promises.as_ref() else { return false };
    *promises == "promises" && !matches!(holder.as_ref(), Expr::This) && !OF_ARRAYS.contains(&name.as_str())
}

/// `f().then(…)`, `.catch(…)`, `.finally(…)`: what stands before is a promise, and what these give is one too.
fn is_reaction(map: &RepoMap, call: CallId) -> bool {
    let site = map.call(call);
    let reacts = |argument: &Expr| matches!(argument, Expr::Function { .. });
    match site.name.as_str() {
        "then" => matches!(site.callee, Expr::Member(..)) && site.arguments.iter().any(reacts),
        // `schema.catch(() => …)` gives a default; only behind `then` is it clear what is meant.
        "catch" | "finally" => {
            let facts = &map.file(call.file).facts;
            chain::receivers(facts, call.index)
                .iter()
                .skip(1)
                .any(|link| is_reaction(map, CallId { file: call.file, index: *link }))
        }
        _ => false,
    }
}

/// Many functions give a promise only when no callback is passed.
fn takes_callback(map: &RepoMap, call: CallId) -> bool {
    map.call(call).arguments.last().is_some_and(|last| {
        matches!(last, Expr::Function { .. })
            || matches!(last, Expr::Name(name) if matches!(name.as_str(), "callback" | "cb" | "done" | "next"))
    })
}

/// `util.promisify(f)`: the function it gives returns promises.
pub fn is_promisify(map: &RepoMap, call: CallId) -> bool {
    matches!(map.call(call).name.as_str(), "promisify" | "pify")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_says_where_its_names_come_from() {
        for library in LIBRARIES {
            assert!(!library.origins.is_empty() && !library.packages.is_empty());
            assert!(library.origins.iter().all(|origin| origin.is_whole()), "{:?}", library.origins);
            assert!(library.calls.iter().chain(library.shapes).all(|pattern| !pattern.ends_with("**")));
        }
    }
}
