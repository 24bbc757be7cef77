//! What was said, in the environment or in the file, and what it may say.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::file::{self, FileError, Said};
use super::oidc::OidcIssuer;
use super::settings::{Kind, SETTINGS, Setting, by_variable};
use super::{
    ConfigError, Limits, MIB, MediaSource, Metrics, MuxConfig, Network, S3Config, StorageChecksum,
    StorageSource, TlsFiles, units,
};

/// Looks settings up by their names in the environment, wherever they were said.
pub(super) struct Variables<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// Secrets that lie in files of their own.
    secrets: HashMap<&'static str, SecretString>,
    path: Option<PathBuf>,
    file: file::Values,
    /// Of each `[[oidc]]`.
    issuers: Vec<file::Values>,
}

impl<'a> Variables<'a> {
    /// `path` as the command line says it.
    pub(super) fn new(
        variable: &'a dyn Fn(&str) -> Option<String>,
        path: Option<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = path.or_else(|| said("DAILIES_CONFIG").map(PathBuf::from));
        let file = path.as_deref().map(file::read).transpose()?.unwrap_or_default();
        let issuers = path.as_deref().map(file::read_issuers).transpose()?.unwrap_or_default();
        let mut secrets = HashMap::new();
        for setting in SETTINGS.iter().filter(|setting| setting.kind == Kind::Secret) {
            let name = format!("{}_FILE", setting.variable);
            let Some(path) = said(&name) else { continue };
            if said(setting.variable).is_some() {
                return Err(ConfigError::Twice(setting.variable));
            }
            let secret = std::fs::read_to_string(path)
                .map_err(|error| ConfigError::SecretFile { name, error })?;
            secrets.insert(setting.variable, SecretString::from(secret.trim_end().to_owned()));
        }
        Ok(Self { variable, secrets, path, file, issuers })
    }

    /// The one that the variables or `[oidc]` name, and every `[[oidc]]`.
    pub(super) fn oidc(&self) -> Result<Vec<OidcIssuer>, ConfigError> {
        let mut all = Vec::from_iter(OidcIssuer::read(&|name| self.text(name))?);
        for values in &self.issuers {
            let issuer = OidcIssuer::read(&|name| values.get(name).map(|said| said.value.clone()));
            let nameless = || ConfigError::Invalid {
                name: "DAILIES_OIDC_ISSUER",
                expected: "said in every [[oidc]] of the file",
            };
            all.push(issuer?.ok_or_else(nameless)?);
        }
        OidcIssuer::check_all(&all)?;
        Ok(all)
    }

    /// An error about a variable, told of the line where the file says it.
    pub(super) fn located(&self, error: ConfigError) -> ConfigError {
        let (name, expected) = match error {
            ConfigError::Invalid { name, expected } => (name, expected),
            ConfigError::Missing { missing, given } if self.file.contains_key(given) => {
                let key = |name| by_variable(name).map_or_else(String::new, Setting::path);
                let (variable, missing, given) = (missing, key(missing), key(given));
                return ConfigError::MissingKey { missing, given, variable };
            }
            error => return error,
        };
        let said_here = (self.variable)(name).is_some_and(|value| !value.is_empty());
        match (by_variable(name), self.file.get(name), &self.path) {
            (Some(setting), Some(Said { line, .. }), Some(path)) if !said_here => {
                ConfigError::File(FileError::Line {
                    file: path.display().to_string(),
                    line: *line,
                    message: format!("`{}` must be {expected}", setting.path()),
                })
            }
            _ => ConfigError::Invalid { name, expected },
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        debug_assert!(by_variable(name).is_some(), "{name} is no row of the table of settings");
        (self.variable)(name)
            .filter(|value| !value.is_empty())
            .or_else(|| self.secrets.get(name).map(|secret| secret.expose_secret().to_owned()))
            .or_else(|| self.file.get(name).map(|said| said.value.clone()))
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// What `read` makes of it, where it is said.
    fn parsed<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(text.trim()).map(Some).ok_or(ConfigError::Invalid { name, expected })
    }

    pub(super) fn address(&self, name: &'static str) -> Result<Option<SocketAddr>, ConfigError> {
        self.parsed(name, "an address and a port, 127.0.0.1:7420", |text| text.parse().ok())
    }

    fn number(&self, name: &'static str, default: u32) -> Result<u32, ConfigError> {
        let number = self.parsed(name, "a whole number", |text| text.parse().ok())?;
        Ok(number.unwrap_or(default))
    }

    fn time(&self, name: &'static str, default: Duration) -> Result<Duration, ConfigError> {
        let expected = "a time of at least 1 ms and at most a day, such as 10 s or 5 m";
        let allowed = Duration::from_millis(1)..=Duration::from_hours(24);
        let read = |text: &str| units::time(text).filter(|time| allowed.contains(time));
        Ok(self.parsed(name, expected, read)?.unwrap_or(default))
    }

    pub(super) fn network(&self) -> Result<Network, ConfigError> {
        let default = Network::default();
        let networks = |text: &str| {
            let one = |text: &str| {
                let address = || text.parse::<std::net::IpAddr>().ok().map(Into::into);
                text.parse::<ipnet::IpNet>().ok().or_else(address)
            };
            text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(one).collect()
        };
        let expected = "addresses or networks such as 10.0.0.0/8, separated by commas";
        let places = |name, default: usize| {
            let read = |text: &str| text.parse().ok().filter(|number| *number > 0);
            Ok::<usize, ConfigError>(
                self.parsed(name, "a number above 0", read)?.unwrap_or(default),
            )
        };
        Ok(Network {
            trusted_proxies: self
                .parsed("DAILIES_TRUSTED_PROXIES", expected, networks)?
                .unwrap_or(default.trusted_proxies),
            calls_per_second: self.number("DAILIES_CALLS_PER_SECOND", default.calls_per_second)?,
            address_calls_per_second: self
                .number("DAILIES_ADDRESS_CALLS_PER_SECOND", default.address_calls_per_second)?,
            failures_per_minute: self
                .number("DAILIES_FAILURES_PER_MINUTE", default.failures_per_minute)?,
            connections: places("DAILIES_CONNECTIONS", default.connections)?,
            connections_per_address: places(
                "DAILIES_CONNECTIONS_PER_ADDRESS",
                default.connections_per_address,
            )?,
            header_timeout: self.time("DAILIES_HEADER_TIMEOUT", default.header_timeout)?,
            idle_timeout: self.time("DAILIES_IDLE_TIMEOUT", default.idle_timeout)?,
            stall_timeout: self.time("DAILIES_STALL_TIMEOUT", default.stall_timeout)?,
        })
    }

    pub(super) fn tls(&self) -> Result<Option<TlsFiles>, ConfigError> {
        const CERTIFICATE: &str = "DAILIES_TLS_CERTIFICATE";
        const KEY: &str = "DAILIES_TLS_KEY";
        match (self.path(CERTIFICATE), self.path(KEY)) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::Missing { missing: KEY, given: CERTIFICATE }),
            (None, Some(_)) => Err(ConfigError::Missing { missing: CERTIFICATE, given: KEY }),
        }
    }

    pub(super) fn metrics(&self) -> Result<Metrics, ConfigError> {
        Ok(Metrics {
            listen: self.address("DAILIES_METRICS_LISTEN")?,
            token: self.text("DAILIES_METRICS_TOKEN").map(Into::into),
        })
    }

    fn needed(&self, missing: &'static str, given: &'static str) -> Result<String, ConfigError> {
        self.text(missing).ok_or(ConfigError::Missing { missing, given })
    }

    pub(super) fn url(&self, name: &'static str) -> Result<Option<Url>, ConfigError> {
        let invalid = || ConfigError::Invalid { name, expected: "an http or https address" };
        let Some(text) = self.text(name) else { return Ok(None) };
        let url = Url::parse(&text).map_err(|_| invalid())?;
        if matches!(url.scheme(), "http" | "https") && url.query().is_none() {
            Ok(Some(url))
        } else {
            Err(invalid())
        }
    }

    fn bytes(&self, name: &'static str, default: u64) -> Result<u64, ConfigError> {
        let expected = "a number of bytes, or a text such as 8 MiB";
        Ok(self.parsed(name, expected, units::bytes)?.unwrap_or(default))
    }

    pub(super) fn storage(&self) -> Result<StorageSource, ConfigError> {
        const GIVEN: &str = "DAILIES_S3_ENDPOINT";
        let public_endpoint = self.url("DAILIES_S3_PUBLIC_ENDPOINT")?;
        let Some(endpoint) = self.url(GIVEN)? else {
            return Ok(StorageSource::Embedded { public_endpoint });
        };
        Ok(StorageSource::S3(S3Config {
            public_endpoint: public_endpoint.unwrap_or_else(|| endpoint.clone()),
            endpoint,
            region: self.text("DAILIES_S3_REGION").unwrap_or_else(|| "us-east-1".into()),
            bucket: self.needed("DAILIES_S3_BUCKET", GIVEN)?,
            access_key_id: self.needed("DAILIES_S3_ACCESS_KEY_ID", GIVEN)?,
            secret_access_key: self.needed("DAILIES_S3_SECRET_ACCESS_KEY", GIVEN)?.into(),
            checksum: self.checksum()?,
        }))
    }

    fn checksum(&self) -> Result<StorageChecksum, ConfigError> {
        const NAME: &str = "DAILIES_S3_CHECKSUM";
        match self.text(NAME).as_deref() {
            None | Some("none") => Ok(StorageChecksum::None),
            Some("crc64nvme") => Ok(StorageChecksum::Crc64Nvme),
            Some(_) => Err(ConfigError::Invalid { name: NAME, expected: "crc64nvme or none" }),
        }
    }

    pub(super) fn media(&self) -> Result<MediaSource, ConfigError> {
        const GIVEN: &str = "DAILIES_MUX_URL";
        let Some(api) = self.url(GIVEN)? else { return Ok(MediaSource::Embedded) };
        let address =
            |name| self.url(name)?.ok_or(ConfigError::Missing { missing: name, given: GIVEN });
        let webhook_secrets = self.needed("DAILIES_MUX_WEBHOOK_SECRET", GIVEN)?;
        Ok(MediaSource::Mux(Box::new(MuxConfig {
            api,
            token_id: self.needed("DAILIES_MUX_TOKEN_ID", GIVEN)?,
            token_secret: self.needed("DAILIES_MUX_TOKEN_SECRET", GIVEN)?.into(),
            signing_key_id: self.needed("DAILIES_MUX_SIGNING_KEY_ID", GIVEN)?,
            signing_key: self.signing_key(GIVEN)?,
            // An empty secret would let anybody sign.
            webhook_secrets: webhook_secrets
                .split(',')
                .map(str::trim)
                .filter(|secret| !secret.is_empty())
                .map(Into::into)
                .collect(),
            stream: address("DAILIES_MUX_STREAM_URL")?,
            image: address("DAILIES_MUX_IMAGE_URL")?,
        })))
    }

    /// Mux hands its private keys out as base64 of PEM;
    /// <https://www.mux.com/docs/guides/secure-video-playback>.
    fn signing_key(&self, given: &'static str) -> Result<SecretString, ConfigError> {
        const NAME: &str = "DAILIES_MUX_SIGNING_KEY";
        let text = self.needed(NAME, given)?;
        if text.trim_start().starts_with("-----BEGIN") {
            return Ok(text.into());
        }
        STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|pem| String::from_utf8(pem).ok())
            .map(Into::into)
            .ok_or(ConfigError::Invalid {
                name: NAME,
                expected: "a private key in PEM, or base64 of it",
            })
    }

    /// How long uploads are kept, in days.
    fn days(&self, name: &'static str, default: Duration) -> Result<Duration, ConfigError> {
        const MOST: u64 = 3650;
        let Some(text) = self.text(name) else { return Ok(default) };
        match text.parse() {
            Ok(days @ 1..=MOST) => Ok(Duration::from_hours(24 * days)),
            _ => Err(ConfigError::Invalid { name, expected: "a number of days from 1 to 3650" }),
        }
    }

    pub(super) fn media_limits(&self) -> Result<crate::media::Limits, ConfigError> {
        let default = crate::media::Limits::default();
        let number = |name, expected, default: u32, allowed: std::ops::RangeInclusive<u32>| {
            let Some(text) = self.text(name) else { return Ok(default) };
            let number = text.parse().ok().filter(|number| allowed.contains(number));
            number.ok_or(ConfigError::Invalid { name, expected })
        };
        let parallel = u32::try_from(default.parallel_jobs).unwrap_or(1);
        let parallel =
            number("DAILIES_MEDIA_PARALLEL_JOBS", "a number from 1 to 64", parallel, 1..=64)?;
        Ok(crate::media::Limits {
            parallel_jobs: parallel as usize,
            threads: number(
                "DAILIES_MEDIA_THREADS",
                "a number from 0, which is all of them, to 64",
                default.threads,
                0..=64,
            )?,
            max_height: number(
                "DAILIES_MEDIA_MAX_HEIGHT",
                "a number of lines from 240 to 4320",
                default.max_height,
                240..=4320,
            )?,
            ..default
        })
    }

    pub(super) fn limits(&self) -> Result<Limits, ConfigError> {
        const PART_SIZE: &str = "DAILIES_PART_SIZE";
        let default = Limits::default();
        let limits = Limits {
            part_size: self.bytes(PART_SIZE, default.part_size)?,
            multipart_above: self.bytes("DAILIES_MULTIPART_ABOVE", default.multipart_above)?,
            max_file_size: self.bytes("DAILIES_MAX_FILE_SIZE", default.max_file_size)?,
            team_quota: match self.text("DAILIES_TEAM_QUOTA") {
                None => None,
                Some(_) => Some(self.bytes("DAILIES_TEAM_QUOTA", 0)?),
            },
            drain: self.time("DAILIES_DRAIN", default.drain)?,
            uploads_kept: self.days("DAILIES_UPLOADS_KEPT_DAYS", default.uploads_kept)?,
            ..default
        };
        // S3's own bounds of a part; <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
        if !(5 * MIB..=5 << 30).contains(&limits.part_size) || !limits.part_size.is_multiple_of(MIB)
        {
            return Err(ConfigError::Invalid {
                name: PART_SIZE,
                expected: "a multiple of 1 MiB from 5 MiB to 5 GiB, in bytes",
            });
        }
        if limits.multipart_above > 5 << 30 {
            return Err(ConfigError::Invalid {
                name: "DAILIES_MULTIPART_ABOVE",
                expected: "at most 5 GiB, in bytes",
            });
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ServeArgs, SettingsArgs};

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let settings = SettingsArgs { config: None, data: Some("d".into()) };
        let args = ServeArgs { settings, ..ServeArgs::default() };
        Config::new(args, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_variables_everything_is_embedded() {
        let config = config(&[]).expect("defaults");
        assert!(matches!(config.storage, StorageSource::Embedded { public_endpoint: None }));
        assert!(matches!(config.media, MediaSource::Embedded));
        assert_eq!(config.limits.part_size, 8 << 20);
    }

    #[test]
    fn another_storage_needs_its_keys() {
        let error =
            config(&[("DAILIES_S3_ENDPOINT", "http://s3.test"), ("DAILIES_S3_BUCKET", "b")])
                .expect_err("no key id");
        assert_eq!(
            error.to_string(),
            "DAILIES_S3_ACCESS_KEY_ID is needed where DAILIES_S3_ENDPOINT is set"
        );
    }

    #[test]
    fn a_part_size_that_no_storage_takes_is_refused() {
        for bytes in ["1048576", "5242881", "many", "10737418240"] {
            config(&[("DAILIES_PART_SIZE", bytes)]).expect_err(bytes);
        }
        let config = config(&[("DAILIES_PART_SIZE", "5242880")]).expect("the smallest");
        assert_eq!(config.limits.part_size, 5 << 20);
    }

    #[test]
    fn a_quota_is_a_number_of_bytes_or_no_limit() {
        let quota = |variables: &[_]| config(variables).map(|config| config.limits.team_quota);
        assert_eq!(quota(&[]).expect("no limit"), None);
        assert_eq!(quota(&[("DAILIES_TEAM_QUOTA", "5")]).expect("five bytes"), Some(5));
        quota(&[("DAILIES_TEAM_QUOTA", "five")]).expect_err("no number");
    }

    #[test]
    fn the_command_line_is_before_the_environment_and_that_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("c.toml");
        let text = "[server]\nlisten = \"127.0.0.1:1\"\ndata = \"file\"\ndrain = \"3 s\"\n\
                    [uploads]\npart_size = \"5 MiB\"\n";
        std::fs::write(&file, text).expect("it can be written");
        let config = |args: ServeArgs, variables: &[(&str, &str)]| {
            let settings = SettingsArgs { config: Some(file.clone()), ..args.settings };
            Config::new(ServeArgs { settings, ..args }, |name| {
                let said = variables.iter().find(|(known, _)| *known == name);
                said.map(|(_, value)| (*value).to_owned())
            })
            .expect("it is good")
        };
        let of_file = config(ServeArgs::default(), &[]);
        assert_eq!(of_file.listen, Some(([127, 0, 0, 1], 1).into()));
        assert_eq!(of_file.data, PathBuf::from("file"));
        assert_eq!(of_file.limits.drain, Duration::from_secs(3));
        assert_eq!(of_file.limits.part_size, 5 << 20);
        let variables = [
            ("DAILIES_LISTEN", "127.0.0.1:2"),
            ("DAILIES_DATA", "environment"),
            ("DAILIES_DRAIN", ""),
        ];
        let of_environment = config(ServeArgs::default(), &variables);
        assert_eq!(of_environment.listen, Some(([127, 0, 0, 1], 2).into()));
        assert_eq!(of_environment.data, PathBuf::from("environment"));
        assert_eq!(of_environment.limits.drain, Duration::from_secs(3), "empty is not said");
        let settings = SettingsArgs { config: None, data: Some("line".into()) };
        let listen = Some(([127, 0, 0, 1], 3).into());
        let of_line = config(ServeArgs { settings, listen, s3_listen: None }, &variables);
        assert_eq!((of_line.listen, of_line.data), (listen, PathBuf::from("line")));
    }

    #[test]
    fn a_wrong_value_names_its_line_or_its_variable() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "[uploads]\n\npart_size = 7\n").expect("it can be written");
        let said = file.to_str().expect("a name in UTF-8").to_owned();
        let wrong = |part_size: Option<&str>| {
            let error = Config::new(ServeArgs::default(), |name| match name {
                "DAILIES_CONFIG" => Some(said.clone()),
                "DAILIES_PART_SIZE" => part_size.map(str::to_owned),
                _ => None,
            });
            error.expect_err("no storage takes such parts").to_string()
        };
        let in_file = wrong(None);
        assert!(in_file.starts_with(&format!("{said}, line 3: `uploads.part_size`")), "{in_file}");
        assert!(wrong(Some("8")).starts_with("DAILIES_PART_SIZE must be"));
        std::fs::write(&file, "[storage]\nendpoint = \"http://s3.test\"\n").expect("written");
        let missing = "`storage.bucket` is needed where `storage.endpoint` is set";
        assert!(wrong(None).starts_with(missing), "{}", wrong(None));
    }

    #[test]
    fn a_secret_may_lie_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        std::fs::write(&file, "canary\n").expect("it can be written");
        let file = file.to_str().expect("a name in UTF-8");
        let token = config(&[("DAILIES_METRICS_TOKEN_FILE", file)]).expect("it is good");
        assert_eq!(token.metrics.token.expect("said").expose_secret(), "canary");
        let both = [("DAILIES_METRICS_TOKEN_FILE", file), ("DAILIES_METRICS_TOKEN", "other")];
        assert!(matches!(config(&both), Err(ConfigError::Twice("DAILIES_METRICS_TOKEN"))));
        let gone = config(&[("DAILIES_METRICS_TOKEN_FILE", "/nowhere/at/all")]);
        assert!(matches!(gone, Err(ConfigError::SecretFile { .. })));
    }

    #[test]
    fn proxies_and_a_half_certificate_pair() {
        let read = config(&[("DAILIES_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")]).expect("good");
        assert!(
            read.network.trusts([10, 1, 2, 3].into()) && read.network.trusts([192, 0, 2, 1].into())
        );
        assert!(!read.network.trusts([127, 0, 0, 1].into()));
        config(&[("DAILIES_TRUSTED_PROXIES", "everybody")]).expect_err("no network");
        let half = config(&[("DAILIES_TLS_KEY", "k.pem")]).expect_err("half a pair");
        assert_eq!(
            half.to_string(),
            "DAILIES_TLS_CERTIFICATE is needed where DAILIES_TLS_KEY is set"
        );
    }

    #[test]
    fn uploads_are_kept_for_days() {
        for days in ["0", "3651", "a week", "-1"] {
            config(&[("DAILIES_UPLOADS_KEPT_DAYS", days)]).expect_err(days);
        }
        let kept = |variables| config(variables).expect("days").limits.uploads_kept;
        assert_eq!(kept(&[]), Duration::from_hours(168));
        assert_eq!(kept(&[("DAILIES_UPLOADS_KEPT_DAYS", "2")]), Duration::from_hours(48));
    }

    #[test]
    fn the_media_engine_takes_no_more_than_it_is_told() {
        let limits = config(&[
            ("DAILIES_MEDIA_PARALLEL_JOBS", "1"),
            ("DAILIES_MEDIA_THREADS", "2"),
            ("DAILIES_MEDIA_MAX_HEIGHT", "2160"),
        ])
        .expect("sense")
        .media_limits;
        assert_eq!((limits.parallel_jobs, limits.threads, limits.max_height), (1, 2, 2160));
        assert_eq!(config(&[]).expect("defaults").media_limits.max_height, 1080);
        for (name, text) in [
            ("DAILIES_MEDIA_PARALLEL_JOBS", "0"),
            ("DAILIES_MEDIA_THREADS", "-1"),
            ("DAILIES_MEDIA_MAX_HEIGHT", "1080p"),
        ] {
            let error = config(&[(name, text)]).expect_err(text).to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let config = config(&[
            ("DAILIES_S3_ENDPOINT", "http://s3.test"),
            ("DAILIES_S3_BUCKET", "b"),
            ("DAILIES_S3_ACCESS_KEY_ID", "id"),
            ("DAILIES_S3_SECRET_ACCESS_KEY", "canary"),
        ])
        .expect("a whole storage");
        assert!(!format!("{config:?}").contains("canary"));
    }
}
