//! Histories and receipts, for programs and in words.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use dailies_engine::error::EngineError;
use dailies_engine::ledger::ReceiptView;
use dailies_engine::store::{Episode, Proof};
use dailies_engine::transfer::{Event, HoldKind, Timestamp, UploadId, Why};

use crate::control::{self, Request};
use crate::events::{self, Output};

/// The end of the year 9999, after which dates have no form.
const LAST: Timestamp = Timestamp(253_402_300_799_000);

/// Prints what happened to an upload, oldest first.
pub(crate) async fn history(
    folder: &Path,
    id: UploadId,
    output: Output,
) -> Result<(), EngineError> {
    let mut after = None;
    loop {
        let episodes: Vec<Episode> = control::ask(folder, Request::History { id, after }).await?;
        let Some(last) = episodes.last() else { return Ok(()) };
        after = Some(last.number);
        for episode in &episodes {
            match output {
                Output::Json => events::print(episode),
                Output::Bars | Output::Lines => events::say(&in_words(episode)),
            }
        }
    }
}

/// Prints the receipts of some uploads, or all there are.
pub(crate) async fn receipts(
    folder: &Path,
    ids: &[UploadId],
    output: Output,
) -> Result<(), EngineError> {
    for id in ids {
        print(&control::ask(folder, Request::Receipt(*id)).await?, output);
    }
    let mut after = None;
    while ids.is_empty() {
        let some: Vec<ReceiptView> = control::ask(folder, Request::Receipts(after)).await?;
        let Some(last) = some.last() else { break };
        after = Some(last.upload_id);
        some.iter().for_each(|receipt| print(receipt, output));
    }
    Ok(())
}

fn print(receipt: &ReceiptView, output: Output) {
    match output {
        Output::Json => events::print(receipt),
        Output::Bars | Output::Lines => events::say(&receipt_in_words(receipt)),
    }
}

fn receipt_in_words(receipt: &ReceiptView) -> String {
    let said = match (receipt.answer.size, &receipt.answer.checksum) {
        (Some(_), Some(_)) => "the same size and checksum",
        (Some(_), None) => "the same size",
        (None, Some(_)) => "the same checksum",
        (None, None) => "nothing of its own",
    };
    let proof = match receipt.proof {
        Proof::Signed => "refused any other bytes than these",
        Proof::Reported => "said the checksum of what arrived",
        Proof::Size => "said only how many bytes arrived",
    };
    let began = receipt.began_at.map_or_else(|| "unknown".into(), time);
    let lines = [
        format!("{}  {}", receipt.upload_id, receipt.path),
        format!("  size      {} bytes in {} parts", receipt.size, receipt.parts),
        format!("  checksum  CRC64NVME {}", receipt.checksum),
        format!("  proof     the other side {proof}"),
        format!("  answer    the team says {said}"),
        format!("  video     {}", receipt.video_id.as_deref().unwrap_or("unnamed")),
        format!("  key       {}", receipt.key),
        format!("  team      {} / {}, {}", receipt.team, receipt.project, receipt.server),
        format!("  added     {}", time(receipt.added_at)),
        format!("  began     {began}"),
        format!("  finished  {}", time(receipt.finished_at)),
        format!("  retries   {}", receipt.retries),
    ];
    lines.join("\n")
}

fn in_words(episode: &Episode) -> String {
    let Episode { at, last_at, times, event, .. } = episode;
    let words = event_in_words(event);
    match times {
        1 => format!("{}  {words}", time(*at)),
        _ => format!("{}  {words} ({times} times until {})", time(*at), time(*last_at)),
    }
}

fn event_in_words(event: &Event) -> String {
    match event {
        Event::Added => "put into the queue".into(),
        Event::StartedAgain { of } => format!("it is the new version of upload {of}"),
        Event::SentAnyway => "somebody wants it sent although the team has the same".into(),
        Event::Begun => "its turn came".into(),
        Event::Registered => "the team knows of it".into(),
        Event::Opened => "it was agreed on how its bytes go up".into(),
        Event::SessionReplaced => "the session was gone; it goes up in a new one".into(),
        Event::SentAgain => "the team lost what was sent; it goes up once more".into(),
        Event::Settled => "the recording is finished".into(),
        Event::Rewritten => {
            "a part that was sent while it was recorded has changed: it was thrown away and sent again"
                .into()
        }
        Event::PartsSentAgain => "a part was sent again".into(),
        Event::Sent => "every part is confirmed".into(),
        Event::Finished => "size and checksum of the whole were compared: the team has it".into(),
        Event::BecamePlayable => "it can be played".into(),
        Event::ProcessingFailed { reason: Some(reason) } => {
            format!("nothing playable could be made of it: {reason}")
        }
        Event::ProcessingFailed { reason: None } => "nothing playable could be made of it".into(),
        Event::Failed { why, then } => format!("{}; {}", why_in_words(why), then_in_words(*then)),
        Event::SourceBack => "its file is back".into(),
        Event::Connected => "the connection to the team is good again".into(),
        Event::Paused => "somebody paused it".into(),
        Event::Resumed => "somebody resumed it".into(),
        Event::Retried => "somebody had it tried again".into(),
        Event::Cancelled => "somebody cancelled it".into(),
        Event::CleanedUp => "what it had left with the team was removed".into(),
        Event::Omitted { events, retries } => {
            format!("{events} events are not kept, {retries} of them failed tries")
        }
    }
}

fn why_in_words(why: &Why) -> String {
    match why {
        Why::Transport { detail } => format!("the connection failed ({detail})"),
        Why::Portal => "the network answered with a page of its own".into(),
        Why::Busy => "the other side was busy".into(),
        Why::ServerFault { status } => format!("the other side had a fault ({status})"),
        Why::UrlExpired => "an address was no longer good".into(),
        Why::SessionGone => "the upload session was gone".into(),
        Why::PartDamaged => "a part arrived damaged".into(),
        Why::UnexpectedAnswer { detail } => format!("an answer made no sense ({detail})"),
        Why::SourceMissing => "the file was gone".into(),
        Why::SourceChanged => "the file had changed".into(),
        Why::Duplicate { of } => format!("the team has the same content by upload {of}"),
        Why::SourceUnreadable { detail } => format!("the file could not be read ({detail})"),
        Why::LocalStorage { detail } => format!("this computer's storage failed ({detail})"),
        Why::Refused { code, reason } => format!("{} ({reason})", events::words(*code)),
    }
}

fn then_in_words(then: HoldKind) -> &'static str {
    match then {
        HoldKind::None => "it went on at once",
        HoldKind::Paused => "it is paused",
        HoldKind::Backoff => "it is tried again after a while",
        HoldKind::Offline => "it waits for the network",
        HoldKind::SourceMissing => "it waits for the file",
        HoldKind::NeedsUser => "it waits for somebody",
        HoldKind::Cancelled => "it is cancelled",
        HoldKind::Failed => "it was given up",
    }
}

/// In UTC. A time that no calendar has is the nearest that one has.
fn time(at: Timestamp) -> String {
    let since = Duration::from_millis(at.0.clamp(0, LAST.0).unsigned_abs());
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_is_one_line() {
        let event =
            Event::Failed { why: Why::ServerFault { status: 503 }, then: HoldKind::Backoff };
        let (at, last_at) = (Timestamp(0), Timestamp(61_000));
        let episode = Episode { number: 3, at, last_at, times: 2, event };
        assert_eq!(
            in_words(&episode),
            "Thu, 01 Jan 1970 00:00:00 GMT  the other side had a fault (503); it is tried again \
             after a while (2 times until Thu, 01 Jan 1970 00:01:01 GMT)"
        );
        assert_eq!(time(Timestamp(i64::MAX)), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(time(Timestamp(i64::MIN)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
