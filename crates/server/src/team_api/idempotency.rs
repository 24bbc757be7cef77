//! `Idempotency-Key`: a call made again under its key gets the first answer, for 24 hours.
//!
//! Only answers are kept, never refusals: what failed may be tried again under the same key.

use dailies_api::error::ErrorCode;
use dailies_database::DatabaseError;
use rusqlite::Connection;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Team;
use super::caller::Caller;
use super::error::Refusal;
use super::functions::{KEY_HEADER, Replay};
use crate::clock::now_millis;
use crate::db::idempotency::{self, Earlier, KeyedCall};

/// The argument that no row may hold a hash of.
const PASSWORD: &str = "password";
/// Characters of a key.
const LONGEST_KEY: usize = 255;

/// Joins what makes two calls the same.
pub(crate) fn keyed_call(
    caller: &Caller,
    key: String,
    function: &str,
    args: &Map<String, Value>,
) -> Result<KeyedCall, Refusal> {
    if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic())
    {
        let message = format!("a key has 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(Refusal::argument(KEY_HEADER, message));
    }
    let mut canonical = String::from(function);
    for (name, value) in sorted(args) {
        canonical.push('\n');
        canonical.push_str(&Value::from(name.as_str()).to_string());
        // A plain hash of what a person thought up can be reversed by trying.
        if name != PASSWORD {
            write_sorted(value, &mut canonical);
        }
    }
    let request = Sha256::digest(canonical.as_bytes()).into();
    Ok(KeyedCall { caller: caller.name(), key, request })
}

/// Runs the call, unless it was run before: then answers as it was answered.
pub(crate) async fn once<F, R>(
    team: &Team,
    replay: Replay,
    keyed: KeyedCall,
    run: R,
) -> Result<Value, Refusal>
where
    R: FnOnce(Option<KeyedCall>) -> F,
    F: Future<Output = Result<Value, Refusal>>,
{
    if matches!(replay, Replay::InTransaction | Replay::Once) {
        return run(Some(keyed)).await;
    }
    // Two copies of one call at once: the second waits for the first one's answer.
    let _held = team.locks.hold(&format!("{}\n{}", keyed.caller, keyed.key)).await;
    let known = keyed.clone();
    let earlier = team
        .database
        .read::<_, Refusal, _>(move |connection| first_answer(connection, &known))
        .await?;
    if let Some(answer) = earlier {
        return Ok(answer);
    }
    let answer = run(None).await?;
    let kept = (replay == Replay::Kept).then(|| answer.to_string());
    team.database
        .write::<_, DatabaseError, _>(move |connection| {
            idempotency::insert(connection, &keyed, kept.as_deref(), now_millis())
        })
        .await?;
    Ok(answer)
}

/// The answer that was given to this call before, if one is kept.
fn first_answer(connection: &Connection, keyed: &KeyedCall) -> Result<Option<Value>, Refusal> {
    match idempotency::find(connection, keyed, now_millis())? {
        Earlier::None | Earlier::Same(None) => Ok(None),
        Earlier::Same(Some(answer)) => {
            serde_json::from_str(&answer).map(Some).map_err(|_| Refusal::internal())
        }
        Earlier::OtherCall => Err(Refusal::argument(
            KEY_HEADER,
            "this key was used for another call; a new call needs a new key",
        )),
    }
}

/// Keeps the call in the transaction of the change itself, and refuses to make it again: its
/// answer was shown once.
pub(crate) fn first_and_only(connection: &Connection, keyed: &KeyedCall) -> Result<(), Refusal> {
    if let Earlier::Same(_) = idempotency::find(connection, keyed, now_millis())? {
        let message = "this call was made, and its answer is shown once only: if that was lost, \
                       undo what it made and call again under a new key";
        return Err(Refusal::new(ErrorCode::WrongState, message).at(KEY_HEADER));
    }
    first_answer(connection, keyed)?;
    Ok(idempotency::insert(connection, keyed, None, now_millis())?)
}

/// Keeps the first answer in the transaction of the change itself.
fn keep(connection: &Connection, keyed: &KeyedCall, answer: &Value) -> Result<(), DatabaseError> {
    idempotency::insert(connection, keyed, Some(&answer.to_string()), now_millis())
}

/// Runs a change in whose transaction its answer is kept, unless it was run before.
pub(crate) fn in_transaction(
    connection: &Connection,
    keyed: Option<&KeyedCall>,
    change: impl FnOnce() -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let Some(keyed) = keyed else { return change() };
    if let Some(answer) = first_answer(connection, keyed)? {
        return Ok(answer);
    }
    let answer = change()?;
    keep(connection, keyed, &answer)?;
    Ok(answer)
}

fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
}

/// JSON with its fields in order, so that the order they came in does not matter.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            out.push('{');
            for (name, value) in sorted(map) {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                write_sorted(value, out);
                out.push(',');
            }
            out.push(']');
        }
        // A client may write 5 once as 5 and once as 5.0.
        Value::Number(number) => match number.as_f64() {
            Some(float) => out.push_str(&float.to_string()),
            None => out.push_str(&number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(function: &str, args: &Value) -> [u8; 32] {
        let args = args.as_object().expect("arguments are an object");
        keyed_call(&Caller::Anonymous, "k".into(), function, args).expect("a good key").request
    }

    #[test]
    fn the_same_call_is_the_same_in_any_order_and_number_form() {
        let first = request("a:b", &json!({"x": 1, "y": {"p": [1, 2], "q": null}}));
        let again = request("a:b", &json!({"y": {"q": null, "p": [1.0, 2.0]}, "x": 1.0}));
        assert_eq!(first, again);
        assert_ne!(first, request("a:c", &json!({"x": 1, "y": {"p": [1, 2], "q": null}})));
        assert_ne!(first, request("a:b", &json!({"x": 1, "y": {"p": [2, 1], "q": null}})));
    }

    #[test]
    fn a_password_leaves_no_trace() {
        let with = |password: &str| request("a:b", &json!({"x": 1, "password": password}));
        assert_eq!(with("summer"), with("winter"));
        assert_ne!(with("summer"), request("a:b", &json!({"x": 1})));
    }

    #[test]
    fn a_key_that_cannot_be_kept_is_refused() {
        for key in ["", "a b", "ü", &"x".repeat(256)] {
            keyed_call(&Caller::Anonymous, key.into(), "a:b", &Map::new()).expect_err(key);
        }
    }
}
