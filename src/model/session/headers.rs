//! What every request carries beside its body.

use crate::http::Hidden;
use crate::model::protocol::Protocol;
use crate::model::provider::{Auth, Located};

/// The headers of every request to a model's server.
pub(in crate::model) fn headers(located: &Located, wire: &dyn Protocol) -> Vec<(String, Hidden)> {
    let mut headers: Vec<(String, Hidden)> = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), Hidden(value)));
    for (name, value) in wire.headers() {
        add(name, (*value).to_owned());
    }
    for (name, value) in &located.provider.headers {
        add(name, value.clone());
    }
    if let Some(key) = &located.key {
        match located.provider.auth {
            Auth::Bearer => add("authorization", format!("Bearer {}", key.reveal())),
            Auth::ApiKey => add("x-api-key", key.reveal().to_owned()),
        }
    }
    headers
}
