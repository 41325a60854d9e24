//! What is asked at once.

use serde_json::{Value, json};

use super::models::Server;
use super::routes::{ROUTES, Route, answer};
use super::{audit, shop, validated};

fn asked_over(route: &Route) -> Vec<String> {
    let repository = shop();
    let protocol = route.protocol;
    let server = Server::start(move |request| answer(protocol, request));
    audit(repository.path(), route, &server.url, &[]);
    server.asked()
}

#[test]
#[ignore = "needs Python 3 and a package registry"]
fn every_request_is_one_that_the_vendors_own_types_accept() {
    let mut lines = String::new();
    for route in &ROUTES {
        let asked = asked_over(route);
        assert!(asked.len() >= 6, "{}: two lenses and a judgement, each in two rounds: {}", route.planner, asked.len());
        for body in asked {
            let body: Value = serde_json::from_str(&body).expect("a request is JSON");
            lines.push_str(&format!("{}\n", json!({"protocol": route.protocol, "body": body})));
        }
    }
    validated(&lines);
}
