//! What tests need of an engine besides: any protocol in it, another side without a network, and
//! faults on order.
//!
//! Must not know: what it is tested for.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::start_connected;
use crate::error::EngineError;
use crate::protocol::UploadProtocol;
pub use crate::protocol::faulty::{Call, Fault, Faulty};
pub use crate::protocol::memory::{Memory, Shape};
use crate::team::Team;
use crate::{EngineHandle, EngineTask, Options};

/// Starts an engine whose uploads to `team` take `protocol`.
///
/// # Errors
/// As [`crate::start`].
pub async fn start(
    queue: &Path,
    clock: Arc<dyn Clock>,
    options: Options,
    team: Arc<Team>,
    protocol: Arc<dyn UploadProtocol>,
) -> Result<(EngineHandle, EngineTask), EngineError> {
    start_connected(queue, clock, options, Some((team, protocol))).await
}
