//! Words that somebody else chose, without what opens something.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// Characters that are kept.
const LONGEST: usize = 300;
/// Names have up to so many characters without a gap; keys, signatures and tokens have more.
const LONGEST_NAME: usize = 26;
/// What comes after one of these is a secret, whatever its length.
const SECRETS: [&str; 8] =
    ["authorization", "bearer", "basic", "credential", "key", "password", "signature", "token"];

/// A server's or the system's words for something, fit for a log, the disk and a screen: addresses
/// without names, paths and queries, and nothing that could be a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(from = "String")]
pub struct Words(String);

impl Words {
    /// These words, without what opens something.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut words = String::new();
        let mut last = "";
        let mut secret_follows = false;
        for word in
            text.split_inclusive(|c: char| c.is_whitespace() || "\"'`<>()[]{},;".contains(c))
        {
            let end = word.trim_end_matches(|c: char| !is_of_a_word(c)).len();
            let (word, gap) = word.split_at(end);
            if word.is_empty() {
                words.push_str(gap);
                continue;
            }
            words.push_str(&if secret_follows { "…".into() } else { redacted(word) });
            words.push_str(gap);
            // In JSON, a name and its colon are apart.
            let after_name = matches!(word, ":" | "=") && is_secret(last);
            secret_follows = after_name || announces_a_secret(word);
            last = word;
            if words.len() > LONGEST {
                break;
            }
        }
        if words.chars().count() > LONGEST {
            words = words.chars().take(LONGEST).chain(['…']).collect();
        }
        Self(words)
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_of_a_word(c: char) -> bool {
    !c.is_whitespace() && !"\"'`<>()[]{},;".contains(c)
}

/// `Bearer abc`, `password: abc`.
fn announces_a_secret(word: &str) -> bool {
    let name = word.trim_end_matches([':', '=']);
    let scheme = name.eq_ignore_ascii_case("bearer") || name.eq_ignore_ascii_case("basic");
    scheme || (name.len() < word.len() && is_secret(name))
}

/// Whether what has this name is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret))
}

fn redacted(word: &str) -> String {
    if let Some(at) = word.find("://") {
        let before = word[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric());
        let start = before.len();
        return match Url::parse(&word[start..]) {
            Ok(url) if url.has_host() => {
                format!("{}://{}/…", url.scheme(), url.host_str().unwrap_or_default())
            }
            _ => "…".into(),
        };
    }
    if let Some((name, value)) = word.split_once(['=', ':'])
        && !value.is_empty()
        && is_secret(name)
    {
        return format!("{name}=…");
    }
    let run = word.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-.%~".contains(c)));
    let longest = run.map(str::len).max().unwrap_or_default();
    if word.starts_with("sk-") || longest > LONGEST_NAME { "…".into() } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> String {
        Words::of(text).to_string()
    }

    #[test]
    fn plain_words_stay() {
        for text in [
            "the team's storage is full",
            "413 EntityTooLarge",
            "no video 01JD0000000000000000000000, sorry: it's gone (really)",
            "Der Schlüssel fehlt – „jetzt“\nund hier",
        ] {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn what_opens_something_does_not() {
        let secret = "canary";
        for text in [
            "see https://user:canary@s3.example.com/canary?X-Amz-Signature=canary now",
            "invalid type: string \"https://s3.example.com/k?sig=canary\", expected a map",
            "the header Authorization: canary was wrong",
            "authorization=canary",
            "Bearer canary",
            "Basic canary",
            "password: canary",
            "\"apiKey\": \"canary\"",
            "X-Amz-Signature=canary&X-Amz-Credential=canary",
            "sk-canary",
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.canary.canary",
            "the key was 0123456789canary0123456789abcdef0123456789abcdef",
            "x-api-key:canary",
            "http://canary",
        ] {
            let seen = of(text);
            let host = text == "http://canary";
            assert!(host || !seen.contains(secret), "{text} became {seen}");
        }
        assert_eq!(
            of("see https://a:b@s3.example.com/k?x=y now"),
            "see https://s3.example.com/… now"
        );
        assert_eq!(of("¡://"), "…");
        assert_eq!(of("«https://s3.example.com/k»"), "https://s3.example.com/…");
    }

    #[test]
    fn nothing_is_without_end() {
        assert_eq!(of(&"word ".repeat(1000)).chars().count(), LONGEST + 1);
    }

    proptest! {
        #[test]
        fn redacting_again_changes_nothing(text in ".{0,400}") {
            let once = of(&text);
            prop_assert!(once.chars().count() <= LONGEST + 1);
            prop_assert_eq!(of(&once), once);
        }

        #[test]
        fn an_address_never_shows_its_query(query in "[a-z]{8,20}", before in "[a-z =:(\"]{0,10}") {
            let seen = of(&format!("{before}https://s3.example.com/k?{query}"));
            prop_assert!(!seen.contains(&query), "{}", seen);
        }
    }
}
