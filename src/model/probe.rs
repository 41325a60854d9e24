//! A probe: does the server of a model answer, take the key, and have the model? Costs nothing.

use std::time::SystemTime;

use serde_json::Value;

use super::error::{ModelError, Refusal};
use super::protocol::refusal_of;
use super::provider::Located;
use super::session::headers;
use crate::cancel::Cancel;
use crate::http::{Call, Method, Transport};

/// What a server says of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It is there.
    There,
    /// The server answers and does not list it.
    NotListed,
    /// The server answers and lists no models at all: nothing to hold the id against.
    NoList(Refusal),
}

/// Asks a server which models it has, `model` among them.
pub fn probe(located: &Located, model: &str, transport: &dyn Transport, cancel: &Cancel) -> Result<Probe, ModelError> {
    let provider = &located.provider;
    if !located.is_ready() {
        return Err(ModelError::NoKey { provider: provider.name.clone(), variables: provider.key_variables.clone() });
    }
    let name = || format!("{}/{model}", provider.name);
    let wire = provider.protocol.protocol();
    let url = format!("{}{}", located.base_url, wire.models_path());
    let call = Call { method: Method::Get, url: &url, headers: &headers(located, wire), body: None };
    let answer = transport
        .send(&call, &mut |_, _| {}, cancel)
        .map_err(|fault| ModelError::Unreachable { model: name(), fault })?;
    if !(200..300).contains(&answer.status) {
        let refusal = refusal_of(answer.status, &answer.headers, &answer.body, SystemTime::now());
        return match answer.status {
            404 | 405 | 501 => Ok(Probe::NoList(refusal)),
            _ => Err(ModelError::Refused { model: name(), refusal }),
        };
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let listed = body.get("data").or_else(|| body.get("models")).and_then(Value::as_array);
    // Google's list writes `models/` before an id.
    let is_it = |id: &str| id == model || id.strip_prefix("models/") == Some(model);
    let there = listed.into_iter().flatten().filter_map(|model| model.get("id").and_then(Value::as_str)).any(is_it);
    Ok(if there { Probe::There } else { Probe::NotListed })
}
