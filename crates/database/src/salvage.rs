//! What can still be read of a damaged file, table by table.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use crate::{DatabaseError, open};

/// Rowids in a row that are tried one by one where nothing can be read, before greater steps.
const ONE_BY_ONE: u32 = 100_000;
/// Gaps between rowids that are remembered.
const GAPS: usize = 10_000;
/// Rows that fit on a page at the most. A damaged tree can lead in circles; this ends them.
const ROWS_ON_A_PAGE: u64 = 2_000;

/// A damaged file that is only read.
#[derive(Debug)]
pub struct Wreck {
    connection: Connection,
    most_rows: u64,
}

/// What was read of a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Rows that are in the other database now and were not before.
    pub rows: u64,
    /// Some rows could not be read, or were none of their table's.
    pub some_lost: bool,
}

/// A table of the database that is written to.
struct Table {
    name: String,
    columns: Vec<String>,
    has_rowid: bool,
    /// The column that refers to another table, that table, and its column.
    parent: Option<(String, String, String)>,
}

impl Wreck {
    /// Opens a damaged file. Nothing is written to it.
    ///
    /// # Errors
    /// Where not even its head can be read: then nothing of it can.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let connection = open::reader(path)?;
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let most_rows = pages.cast_unsigned().saturating_mul(ROWS_ON_A_PAGE);
        Ok(Self { connection, most_rows })
    }

    /// How many migrations had been applied to it.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn version(&self) -> Result<usize, DatabaseError> {
        let version: i64 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        usize::try_from(version).map_err(|_| DatabaseError::Damaged("its version".into()))
    }

    /// Copies what can be read of every table into the table of the same name in `to`, which is of
    /// the same version. What is there already stays as it is.
    ///
    /// # Errors
    /// Of `to`.
    pub fn copy(&self, to: &Connection) -> Result<Salvaged, DatabaseError> {
        let mut all = Salvaged::default();
        let mut tables = tables(to)?;
        // What others refer to comes first.
        tables.sort_by_key(|table| table.parent.is_some());
        for table in &tables {
            let found = self.copy_table(table, to)?;
            all.rows += found.rows;
            all.some_lost |= found.some_lost;
        }
        Ok(all)
    }

    fn copy_table(&self, table: &Table, to: &Connection) -> Result<Salvaged, DatabaseError> {
        let columns = table.columns.join(", ");
        let holes = vec!["?"; table.columns.len()].join(", ");
        let name = &table.name;
        let insert = format!("INSERT OR IGNORE INTO {name} ({columns}) VALUES ({holes})");
        let mut insert = to.prepare(&insert)?;
        let mut found = Salvaged::default();
        let mut refused = 0;
        let mut put = |row: &Row<'_>, first: usize| {
            let values = (first..first + table.columns.len()).map(|column| row.get(column));
            match values.collect::<rusqlite::Result<Vec<Value>>>() {
                Ok(values) => match insert.execute(params_from_iter(values)) {
                    Ok(written) => found.rows += written as u64,
                    Err(_) => refused += 1,
                },
                Err(_) => refused += 1,
            }
        };
        let mut read = 0;
        let mut put = |row: &Row<'_>, first: usize| {
            read += 1;
            put(row, first);
        };
        let complete = if table.has_rowid {
            self.by_rowid(name, &columns, &mut put)
        } else {
            self.by_key(table, &columns, to, &mut put)?
        };
        // A page may have forgotten some of its rows and look whole; an index has not.
        let count = format!("SELECT count(*) FROM {name}");
        let count = self.connection.query_row(&count, [], |row| row.get::<_, i64>(0));
        let whole = count.is_ok_and(|count| count == read);
        found.some_lost = !complete || !whole || refused > 0;
        Ok(found)
    }

    /// Reads a table from its beginning, and past each place where it cannot be read. A row that
    /// pretends to be another one misleads about what comes after it: then the gaps are looked
    /// into, too.
    fn by_rowid(&self, name: &str, columns: &str, put: &mut dyn FnMut(&Row<'_>, usize)) -> bool {
        let sql = format!("SELECT rowid, {columns} FROM {name} WHERE rowid >= ?1 ORDER BY rowid");
        let Ok(mut statement) = self.connection.prepare(&sql) else { return false };
        let (mut from, mut complete, mut in_vain) = (0_i64, true, 0_u32);
        let (mut gaps, mut rows_left) = (Vec::new(), self.most_rows);
        'table: loop {
            let Ok(mut rows) = statement.query([from]) else { return false };
            while let Some(less) = rows_left.checked_sub(1) {
                match rows.next() {
                    Ok(None) => break 'table,
                    Ok(Some(row)) => {
                        rows_left = less;
                        put(row, 1);
                        let rowid = row.get(0).unwrap_or(i64::MIN);
                        if rowid < from {
                            complete = false;
                            continue;
                        }
                        if rowid > from && gaps.len() < GAPS {
                            gaps.push(from..rowid);
                        }
                        in_vain = 0;
                        let Some(next) = rowid.checked_add(1) else { break 'table };
                        from = next;
                    }
                    Err(_) => break,
                }
            }
            complete = false;
            in_vain += 1;
            let step = 1_i64.checked_shl(in_vain.saturating_sub(ONE_BY_ONE)).unwrap_or(i64::MAX);
            match from.checked_add(step.max(1)) {
                Some(next) if rows_left > 0 && in_vain < ONE_BY_ONE + 62 => from = next,
                _ => break,
            }
        }
        if !complete {
            let one = format!("SELECT rowid, {columns} FROM {name} WHERE rowid = ?1");
            let Ok(mut one) = self.connection.prepare(&one) else { return false };
            for rowid in gaps.into_iter().flatten().take(ONE_BY_ONE as usize * 10) {
                if let Ok(mut rows) = one.query([rowid])
                    && let Ok(Some(row)) = rows.next()
                {
                    put(row, 1);
                }
            }
        }
        complete
    }

    /// Reads a table from both ends, and what lies between by the rows that its own refer to.
    fn by_key(
        &self,
        table: &Table,
        columns: &str,
        to: &Connection,
        put: &mut dyn FnMut(&Row<'_>, usize),
    ) -> Result<bool, DatabaseError> {
        let Table { name, parent, .. } = table;
        let key = key(to, name)?;
        let (up, down) = (key.join(", "), key.join(" DESC, "));
        if self.all(&format!("SELECT {columns} FROM {name} ORDER BY {up}"), None, put) {
            return Ok(true);
        }
        self.all(&format!("SELECT {columns} FROM {name} ORDER BY {down} DESC"), None, put);
        let Some((column, parent, referred)) = parent else { return Ok(false) };
        let position = table.columns.iter().position(|name| name == column).unwrap_or_default();
        let mut next = to.prepare(&format!(
            "SELECT min({referred}) FROM {parent} WHERE ?1 IS NULL OR {referred} > ?1"
        ))?;
        let on = format!("SELECT {columns} FROM {name} WHERE {column} >= ?1 ORDER BY {up}");
        let of_one = format!("SELECT {columns} FROM {name} WHERE {column} = ?1 ORDER BY {up}");
        // On from where it broke off, past each place where it cannot be read …
        let mut from: Value = next.query_row([Value::Null], |row| row.get(0))?;
        while from != Value::Null {
            let mut last = from.clone();
            let mut seen = |row: &Row<'_>, first: usize| {
                put(row, first);
                last = row.get(first + position).unwrap_or(Value::Null);
            };
            if self.all(&on, Some(from.clone()), &mut seen) {
                break;
            }
            let after: Value = next.query_row([&from], |row| row.get(0))?;
            let past: Value = next.query_row([&last], |row| row.get(0))?;
            // What leads back is damaged, too.
            let leads_on = to.query_row("SELECT ?1 >= ?2", [&past, &after], |row| row.get(0));
            from = if leads_on.unwrap_or(false) { past } else { after };
        }
        // … and, where that misled, row by row of the other table.
        let mut parents = to.prepare(&format!("SELECT {referred} FROM {parent}"))?;
        let mut parents = parents.query([])?;
        while let Some(parent) = parents.next()? {
            self.all(&of_one, Some(parent.get(0)?), put);
        }
        Ok(false)
    }

    /// Whether all that a query has could be read.
    fn all(&self, sql: &str, of: Option<Value>, put: &mut dyn FnMut(&Row<'_>, usize)) -> bool {
        let Ok(mut statement) = self.connection.prepare_cached(sql) else { return false };
        let Ok(mut rows) = statement.query(params_from_iter(of)) else { return false };
        for _ in 0..self.most_rows {
            match rows.next() {
                Ok(Some(row)) => put(row, 0),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        false
    }
}

fn tables(of: &Connection) -> Result<Vec<Table>, DatabaseError> {
    let mut names = of.prepare(
        "SELECT name, wr FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut tables = Vec::new();
    for named in names {
        let (name, without_rowid): (String, bool) = named?;
        let mut columns = of.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
        let columns = columns.query_map([&name], |row| identifier(row, 0))?;
        let columns = columns.collect::<Result<_, _>>()?;
        let mut parent = of.prepare(
            "SELECT [from], [table], [to] FROM pragma_foreign_key_list(?1)
             WHERE [to] IS NOT NULL LIMIT 1",
        )?;
        let parent = parent
            .query_row([&name], |row| {
                Ok((identifier(row, 0)?, identifier(row, 1)?, identifier(row, 2)?))
            })
            .optional()?;
        let name = format!("[{name}]");
        tables.push(Table { name, columns, has_rowid: !without_rowid, parent });
    }
    Ok(tables)
}

/// A name that is nothing else to SQL. In double quotes, one that the wreck does not have would be
/// a text.
fn identifier(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(format!("[{}]", row.get::<_, String>(column)?))
}

/// The columns of a table's primary key, in order.
fn key(of: &Connection, name: &str) -> Result<Vec<String>, DatabaseError> {
    let mut columns =
        of.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let name = name.trim_matches(['[', ']']);
    let columns = columns.query_map([name], |row| identifier(row, 0))?;
    Ok(columns.collect::<Result<_, _>>()?)
}

#[cfg(test)]
#[path = "salvage_tests.rs"]
mod tests;
