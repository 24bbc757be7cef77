//! Every setting there is: the one table that the environment, the file, the example and the
//! documentation are made from.

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file or folder.
    Path,
    /// `ip:port`.
    Address,
    /// http or https.
    Url,
    /// Any text.
    Text,
    /// Text that must not be seen; may also come from the file that `NAME_FILE` names.
    Secret,
    /// A number of bytes, or a text such as `8 MiB`.
    Bytes,
    /// A number of seconds, or a text such as `10 s` or `5 m`.
    Time,
    /// A whole number.
    Number,
    /// Addresses and networks, `10.0.0.0/8`: a list, or a text with commas.
    Networks,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in the environment.
    pub variable: &'static str,
    /// Its table in the file.
    pub section: &'static str,
    /// Its key in that table.
    pub key: &'static str,
    /// What it may say.
    pub kind: Kind,
    /// What holds where it is not said, or, in TOML, a value that shows the form.
    pub sample: &'static str,
    /// What it does, and what holds without it.
    pub about: &'static str,
}

impl Setting {
    /// `section.key`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }
}

const fn setting(
    variable: &'static str,
    (section, key): (&'static str, &'static str),
    kind: Kind,
    sample: &'static str,
    about: &'static str,
) -> Setting {
    Setting { variable, section, key, kind, sample, about }
}

/// The tables of the file, in order, with what they are about.
pub const SECTIONS: &[(&str, &str)] = &[
    ("server", "The server itself."),
    (
        "tls",
        "TLS by a certificate pair, for both listeners. Read again on SIGHUP and when the files change.",
    ),
    ("uploads", "What may be uploaded, and in what pieces."),
    ("limits", "What a caller may take. 0 switches a rate off."),
    (
        "oidc",
        "An OpenID Connect issuer whose tokens are taken besides API keys. Of several, each is a table [[oidc]].",
    ),
    ("metrics", "Prometheus metrics at /metrics."),
    ("storage", "The object storage: embedded, unless `endpoint` names another."),
    ("media", "What the embedded media engine may take of the computer."),
    ("mux", "The media engine: embedded, unless `url` names another."),
];

/// All of them, by section.
pub const SETTINGS: &[Setting] = &[
    setting(
        "DAILIES_DATA",
        ("server", "data"),
        Kind::Path,
        "\"/var/lib/dailies\"",
        "database, originals, renditions; without it the system's folder for data",
    ),
    setting(
        "DAILIES_LISTEN",
        ("server", "listen"),
        Kind::Address,
        "\"127.0.0.1:7420\"",
        "team API, media, watch pages; without it the last one used, at first `127.0.0.1:7420`. Port 0: any free",
    ),
    setting(
        "DAILIES_PUBLIC_URL",
        ("server", "public_url"),
        Kind::Url,
        "\"https://dailies.example.com\"",
        "what others reach the team API by, behind a proxy or with TLS",
    ),
    setting(
        "DAILIES_TRUSTED_PROXIES",
        ("server", "trusted_proxies"),
        Kind::Networks,
        "[\"127.0.0.0/8\", \"::1\"]",
        "whose `Forwarded` and `X-Forwarded-For` name the client; without it this computer alone",
    ),
    setting(
        "DAILIES_DRAIN",
        ("server", "drain"),
        Kind::Time,
        "\"10 s\"",
        "how long a stopping server lets requests end; 10 s",
    ),
    setting(
        "DAILIES_TLS_CERTIFICATE",
        ("tls", "certificate"),
        Kind::Path,
        "\"/etc/dailies/fullchain.pem\"",
        "certificate in PEM with what it was signed by; without it no TLS",
    ),
    setting(
        "DAILIES_TLS_KEY",
        ("tls", "key"),
        Kind::Path,
        "\"/etc/dailies/privkey.pem\"",
        "its private key in PEM",
    ),
    setting(
        "DAILIES_PART_SIZE",
        ("uploads", "part_size"),
        Kind::Bytes,
        "\"8 MiB\"",
        "bytes of a part, 8 MiB; larger where 10,000 parts would not do",
    ),
    setting(
        "DAILIES_MULTIPART_ABOVE",
        ("uploads", "multipart_above"),
        Kind::Bytes,
        "\"8 MiB\"",
        "files above this many bytes go in parts, 8 MiB",
    ),
    setting(
        "DAILIES_MAX_FILE_SIZE",
        ("uploads", "max_file_size"),
        Kind::Bytes,
        "\"50 GiB\"",
        "bytes of the largest file, 50 GiB",
    ),
    setting(
        "DAILIES_UPLOADS_KEPT_DAYS",
        ("uploads", "kept_days"),
        Kind::Number,
        "7",
        "days after which the embedded storage drops a multipart upload that nobody touched, 7",
    ),
    setting(
        "DAILIES_TEAM_QUOTA",
        ("uploads", "team_quota"),
        Kind::Bytes,
        "\"1 TiB\"",
        "bytes that a team may keep which has no quota of its own; none: no limit",
    ),
    setting(
        "DAILIES_CALLS_PER_SECOND",
        ("limits", "calls_per_second"),
        Kind::Number,
        "300",
        "calls of one key; 300. Ten seconds' worth may come at once",
    ),
    setting(
        "DAILIES_ADDRESS_CALLS_PER_SECOND",
        ("limits", "address_calls_per_second"),
        Kind::Number,
        "600",
        "calls from one address, 600 (IPv6: from one /64). Ten seconds' worth may come at once",
    ),
    setting(
        "DAILIES_FAILURES_PER_MINUTE",
        ("limits", "failures_per_minute"),
        Kind::Number,
        "30",
        "calls from one address with a key or token that is wrong; 30",
    ),
    setting(
        "DAILIES_CONNECTIONS",
        ("limits", "connections"),
        Kind::Number,
        "1024",
        "connections to one listener, 1024; more wait",
    ),
    setting(
        "DAILIES_CONNECTIONS_PER_ADDRESS",
        ("limits", "connections_per_address"),
        Kind::Number,
        "256",
        "connections from one address that is no trusted proxy, 256; more are closed",
    ),
    setting(
        "DAILIES_HEADER_TIMEOUT",
        ("limits", "header_timeout"),
        Kind::Time,
        "\"15 s\"",
        "from the first byte of a request to the end of its headers; 15 s",
    ),
    setting(
        "DAILIES_IDLE_TIMEOUT",
        ("limits", "idle_timeout"),
        Kind::Time,
        "\"75 s\"",
        "how long a connection may wait for its next request; 75 s",
    ),
    setting(
        "DAILIES_STALL_TIMEOUT",
        ("limits", "stall_timeout"),
        Kind::Time,
        "\"30 s\"",
        "a body that brings less than 4 KiB in this time is cut; 30 s",
    ),
    setting(
        "DAILIES_OIDC_ISSUER",
        ("oidc", "issuer"),
        Kind::Url,
        "\"https://id.example.com/realms/studio\"",
        "the issuer, to the letter as its tokens write `iss`; `https`, or `http` on this computer",
    ),
    setting(
        "DAILIES_OIDC_AUDIENCE",
        ("oidc", "audience"),
        Kind::Text,
        "\"dailies\"",
        "what a token's `aud` must name; of several, one",
    ),
    setting(
        "DAILIES_OIDC_CLIENT_ID",
        ("oidc", "client_id"),
        Kind::Text,
        "\"dailies-desktop\"",
        "clients whose tokens are taken (`azp` or `client_id`); without it any client's",
    ),
    setting(
        "DAILIES_OIDC_APP_CLIENT",
        ("oidc", "app_client"),
        Kind::Text,
        "\"dailies-desktop\"",
        "the public client (PKCE, redirect `http://127.0.0.1/signed-in` on any port) as which app and command line sign people in; without it they offer no sign-in by browser",
    ),
    setting(
        "DAILIES_OIDC_APP_SCOPES",
        ("oidc", "app_scopes"),
        Kind::Text,
        "\"openid profile email offline_access\"",
        "what they ask for, separated by spaces; `openid profile email offline_access`",
    ),
    setting(
        "DAILIES_OIDC_NAME_CLAIM",
        ("oidc", "name_claim"),
        Kind::Text,
        "\"name\"",
        "the claim with the user's name; `name`, then `preferred_username`",
    ),
    setting(
        "DAILIES_OIDC_EMAIL_CLAIM",
        ("oidc", "email_claim"),
        Kind::Text,
        "\"email\"",
        "the claim with the user's e-mail address; `email`",
    ),
    setting(
        "DAILIES_OIDC_CREATE_USERS",
        ("oidc", "create_users"),
        Kind::Text,
        "true",
        "whether somebody new becomes a user, in no team yet; `true`",
    ),
    setting(
        "DAILIES_OIDC_MATCH_EMAIL",
        ("oidc", "match_email"),
        Kind::Text,
        "false",
        "whether somebody new may be the user who has the same e-mail address, verified by both sides; `false`",
    ),
    setting(
        "DAILIES_MEDIA_MAX_HEIGHT",
        ("media", "max_height"),
        Kind::Number,
        "1080",
        "lines of the largest rendition that is made, 1080; never more than the original's",
    ),
    setting(
        "DAILIES_MEDIA_PARALLEL_JOBS",
        ("media", "parallel_jobs"),
        Kind::Number,
        "2",
        "videos the embedded engine works on at once, 2",
    ),
    setting(
        "DAILIES_MEDIA_THREADS",
        ("media", "threads"),
        Kind::Number,
        "0",
        "threads of one conversion; 0 is as many as there are processors",
    ),
    setting(
        "DAILIES_METRICS_LISTEN",
        ("metrics", "listen"),
        Kind::Address,
        "\"127.0.0.1:9420\"",
        "a listener for `/metrics` and `/health` alone; without it there is none",
    ),
    setting(
        "DAILIES_METRICS_TOKEN",
        ("metrics", "token"),
        Kind::Secret,
        "\"…\"",
        "a bearer token: with it `/metrics` is also on the team API's listener, and asks for it everywhere",
    ),
    setting(
        "DAILIES_S3_LISTEN",
        ("storage", "listen"),
        Kind::Address,
        "\"127.0.0.1:7421\"",
        "the embedded S3 endpoint; without it the last one used, at first the next port",
    ),
    setting(
        "DAILIES_S3_PUBLIC_ENDPOINT",
        ("storage", "public_endpoint"),
        Kind::Url,
        "\"https://s3.dailies.example.com\"",
        "what presigned addresses name, behind a proxy",
    ),
    setting(
        "DAILIES_S3_ENDPOINT",
        ("storage", "endpoint"),
        Kind::Url,
        "\"https://s3.eu-central-1.amazonaws.com\"",
        "base address of another storage, path style; this one switches the embedded endpoint off",
    ),
    setting(
        "DAILIES_S3_REGION",
        ("storage", "region"),
        Kind::Text,
        "\"us-east-1\"",
        "region of another storage; `us-east-1`",
    ),
    setting(
        "DAILIES_S3_BUCKET",
        ("storage", "bucket"),
        Kind::Text,
        "\"originals\"",
        "bucket in another storage; it must exist and allow `PUT` from the app",
    ),
    setting(
        "DAILIES_S3_ACCESS_KEY_ID",
        ("storage", "access_key_id"),
        Kind::Text,
        "\"…\"",
        "public half of another storage's key",
    ),
    setting(
        "DAILIES_S3_SECRET_ACCESS_KEY",
        ("storage", "secret_access_key"),
        Kind::Secret,
        "\"…\"",
        "secret half of another storage's key",
    ),
    setting(
        "DAILIES_S3_CHECKSUM",
        ("storage", "checksum"),
        Kind::Text,
        "\"none\"",
        "`crc64nvme` where another storage checks it in presigned parts (AWS does), `none` otherwise",
    ),
    setting(
        "DAILIES_MUX_URL",
        ("mux", "url"),
        Kind::Url,
        "\"https://api.mux.com\"",
        "Mux; this one switches the embedded engine off",
    ),
    setting(
        "DAILIES_MUX_TOKEN_ID",
        ("mux", "token_id"),
        Kind::Text,
        "\"…\"",
        "id of an access token for Mux Video",
    ),
    setting(
        "DAILIES_MUX_TOKEN_SECRET",
        ("mux", "token_secret"),
        Kind::Secret,
        "\"…\"",
        "its secret",
    ),
    setting(
        "DAILIES_MUX_SIGNING_KEY_ID",
        ("mux", "signing_key_id"),
        Kind::Text,
        "\"…\"",
        "id of a signing key",
    ),
    setting(
        "DAILIES_MUX_SIGNING_KEY",
        ("mux", "signing_key"),
        Kind::Secret,
        "\"…\"",
        "its private key in PEM, or as Mux gives it (base64)",
    ),
    setting(
        "DAILIES_MUX_WEBHOOK_SECRET",
        ("mux", "webhook_secret"),
        Kind::Secret,
        "\"…\"",
        "of the webhook that calls `/webhooks/mux` here; several, separated by commas, while one is changed",
    ),
    setting(
        "DAILIES_MUX_STREAM_URL",
        ("mux", "stream_url"),
        Kind::Url,
        "\"https://stream.mux.com\"",
        "what playback ids are added to",
    ),
    setting(
        "DAILIES_MUX_IMAGE_URL",
        ("mux", "image_url"),
        Kind::Url,
        "\"https://image.mux.com\"",
        "what the addresses of images begin with",
    ),
    setting(
        "DAILIES_MEDIA_WEBHOOK_URL",
        ("mux", "webhook_url"),
        Kind::Url,
        "\"https://other.example.com/webhooks/mux\"",
        "whom the embedded engine tells its news, where it works for another server; without it this one",
    ),
];

/// The setting of a variable.
#[must_use]
pub fn by_variable(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.variable == name)
}

/// The file's keys with everything about them, as a file in which nothing is set.
#[must_use]
pub fn example() -> String {
    let mut text = String::from(
        "# dailies-server: every setting, with what holds where nothing is said, or an example.\n\
         # Command line and environment come before this file. A file with secrets in it must not\n\
         # be readable by others (chmod 640). Generated from the server's table of settings.\n",
    );
    for (section, about) in SECTIONS {
        text.push_str(&format!("\n# {about}\n[{section}]\n"));
        for setting in SETTINGS.iter().filter(|setting| setting.section == *section) {
            let Setting { variable, key, sample, about, kind, .. } = setting;
            let file = if *kind == Kind::Secret { ", or a file's name in " } else { "" };
            let file_variable =
                if *kind == Kind::Secret { format!("{variable}_FILE") } else { String::new() };
            text.push_str(&format!(
                "\n# {about}\n# ({variable}{file}{file_variable})\n# {key} = {sample}\n"
            ));
        }
    }
    text
}

/// Those that are `wanted` as a table in Markdown.
#[must_use]
pub fn table(wanted: impl Fn(&Setting) -> bool) -> String {
    let mut text =
        String::from("| key in the file | environment | meaning |\n| --- | --- | --- |\n");
    for setting in SETTINGS.iter().filter(|setting| wanted(setting)) {
        let Setting { variable, section, key, about, .. } = setting;
        text.push_str(&format!("| `{section}.{key}` | `{variable}` | {about} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn same(file: &Path, found: &str, wanted: &str) {
        if std::env::var_os("DAILIES_WRITE_SETTINGS").is_some() {
            std::fs::write(file, wanted).expect("the checkout can be written");
        } else {
            assert_eq!(
                found, wanted,
                "stale: DAILIES_WRITE_SETTINGS=1 cargo test -p dailies-server settings"
            );
        }
    }

    #[test]
    fn no_name_is_there_twice_and_every_section_is_known() {
        for (index, setting) in SETTINGS.iter().enumerate() {
            let others = &SETTINGS[index + 1..];
            assert!(others.iter().all(|other| other.variable != setting.variable));
            let place = (setting.section, setting.key);
            assert!(others.iter().all(|other| (other.section, other.key) != place), "{place:?}");
            assert!(SECTIONS.iter().any(|(name, _)| *name == setting.section), "{place:?}");
        }
    }

    #[test]
    fn the_example_file_is_current_and_is_read_without_complaint() {
        let file = repository().join("packaging/dailies-server.example.toml");
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        same(&file, &found, &self::example());
        // With every line in force, too: the samples have the form they show.
        let example = example();
        let all = example.lines().filter_map(|line| {
            let bare = line.trim_start_matches("# ");
            let is_key = bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
            if is_key {
                Some(bare.to_owned())
            } else {
                line.starts_with('[').then(|| line.to_owned())
            }
        });
        let all: Vec<String> = all.collect();
        let read = crate::config::file::parse(&all.join("\n")).expect("it is TOML of ours");
        assert_eq!(read.len(), SETTINGS.len());
    }

    #[test]
    fn the_table_in_the_documentation_is_current() {
        const BEGIN: &str = "<!-- settings, generated -->\n";
        const END: &str = "<!-- end of settings -->";
        let file = repository().join("docs/server.md");
        let found = std::fs::read_to_string(&file).expect("the page is there");
        let (before, rest) = found.split_once(BEGIN).expect("the page has the mark");
        let (_, after) = rest.split_once(END).expect("the page has the end's mark");
        // Another storage and another media engine have sections of their own on the page.
        let wanted = table(|setting| match setting.section {
            "storage" => ["listen", "public_endpoint"].contains(&setting.key),
            section => section != "mux",
        });
        same(&file, &found, &format!("{before}{BEGIN}{wanted}{END}{after}"));
        for setting in SETTINGS {
            assert!(found.contains(setting.variable), "{} is documented", setting.variable);
        }
    }
}
