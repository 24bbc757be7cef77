//! Identity providers: whose tokens are taken, and what is read from them.

use std::time::Duration;

use url::{Host, Url};

use super::ConfigError;

/// The table of the configuration file.
pub(super) const SECTION: &str = "oidc";

const APP_CLIENT: &str = "DAILIES_OIDC_APP_CLIENT";
/// Who it is, by name and address, and that the sign-in lasts.
const APP_SCOPES: &str = "openid profile email offline_access";

/// One OpenID Connect issuer: a table `[oidc]` or `[[oidc]]` of the configuration file, or the
/// variables `DAILIES_OIDC_…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcIssuer {
    /// The issuer, exactly as its tokens write `iss`: `https`, or `http` on this computer.
    pub issuer: String,
    /// Values of `aud`, one of which a token must carry.
    pub audiences: Vec<String>,
    /// Clients whose tokens are taken (`azp`, or `client_id`); any, where there are none.
    pub client_ids: Vec<String>,
    /// As what the app signs people in here; `None`: it does not.
    pub app: Option<AppClient>,
    /// The claim that holds what people call the user.
    pub name_claim: String,
    /// The claim that holds the user's e-mail address.
    pub email_claim: String,
    /// Whether somebody who was not seen before becomes a user, in no team yet.
    pub create_users: bool,
    /// Whether somebody who was not seen before may be a user that is there, by a verified address.
    pub match_email: bool,
    /// How its keys are fetched and kept.
    pub keys: KeyLimits,
}

/// The public client that the app signs people in as. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppClient {
    /// Its id.
    pub client_id: String,
    /// What it asks for.
    pub scopes: Vec<String>,
}

/// How an issuer's keys are fetched and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLimits {
    /// From one fetch to the next, however many tokens name keys that are not known.
    pub between_fetches: Duration,
    /// How long one fetch may take: discovery and keys.
    pub fetch: Duration,
    /// The least time that fetched keys are fresh for, whatever the issuer says.
    pub least_fresh: Duration,
    /// The most.
    pub most_fresh: Duration,
    /// How long keys are used after they were fetched, while the issuer gives no newer ones.
    pub most_used: Duration,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            between_fetches: Duration::from_secs(10),
            fetch: Duration::from_secs(10),
            least_fresh: Duration::from_mins(5),
            most_fresh: Duration::from_hours(12),
            most_used: Duration::from_hours(24),
        }
    }
}

impl OidcIssuer {
    /// An issuer with what is usual.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences,
            client_ids: Vec::new(),
            app: None,
            name_claim: "name".into(),
            email_claim: "email".into(),
            create_users: true,
            match_email: false,
            keys: KeyLimits::default(),
        }
    }

    /// The issuer that the settings name, if they name one.
    ///
    /// # Errors
    /// For what is missing or unreadable, by its variable's name.
    pub(super) fn read(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        const GIVEN: &str = "DAILIES_OIDC_ISSUER";
        const AUDIENCE: &str = "DAILIES_OIDC_AUDIENCE";
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let yes_or_no = |name: &'static str, default| match text(name).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ConfigError::Invalid { name, expected: "true or false" }),
        };
        let Some(issuer) = text(GIVEN) else { return Ok(None) };
        let audience =
            text(AUDIENCE).ok_or(ConfigError::Missing { missing: AUDIENCE, given: GIVEN })?;
        let mut this = Self::new(issuer, split(&audience));
        this.client_ids = text("DAILIES_OIDC_CLIENT_ID").as_deref().map(split).unwrap_or_default();
        let scopes = text("DAILIES_OIDC_APP_SCOPES");
        let scopes = scopes.as_deref().unwrap_or(APP_SCOPES);
        this.app = text(APP_CLIENT).map(|client_id| AppClient {
            client_id,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        });
        this.name_claim = text("DAILIES_OIDC_NAME_CLAIM").unwrap_or(this.name_claim);
        this.email_claim = text("DAILIES_OIDC_EMAIL_CLAIM").unwrap_or(this.email_claim);
        this.create_users = yes_or_no("DAILIES_OIDC_CREATE_USERS", this.create_users)?;
        this.match_email = yes_or_no("DAILIES_OIDC_MATCH_EMAIL", this.match_email)?;
        Ok(Some(this))
    }

    /// Checks each, and that no issuer stands there twice.
    ///
    /// # Errors
    /// As [`OidcIssuer::check`].
    pub fn check_all(issuers: &[Self]) -> Result<(), ConfigError> {
        for (at, this) in issuers.iter().enumerate() {
            this.check()?;
            if issuers[..at].iter().any(|other| other.issuer == this.issuer) {
                return Err(ConfigError::Invalid {
                    name: "DAILIES_OIDC_ISSUER",
                    expected: "named once, with all its audiences",
                });
            }
        }
        Ok(())
    }

    /// Refuses an issuer whose word could be forged on the way, or that would take any token.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], by the setting's name.
    pub fn check(&self) -> Result<(), ConfigError> {
        let plain = |url: &Url| url.query().is_none() && url.fragment().is_none();
        if !Url::parse(&self.issuer).is_ok_and(|url| plain(&url) && untouched(&url)) {
            return Err(ConfigError::Invalid {
                name: "DAILIES_OIDC_ISSUER",
                expected: "an https address without query (http only on this computer)",
            });
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::Invalid {
                name: "DAILIES_OIDC_AUDIENCE",
                expected: "at least one value of `aud`",
            });
        }
        let strange = |app: &AppClient| {
            !self.client_ids.is_empty() && !self.client_ids.contains(&app.client_id)
        };
        if self.app.as_ref().is_some_and(strange) {
            return Err(ConfigError::Invalid {
                name: APP_CLIENT,
                expected: "one of DAILIES_OIDC_CLIENT_ID, whose tokens are taken",
            });
        }
        Ok(())
    }
}

/// Whether nobody on the way can change what this address answers: `https`, or on this computer.
pub(crate) fn untouched(url: &Url) -> bool {
    (url.scheme() == "https" || (url.scheme() == "http" && nearby(url)))
        && url.username().is_empty()
        && url.password().is_none()
}

/// Whether the address is on this computer.
pub(crate) fn nearby(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<OidcIssuer>, ConfigError> {
        let issuer = OidcIssuer::read(&|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })?;
        OidcIssuer::check_all(issuer.as_slice())?;
        Ok(issuer)
    }

    #[test]
    fn an_issuer_needs_an_audience_and_a_trustworthy_address() {
        const ISSUER: &str = "DAILIES_OIDC_ISSUER";
        let audience = ("DAILIES_OIDC_AUDIENCE", "dailies, other");
        assert_eq!(read(&[audience]).expect("none is no mistake"), None);
        read(&[(ISSUER, "https://id.test")]).expect_err("no audience");
        for good in
            ["https://id.test", "https://id.test/realms/a/", "http://127.0.0.1:9", "http://[::1]:9"]
        {
            let issuer = read(&[(ISSUER, good), audience]).expect(good).expect("it is named");
            assert_eq!((issuer.issuer.as_str(), issuer.audiences.len()), (good, 2));
        }
        for bad in [
            "http://id.test",
            "ftp://id.test",
            "id.test",
            "https://u:p@id.test",
            "https://id.test?a",
        ] {
            read(&[(ISSUER, bad), audience]).expect_err(bad);
        }
        let unclear = ("DAILIES_OIDC_CREATE_USERS", "maybe");
        let one = OidcIssuer::new("https://id.test", vec!["a".into()]);
        OidcIssuer::check_all(&[one.clone(), one]).expect_err("it stands there twice");
        read(&[(ISSUER, "https://id.test"), audience, unclear])
            .expect_err("neither true nor false");
    }

    #[test]
    fn the_app_signs_in_as_a_client_whose_tokens_are_taken() {
        let base = [("DAILIES_OIDC_ISSUER", "https://id.test"), ("DAILIES_OIDC_AUDIENCE", "d")];
        let with = |more: &[(&'static str, &'static str)]| read(&[&base, more].concat());
        let app = with(&[(APP_CLIENT, "app")]).expect("it is good").and_then(|one| one.app);
        let app = app.expect("it is named");
        assert_eq!(app.client_id, "app");
        assert_eq!(app.scopes, ["openid", "profile", "email", "offline_access"]);
        let app = with(&[(APP_CLIENT, "app"), ("DAILIES_OIDC_APP_SCOPES", "openid api://d/use")]);
        let app = app.expect("it is good").and_then(|one| one.app).expect("it is named");
        assert_eq!(app.scopes, ["openid", "api://d/use"]);
        with(&[(APP_CLIENT, "app"), ("DAILIES_OIDC_CLIENT_ID", "other, app")]).expect("of these");
        with(&[(APP_CLIENT, "app"), ("DAILIES_OIDC_CLIENT_ID", "other")]).expect_err("of others");
    }
}
