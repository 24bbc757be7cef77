//! Carries news to the page: however much happens, a few messages a second.

use std::time::Duration;

use dailies_engine::EngineHandle;
use dailies_engine::view::Change;
use tauri::AppHandle;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::link::LinkHandle;
use crate::window;

/// Between two messages. With those of downloads, ten a second.
const PAUSE: Duration = Duration::from_millis(150);

/// Runs until the engine ends.
pub(crate) async fn run(app: AppHandle, engine: EngineHandle, link: LinkHandle) {
    let (mut changes, mut views) = (engine.subscribe(), link.views());
    loop {
        tokio::select! {
            gathered = gather(&mut changes) => match gathered {
                Some(gathered) => window::tell(&app, "changes", gathered),
                None => return,
            },
            changed = views.changed() => match changed {
                Ok(()) => {
                    let view = views.borrow_and_update().clone();
                    window::tell(&app, "shell", view);
                }
                Err(_) => return,
            },
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for a change, and takes what has come with it, in order; `None` once the engine has ended. Of
/// changes that were too many to be kept for the page, it sees the gap in the numbers, and takes a
/// snapshot.
async fn gather(changes: &mut Receiver<Change>) -> Option<Vec<Change>> {
    let mut gathered = loop {
        match changes.recv().await {
            Ok(change) => break vec![change],
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    };
    loop {
        match changes.try_recv() {
            Ok(change) => gathered.push(change),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(gathered),
        }
    }
}

#[cfg(test)]
mod tests {
    use dailies_engine::view::News;
    use tokio::sync::broadcast;

    use super::*;

    #[tokio::test]
    async fn what_happens_at_once_is_one_message() {
        let (sender, mut changes) = broadcast::channel(256);
        let happen = |seq| sender.send(Change { seq, news: News::Folders }).unwrap();
        for seq in 1..=200 {
            happen(seq);
        }
        let mut numbers = async || -> Vec<u64> {
            let gathered = gather(&mut changes).await.unwrap();
            gathered.iter().map(|change| change.seq).collect()
        };
        assert_eq!(numbers().await, (1..=200).collect::<Vec<_>>());
        // More than are kept: the page hears of the last ones, and sees that there were others.
        for seq in 201..=500 {
            happen(seq);
        }
        assert_eq!(numbers().await, (245..=500).collect::<Vec<_>>());
        drop(sender);
        assert!(gather(&mut changes).await.is_none());
    }
}
