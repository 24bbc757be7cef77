//! Every protocol does what it must, whatever goes wrong: in memory, and at a real team server.

use dailies_engine::testing::Shape;
use e2e::conformance::{AtServer, InMemory, Kind, Side};

/// The scenarios that apply to a protocol, each as a test of its own.
macro_rules! conforms {
    ($row:ident: $side:expr; $($scenario:ident)*) => {
        mod $row {
            use super::*;

            $(#[tokio::test]
            async fn $scenario() {
                let side: Box<dyn Side> = Box::new($side.unwrap());
                e2e::conformance::$scenario(side.as_ref()).await.unwrap();
                side.strike().await.unwrap();
            })*
        }
    };
}

conforms! { memory_single: InMemory::new(Shape::Single);
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault a_damaged_part_is_sent_again finishing_again_changes_nothing
    failed_processing_is_told
}
conforms! { memory_parts: InMemory::new(Shape::Parts);
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault a_damaged_part_is_sent_again finishing_again_changes_nothing
    failed_processing_is_told resumes_after_a_restart goes_on_after_a_pause
    a_lost_session_is_opened_anew a_cancel_leaves_nothing
}
conforms! { memory_chunks: InMemory::new(Shape::Chunks);
    a_lost_confirmation_is_made_up_for whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault a_damaged_part_is_sent_again finishing_again_changes_nothing
    failed_processing_is_told resumes_after_a_restart goes_on_after_a_pause
    a_lost_session_is_opened_anew a_cancel_leaves_nothing
}
conforms! { memory_in_order: InMemory::new(Shape::InOrder);
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault finishing_again_changes_nothing failed_processing_is_told
    resumes_after_a_restart goes_on_after_a_pause a_lost_session_is_opened_anew
    a_cancel_leaves_nothing
}
conforms! { memory_form: InMemory::new(Shape::Form);
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault finishing_again_changes_nothing failed_processing_is_told
}

conforms! { video_actions: AtServer::new(Kind::Current).await;
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault a_damaged_part_is_sent_again finishing_again_changes_nothing
    failed_processing_is_told resumes_after_a_restart goes_on_after_a_pause
    a_lost_session_is_opened_anew a_cancel_leaves_nothing
}
// Nothing of it can be asked: what may have happened twice, has.
conforms! { video_actions_documented: AtServer::new(Kind::Documented).await;
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault
}
conforms! { chunked_sessions: AtServer::new(Kind::Chunked).await;
    a_lost_confirmation_is_made_up_for whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault a_damaged_part_is_sent_again finishing_again_changes_nothing
    resumes_after_a_restart goes_on_after_a_pause a_lost_session_is_opened_anew
    a_cancel_leaves_nothing
}
conforms! { mux_direct: AtServer::new(Kind::Direct).await;
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault finishing_again_changes_nothing failed_processing_is_told
    resumes_after_a_restart goes_on_after_a_pause a_lost_session_is_opened_anew
    a_cancel_leaves_nothing
}
conforms! { uploads_api: AtServer::new(Kind::Form).await;
    whole_path every_request_is_lost every_answer_is_lost every_call_meets_a_busy_server
    every_call_meets_a_fault finishing_again_changes_nothing failed_processing_is_told
}

#[tokio::test]
async fn any_mix_of_faults_is_got_over() {
    let shapes = [Shape::Single, Shape::Parts, Shape::Chunks, Shape::InOrder, Shape::Form];
    let mut running = tokio::task::JoinSet::new();
    for (seed, shape) in (0..12).flat_map(|seed| shapes.map(|shape| (seed, shape))) {
        running.spawn(async move {
            let side = InMemory::new(shape).unwrap();
            let met = e2e::conformance::meets_a_mix_of_faults(&side, seed).await;
            met.map_err(|error| error.context(format!("{shape:?}")))
        });
    }
    while let Some(met) = running.join_next().await {
        met.unwrap().unwrap();
    }
}

/// The other side keeps less than was sent, again and again: what it says decides.
#[tokio::test]
async fn less_is_kept_than_was_sent() {
    let side = InMemory::new(Shape::InOrder).unwrap();
    side.memory().keep_only(1000);
    e2e::conformance::whole_path(&side).await.unwrap();
}
