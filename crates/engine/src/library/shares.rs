//! Links that share a video with people outside of its team.

use dailies_api::share_links::{CreateShareLink, ShareLink};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{moment, no_such};
use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::team::Team;
use crate::transfer::Timestamp;

/// A link, without what it opens the video with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ShareLinkView {
    /// Its id.
    pub id: String,
    /// When it was made, by the server's clock.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it ends; absent for never.
    pub expires_at: Option<Timestamp>,
    /// Whether that has come, by the server's clock.
    pub is_expired: bool,
    /// Whether the original may be downloaded.
    pub allow_download: bool,
    /// Whether a password is asked for.
    pub has_password: bool,
    /// How often it was opened.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub views: u64,
}

impl From<ShareLink> for ShareLinkView {
    fn from(link: ShareLink) -> Self {
        Self {
            id: link.id,
            created_at: moment(link.creation_time),
            created_by: link.created_by_name,
            expires_at: link.expires_at.map(moment),
            is_expired: link.is_expired,
            allow_download: link.allow_download,
            has_password: link.has_password,
            views: link.view_count,
        }
    }
}

/// What a new link is to be.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewShareLink {
    /// Days until it ends; absent for never.
    pub expires_in_days: Option<u32>,
    /// Whether the original may be downloaded.
    pub allow_download: bool,
    /// What has to be known besides; absent for nothing.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub password: Option<SecretString>,
}

impl EngineHandle {
    /// The links that share a video, newest first.
    ///
    /// # Errors
    /// [`Code::NotFound`] (the video), and those of [`Self::library`].
    pub async fn share_links(&self, video_id: &str) -> Result<Vec<ShareLinkView>, EngineError> {
        let links = self.team().await?.share_links(video_id).await?;
        let mut views: Vec<_> = links.into_iter().map(ShareLinkView::from).collect();
        views.sort_by_key(|link| std::cmp::Reverse(link.created_at));
        Ok(views)
    }

    /// Shares a video: the address of the page that plays it to whoever has the link.
    ///
    /// # Errors
    /// [`Code::Forbidden`] for whoever may only watch, and those of [`Self::share_links`].
    pub async fn share(
        &self,
        video_id: &str,
        link: NewShareLink,
    ) -> Result<SecretString, EngineError> {
        let team = self.team().await?;
        let link = CreateShareLink {
            video_id: video_id.to_owned(),
            // 0 means never, too; whoever says a number means days.
            expires_in_days: link.expires_in_days.map(|days| u64::from(days.max(1))),
            allow_download: Some(link.allow_download),
            password: link.password.filter(|password| !password.expose_secret().is_empty()),
        };
        share_page(&team, &team.make_share_link(&link).await?.token)
    }

    /// The address that a link was made for, to be handed on once more.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a link that was taken back, and those of [`Self::share_links`].
    pub async fn share_page(
        &self,
        video_id: &str,
        link_id: &str,
    ) -> Result<SecretString, EngineError> {
        let team = self.team().await?;
        let links = team.share_links(video_id).await?;
        let link = links.into_iter().find(|link| link.id == link_id);
        share_page(&team, &link.ok_or_else(|| no_such("link"))?.token)
    }

    /// Takes a link back: it opens nothing any more, for whoever has it.
    ///
    /// # Errors
    /// As [`Self::share`].
    pub async fn revoke(&self, link_id: String) -> Result<(), EngineError> {
        self.team().await?.revoke_share_link(link_id).await
    }
}

fn share_page(team: &Team, token: &str) -> Result<SecretString, EngineError> {
    let no_address = || EngineError::new(Code::UnexpectedAnswer, "the link makes no address");
    let mut url = team.client().base().clone();
    // As a segment: whatever a server says, it does not lead to another page.
    url.path_segments_mut().map_err(|()| no_address())?.pop_if_empty().extend(["share", token]);
    Ok(String::from(url).into())
}
