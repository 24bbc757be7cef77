use proptest::prelude::*;

use super::*;
use crate::transfer::UploadId;

const NOW: Timestamp = Timestamp(1_000_000);

fn state(phase: Phase, hold: Hold) -> State {
    State { phase, hold, ..State::NEW }
}

fn run(state: State, input: Input) -> (State, Vec<Effect>) {
    step(state, input, NOW)
}

fn failed(failure: Failure) -> Input {
    Input::Failed { failure, luck: 500 }
}

#[test]
fn one_upload_from_drop_to_play() {
    let mut at = State::NEW;
    let mut seen = vec![at.phase];
    for input in [
        Input::Admitted,
        Input::Registered,
        Input::Opened,
        Input::Progressed,
        Input::Sent,
        Input::Finished,
        Input::BecamePlayable,
    ] {
        at = run(at, input).0;
        seen.push(at.phase);
    }
    use Phase::{Beginning, Finishing, Processing, Queued, Ready, Uploading};
    assert_eq!(
        seen,
        [Queued, Beginning, Beginning, Uploading, Uploading, Finishing, Processing, Ready]
    );
}

#[test]
fn the_end_of_a_recording_is_told_to_its_session() {
    let told = vec![Effect::WindUp, Effect::ForgetSession];
    for phase in [Phase::Queued, Phase::Beginning, Phase::Uploading] {
        for hold in [Hold::None, Hold::Paused] {
            assert_eq!(run(state(phase, hold), Input::Settled), (state(phase, hold), told.clone()));
        }
    }
    let missing = state(Phase::Uploading, Hold::SourceMissing);
    assert_eq!(run(missing, Input::Settled).0.hold, Hold::None, "somebody has just seen it");
    for ended in [state(Phase::Finishing, Hold::None), state(Phase::Uploading, Hold::Cancelled)] {
        assert_eq!(run(ended, Input::Settled), (ended, Vec::new()));
    }
}

#[test]
fn what_follows_from_each_failure() {
    let uploading = state(Phase::Uploading, Hold::None);
    let hold = |failure| run(uploading, failed(failure)).0.hold;
    assert!(matches!(hold(Failure::Transport(String::new())), Hold::Offline { .. }));
    assert!(matches!(hold(Failure::ServerFault { status: 500 }), Hold::Backoff { .. }));
    assert_eq!(hold(Failure::SourceMissing), Hold::SourceMissing);
    assert_eq!(hold(Failure::SourceChanged), Hold::NeedsUser { code: Code::SourceChanged });
    let duplicate = Failure::Duplicate { of: UploadId::new() };
    assert_eq!(hold(duplicate), Hold::NeedsUser { code: Code::Duplicate });
    let refused = |code| Failure::Refused { code, reason: String::new() };
    assert_eq!(hold(refused(Code::QuotaExceeded)), Hold::NeedsUser { code: Code::QuotaExceeded });
    assert_eq!(hold(refused(Code::UnsupportedType)), Hold::Failed { code: Code::UnsupportedType });
}

#[test]
fn an_expired_address_is_renewed_at_once() {
    let (next, effects) = run(state(Phase::Uploading, Hold::None), failed(Failure::UrlExpired));
    assert_eq!(next.hold, Hold::None);
    assert_eq!(effects, [Effect::ForgetSession, Effect::Run]);
}

#[test]
fn no_network_burns_no_attempts() {
    let (next, _) =
        run(state(Phase::Uploading, Hold::None), failed(Failure::Transport(String::new())));
    assert_eq!(next.attempts, 0);
}

#[test]
fn what_waits_for_the_network_and_nothing_else_goes_on_with_it() {
    let offline = state(Phase::Uploading, Hold::Offline { until: Timestamp(NOW.0 + 1_000) });
    assert!(run(offline, Input::Online).0.can_run());
    for hold in [Hold::Paused, Hold::SourceMissing, Hold::Backoff { until: NOW }] {
        let other = state(Phase::Uploading, hold);
        assert_eq!(run(other, Input::Online), (other, vec![]));
    }
}

#[test]
fn a_changed_file_is_cleaned_up_and_goes_up_as_a_new_one() {
    let (next, effects) = run(state(Phase::Uploading, Hold::None), failed(Failure::SourceChanged));
    assert!(next.cleanup);
    assert_eq!(effects, [Effect::CleanUp]);
    let (next, effects) = run(next, Input::Retry);
    assert_eq!((next.hold, effects), (Hold::Cancelled, vec![Effect::AddAgain]));
    assert!(next.cleanup, "what was to be removed still is");
}

#[test]
fn a_pause_stops_and_a_resume_waits_for_its_turn() {
    let (paused, effects) = run(state(Phase::Uploading, Hold::None), Input::Pause);
    assert_eq!((paused.hold, effects), (Hold::Paused, vec![Effect::Stop]));
    let (late, effects) = run(paused, Input::Sent);
    assert_eq!((late.phase, late.hold), (Phase::Finishing, Hold::Paused));
    assert!(effects.is_empty(), "nothing runs while paused");
    assert!(run(late, Input::Resume).0.can_run());
}

#[test]
fn a_hold_ends_when_its_time_has_come_and_not_before() {
    let early = state(Phase::Uploading, Hold::Backoff { until: Timestamp(NOW.0 + 1) });
    assert_eq!(run(early, Input::Due).0, early);
    let due = state(Phase::Uploading, Hold::Backoff { until: NOW });
    assert_eq!(run(due, Input::Due).0.hold, Hold::None);
    // The clock was set back by an hour meanwhile.
    let ahead = state(Phase::Uploading, Hold::Backoff { until: Timestamp(NOW.0 + 3_600_000) });
    assert_eq!(run(ahead, Input::Due).0.hold, Hold::None);
}

#[test]
fn what_the_team_has_cannot_be_cancelled_or_paused() {
    for phase in [Phase::Processing, Phase::Ready] {
        for input in [Input::Cancel, Input::Pause] {
            let at = state(phase, Hold::None);
            assert_eq!(run(at, input), (at, vec![]));
        }
    }
}

#[test]
fn what_is_lost_before_it_is_put_together_goes_up_again() {
    let (again, effects) = run(state(Phase::Finishing, Hold::None), Input::Lost);
    assert_eq!((again.phase, again.hold), (Phase::Beginning, Hold::None));
    assert_eq!(effects, [Effect::ForgetSession, Effect::Run]);
    for phase in [Phase::Uploading, Phase::Processing, Phase::Ready] {
        assert_eq!(run(state(phase, Hold::None), Input::Lost).0.phase, phase);
    }
}

#[test]
fn a_video_that_could_not_be_processed_is_not_sent_again() {
    let failed = run(state(Phase::Processing, Hold::None), Input::ProcessingFailed).0;
    let (again, effects) = run(failed, Input::Retry);
    assert_eq!((again.phase, again.hold), (Phase::Processing, Hold::None));
    assert_eq!(effects, [Effect::ProcessAgain]);
}

fn any_failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::Transport(String::new())),
        Just(Failure::Stalled),
        Just(Failure::Busy { after: None }),
        Just(Failure::ServerFault { status: 500 }),
        Just(Failure::UrlExpired),
        Just(Failure::SessionGone),
        Just(Failure::PartDamaged),
        Just(Failure::SourceMissing),
        Just(Failure::SourceChanged),
        Just(Failure::Duplicate { of: UploadId::new() }),
        Just(Failure::Refused { code: Code::Refused, reason: String::new() }),
        Just(Failure::Refused { code: Code::SignedOut, reason: String::new() }),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Admitted),
        Just(Input::Registered),
        Just(Input::Opened),
        Just(Input::Progressed),
        Just(Input::Sent),
        Just(Input::Finished),
        Just(Input::BecamePlayable),
        Just(Input::ProcessingFailed),
        (any_failure(), 0_u16..=1000).prop_map(|(failure, luck)| Input::Failed { failure, luck }),
        Just(Input::Lost),
        Just(Input::Settled),
        Just(Input::Due),
        Just(Input::SourceBack),
        Just(Input::Connected),
        Just(Input::Online),
        Just(Input::Pause),
        Just(Input::Resume),
        Just(Input::Retry),
        Just(Input::Cancel),
        Just(Input::CleanedUp),
    ]
}

proptest! {
    #[test]
    fn invariants_hold_under_any_inputs(
        inputs in proptest::collection::vec((any_input(), 0_i64..100_000), 0..60)
    ) {
        let mut at = State::NEW;
        let mut now = NOW;
        for (input, passed) in inputs {
            now = Timestamp(now.0 + passed);
            let (next, effects) = step(at, input.clone(), now);
            let lost = input == Input::Lost
                && (at.phase, next.phase) == (Phase::Finishing, Phase::Beginning);
            prop_assert!(next.phase >= at.phase || lost, "a phase never goes back: {:?}", input);
            if at.hold == Hold::Cancelled {
                prop_assert_eq!(next.hold, Hold::Cancelled, "cancelled stays cancelled");
            }
            if effects.contains(&Effect::Run) {
                prop_assert!(next.can_run(), "only what may run is run");
            }
            if effects.contains(&Effect::CleanUp) {
                prop_assert!(next.cleanup, "a clean-up survives a crash");
                prop_assert!(at.phase < Phase::Processing, "what the team has is never removed");
            }
            if next.phase == Phase::Ready {
                prop_assert_eq!(next.hold, Hold::None);
            }
            at = next;
        }
    }
}
