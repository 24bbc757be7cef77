//! Carries news to the page.

use dailies_engine::EngineHandle;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::broadcast::error::RecvError;

use crate::link::LinkHandle;
use crate::window;

/// Runs until the engine ends.
pub(crate) async fn run(app: AppHandle, engine: EngineHandle, link: LinkHandle) {
    let (mut changes, mut views) = (engine.subscribe(), link.views());
    loop {
        let told = tokio::select! {
            change = changes.recv() => match change {
                Ok(change) => app.emit_to(window::MAIN, "change", change),
                // The page sees the gap in the numbers, and takes a snapshot.
                Err(RecvError::Lagged(_)) => Ok(()),
                Err(RecvError::Closed) => return,
            },
            changed = views.changed() => match changed {
                Ok(()) => {
                    let view = views.borrow_and_update().clone();
                    app.emit_to(window::MAIN, "shell", view)
                }
                Err(_) => return,
            },
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the page could not be told");
        }
    }
}
