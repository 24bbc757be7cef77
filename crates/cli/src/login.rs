//! Signing in to team servers and out again; what is kept of them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use dailies_engine::error::{Code, EngineError};
use dailies_engine::net::{Clients, NetOptions};
use dailies_engine::team::{
    Connection, Credentials, Kept, ProtocolKind, SigningIn, Team, Vault, address, sign_out,
};
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use crate::args::{Args, Login};
use crate::control::{self, Request};
use crate::events::{self, Output};

/// For somebody to find their password, and their telephone for the second factor.
const PATIENCE: Duration = Duration::from_mins(10);
/// Bytes of a key or token.
const LONGEST_SECRET: u64 = 32 * 1024;

/// What is printed for programs.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum News<'a> {
    OpenBrowser { url: &'a Url },
    SignedIn(Shown<'a>),
    SignedOut { server: &'a Url },
}

/// A connection without its secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    server: &'a Url,
    protocol: ProtocolKind,
    credentials: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(kept: &'a Kept) -> Self {
        let (credentials, issuer) = match &kept.credentials {
            Credentials::ApiKey { .. } => ("api_key", None),
            Credentials::Bearer { .. } => ("bearer", None),
            Credentials::OpenIdConnect(signed_in) => {
                ("open_id_connect", Some(signed_in.with.issuer.as_str()))
            }
        };
        Self { server: &kept.server, protocol: kept.kind, credentials, issuer }
    }

    fn line(&self) -> String {
        let by = match self.issuer {
            Some(issuer) => format!("signed in at {issuer}"),
            None if self.credentials == "api_key" => "API key".into(),
            None => "token".into(),
        };
        format!("{}  {}  {by}", self.server, self.protocol.words())
    }
}

/// Signs in to a server, keeps that, and lets what waited for it go on.
pub(crate) async fn login(
    folder: &Path,
    args: &Args,
    login: &Login,
    output: Output,
) -> Result<(), EngineError> {
    let vault = Vault::of_profile(folder);
    let server = match &args.server {
        Some(server) => address::team_server(server.as_str())?,
        None => last(&vault).await?,
    };
    let clients = Clients::new(NetOptions::default())
        .map_err(|error| EngineError::new(Code::LocalStorage, error.to_string()))?;
    let credentials = if login.key {
        Credentials::ApiKey { key: secret("API key")? }
    } else if login.token {
        Credentials::Bearer { token: secret("token")? }
    } else {
        in_browser(&server, &clients, login.no_browser, output).await?
    };
    // Nothing is kept that does not open anything.
    let kind = login.kind.map(ProtocolKind::from);
    let connection = Connection::new(server, credentials.clone()).of_kind(kind);
    let server = connection.url().clone();
    let team = Team::connect(connection, clients).await?;
    let kept = Kept { server, kind: team.api().kind(), credentials };
    vault.keep(kept.clone()).await?;
    let () = control::ask(folder, Request::Connect(kept.server.clone())).await?;
    let shown = Shown::of(&kept);
    match output {
        Output::Json => events::print(&News::SignedIn(shown)),
        Output::Bars | Output::Lines => events::say(&format!("Signed in  {}", shown.line())),
    }
    Ok(())
}

/// Forgets a server's credentials, here and at their issuer. Its uploads wait.
pub(crate) async fn logout(folder: &Path, args: &Args, output: Output) -> Result<(), EngineError> {
    let vault = Vault::of_profile(folder);
    let server = match &args.server {
        Some(server) => address::base(server.clone()),
        None => last(&vault).await?,
    };
    let forgotten = vault.forget(&server).await?.ok_or_else(|| {
        EngineError::new(Code::NotFound, format!("nobody is signed in to {server}"))
    })?;
    let () = control::ask(folder, Request::Disconnect(server.clone())).await?;
    if let Credentials::OpenIdConnect(signed_in) = &forgotten.credentials {
        let clients = Clients::new(NetOptions::default());
        if let Ok(clients) = clients
            && let Err(error) = sign_out(signed_in, &clients).await
        {
            // What is kept nowhere any more is of use to nobody.
            tracing::warn!(%error, "the issuer was not told");
        }
    }
    match output {
        Output::Json => events::print(&News::SignedOut { server: &server }),
        Output::Bars | Output::Lines => events::say(&format!("Signed out  {server}")),
    }
    Ok(())
}

/// Prints every server that somebody is signed in to, the last one first.
pub(crate) async fn connections(folder: &Path, output: Output) -> Result<(), EngineError> {
    for kept in Vault::of_profile(folder).all().await? {
        let shown = Shown::of(&kept);
        match output {
            Output::Json => events::print(&shown),
            Output::Bars | Output::Lines => events::say(&shown.line()),
        }
    }
    Ok(())
}

async fn last(vault: &Vault) -> Result<Url, EngineError> {
    let last = vault.all().await?.into_iter().next().map(|kept| kept.server);
    last.ok_or_else(|| EngineError::new(Code::NotConnected, "which team? Give --server URL"))
}

async fn in_browser(
    server: &Url,
    clients: &Clients,
    no_browser: bool,
    output: Output,
) -> Result<Credentials, EngineError> {
    let signing_in = SigningIn::begin(server, clients).await?;
    let url = signing_in.url();
    match output {
        Output::Json => events::print(&News::OpenBrowser { url }),
        Output::Bars | Output::Lines => {
            events::say(&format!("Sign in on this page; it comes back by itself:\n{url}"));
        }
    }
    // There may be none here: whoever reads the line above has one.
    if !no_browser && let Err(error) = open::that_detached(url.as_str()) {
        tracing::warn!(%error, "no browser could be opened");
    }
    signing_in.done(PATIENCE).await.map(Credentials::OpenIdConnect)
}

/// A line of standard input: what stands in a command line, other users of the computer read.
fn secret(what: &str) -> Result<SecretString, EngineError> {
    eprintln!("Paste the {what} and press Enter.");
    let mut line = String::new();
    let read = BufReader::new(std::io::stdin().take(LONGEST_SECRET)).read_line(&mut line);
    read.map_err(|error| EngineError::new(Code::SignedOut, error.to_string()))?;
    match line.trim() {
        "" => Err(EngineError::new(Code::SignedOut, format!("no {what} was given"))),
        secret => Ok(secret.into()),
    }
}
