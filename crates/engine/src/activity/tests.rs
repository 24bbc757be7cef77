use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::clock::SystemClock;
use crate::store::Store;
use crate::store::ended_tests::{finished, held};
use crate::transfer::Event;
use crate::{EngineTask, Options, Profile};

async fn engine(folder: &Path) -> (EngineHandle, EngineTask) {
    let queue = Profile::queue(folder);
    crate::start(&queue, Arc::new(SystemClock), Options::default()).await.unwrap()
}

/// Finished ones, more than a page has, and one that was given up.
async fn past(folder: &Path, finished_ones: i64) {
    let store = Store::open(&Profile::queue(folder)).unwrap();
    for at in 0..finished_ones {
        finished(&store, folder, &format!("clip {at}.mov"), 1_700_000_000_000 + at).await;
    }
    let failed = (1_800_000_000_000, Hold::Failed { code: Code::EmptyFile }, Event::Retried);
    held(&store, folder, "=HYPERLINK(\"http://x\";\"ä\").mov", failed).await;
    store.close().await;
}

#[tokio::test]
async fn the_past_is_read_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    past(folder.path(), 130).await;
    let (handle, task) = engine(folder.path()).await;
    let first = handle.activity("", None).await.unwrap();
    assert_eq!(first.len(), PAGE);
    assert_eq!(first[0].ending, Ending::Failed { code: Code::EmptyFile });
    assert_eq!(first[1].title, "title of clip 129.mov");
    assert_eq!(first[1].ending, Ending::Uploaded);
    assert!(first[1].receipt.is_some() && first[1].listed);
    let rest = handle.activity("", first.last().map(EndedView::place)).await.unwrap();
    assert_eq!(rest.len(), 131 - PAGE);
    assert_eq!(rest.last().unwrap().title, "title of clip 0.mov");
    assert_eq!(handle.activity("clip 77", None).await.unwrap().len(), 1);
    handle.stop(task).await;
}

#[tokio::test]
async fn an_export_is_whole_or_not_there_and_runs_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    past(folder.path(), 2).await;
    let (handle, task) = engine(folder.path()).await;
    let out = tempfile::tempdir().unwrap();

    let path = out.path().join("activity.csv");
    assert_eq!(handle.export_activity("", Form::Csv, path.clone()).await.unwrap(), 3);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    assert!(text.starts_with("ended_at,ending,reason,title,path,"), "{text}");
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!((lines.len(), lines[4]), (5, ""));
    let failed = ",failed,empty_file,\"'=HYPERLINK(\"\"http://x\"\";\"\"ä\"\").mov\",\"";
    assert!(lines[1].contains(failed), "{}", lines[1]);
    assert!(lines[1].contains(",5,T,P,http://127.0.0.1:1/,,,,,,"), "{}", lines[1]);
    let uploaded = "2023-11-14T22:13:20.001Z,uploaded,,title of clip 1.mov,";
    assert!(lines[2].starts_with(uploaded), "{}", lines[2]);
    assert!(lines[2].contains(",video-1700000000001,"), "{}", lines[2]);

    let path = out.path().join("activity.json");
    std::fs::write(&path, "older").unwrap();
    assert_eq!(handle.export_activity("clip", Form::Json, path.clone()).await.unwrap(), 2);
    let json: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(json.len(), 2);
    assert_eq!(json[1]["title"], "title of clip 0.mov");
    assert_eq!(json[1]["video_id"], "video-1700000000000");
    assert_eq!((&json[1]["size"], &json[1]["reason"]), (&Value::from(5), &Value::Null));

    let all = out.path().join("all.json");
    handle.export_activity("", Form::Json, all.clone()).await.unwrap();
    let json: Vec<Value> = serde_json::from_slice(&std::fs::read(&all).unwrap()).unwrap();
    assert_eq!(json[0]["title"], "=HYPERLINK(\"http://x\";\"ä\").mov", "no spreadsheet reads it");

    // Nothing found is a file with nothing in it.
    assert_eq!(handle.export_activity("nowhere", Form::Json, path.clone()).await.unwrap(), 0);
    assert_eq!(
        serde_json::from_slice::<Vec<Value>>(&std::fs::read(&path).unwrap()).unwrap().len(),
        0
    );

    // What cannot be written leaves nothing behind.
    let taken = out.path().join("folder");
    std::fs::create_dir(&taken).unwrap();
    let refused = handle.export_activity("", Form::Csv, taken).await.unwrap_err();
    assert_eq!(refused.code, Code::LocalStorage);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 4);
    handle.stop(task).await;
}
