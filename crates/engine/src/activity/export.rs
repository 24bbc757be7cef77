//! A file of what has ended, in a form that other programs read. It is written as it is read: its
//! length does not matter.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer as _};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::activity::{EndedView, Ending};
use crate::error::{Code, EngineError};
use crate::transfer::Timestamp;

/// What a cell begins with that a spreadsheet takes for a formula, also in the wide forms of East
/// Asian keyboards (OWASP, CSV injection).
const FORMULAS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "ExportForm"))]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// RFC 4180, in UTF-8 and marked as such: spreadsheets take it for an old encoding otherwise.
    Csv,
    /// One array of objects.
    Json,
}

/// A file that is being written, beside the place where it is to be.
pub(super) struct Sheet {
    place: PathBuf,
    form: Form,
    file: BufWriter<NamedTempFile>,
    empty: bool,
}

/// All that is said of an upload, by the names that the file has for it.
fn cells(view: &EndedView) -> [(&'static str, Value); 17] {
    let receipt = view.receipt.as_ref();
    let (ending, reason) = match view.ending {
        Ending::Uploaded => ("uploaded", Value::Null),
        Ending::Cancelled => ("cancelled", Value::Null),
        Ending::Failed { code } => ("failed", json!(code)),
    };
    [
        ("ended_at", time(view.ended_at)),
        ("ending", ending.into()),
        ("reason", reason),
        ("title", view.title.clone().into()),
        ("path", view.path.clone().into()),
        ("size", view.size.into()),
        ("team", view.destination.team.clone().into()),
        ("project", view.destination.project.clone().into()),
        ("server", view.server.clone().into()),
        ("video_id", receipt.and_then(|receipt| receipt.video_id.clone()).into()),
        ("crc64nvme", receipt.map(|receipt| receipt.checksum.clone()).into()),
        ("storage_key", receipt.map(|receipt| receipt.key.clone()).into()),
        ("parts", receipt.map(|receipt| receipt.parts).into()),
        ("retries", receipt.map(|receipt| receipt.retries).into()),
        ("added_at", time(view.added_at)),
        ("began_at", receipt.and_then(|receipt| receipt.began_at).map_or(Value::Null, time)),
        ("upload_id", view.upload_id.to_string().into()),
    ]
}

/// A line by RFC 4180. Spreadsheets run what begins like a formula, and names of files and projects
/// are anybody's: such a text gets an apostrophe, which they do not show.
fn csv_line<'a>(cells: impl Iterator<Item = &'a Value>) -> String {
    let in_form = |cell: &Value| match cell {
        Value::Null => String::new(),
        Value::String(text) => {
            let apostrophe = if text.starts_with(FORMULAS) { "'" } else { "" };
            if text.contains(['"', ',', ';', '\r', '\n']) {
                format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
            } else {
                format!("{apostrophe}{text}")
            }
        }
        number => number.to_string(),
    };
    let mut line = cells.map(in_form).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// In UTC, as RFC 3339 has it; nothing for a time that no calendar has.
fn time(at: Timestamp) -> Value {
    jiff::Timestamp::from_millisecond(at.0).map_or(Value::Null, |at| at.to_string().into())
}

impl Sheet {
    /// Blocks.
    pub(super) fn begin(place: PathBuf, form: Form) -> io::Result<Self> {
        let folder = place.parent().unwrap_or(Path::new("."));
        let mut file = BufWriter::new(NamedTempFile::new_in(folder)?);
        file.write_all(match form {
            Form::Csv => "\u{feff}".as_bytes(),
            Form::Json => b"[",
        })?;
        Ok(Self { place, form, file, empty: true })
    }

    /// Blocks.
    pub(super) fn add(mut self, page: &[EndedView]) -> io::Result<Self> {
        for cells in page.iter().map(cells) {
            let first = std::mem::take(&mut self.empty);
            match self.form {
                Form::Csv => {
                    if first {
                        let names = cells.each_ref().map(|(name, _)| json!(name));
                        self.file.write_all(csv_line(names.iter()).as_bytes())?;
                    }
                    let line = csv_line(cells.iter().map(|(_, cell)| cell));
                    self.file.write_all(line.as_bytes())?;
                }
                Form::Json => {
                    self.file.write_all(if first { b"\n" } else { b",\n" })?;
                    let mut object = serde_json::Serializer::new(&mut self.file);
                    object.collect_map(cells.iter().map(|(name, cell)| (name, cell)))?;
                }
            }
        }
        Ok(self)
    }

    /// Puts the file in its place. Blocks.
    pub(super) fn end(mut self) -> io::Result<()> {
        if self.form == Form::Json {
            self.file.write_all(b"\n]\n")?;
        }
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(self.place)?;
        Ok(())
    }
}

/// Does a piece of writing where it may block.
pub(super) async fn write<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, EngineError> {
    let refused =
        |error: String| EngineError::new(Code::LocalStorage, format!("not written: {error}"));
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| refused(error.to_string())),
        Err(error) => Err(refused(error.to_string())),
    }
}
