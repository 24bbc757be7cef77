//! Uploads that wait for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dailies_engine::clock::{Clock, SystemClock};
use dailies_engine::transfer::Timestamp;
use e2e::clips::Take;
use e2e::proxy::{Exchange, Fault, Rule};
use e2e::{FaultProxy, Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(60);

/// The computer's clock, and so many seconds more.
#[derive(Debug, Default)]
struct Later(AtomicI64);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::Relaxed) * 1000)
    }

    fn slept(&self) -> Duration {
        Duration::ZERO
    }
}

/// Their team removes what nothing happens to for a day.
#[tokio::test]
async fn what_waits_for_long_is_named_to_its_team() {
    let stage = Stage::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let file = stage.clip("reel.mp4", 12, Take::One).unwrap();
    let clock = Arc::new(Later::default());
    let (folder, credentials) = (stage.path("profile"), &stage.server.credentials);
    let timer: Arc<dyn Clock> = clock.clone();
    let uploader = Uploader::timed(&folder, credentials, &api.url(), timer).await.unwrap();
    stage.proxy.obey([Rule::part(2, Fault::Stall { after: 0, lasting: LIMIT })]);
    let id = uploader.add(file.clone()).await.unwrap();
    uploader.until(id, LIMIT, |view| view.progress.confirmed_bytes > 0).await.unwrap();
    uploader.engine.pause(vec![id]).await.unwrap();
    uploader.until(id, LIMIT, |view| !view.active).await.unwrap();
    let before = uploader.view(id).await.unwrap();
    let named = || {
        let seen = api.exchanges();
        let named =
            |seen: &&Exchange| seen.function.as_deref() == Some("videoActions:initiateVideoUpload");
        seen.iter().filter(named).count()
    };

    for round in 1..4 {
        assert_eq!(named(), round, "once as it began, and once for every few hours since");
        clock.0.fetch_add(5 * 3600, Ordering::Relaxed);
        let heard = async {
            while named() == round {
                // It looks at its clock now and then, and whenever it is asked something.
                assert_eq!(uploader.view(id).await.unwrap(), before);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LIMIT, heard).await.unwrap();
    }
    uploader.engine.resume(vec![id]).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    uploader.stop().await;
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}
