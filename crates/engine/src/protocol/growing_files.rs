//! Whether a server takes files that grow: only one of ours says so.

use std::sync::Arc;

use tokio::sync::OnceCell;
use url::Url;

use crate::net::Clients;
use crate::team::about;
use crate::transfer::Failure;

/// What a server said of files that grow, once it has: asked once, and only where there is such a
/// file. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct GrowingFiles(Arc<OnceCell<bool>>);

impl GrowingFiles {
    /// Whether the server at `base` takes them; not where it cannot be asked now.
    pub(super) async fn are_taken(&self, base: &Url, clients: &Clients) -> bool {
        let asked = self.0.get_or_try_init(|| async {
            let about = about(base, clients).await?;
            Ok::<_, Failure>(about.is_some_and(|about| about.growing_files))
        });
        asked.await.is_ok_and(|taken| *taken)
    }
}
