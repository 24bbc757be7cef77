//! Whatever is done to videos in whatever order: the sums are those of the rows, and no team is
//! above a quota that it was not above before.

use proptest::prelude::*;

use super::*;
use crate::db::projects::{self, NewProject};
use crate::db::teams::{self, NewTeam};
use crate::db::videos::transitions::{self, Beginning, StoredOriginal};
use crate::db::videos::{self, NewVideo, OpenMultipart, Original, idle};
use crate::db::{migrations, users};

const QUOTA: u64 = 100;

#[derive(Clone, Debug)]
enum Step {
    Create { video: u8, project: u8, size: Option<u64> },
    Begin { video: u8, size: Option<u64>, multipart: bool },
    BeginDirect { video: u8, size: u64 },
    DirectArrived { video: u8 },
    DirectEnded { video: u8 },
    MakeMediaAgain,
    Reserve { video: u8, size: u64 },
    CloseMultipart { video: u8 },
    Complete { video: u8, size: u64 },
    MediaRefused { video: u8 },
    Abandon { video: u8 },
    Expire { video: u8 },
    Move { video: u8, project: u8 },
    Remove { video: u8 },
    SetQuota { bytes: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let video = || 0..6_u8;
    let project = || 0..3_u8;
    let size = || 1..70_u64;
    let any_size = || prop::option::of(size());
    prop_oneof![
        4 => (video(), project(), any_size())
            .prop_map(|(video, project, size)| Step::Create { video, project, size }),
        4 => (video(), any_size(), any::<bool>())
            .prop_map(|(video, size, multipart)| Step::Begin { video, size, multipart }),
        3 => (video(), size()).prop_map(|(video, size)| Step::BeginDirect { video, size }),
        3 => video().prop_map(|video| Step::DirectArrived { video }),
        1 => video().prop_map(|video| Step::DirectEnded { video }),
        1 => Just(Step::MakeMediaAgain),
        2 => (video(), size()).prop_map(|(video, size)| Step::Reserve { video, size }),
        2 => video().prop_map(|video| Step::CloseMultipart { video }),
        4 => (video(), size()).prop_map(|(video, size)| Step::Complete { video, size }),
        1 => video().prop_map(|video| Step::MediaRefused { video }),
        2 => video().prop_map(|video| Step::Abandon { video }),
        1 => video().prop_map(|video| Step::Expire { video }),
        1 => (video(), project()).prop_map(|(video, project)| Step::Move { video, project }),
        1 => video().prop_map(|video| Step::Remove { video }),
        1 => (20..150_u64).prop_map(|bytes| Step::SetQuota { bytes }),
    ]
}

fn scene() -> Connection {
    let mut connection = Connection::open_in_memory().expect("memory");
    migrations().to_latest(&mut connection).expect("migrations apply");
    users::insert(&connection, "u", "U", 0).expect("a user");
    for (team, ids) in [("s", ["0", "1"].as_slice()), ("t", &["2"])] {
        let new = NewTeam { id: team, name: team, slug: team };
        teams::insert(&connection, &new, 0).expect("a team");
        for id in ids {
            let project = NewProject { id, team_id: team, parent_id: None, name: "P" };
            projects::insert(&connection, &project, 0).expect("a project");
        }
    }
    set_default(&connection, Some(QUOTA)).expect("a quota");
    connection
}

/// Like a caller: in a savepoint, and what is refused leaves nothing.
fn take(connection: &Connection, step: &Step, n: usize) -> Result<(), DatabaseError> {
    connection.execute_batch("SAVEPOINT step")?;
    let result = take_in(connection, step, n);
    let end = if result.is_ok() { "RELEASE step" } else { "ROLLBACK TO step; RELEASE step" };
    connection.execute_batch(end)?;
    result
}

fn take_in(connection: &Connection, step: &Step, n: usize) -> Result<(), DatabaseError> {
    let row = |video: &u8| videos::get(connection, &video.to_string());
    let sql = |sql: &str, video: &u8, value: &str| {
        connection.execute(sql, params![video.to_string(), value]).map(drop)
    };
    match step {
        Step::Create { video, project, size } => {
            if row(video)?.is_some() {
                return Ok(());
            }
            let video = NewVideo {
                id: video.to_string(),
                project_id: project.to_string(),
                uploader_id: "u".into(),
                uploader_name: "U".into(),
                title: "t".into(),
                description: None,
                public_id: format!("{n:022}"),
                file_size: *size,
                content_type: None,
            };
            videos::insert(connection, &video, 0)
        }
        Step::Begin { video, size, multipart } => {
            let Some(seen) = row(video)? else { return Ok(()) };
            let open = OpenMultipart {
                upload_id: format!("m{n}"),
                part_size: 5,
                part_count: 2,
                grows: false,
            };
            let beginning = Beginning {
                original: Original::Stored(format!("k{n}")),
                file_size: *size,
                content_type: None,
                multipart: (*multipart && size.is_some()).then_some(open),
            };
            transitions::begin_upload(connection, &seen, &beginning, 0)
        }
        Step::BeginDirect { video, size } => {
            let Some(seen) = row(video)? else { return Ok(()) };
            let beginning = Beginning {
                original: Original::Direct(format!("d{n}")),
                file_size: Some(*size),
                content_type: None,
                multipart: None,
            };
            transitions::begin_upload(connection, &seen, &beginning, 0)
        }
        Step::DirectArrived { video } => {
            let Some(Original::Direct(id)) = row(video)?.and_then(|row| row.original) else {
                return Ok(());
            };
            let asset = format!("a{n}");
            transitions::direct_arrived(connection, &video.to_string(), &id, &asset, 0)?;
            let (video, duration) = (video.to_string(), Some(1.0));
            transitions::asset_ready(connection, &video, &asset, "p", duration).map(drop)
        }
        Step::DirectEnded { video } => {
            let Some(Original::Direct(id)) = row(video)?.and_then(|row| row.original) else {
                return Ok(());
            };
            transitions::direct_ended(connection, &video.to_string(), &id, "no", 0).map(drop)
        }
        Step::MakeMediaAgain => {
            transitions::make_media_again(connection)?;
            let playable = "SELECT count(*) FROM videos WHERE status = 'ready'";
            let playable: i64 = connection.query_row(playable, [], |row| row.get(0))?;
            assert_eq!(playable, 0, "nothing can be played without its renditions");
            Ok(())
        }
        Step::Reserve { video, size } => reserve(connection, &video.to_string(), *size),
        Step::CloseMultipart { video } => {
            let Some(open) = row(video)?.and_then(|row| row.multipart) else { return Ok(()) };
            transitions::close_multipart(connection, &video.to_string(), &open.upload_id, 0)
        }
        Step::Complete { video, size } => {
            let Some(Original::Stored(key)) = row(video)?.and_then(|row| row.original) else {
                return Ok(());
            };
            let (size, content_type) = (*size, "video/mp4".into());
            let original = StoredOriginal { key, size, content_type, crc64nvme: None };
            transitions::start_processing(connection, &video.to_string(), &original, 0)
        }
        Step::MediaRefused { video } => {
            transitions::media_refused(connection, &video.to_string(), "no").map(drop)
        }
        Step::Abandon { video } => {
            let Some(seen) = row(video)? else { return Ok(()) };
            transitions::abandon(connection, &seen, "cancelled", 0)
        }
        Step::Expire { video } => {
            let Some(seen) = row(video)? else { return Ok(()) };
            idle::expire(connection, &seen, 0, "idle", 0).map(drop)
        }
        Step::Move { video, project } => {
            let place = "UPDATE videos SET project_id = ?2 WHERE id = ?1";
            Ok(sql(place, video, &project.to_string())?)
        }
        Step::Remove { video } => {
            Ok(sql("DELETE FROM videos WHERE id = ?1 OR ?2 = 'all'", video, "")?)
        }
        Step::SetQuota { bytes } => set_default(connection, Some(*bytes)),
    }
}

fn totals(connection: &Connection) -> Vec<i64> {
    let mut totals = connection
        .prepare("SELECT reserved + used FROM team_storage ORDER BY team_id")
        .expect("a query");
    let totals = totals.query_map([], |row| row.get(0)).expect("rows");
    totals.collect::<Result<_, _>>().expect("sums")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sums_are_those_of_the_rows(steps in prop::collection::vec(step(), 1..40)) {
        let connection = scene();
        let mut quota = QUOTA;
        for (n, step) in steps.iter().enumerate() {
            let before = totals(&connection);
            let result = take(&connection, step, n);
            if let Err(error) = &result {
                let refused = exceeded(error).is_some();
                prop_assert!(refused || matches!(error, DatabaseError::Stale), "{step:?}: {error:?}");
            }
            if let Step::SetQuota { bytes } = step {
                quota = *bytes;
            }
            prop_assert_eq!(wrong_sums(&connection).expect("a query"), Vec::<String>::new());
            for (before, after) in before.into_iter().zip(totals(&connection)) {
                prop_assert!(after <= before || after.unsigned_abs() <= quota, "{step:?}: {after}");
            }
        }
    }
}

#[test]
fn a_team_of_its_own_quota_is_told_what_is_free() {
    let connection = scene();
    connection
        .execute("UPDATE team_storage SET quota = 10 WHERE team_id = 't'", [])
        .expect("an update");
    let create = |video, size| {
        take(&connection, &Step::Create { video, project: 2, size: Some(size) }, video.into())
    };
    create(1, 6).expect("6 of 10");
    let refused = create(2, 5).expect_err("11 of 10");
    assert_eq!(exceeded(&refused), Some(4));
    create(3, 4).expect("10 of 10");
    set_default(&connection, None).expect("no default");
    take(&connection, &Step::Create { video: 4, project: 0, size: Some(1 << 50) }, 4)
        .expect("no limit for the other");
    assert_eq!(exceeded(&create(5, 1).expect_err("its own stays")), Some(0));
}

#[test]
fn a_lowered_quota_stops_nobody_from_finishing() {
    let connection = scene();
    take(&connection, &Step::Create { video: 1, project: 0, size: Some(60) }, 1)
        .expect("60 of 100");
    take(&connection, &Step::Begin { video: 1, size: Some(60), multipart: false }, 2)
        .expect("same");
    set_default(&connection, Some(50)).expect("lowered");
    take(&connection, &Step::Move { video: 1, project: 1 }, 3).expect("within the team");
    take(&connection, &Step::Complete { video: 1, size: 60 }, 4).expect("was promised");
    let more = take(&connection, &Step::Create { video: 2, project: 0, size: Some(1) }, 5);
    assert_eq!(more.as_ref().err().and_then(exceeded), Some(0));
}
