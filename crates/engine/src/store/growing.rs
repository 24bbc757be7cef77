//! Uploads of files that are still being written.

use dailies_database::DatabaseError;

use crate::store::uploads::some;
use crate::store::{Store, Upload};

impl Store {
    /// Those that have not ended.
    ///
    /// # Errors
    /// Of the database.
    pub async fn growing(&self) -> Result<Vec<Upload>, DatabaseError> {
        self.read(|c| {
            let condition = "WHERE growth = 'growing' AND list <> 'done' ORDER BY id";
            Ok(some(c, condition, [])?.into_iter().map(|(row, _)| row).collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use crate::census::{Census, Share};
    use crate::store::tests::{receipt, upload};
    use crate::store::{Registration, Session, SessionKind, Store, Upload, Written};
    use crate::transfer::{Growth, Phase, State, Timestamp};
    use crate::view::Totals;

    fn session(part_count: u32, upload_id: &str) -> Session {
        let kind = SessionKind::Multipart {
            upload_id: upload_id.into(),
            part_size: 2,
            part_count,
            signs_checksums: true,
        };
        Session { key: "k".into(), kind }
    }

    /// What was confirmed while a file grew counts when its size is known, in the same upload on the
    /// other side only; and more may be confirmed than the file had when it was found.
    #[tokio::test]
    async fn a_recording_keeps_its_parts_when_it_is_given_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("queue.db")).unwrap();
        let growing = Upload { growth: Some(Growth::Growing), ..upload(folder.path()) };
        store.insert(vec![growing.clone()]).await.unwrap();
        let state = State { phase: Phase::Uploading, ..State::NEW };
        let sent = Upload {
            state,
            registration: Registration::Done,
            session: Some(session(100, "m")),
            ..growing
        };
        store.update(vec![Written::only(sent.clone(), Timestamp(2))]).await.unwrap();
        for number in [2, 3, 4] {
            store.keep(sent.id, receipt(number)).await.unwrap();
        }
        let listed = store.growing().await.unwrap();
        assert_eq!((listed.len(), listed[0].growth), (1, Some(Growth::Growing)));
        let rows = store.uploads(vec![sent.id]).await.unwrap();
        assert!(rows[0].1 > rows[0].0.fingerprint.size);
        let mut census = Census::new(store.tallies().await.unwrap());
        census.take(Share::of(&rows[0].0, rows[0].1));
        assert_eq!(census.totals(), Totals::default(), "what was counted is all there is");

        let sized = Upload { rev: 1, session: Some(session(4, "m")), growth: None, ..sent.clone() };
        assert!(sized.has_session_of(&sent));
        assert!(!Upload { session: Some(session(4, "n")), ..sent.clone() }.has_session_of(&sent));
        let written = Written::only(sized, Timestamp(3));
        store.update(vec![written]).await.unwrap();
        assert_eq!(store.receipts(sent.id).await.unwrap().len(), 3);
        assert!(store.growing().await.unwrap().is_empty());
    }
}
