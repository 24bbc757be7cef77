//! A storage, or the way to it, that misbehaves at set parts. Whatever it does, the upload gets
//! there, once.

use std::collections::HashMap;
use std::time::Duration;

use dailies_engine::transfer::{Hold, Phase};
use e2e::clips::{MIB, Take};
use e2e::proxy::{End, Fault, Rule, What};
use e2e::{Stage, Uploader};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(90);

/// Sends a clip past these rules to its end, and asserts that all were needed.
async fn sent_past(mebibytes: u64, rules: Vec<Rule>) -> Stage {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", mebibytes, Take::One).unwrap();
    stage.proxy.obey(rules);
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert!(stage.proxy.unused().is_empty(), "never happened: {:?}", stage.proxy.unused());
    stage.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    stage
}

/// How often the storage took each part.
fn times_stored(stage: &Stage) -> HashMap<u64, usize> {
    let mut times = HashMap::new();
    for part in stage.server.log.stored_parts() {
        *times.entry(part.number).or_default() += 1;
    }
    times
}

#[tokio::test]
async fn one_upload_gets_over_every_fault_at_once() {
    let stage = sent_past(
        64,
        vec![
            Rule::new(What::Part(1), 2, Fault::internal_error()),
            Rule::part(2, Fault::slow_down(1)),
            Rule::part(3, Fault::expired()),
            Rule::part(4, Fault::Cut { after: MIB, reset: true }),
            Rule::part(5, Fault::Cut { after: 3 * MIB, reset: false }),
            Rule::part(6, Fault::Cut { after: 0, reset: true }),
            Rule::new(What::Part(7), 2, Fault::slow_down(0)),
            Rule::part(8, Fault::captive_portal()),
            Rule::part(9, Fault::Flip { at: 4 * MIB + 1 }),
            Rule::part(11, Fault::SwallowAnswer),
            Rule::new(What::Part(12), 3, Fault::Cut { after: MIB, reset: false }),
        ],
    )
    .await;
    let times = times_stored(&stage);
    for (part, times) in &times {
        // Only where the answer was swallowed could the sender not know that the storage has it.
        let most = if *part == 11 { 2 } else { 1 };
        assert!(*times <= most, "part {part} was stored {times} times");
    }
    assert_eq!(stage.server.log.events("upload_begun").len(), 1, "no second upload was begun");
    stage.strike().await.unwrap();
}

/// Whoever opened it anew would be told that it is there already.
#[tokio::test]
async fn a_small_file_that_arrives_damaged_is_sent_again() {
    let flipped = Rule::new(What::Sent("/"), 2, Fault::Flip { at: MIB });
    let stage = sent_past(4, vec![flipped]).await;
    stage.strike().await.unwrap();
}

/// The sender's system takes some MiB of a part into its own buffers: bytes that have left the
/// engine are not bytes that move.
#[tokio::test]
async fn a_stall_is_noticed_wherever_in_a_part_it_comes() {
    let stage = sent_past(
        24,
        vec![
            Rule::part(1, Fault::Stall { after: 0, lasting: LIMIT }),
            Rule::part(2, Fault::Stall { after: 4 * MIB, lasting: LIMIT }),
        ],
    )
    .await;
    for part in [1, 2] {
        let tries = stage.proxy.tries_of(part);
        let waited = tries[1].began - tries[0].began;
        assert!(waited < Duration::from_secs(8), "part {part} was sent again after {waited:?}");
    }
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let stage = sent_past(24, vec![Rule::new(What::Part(2), 2, Fault::slow_down(2))]).await;
    let tries = stage.proxy.tries_of(2);
    assert_eq!(tries.len(), 3);
    for pair in tries.windows(2) {
        let (answered, end) = pair[0].end.unwrap();
        assert_eq!(end, End::Faulted);
        let waited = pair[1].began - answered;
        assert!(waited >= Duration::from_millis(1950), "tried again after {waited:?}");
        assert!(waited < Duration::from_secs(8), "tried again only after {waited:?}");
    }
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_storage_that_refuses_everything_for_a_while_is_asked_with_patience() {
    let stage = sent_past(24, vec![Rule::new(What::AnyPart, 15, Fault::internal_error())]).await;
    let mut began: Vec<_> = stage.proxy.exchanges().iter().map(|seen| seen.began).collect();
    began.sort();
    let busiest = began.windows(12).map(|few| few[11] - few[0]).min().unwrap();
    assert!(busiest >= Duration::from_millis(500), "12 requests within {busiest:?}");
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn an_expired_address_is_replaced_at_once() {
    let stage = sent_past(24, vec![Rule::new(What::Part(3), 2, Fault::expired())]).await;
    let tries = stage.proxy.tries_of(3);
    for pair in tries.windows(2) {
        let waited = pair[1].began - pair[0].end.unwrap().0;
        assert!(waited < Duration::from_secs(3), "a fresh address took {waited:?}");
    }
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn damaged_bytes_are_refused_and_sent_again() {
    let rules = vec![
        Rule::part(1, Fault::Flip { at: 0 }),
        Rule::part(2, Fault::Flip { at: 5 * MIB - 1 }),
        Rule::new(What::Part(3), 2, Fault::Flip { at: MIB }),
    ];
    let stage = sent_past(24, rules).await;
    let refused = stage.server.log.events("part_not_stored");
    assert_eq!(refused.len(), 4, "the storage refuses what was damaged: {refused:?}");
    let times = times_stored(&stage);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_captive_portal_confirms_nothing() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    stage.proxy.obey([Rule::new(What::AnyPart, 1000, Fault::captive_portal())]);
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    stage.proxy.until(LIMIT, |seen| seen.len() >= 8).await.unwrap();
    let view = uploader.view(id).await.unwrap();
    assert_eq!(view.progress.confirmed_bytes, 0, "{view:#?}");
    assert_eq!(view.phase, Phase::Uploading);
    stage.proxy.behave();
    // Where it has asked for somebody meanwhile, somebody comes.
    uploader.engine.retry(vec![id]).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_storage_that_is_down_is_waited_for() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 64, Take::One).unwrap();
    stage.proxy.limit(30 * MIB);
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    uploader.until(id, LIMIT, |view| view.progress.confirmed_bytes >= 15 * MIB).await.unwrap();

    stage.proxy.go_down().await;
    let waits = |hold: Hold| matches!(hold, Hold::Offline { .. });
    uploader.until(id, LIMIT, |view| waits(view.hold)).await.unwrap();
    // A length of time is what is tested here: many more tries than any budget has.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let view = uploader.view(id).await.unwrap();
    assert!(waits(view.hold) || view.hold == Hold::None, "it asks nobody: {view:#?}");
    let until_now = Instant::now();
    stage.proxy.come_up().unwrap();

    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    let stored = stage.server.log.stored_parts();
    let held: Vec<_> = stored.iter().filter(|part| part.at < until_now).collect();
    assert!(!held.is_empty());
    for part in held {
        let times = stored.iter().filter(|other| other.number == part.number).count();
        assert_eq!(times, 1, "part {} was held and sent again", part.number);
    }
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn any_mixture_of_faults_is_got_over() {
    let mut chance = fastrand::Rng::with_seed(0x0da1_11e5);
    let mut rules = Vec::new();
    for part in 1..=20 {
        for _ in 0..chance.usize(0..3) {
            let after = chance.u64(0..5 * MIB);
            let fault = match chance.u8(0..8) {
                0 => Fault::internal_error(),
                1 => Fault::slow_down(chance.u64(0..2)),
                2 => Fault::expired(),
                3 => Fault::Cut { after, reset: true },
                4 => Fault::Cut { after, reset: false },
                5 => Fault::Flip { at: after },
                6 => Fault::SwallowAnswer,
                _ => Fault::captive_portal(),
            };
            rules.push(Rule::part(part, fault));
        }
    }
    let stage = sent_past(105, rules).await;
    stage.strike().await.unwrap();
}
