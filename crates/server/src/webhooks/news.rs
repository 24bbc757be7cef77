//! What an event says, of those that mean something here.
//!
//! Source: <https://www.mux.com/docs/webhook-reference>.

use dailies_api::mux::{Asset, AssetStatus, Upload, Webhook};
use serde_json::Value;

/// An event that may change a video.
pub(super) enum News {
    /// `video.asset.*`: the state of an asset.
    Asset(Box<Asset>),
    /// `video.upload.asset_created`: a direct upload has become an asset.
    AssetOfUpload {
        /// The upload.
        upload_id: String,
        /// The asset.
        asset_id: String,
        /// Of the asset to be.
        passthrough: Option<String>,
    },
    /// `video.upload.cancelled`, `video.upload.errored`: a direct upload becomes none.
    UploadEnded {
        /// The upload.
        upload_id: String,
        /// Of the asset that will not be.
        passthrough: Option<String>,
        /// In words.
        reason: String,
    },
}

impl News {
    /// `None` for everything else that Mux tells.
    pub(super) fn read(event: &Webhook) -> Option<Self> {
        let news = match event.kind.as_str() {
            "video.asset.created" => asset(event, AssetStatus::Preparing),
            "video.asset.ready" => asset(event, AssetStatus::Ready),
            "video.asset.errored" => asset(event, AssetStatus::Errored),
            "video.upload.asset_created" => asset_of_upload(event),
            "video.upload.cancelled" => {
                upload_ended(event, |_| "The upload to the media engine was cancelled.".to_owned())
            }
            "video.upload.errored" => upload_ended(event, |upload| {
                let error = upload.error.map(|error| error.message);
                error
                    .filter(|message| !message.is_empty())
                    .unwrap_or_else(|| "The media engine could not take this file.".to_owned())
            }),
            _ => return None,
        };
        if news.is_none() {
            tracing::warn!(event = event.id, kind = event.kind, "an event without its object");
        }
        news
    }

    pub(super) fn passthrough(&self) -> Option<&str> {
        match self {
            Self::Asset(asset) => asset.passthrough.as_deref(),
            Self::AssetOfUpload { passthrough, .. } | Self::UploadEnded { passthrough, .. } => {
                passthrough.as_deref()
            }
        }
    }

    pub(super) fn asset_id(&self) -> Option<&str> {
        match self {
            Self::Asset(asset) => Some(&asset.id),
            Self::AssetOfUpload { asset_id, .. } => Some(asset_id),
            Self::UploadEnded { .. } => None,
        }
    }

    pub(super) fn upload_id(&self) -> Option<&str> {
        match self {
            Self::Asset(asset) => asset.upload_id.as_deref(),
            Self::AssetOfUpload { upload_id, .. } | Self::UploadEnded { upload_id, .. } => {
                Some(upload_id)
            }
        }
    }
}

/// The event's kind is what happened; the asset in it may be younger than that.
fn asset(event: &Webhook, status: AssetStatus) -> Option<News> {
    let asset = serde_json::from_value::<Asset>(event.data.clone()).ok()?;
    Some(News::Asset(Box::new(Asset { status, ..asset })))
}

fn upload(event: &Webhook) -> Option<Upload> {
    serde_json::from_value(event.data.clone()).ok()
}

fn passthrough(upload: &Upload) -> Option<String> {
    let passthrough = upload.new_asset_settings.as_ref()?.get("passthrough");
    passthrough.and_then(Value::as_str).map(str::to_owned)
}

fn asset_of_upload(event: &Webhook) -> Option<News> {
    let upload = upload(event)?;
    let passthrough = passthrough(&upload);
    Some(News::AssetOfUpload { asset_id: upload.asset_id?, upload_id: upload.id, passthrough })
}

fn upload_ended(event: &Webhook, reason: impl FnOnce(Upload) -> String) -> Option<News> {
    let upload = upload(event)?;
    let (upload_id, passthrough) = (upload.id.clone(), passthrough(&upload));
    Some(News::UploadEnded { upload_id, passthrough, reason: reason(upload) })
}
