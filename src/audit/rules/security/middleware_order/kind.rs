//! What a middleware does: lets only some in, counts, answers browsers about origins, or reads bodies.

use crate::audit::place::{self, words};
use crate::audit::rules::security::code::expressions;
use crate::audit::rules::security::missing_auth::guards;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, ImportItem, LanguageName, Span, SymbolIndex};
use crate::repo_map::{CallId, FileId, ImportTarget, RepoMap, SymbolId};

/// What a middleware does, as far as its place among the others matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Refuses who is not known, questions of browsers (`OPTIONS`) included.
    Guard,
    /// Refuses who is not known, but lets some pass: what the browser asks first, or what the code decides.
    Lenient,
    /// Counts what comes from an address.
    Limiter,
    /// Counts what a known user does.
    UserLimiter,
    /// Tells browsers which origins may call.
    Cors,
    /// Reads bodies into memory, up to so many megabytes.
    Parser(u32),
    /// Takes uploads and keeps them.
    Upload,
    /// Answers errors, or what no route took.
    Ends,
    /// Anything else: routes, static files, loggers.
    Other,
}

/// Packages whose middleware refuses who is not known: specifier, and the names it goes by (none: whatever it exports).
const REFUSING: &[(&str, &[&str])] = &[
    ("express-jwt", &[]),
    ("express-basic-auth", &[]),
    ("express-oauth2-jwt-bearer", &["auth"]),
    ("express-openid-connect", &["requiresAuth"]),
    ("@clerk/express", &["requireAuth"]),
    ("passport", &["authenticate"]),
    ("koa-passport", &["authenticate"]),
    ("koa-jwt", &[]),
    ("koa-basic-auth", &[]),
    ("hono/jwt", &["jwt"]),
    ("hono/basic-auth", &["basicAuth"]),
    ("hono/bearer-auth", &["bearerAuth"]),
];

const LIMITERS: &[&str] = &["express-rate-limit", "koa-ratelimit", "hono-rate-limiter", "express-brute"];
const CORS: &[&str] = &["cors", "@koa/cors", "koa2-cors", "hono/cors"];
const PARSERS: &[&str] = &["express", "body-parser", "koa-body", "koa-bodyparser", "@koa/bodyparser"];

/// What an expression stands for, followed through names and files.
#[derive(Debug, Default)]
struct Meant<'a> {
    /// Names on the way.
    names: Vec<&'a str>,
    /// The package it comes from, and the name there.
    package: Option<(&'a str, &'a str)>,
    /// Functions of the project that it is or that make it.
    bodies: Vec<(FileId, Span)>,
    /// The call that makes it: its options.
    made: Option<CallId>,
    /// It takes four parameters: Express knows handlers of errors by that.
    takes_errors: bool,
}

/// What the middleware `expr`, an argument of `call`, does.
pub fn kind(map: &RepoMap, call: CallId, argument: usize, expr: &Expr) -> Kind {
    let mut meant = Meant::default();
    for handed in map.handed(call).iter().filter(|handed| usize::from(handed.argument) == argument) {
        if matches!(expr.peeled(), Expr::Name(_) | Expr::Member(..) | Expr::Path(_)) {
            meant.add(map, handed.function);
        }
    }
    follow(map, call.file, map.call(call).caller, expr, 5, &mut meant);
    if map.file(call.file).language == LanguageName::Rust { meant.of_rust(map) } else { meant.of_ecmascript(map) }
}

/// Follows what `expr` stands for.
fn follow<'a>(
    map: &'a RepoMap,
    file: FileId,
    owner: Option<SymbolIndex>,
    expr: &'a Expr,
    depth: u32,
    meant: &mut Meant<'a>,
) {
    if depth == 0 {
        return;
    }
    let facts = &map.file(file).facts;
    match expr.peeled() {
        Expr::Name(name) => {
            meant.names.push(name);
            if let Some(value) = place::initialiser(facts, owner, name) {
                return follow(map, file, owner, value, depth - 1, meant);
            }
            named(map, file, name, name, depth, meant);
        }
        Expr::Function { region, symbol, .. } => {
            let span = match (region, symbol) {
                (Some(region), _) => facts.regions[*region as usize].span,
                (None, Some(symbol)) => facts.symbols[*symbol as usize].span,
                (None, None) => return,
            };
            if let Some(symbol) = symbol {
                meant.takes_errors |= facts.symbols[*symbol as usize].parameters.len() == 4;
            }
            if let Some(region) = region
                && let crate::repo_map::facts::RegionKind::Callback { parameters, .. } =
                    &facts.regions[*region as usize].kind
            {
                meant.takes_errors |= parameters.len() == 4;
            }
            meant.bodies.push((file, span));
        }
        Expr::Call(index) => {
            let call = CallId { file, index: *index };
            meant.made.get_or_insert(call);
            for resolved in map.resolved(call) {
                meant.add(map, resolved.symbol);
            }
            for handed in map.handed(call) {
                meant.add(map, handed.function);
            }
            callee(map, file, owner, &facts.call(*index).callee, depth - 1, meant);
        }
        Expr::Member(object, name) => {
            meant.names.push(name);
            if let Some(root) = object.root_name()
                && matches!(object.peeled(), Expr::Name(_))
            {
                named(map, file, root, name, 1, meant);
            }
        }
        Expr::Path(segments) => meant.names.extend(segments.iter().map(|segment| segment.as_str())),
        // A struct literal: `GovernorLayer { config }`.
        Expr::Object(entries) => {
            if let Some((key, Expr::Path(path))) = entries.first()
                && key == "::"
            {
                meant.names.extend(path.iter().map(|segment| segment.as_str()));
            } else if let Some((key, Expr::Name(name))) = entries.first()
                && key == "::"
            {
                meant.names.push(name);
            }
        }
        _ => {}
    }
}

/// What is called to make a middleware: the names of a chain, and what its root stands for.
fn callee<'a>(
    map: &'a RepoMap,
    file: FileId,
    owner: Option<SymbolIndex>,
    callee: &'a Expr,
    depth: u32,
    meant: &mut Meant<'a>,
) {
    // `let router = router.layer(…)` would go round.
    if depth == 0 {
        return;
    }
    let facts = &map.file(file).facts;
    let Some(names) = chain::names(facts, callee) else { return };
    meant.names.extend(names.iter().copied());
    let (Some(root), Some(last)) = (names.first(), names.last()) else { return };
    if let Some(value) = place::initialiser(facts, owner, root) {
        // `upload.single("file")` of `const upload = multer()`.
        if let Expr::Call(made) = value.peeled() {
            self::callee(map, file, owner, &facts.call(*made).callee, depth - 1, meant);
        }
        return;
    }
    named(map, file, root, last, 1, meant);
}

/// A name that is imported, or that a function of the file has.
fn named<'a>(map: &'a RepoMap, file: FileId, name: &str, last: &'a str, depth: u32, meant: &mut Meant<'a>) {
    if depth == 0 {
        return;
    }
    let facts = &map.file(file).facts;
    let imports = facts.imports.iter().zip(&map.import_targets[file as usize]);
    for (import, target) in imports.filter(|(import, _)| import.local == name) {
        match (target, &import.item) {
            (ImportTarget::File(target), ImportItem::Named(_) | ImportItem::Default) => {
                let wanted = match &import.item {
                    ImportItem::Named(named) => Some(*named),
                    _ => None,
                };
                let other = &map.file(*target).facts;
                for (index, symbol) in (0..).zip(&other.symbols) {
                    let is_it = wanted.map_or(symbol.default_export, |wanted| symbol.name == wanted)
                        && symbol.container.is_none();
                    if is_it && symbol.kind.is_callable() {
                        meant.add(map, SymbolId { file: *target, index });
                    }
                }
                if let Some(value) = wanted.and_then(|wanted| place::initialiser(other, None, wanted.as_str())) {
                    follow(map, *target, None, value, depth - 1, meant);
                }
            }
            (ImportTarget::External(_) | ImportTarget::Unresolved, item) => {
                let there = match item {
                    ImportItem::Named(named) if last == name => named.as_str(),
                    _ => last,
                };
                meant.package.get_or_insert((import.source.as_str(), there));
            }
            _ => {}
        }
    }
    for (index, symbol) in (0..).zip(&facts.symbols) {
        if symbol.name == name && symbol.kind.is_callable() && symbol.member_of.is_none() {
            meant.add(map, SymbolId { file, index });
        }
    }
}

impl<'a> Meant<'a> {
    fn add(&mut self, map: &'a RepoMap, symbol: SymbolId) {
        let found = map.symbol(symbol);
        self.takes_errors |= found.parameters.len() == 4;
        self.names.push(found.name.as_str());
        if !self.bodies.contains(&(symbol.file, found.span)) {
            self.bodies.push((symbol.file, found.span));
        }
    }

    fn is_from(&self, packages: &[&str]) -> bool {
        self.package.is_some_and(|(package, _)| packages.contains(&package))
    }

    fn says(&self, wanted: &dyn Fn(&[String]) -> bool) -> bool {
        self.names.iter().any(|name| wanted(&words(name)))
    }

    fn of_ecmascript(&self, map: &RepoMap) -> Kind {
        let last = self.package.map_or("", |(_, name)| name);
        let ends = |words: &[String]| {
            words.iter().any(|word| matches!(word.as_str(), "error" | "errors" | "404" | "fallback" | "sentry"))
                || words.windows(2).any(|two| two[0] == "not" && two[1] == "found")
        };
        if self.takes_errors || self.says(&ends) {
            return Kind::Ends;
        }
        if self.is_from(&["multer"]) && last != "none" && self.package.is_some() {
            return if self.names.contains(&"none") { Kind::Other } else { Kind::Upload };
        }
        if self.is_from(CORS) || self.package.is_none() && self.says(&|words| words.iter().any(|word| word == "cors")) {
            return Kind::Cors;
        }
        if self.is_from(LIMITERS) || self.says(&limits) {
            return if self.counts_users(map) { Kind::UserLimiter } else { Kind::Limiter };
        }
        if self.is_from(PARSERS) {
            return self.megabytes(map).map_or(Kind::Other, Kind::Parser);
        }
        if REFUSING
            .iter()
            .any(|(package, names)| self.is_from(&[package]) && (names.is_empty() || names.contains(&last)))
        {
            // `credentialsRequired: false`, and strategies that let everybody in.
            let lenient = self.option(map, "credentialsRequired") == Some(&Expr::Bool(false))
                || self.made.is_some_and(|made| {
                    map.call(made)
                        .arguments
                        .iter()
                        .any(|one| matches!(one.peeled(), Expr::Text(text) if text.contains("anonymous")))
                });
            return if lenient { Kind::Lenient } else { Kind::Guard };
        }
        self.guard(map)
    }

    fn of_rust(&self, map: &RepoMap) -> Kind {
        let named = |wanted: &[&str]| self.names.iter().any(|name| wanted.contains(name));
        if named(&["CorsLayer", "Cors"]) || self.says(&|words| words.iter().any(|word| word == "cors")) {
            return Kind::Cors;
        }
        if named(&["GovernorLayer", "Governor"]) || self.says(&limits) {
            return if self.counts_users(map) { Kind::UserLimiter } else { Kind::Limiter };
        }
        if named(&["RequireAuthorizationLayer", "ValidateRequestHeaderLayer", "HttpAuthentication"]) {
            return Kind::Guard;
        }
        self.guard(map)
    }

    /// A function that is named for a guard and refuses.
    fn guard(&self, map: &RepoMap) -> Kind {
        let refuses = self.bodies.iter().any(|(file, span)| refuses(&map.file(*file).facts, *span));
        if !refuses || !(self.names.is_empty() || self.names.iter().any(|name| guards::is_guard(name))) {
            return Kind::Other;
        }
        let lenient = self.bodies.iter().any(|(file, span)| lets_some_pass(&map.file(*file).facts, *span));
        if lenient { Kind::Lenient } else { Kind::Guard }
    }

    fn option<'m>(&self, map: &'m RepoMap, key: &str) -> Option<&'m Expr> {
        let made = self.made?;
        let facts = &map.file(made.file).facts;
        let site = facts.call(made.index);
        site.arguments.iter().find_map(|argument| match place::resolve(facts, site.caller, argument) {
            Expr::Object(entries) => entries.iter().find(|(own, _)| own == key).map(|(_, value)| value.peeled()),
            _ => None,
        })
    }

    /// The limit of a parser in megabytes, where one is written.
    fn megabytes(&self, map: &RepoMap) -> Option<u32> {
        let limit = ["limit", "jsonLimit"].iter().find_map(|key| self.option(map, key))?;
        match limit {
            Expr::Text(text) => {
                let text = text.trim().to_ascii_lowercase();
                if let Some(number) = text.strip_suffix("gb") {
                    return number.trim().parse::<u32>().ok().map(|number| number.saturating_mul(1024));
                }
                text.strip_suffix("mb")?.trim().parse().ok()
            }
            Expr::Number(text) => text.parse::<u64>().ok().and_then(|bytes| u32::try_from(bytes >> 20).ok()),
            _ => None,
        }
    }

    /// Whether requests are counted by user, so that they must be known first.
    fn counts_users(&self, map: &RepoMap) -> bool {
        let by_name = |words: &[String]| {
            words.iter().any(|word| {
                matches!(
                    word.as_str(),
                    "user" | "account" | "tenant" | "org" | "organization" | "workspace" | "plan" | "team"
                )
            })
        };
        let key = ["keyGenerator", "key", "id", "skip", "max", "limit"].iter().any(|key| match self.option(map, key) {
            Some(Expr::Function { region: Some(region), .. }) => self.made.is_some_and(|made| {
                let facts = &map.file(made.file).facts;
                reads_user(facts, facts.regions[*region as usize].span)
            }),
            // A function by name: nobody looked at what it counts.
            Some(Expr::Name(_) | Expr::Member(..)) => *key == "keyGenerator",
            _ => false,
        });
        key || self.says(&by_name) || self.bodies.iter().any(|(file, span)| reads_user(&map.file(*file).facts, *span))
    }
}

fn limits(words: &[String]) -> bool {
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    has(&["limiter", "ratelimit", "ratelimiter", "throttle", "throttler"])
        || has(&["rate"]) && has(&["limit", "limits"])
}

/// Whether code reads who is asking: `req.user`, `c.get("user")`.
fn reads_user(facts: &FileFacts, span: Span) -> bool {
    let reads = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= match inner {
                Expr::Member(_, name) => {
                    matches!(
                        name.as_str(),
                        "user" | "userId" | "auth" | "session" | "account" | "apiKey" | "token" | "locals"
                    )
                }
                Expr::Text(text) => matches!(text.as_str(), "user" | "userId" | "session" | "authorization"),
                _ => false,
            };
        });
        found
    };
    expressions(facts, span).any(reads)
}

/// Whether code answers that it does not know who asks.
fn refuses(facts: &FileFacts, span: Span) -> bool {
    let calls = facts.calls.iter().filter(|site| span.contains(site.span)).any(|site| {
        let number = site.arguments.iter().any(|argument| is_401(facts, argument));
        let says = words(&site.name).iter().any(|word| matches!(word.as_str(), "unauthorized" | "unauthenticated"));
        number && !matches!(site.name.as_str(), "log" | "warn" | "error" | "info" | "debug") || says
    });
    calls || expressions(facts, span).any(|expr| is_401(facts, expr))
}

fn is_401(facts: &FileFacts, expr: &Expr) -> bool {
    let mut found = false;
    chain::walk_deep(facts, expr, &mut |inner| {
        found |= match inner {
            Expr::Number(number) => number == "401",
            Expr::Path(segments) => segments.last().is_some_and(|last| {
                matches!(last.as_str(), "UNAUTHORIZED" | "Unauthorized" | "ErrorUnauthorized" | "Unauthenticated")
            }),
            Expr::Member(_, name) => matches!(name.as_str(), "UNAUTHORIZED" | "Unauthorized"),
            _ => false,
        };
    });
    found
}

/// Whether code looks at the method, or at the path: then it lets some pass.
fn lets_some_pass(facts: &FileFacts, span: Span) -> bool {
    let asks = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= match inner {
                Expr::Text(text) => text.eq_ignore_ascii_case("options"),
                Expr::Path(segments) => segments.last().is_some_and(|last| *last == "OPTIONS"),
                Expr::Member(_, name) => {
                    matches!(name.as_str(), "method" | "path" | "originalUrl" | "url" | "baseUrl" | "pathname")
                }
                _ => false,
            };
        });
        found
    };
    let named = |site: &&crate::repo_map::facts::CallSite| matches!(site.name.as_str(), "method" | "uri" | "path");
    expressions(facts, span).any(asks)
        || facts.calls.iter().filter(|site| span.contains(site.span)).any(|site| named(&site))
}

/// The receiver a chain of registrations starts with.
pub fn root(facts: &FileFacts, callee: &Expr) -> Option<String> {
    let mut next = callee;
    loop {
        match next.peeled() {
            Expr::Name(name) => return Some(name.to_string()),
            Expr::Member(object, name) if matches!(object.peeled(), Expr::This) => return Some(format!("this.{name}")),
            Expr::Member(object, _) => next = object,
            Expr::Call(index) => next = &facts.call(*index).callee,
            _ => return None,
        }
    }
}

/// The call that makes what a chain stands on: `express()`, `new Hono()`.
pub fn maker(facts: &FileFacts, value: &Expr) -> Option<CallIndex> {
    match value.peeled() {
        Expr::Call(index) => chain::receivers(facts, *index).last().copied(),
        _ => None,
    }
}
