//! The environment: which variables there are, and what they may say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use url::Url;

use super::{
    ConfigError, Limits, MIB, MediaSource, MuxConfig, S3Config, StorageChecksum, StorageSource,
};

/// Looks variables up by name.
pub(super) struct Variables<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
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
        match self.text(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| ConfigError::Invalid { name, expected: "a number of bytes" }),
        }
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
    use crate::config::{Config, ServeArgs};

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let args = ServeArgs { data: Some("d".into()), listen: None, s3_listen: None };
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
        quota(&[("DAILIES_TEAM_QUOTA", "5 GB")]).expect_err("no number");
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
