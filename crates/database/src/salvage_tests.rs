#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::collections::HashMap;
use std::path::PathBuf;

use super::*;
use crate::{Database, M, Migrations};

const SCHEMA: &str = "CREATE TABLE parents (id TEXT PRIMARY KEY, words TEXT NOT NULL,
        first TEXT GENERATED ALWAYS AS (substr(words, 1, 1)) STORED) STRICT;
    CREATE INDEX parents_by_first ON parents (first);
    CREATE TABLE children (parent TEXT NOT NULL REFERENCES parents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL, words TEXT NOT NULL, PRIMARY KEY (parent, number))
        STRICT, WITHOUT ROWID;";
const PARENTS: i64 = 1500;
const PAGE: usize = 4096;

fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(SCHEMA)])
}

fn whole(folder: &Path) -> PathBuf {
    let path = folder.join("whole.db");
    drop(Database::open(&path, &migrations()).unwrap());
    let connection = Connection::open(&path).unwrap();
    let transaction = connection.unchecked_transaction().unwrap();
    for number in 0..PARENTS {
        let (id, words) = (format!("p{number:05}"), format!("word {number} ").repeat(9));
        connection
            .execute("INSERT INTO parents (id, words) VALUES (?1, ?2)", (&id, words))
            .unwrap();
        for child in 0..number % 4 {
            let values = (&id, child, format!("child {child} of {id}"));
            connection.execute("INSERT INTO children VALUES (?1, ?2, ?3)", values).unwrap();
        }
    }
    transaction.commit().unwrap();
    path
}

/// Rows that a question for each of them alone still gives.
fn readable(wreck: &Path) -> (HashMap<String, String>, HashMap<(String, i64), String>) {
    let connection = open::reader(wreck).unwrap();
    let (mut parents, mut children) = (HashMap::new(), HashMap::new());
    let Ok(mut one) = connection.prepare("SELECT id, words FROM parents WHERE rowid = ?1") else {
        return (parents, children);
    };
    for rowid in 1..=PARENTS {
        let row = one.query_row([rowid], |row| Ok((row.get(0)?, row.get(1)?)));
        parents.extend(row.ok());
    }
    let child = "SELECT words FROM children WHERE parent = ?1 AND number = ?2";
    if let Ok(mut one) = connection.prepare(child) {
        for parent in parents.keys() {
            for number in 0..4 {
                let words: Option<String> = one.query_row((parent, number), |row| row.get(0)).ok();
                // One whose key was changed is another one's now.
                let own = words.filter(|words| *words == format!("child {number} of {parent}"));
                children.extend(own.map(|words| ((parent.clone(), number), words)));
            }
        }
    }
    (parents, children)
}

/// Overwrites some pages with anything, or changes single bytes.
fn damage(bytes: &mut [u8], luck: &mut Luck) {
    let pages = bytes.len() / PAGE;
    for _ in 0..=luck.below(6) {
        // The first page is another case: without it nothing can be read.
        let page = &mut bytes[PAGE * (1 + luck.below(pages - 1))..][..PAGE];
        match luck.below(3) {
            0 => page.fill(0),
            1 => page.iter_mut().for_each(|byte| *byte = luck.byte()),
            _ => (0..=luck.below(40)).for_each(|_| page[luck.below(PAGE)] ^= luck.byte() | 1),
        }
    }
}

/// Numbers that are the same for the same seed: <https://prng.di.unimi.it/splitmix64.c>.
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

#[test]
fn whatever_is_damaged_nothing_that_can_be_read_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let original = std::fs::read(whole(folder.path())).unwrap();
    let (mut lost_some, mut asked, mut missed) = (0, 0, 0);
    for seed in 0..120 {
        let mut bytes = original.clone();
        damage(&mut bytes, &mut Luck(seed));
        let path = folder.path().join(format!("{seed}.db"));
        std::fs::write(&path, &bytes).unwrap();
        let (parents, children) = readable(&path);

        let mut to = Connection::open_in_memory().unwrap();
        to.pragma_update(None, "foreign_keys", true).unwrap();
        migrations().to_latest(&mut to).unwrap();
        let salvaged = Wreck::open(&path).unwrap().copy(&to).unwrap();
        let has = |sql: &str, key: &[&dyn rusqlite::ToSql]| -> Option<String> {
            to.query_row(sql, key, |row| row.get(0)).optional().unwrap()
        };
        for (id, words) in &parents {
            let found = has("SELECT words FROM parents WHERE id = ?1", &[id]);
            assert!(found.is_some(), "seed {seed}: {id} could be read ({words})");
        }
        for ((parent, number), words) in &children {
            let sql = "SELECT words FROM children WHERE parent = ?1 AND number = ?2";
            let found = has(sql, &[parent, number]);
            // On a page whose order is broken, one may be found by its whole key and by nothing
            // else. Nobody knows all keys; but that something is lost is known.
            let told = found.is_some() || salvaged.some_lost;
            assert!(told, "seed {seed}: {parent} {number} is lost in silence ({words})");
            asked += 1;
            missed += u32::from(found.is_none());
        }
        let count: i64 = to.query_row("SELECT count(*) FROM parents", [], |r| r.get(0)).unwrap();
        assert!(count >= PARENTS || salvaged.some_lost, "seed {seed}: lost in silence");
        lost_some += usize::from(count < PARENTS);
        std::fs::remove_file(path).unwrap();
    }
    assert!(missed * 1000 < asked, "{missed} of {asked} were missed");
    assert!(lost_some > 20, "hardly anything was damaged: {lost_some}");
}

#[test]
fn what_is_whole_is_copied_whole_and_what_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = whole(folder.path());
    let mut to = Connection::open_in_memory().unwrap();
    migrations().to_latest(&mut to).unwrap();
    to.execute("INSERT INTO parents (id, words) VALUES ('p00007', 'mine')", []).unwrap();
    let salvaged = Wreck::open(&path).unwrap().copy(&to).unwrap();
    assert!(!salvaged.some_lost);
    let count = |sql: &str| -> i64 { to.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM parents"), PARENTS);
    assert_eq!(count("SELECT count(*) FROM children"), (0..PARENTS).map(|n| n % 4).sum::<i64>());
    assert_eq!(count("SELECT count(*) FROM parents WHERE words = 'mine'"), 1);
}

#[test]
fn a_file_without_a_head_gives_nothing_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    for bytes in [vec![], vec![b'x'; 3], vec![7; 3 * PAGE]] {
        std::fs::write(&path, bytes).unwrap();
        let mut to = Connection::open_in_memory().unwrap();
        migrations().to_latest(&mut to).unwrap();
        if let Ok(wreck) = Wreck::open(&path) {
            let salvaged = wreck.copy(&to).unwrap();
            assert!(salvaged.some_lost && salvaged.rows == 0, "{salvaged:?}");
        }
    }
}
