//! Signing in to a team in the system's browser. One sign-in at a time: another one takes its place.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dailies_engine::error::{Code, EngineError};
use dailies_engine::net::{Clients, NetOptions};
use dailies_engine::team::{SignedIn, SigningIn, address};
use tauri::{AppHandle, Runtime};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::desk::Desk;
use crate::link::LinkHandle;
use crate::window;

/// For somebody to find their password, and their telephone for the second factor.
const PATIENCE: Duration = Duration::from_mins(10);

/// The sign-in that somebody is at.
#[derive(Default)]
pub(crate) struct SignIn(Mutex<Option<UnderWay>>);

struct UnderWay {
    /// The page in the browser, as soon as it is known.
    page: Option<Url>,
    /// Dropped, it ends.
    _stop: DropGuard,
}

impl SignIn {
    /// Sends somebody to the browser, and connects when they come back. False when it was given up.
    ///
    /// # Errors
    /// Those of [`address::team_server`], of [`SigningIn`] and of [`LinkHandle::signed_in`].
    pub(crate) async fn run<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        link: &LinkHandle,
        desk: &Desk,
        address: &str,
    ) -> Result<bool, EngineError> {
        let server = address::team_server(address)?;
        let stop = CancellationToken::new();
        self.put(Some(UnderWay { page: None, _stop: stop.clone().drop_guard() }));
        let signed_in = tokio::select! {
            () = stop.cancelled() => return Ok(false),
            signed_in = self.in_browser(&server, desk) => signed_in,
        };
        self.put(None);
        link.signed_in(server, signed_in?).await?;
        // The browser is in front of it.
        window::show(app);
        Ok(true)
    }

    /// Waits no more for whoever is in the browser.
    pub(crate) fn cancel(&self) {
        self.put(None);
    }

    /// Puts the page's address on the clipboard: for another browser than the system's.
    ///
    /// # Errors
    /// [`Code::WrongState`] where nobody signs in.
    pub(crate) async fn copy_page(&self, desk: &Desk) -> Result<(), EngineError> {
        let page = {
            let under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            under_way.as_ref().and_then(|under_way| under_way.page.clone())
        };
        let nobody = || EngineError::new(Code::WrongState, "nobody is signing in");
        desk.copy(page.ok_or_else(nobody)?.into()).await
    }

    async fn in_browser(&self, server: &Url, desk: &Desk) -> Result<SignedIn, EngineError> {
        let clients = Clients::new(NetOptions::default())
            .map_err(|error| EngineError::new(Code::LocalStorage, error.to_string()))?;
        let signing_in = SigningIn::begin(server, &clients).await?;
        let page = signing_in.url().clone();
        if let Some(under_way) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            under_way.page = Some(page.clone());
        }
        // There may be no browser here: the page offers its address.
        if let Err(error) = desk.open_page(page).await {
            tracing::warn!(%error, "no browser could be opened");
        }
        signing_in.done(PATIENCE).await
    }

    /// What was there ends.
    fn put(&self, under_way: Option<UnderWay>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = under_way;
    }
}
