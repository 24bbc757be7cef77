//! Arguments, read strictly: whatever is missing, unknown or of another type is named.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::Refusal;

/// Characters of a title at the most: longer than any file's name.
const LONGEST_TITLE: usize = 1000;
/// Characters of any other name.
const LONGEST_NAME: usize = 200;
/// Characters of any other text.
const LONGEST_TEXT: usize = 20_000;

/// Reads a function's arguments.
pub(crate) fn parse<T: DeserializeOwned>(args: Map<String, Value>) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(Value::Object(args)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        let field = if path == "." { named(&message).map(str::to_owned) } else { Some(path) };
        let refusal = Refusal::argument("args", message);
        match field {
            Some(field) => refusal.at(&field),
            None => refusal,
        }
    })
}

/// A title: one to a thousand characters, not all of them blank.
pub(crate) fn title(title: &str) -> Result<String, Refusal> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > LONGEST_TITLE {
        let message = format!("a title has 1 to {LONGEST_TITLE} characters");
        return Err(Refusal::argument("title", message));
    }
    Ok(title.to_owned())
}

/// A name that people give to a thing: one to 200 characters, not all of them blank.
pub(crate) fn name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        let message = format!("a name has 1 to {LONGEST_NAME} characters, all of them visible");
        return Err(Refusal::argument("name", message));
    }
    Ok(name.to_owned())
}

/// Free text under a name.
pub(crate) fn text(field: &str, text: &str) -> Result<String, Refusal> {
    if text.chars().count() > LONGEST_TEXT {
        let message = format!("{field} has at most {LONGEST_TEXT} characters");
        return Err(Refusal::argument(field, message));
    }
    Ok(text.to_owned())
}

/// The field that serde names in its message where the path ends above it.
fn named(message: &str) -> Option<&str> {
    let rest = message
        .strip_prefix("missing field `")
        .or_else(|| message.strip_prefix("unknown field `"))?;
    rest.split_once('`').map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use dailies_api::uploads::{InitiateVideoUpload, SignUploadParts};
    use serde_json::json;

    use super::*;

    fn field<T: DeserializeOwned>(args: Value) -> Option<String> {
        let Value::Object(args) = args else { panic!("arguments are an object") };
        parse::<T>(args).err().and_then(|refusal| refusal.0.field)
    }

    #[test]
    fn the_wrong_argument_is_named() {
        let upload = |extra: &str, value: Value| {
            let mut args = json!({
                "videoId": "v", "filename": "f", "fileSize": 1, "contentType": "video/mp4"
            });
            args[extra] = value;
            field::<InitiateVideoUpload>(args)
        };
        assert_eq!(upload("videoId", json!("w")), None);
        assert_eq!(upload("fileSize", json!("large")), Some("fileSize".into()));
        assert_eq!(upload("fileSize", json!(-1)), Some("fileSize".into()));
        assert_eq!(upload("colour", json!("red")), Some("colour".into()));
        assert_eq!(field::<InitiateVideoUpload>(json!({})), Some("videoId".into()));
        let parts = json!({"videoId": "v", "partNumbers": [1, "two"]});
        assert_eq!(field::<SignUploadParts>(parts), Some("partNumbers[1]".into()));
    }
}
