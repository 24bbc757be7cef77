//! Convex functions over HTTP: `POST {base}/api/query | mutation | action`.
//!
//! Source: <https://docs.convex.dev/http-api/> and the JavaScript client, which sends
//! `convex_encoded_json` with the arguments in a one-element array.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which of the three endpoints a function is called through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// Reads.
    Query,
    /// Writes, in one transaction.
    Mutation,
    /// Does what reaches outside.
    Action,
}

impl FunctionKind {
    /// The last segment of the endpoint's path.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Action => "action",
        }
    }
}

/// How values are written in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueFormat {
    /// Plain JSON; what has no JSON form is lost.
    #[default]
    #[serde(rename = "json")]
    Json,
    /// Int64, bytes and special floats as one-field objects (`{"$integer": …}`).
    #[serde(rename = "convex_encoded_json")]
    ConvexEncodedJson,
}

/// The body of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FunctionCall {
    /// `module:function`; see [`function_name`].
    pub path: String,
    /// An object, or an array that holds one.
    #[serde(default)]
    pub args: Value,
    /// Also the format of the answer.
    #[serde(default)]
    pub format: ValueFormat,
}

impl FunctionCall {
    /// The named arguments, out of either form; `None` where there is neither.
    #[must_use]
    pub fn into_named_args(self) -> Option<serde_json::Map<String, Value>> {
        match self.args {
            Value::Null => Some(serde_json::Map::new()),
            Value::Object(named) => Some(named),
            Value::Array(mut list) if list.len() <= 1 => match list.pop() {
                None => Some(serde_json::Map::new()),
                Some(Value::Object(named)) => Some(named),
                Some(_) => None,
            },
            _ => None,
        }
    }
}

/// The body of an answer. A failed function comes with HTTP 200 or 560: decide by `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum FunctionAnswer {
    /// The function returned.
    Success {
        /// What it returned; null for nothing.
        #[serde(default)]
        value: Value,
    },
    /// The function threw.
    #[serde(rename_all = "camelCase")]
    Error {
        /// Prose, replaced by `Server Error` on production deployments: never branch on it.
        error_message: String,
        /// Set only for a thrown `ConvexError`; ours holds an [`crate::error::ErrorData`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_data: Option<Value>,
    },
}

/// `module.js:function` and `module:function` are one function.
#[must_use]
pub fn function_name(path: &str) -> String {
    match path.split_once(':') {
        Some((module, function)) => {
            format!("{}:{function}", module.strip_suffix(".js").unwrap_or(module))
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(args: Value) -> Option<usize> {
        let call = FunctionCall { path: "a:b".into(), args, format: ValueFormat::Json };
        call.into_named_args().map(|named| named.len())
    }

    #[test]
    fn arguments_come_bare_or_in_a_list_of_one() {
        assert_eq!(named(json!({"a": 1})), Some(1));
        assert_eq!(named(json!([{"a": 1}])), Some(1));
        assert_eq!(named(json!([])), Some(0));
        assert_eq!(named(Value::Null), Some(0));
        assert_eq!(named(json!([{"a": 1}, {}])), None);
        assert_eq!(named(json!("a")), None);
    }

    #[test]
    fn an_answer_is_told_by_its_status() {
        let answer: FunctionAnswer =
            serde_json::from_value(json!({"status": "success", "value": null, "logLines": []}))
                .expect("log lines are ignored");
        assert_eq!(answer, FunctionAnswer::Success { value: Value::Null });
        let answer: FunctionAnswer =
            serde_json::from_value(json!({"status": "error", "errorMessage": "Server Error"}))
                .expect("error data is optional");
        assert!(matches!(answer, FunctionAnswer::Error { error_data: None, .. }));
    }

    #[test]
    fn a_module_may_name_its_file() {
        assert_eq!(function_name("dir/videos.js:get"), "dir/videos:get");
        assert_eq!(function_name("videos:get"), "videos:get");
        assert_eq!(function_name("videos"), "videos");
    }
}
