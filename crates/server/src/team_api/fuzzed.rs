//! What the targets for fuzzing reach of this room.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::caller::Caller;
use super::{argument, content_type, idempotency};

/// Arguments of a function.
pub(crate) trait Arguments {
    /// Reads them; where they are wrong, the field that is.
    fn read(args: Map<String, Value>) -> Result<(), Option<String>>;
}

impl<T: DeserializeOwned> Arguments for T {
    fn read(args: Map<String, Value>) -> Result<(), Option<String>> {
        argument::parse::<T>(args).map(drop).map_err(|refusal| refusal.0.field)
    }
}

/// Whether the call is the same after a way through text.
pub(crate) fn is_repeatable(function: &str, args: &Map<String, Value>) -> bool {
    let request = |args: &Map<String, Value>| {
        let call = idempotency::keyed_call(&Caller::Anonymous, "k".into(), function, args);
        call.map(|call| call.request).ok()
    };
    let text = Value::Object(args.clone()).to_string();
    let again = serde_json::from_str::<Map<String, Value>>(&text);
    again.is_ok_and(|again| request(&again) == request(args))
}

/// The type as it is kept, and the ending of its files.
pub(crate) fn content_type(said: &str) -> Option<(String, &'static str)> {
    let accepted = content_type::accepted(said).ok()?;
    let extension = content_type::extension(&accepted);
    Some((accepted, extension))
}
