//! `middleware-order`: middleware that stands where it cannot do its work.

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::{CallId, FileRole, RepoMap};

mod kind;
mod layers;
mod registered;

/// Middleware in the wrong order.
pub struct MiddlewareOrder;

static DOC: RuleDoc = RuleDoc {
    id: "middleware-order",
    category: Category::Security,
    what: "a guard, CORS, rate limit, upload or body parser that stands on the wrong side of the others",
    why: "middleware does nothing for what ran before it: a guard after the routes guards none, CORS behind a guard refuses the browser's \
          question whether it may ask, a limit behind a guard does not count guesses, and what is read before the guard is read for \
          everybody",
    quiet_when: "it cannot be told what a middleware does, it is registered in a branch, the guard lets some requests pass, routes follow \
                 that it covers, limits count by user, or the application goes on elsewhere",
    example: "app.use(requireAuth);\napp.use(cors({ origin }));",
};

/// What is wrong with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    CorsAfterGuard,
    CorsCoversNothing,
    GuardCoversNothing,
    LimiterCoversNothing,
    LimiterAfterGuard,
    UploadBeforeGuard,
    /// Of a limit of so many megabytes.
    ParserBeforeGuard(u32),
}

/// Middleware in the wrong place.
struct Fault {
    order: Order,
    /// What stands in the wrong place.
    at: CallId,
    /// What it should stand on the other side of.
    other: CallId,
    confidence: Confidence,
}

impl Rule for MiddlewareOrder {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        faults(map).iter().map(|fault| finding(map, fault)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let calls: Vec<CallId> = place::calls_at(context.map, finding.location()).collect();
        let fault = faults(context.map).into_iter().find(|fault| calls.contains(&fault.at))?;
        let other = context.map.call(fault.other).line;
        let remedy = Remedy {
            title: fault.order.title(),
            instruction: format!("{} The other place is line {other}.", fault.order.remedy()),
            edits: Vec::new(),
            test: fault.order.test(),
            edge_case: "what runs earlier sees the request without what the others add to it: a session, a parsed body, a known user",
            stop: "the order is meant, and something in front of this application (a gateway, a proxy) does the same work",
        };
        Some(remedy.plan(finding, context))
    }
}

fn faults(map: &RepoMap) -> Vec<Fault> {
    let mut found = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role == FileRole::Production) {
        if source.language.is_ecmascript() {
            registered::faults(map, file, &mut found);
        } else {
            layers::faults(map, file, &mut found);
        }
    }
    found.sort_by_key(|fault| (fault.at, fault.order));
    found.dedup_by_key(|fault| fault.at);
    found
}

impl Order {
    fn title(self) -> &'static str {
        match self {
            Order::CorsAfterGuard => "Answer CORS before the guard",
            Order::CorsCoversNothing => "Register CORS before the routes",
            Order::GuardCoversNothing => "Put the guard where it covers the routes",
            Order::LimiterCoversNothing => "Put the rate limit where it covers the routes",
            Order::LimiterAfterGuard => "Limit requests before the guard",
            Order::UploadBeforeGuard => "Take uploads after the guard",
            Order::ParserBeforeGuard(_) => "Read large bodies after the guard",
        }
    }

    /// The title of the finding.
    fn fault(self) -> String {
        match self {
            Order::CorsAfterGuard => "CORS stands behind the guard".to_owned(),
            Order::CorsCoversNothing => "CORS is registered where it covers no route".to_owned(),
            Order::GuardCoversNothing => "the guard is registered where it covers no route".to_owned(),
            Order::LimiterCoversNothing => "the rate limit is registered where it covers no route".to_owned(),
            Order::LimiterAfterGuard => "the rate limit stands behind the guard".to_owned(),
            Order::UploadBeforeGuard => "uploads are taken before the guard".to_owned(),
            Order::ParserBeforeGuard(megabytes) => format!("bodies of {megabytes} MB are read before the guard"),
        }
    }

    fn message(self) -> String {
        match self {
            Order::CorsAfterGuard => {
                "Before a browser sends credentials to another origin, it asks without them (`OPTIONS`): the guard refuses that question \
                 before CORS can answer, so pages of other origins get nothing."
                    .to_owned()
            }
            Order::CorsCoversNothing => {
                "Routes answer before CORS runs, and none follows that it covers: their answers carry no CORS headers.".to_owned()
            }
            Order::GuardCoversNothing => {
                "Routes answer before the guard runs, and none follows that it covers: whoever knows their addresses may call them."
                    .to_owned()
            }
            Order::LimiterCoversNothing => {
                "Routes answer before the limit counts, and none follows that it covers: nothing is limited.".to_owned()
            }
            Order::LimiterAfterGuard => {
                "Requests that the guard refuses are never counted, so passwords and tokens can be guessed as fast as they can be sent."
                    .to_owned()
            }
            Order::UploadBeforeGuard => {
                "Files are received and kept before anybody asks who sends them: those of strangers fill the disk or the memory."
                    .to_owned()
            }
            Order::ParserBeforeGuard(megabytes) => format!(
                "Up to {megabytes} MB a request are read and parsed before anybody asks who sends them: a few strangers can keep the \
                 process busy."
            ),
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Order::CorsAfterGuard => {
                "move CORS to where it runs before the guard: above it in Express, Koa, Hono and in a `ServiceBuilder`; as the layer added \
                 last in an axum router or an Actix Web application, where the last one runs first."
            }
            Order::CorsCoversNothing => {
                "move CORS above the first route; in an axum router below the last one, because a layer counts for the routes before it."
            }
            Order::GuardCoversNothing => {
                "move the guard above the routes it is for, leaving those that everybody may call above it; in an axum router below the \
                 routes it is for, because a layer counts for the routes before it."
            }
            Order::LimiterCoversNothing => {
                "move the limit above the first route; in an axum router below the last one, because a layer counts for the routes before \
                 it."
            }
            Order::LimiterAfterGuard => {
                "move the limit to where it runs before the guard (above it in Express, Koa and Hono; added after it in axum and Actix \
                 Web), counting by address."
            }
            Order::UploadBeforeGuard => "move the upload behind the guard in the same list.",
            Order::ParserBeforeGuard(_) => {
                "keep the parser at its default limit for all routes, and give the large limit to the routes that need it, behind the \
                 guard."
            }
        }
    }

    fn test(self) -> &'static str {
        match self {
            Order::CorsAfterGuard => {
                "`OPTIONS` with `Origin` and `Access-Control-Request-Method` and without credentials is answered with CORS headers and not \
                 with 401"
            }
            Order::CorsCoversNothing => "a request with `Origin` to each route gets `Access-Control-Allow-Origin`",
            Order::GuardCoversNothing => "a request without credentials to a route that is now covered gets 401",
            Order::LimiterCoversNothing => "one request more than the limit allows gets 429",
            Order::LimiterAfterGuard => "wrong credentials, sent more often than the limit allows, get 429",
            Order::UploadBeforeGuard => "an upload without credentials gets 401 and leaves no file",
            Order::ParserBeforeGuard(_) => "a large body without credentials is refused without being read",
        }
    }

    fn impact(self) -> u8 {
        match self {
            Order::GuardCoversNothing => 5,
            Order::UploadBeforeGuard | Order::LimiterCoversNothing | Order::LimiterAfterGuard => 3,
            Order::CorsAfterGuard | Order::CorsCoversNothing => 3,
            Order::ParserBeforeGuard(_) => 2,
        }
    }
}

fn finding(map: &RepoMap, fault: &Fault) -> Finding {
    let draft = FindingDraft::at_call(&DOC, map, fault.at, "registration")
        .title(fault.order.fault())
        .message(fault.order.message())
        .impact(fault.order.impact())
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(fault.confidence);
    if fault.other == fault.at { draft } else { draft.and_call(map, fault.other, "on the wrong side of this") }.build()
}
