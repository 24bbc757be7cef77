//! People of every role in the first team, the owner of another, and one more member to be acted on.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::{Client, Server, code};

/// User and key alike, with the role in the first team.
const ROLES: [(&str, &str); 5] = [
    ("owner", "owner"),
    ("admin", "admin"),
    ("member", "member"),
    ("viewer", "viewer"),
    ("target", "member"),
];
/// Owner of the other team, `other`, with its project, `theirs`.
pub(crate) const STRANGER: &str = "stranger";

pub(crate) struct People {
    team: String,
    data: std::path::PathBuf,
    plain: Client,
}

impl People {
    pub(crate) fn come(server: &Server) -> Self {
        let team = server.credentials.team_id.clone();
        let people = Self {
            team: team.clone(),
            data: server.data.path().join("team.db"),
            plain: server.client_with(None),
        };
        let connection = people.database();
        connection
            .execute_batch(
                "INSERT INTO teams (id, name, slug, created_at) VALUES ('other', 'Other', 'other', 0);
                 INSERT INTO projects (id, team_id, name, created_at)
                     VALUES ('theirs', 'other', 'Theirs', 0);
                 INSERT INTO users (id, name, created_at) VALUES ('stranger', 'Sam', 0);
                 INSERT INTO members (team_id, user_id, role) VALUES ('other', 'stranger', 'owner');",
            )
            .unwrap();
        for (user, _) in ROLES {
            let sql = "INSERT INTO users (id, name, created_at) VALUES (?1, ?1, 0)";
            connection.execute(sql, [user]).unwrap();
        }
        people.restore();
        for (user, role) in ROLES {
            people.key(user, user, &team, role);
        }
        people.key(STRANGER, STRANGER, "other", "owner");
        people
    }

    /// An API key: `sk-{name}`.
    pub(crate) fn key(&self, name: &str, user: &str, team: &str, role: &str) {
        let hash: [u8; 32] = Sha256::digest(format!("sk-{name}").as_bytes()).into();
        let sql = "INSERT INTO api_keys (id, hash, user_id, team_id, role, created_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, 0)";
        let values = rusqlite::params![name, hash, user, team, role];
        self.database().execute(sql, values).unwrap();
    }

    pub(crate) fn client(&self, name: &str) -> Client {
        Client { key: Some(format!("sk-{name}")), ..self.plain.clone() }
    }

    pub(crate) fn nobody(&self) -> Client {
        self.plain.clone()
    }

    /// Everybody is again what they were.
    pub(crate) fn restore(&self) {
        let connection = self.database();
        let gone = "DELETE FROM members WHERE team_id = ?1 AND user_id = 'stranger'";
        connection.execute(gone, [&self.team]).unwrap();
        for (user, role) in ROLES {
            let sql = "INSERT INTO members (team_id, user_id, role) VALUES (?1, ?2, ?3)
                       ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role";
            connection.execute(sql, [&self.team, user, role]).unwrap();
        }
        // Whoever has left has no key any more.
        let alive = "UPDATE api_keys SET revoked_at = NULL WHERE team_id = ?1 AND id <> 'revoked'";
        connection.execute(alive, [&self.team]).unwrap();
    }

    pub(crate) fn database(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(&self.data).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection
    }
}

/// Code and field of a refusal.
pub(crate) fn refusal(result: Result<Value, Value>) -> (String, String) {
    let error = result.expect_err("a refusal");
    (code(&error).to_owned(), error["field"].as_str().unwrap_or_default().to_owned())
}
