//! Another side in memory, that takes bytes in each of the ways in which protocols do.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http_body::Body as _;
use url::Url;

use crate::error::Code;
use crate::net::SignedUrl;
use crate::protocol::{
    Arrived, ArrivedPart, Asked, Awaited, Earlier, Finished, Intent, Opened, Processing, Sent,
    Standings, Ticket, Try, UploadProtocol,
};
use crate::source::{Crc64, PartBody};
use crate::store::{Before, Receipt, Session, SessionKind};
use crate::transfer::{ByteRange, Failure, PartNumber};

/// How the other side takes bytes: see [`SessionKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In one request.
    Single,
    /// In parts, whose checksums it says.
    Parts,
    /// In chunks that are confirmed, of which it says only how many.
    Chunks,
    /// In order.
    InOrder,
    /// In one form.
    Form,
}

/// A team and its storage.
#[derive(Debug)]
pub struct Memory {
    shape: Shape,
    part_size: u64,
    held: Mutex<Held>,
}

/// What it holds.
#[derive(Debug, Default)]
struct Held {
    names: u64,
    videos: BTreeMap<String, Video>,
    sessions: BTreeMap<String, Open>,
    damages: u32,
    keeps: Option<usize>,
    fails_processing: bool,
    sent_again: Vec<u32>,
}

#[derive(Debug, Default)]
struct Video {
    title: String,
    file_name: String,
    /// `None` until they are all there.
    bytes: Option<Vec<u8>>,
    looked_at: bool,
}

/// An open session.
#[derive(Debug, Default)]
struct Open {
    video: Option<String>,
    /// By number; all that came is the first where bytes come in order.
    parts: BTreeMap<u32, Vec<u8>>,
    confirmed: BTreeSet<u32>,
}

impl Memory {
    /// Holds nothing, and takes parts of so many bytes.
    #[must_use]
    pub fn new(shape: Shape, part_size: u64) -> Self {
        Self { shape, part_size, held: Mutex::default() }
    }

    /// The bytes of every video that is whole.
    #[must_use]
    pub fn videos(&self) -> Vec<Vec<u8>> {
        self.held().videos.values().filter_map(|video| video.bytes.clone()).collect()
    }

    /// Videos that are not whole, and sessions.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        let held = self.held();
        let videos = held.videos.values().filter(|video| video.bytes.is_none()).count();
        videos + held.sessions.len()
    }

    /// Forgets every session, and what it held.
    pub fn lose_sessions(&self) {
        self.held().sessions.clear();
    }

    /// Changes one bit of each of the next parts.
    pub fn damage(&self, parts: u32) {
        self.held().damages = parts;
    }

    /// Keeps no more than this of the next request, where bytes come in order.
    pub fn keep_only(&self, bytes: usize) {
        self.held().keeps = Some(bytes);
    }

    /// Makes no video playable.
    pub fn fail_processing(&self) {
        self.held().fails_processing = true;
    }

    /// Parts that came once more although they were held.
    #[must_use]
    pub fn sent_again(&self) -> Vec<u32> {
        self.held().sent_again.clone()
    }

    fn processing_of(&self, video_id: &str) -> Result<Processing, Failure> {
        let mut held = self.held();
        let fails = held.fails_processing;
        let video = held.videos.get_mut(video_id).filter(|video| video.bytes.is_some());
        let video = video.ok_or_else(|| Failure::Refused {
            code: Code::NotFound,
            reason: "no such video".into(),
        })?;
        if !std::mem::replace(&mut video.looked_at, true) {
            return Ok(Processing::UnderWay);
        }
        if fails {
            return Ok(Processing::Failed { reason: Some("not a video".into()) });
        }
        Ok(Processing::Playable { duration: Some(1.0) })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kind(&self, size: u64, key: &str) -> SessionKind {
        let part_count = u32::try_from(size.div_ceil(self.part_size)).unwrap_or(u32::MAX);
        match self.shape {
            Shape::Single => SessionKind::Single,
            Shape::Parts => SessionKind::Multipart {
                upload_id: key.to_owned(),
                part_size: self.part_size,
                part_count,
                signs_checksums: false,
            },
            Shape::Chunks => SessionKind::Chunked {
                chunk_size: self.part_size,
                chunk_count: part_count,
                media_file_id: None,
            },
            Shape::InOrder => SessionKind::InOrder { chunk_size: self.part_size },
            Shape::Form => SessionKind::Form(Before { namesakes: Vec::new(), newest: None }),
        }
    }

    fn arrived(&self, open: &Open) -> Arrived {
        let part = |number: u32, content| {
            let part = PartNumber::new(number)?;
            Some(ArrivedPart { part, etag: None, content })
        };
        match self.shape {
            Shape::Single | Shape::Form => Arrived::NOTHING,
            Shape::InOrder => Arrived::UpTo(open.parts.get(&1).map_or(0, |kept| kept.len() as u64)),
            Shape::Parts => {
                let content = |bytes: &Vec<u8>| Some((bytes.len() as u64, Crc64::of(bytes)));
                let parts = open.parts.iter().filter_map(|(number, b)| part(*number, content(b)));
                Arrived::Parts(parts.collect())
            }
            Shape::Chunks => {
                let count = u32::try_from(open.confirmed.len()).unwrap_or(u32::MAX);
                Arrived::Parts((1..=count).filter_map(|number| part(number, None)).collect())
            }
        }
    }

    /// A form's video, if one came of this name that is no other upload's.
    fn form_arrived(&self, intent: &Intent) -> Option<String> {
        let held = self.held();
        let mut videos = held.videos.iter();
        let mine = videos.find(|(id, video)| {
            video.file_name == intent.file_name && !intent.namesakes.contains(&Some((*id).clone()))
        });
        mine.map(|(id, _)| id.clone())
    }
}

impl Held {
    fn name(&mut self) -> String {
        self.names += 1;
        self.names.to_string()
    }

    fn video(&mut self, intent: &Intent, bytes: Option<Vec<u8>>) -> String {
        let id = self.name();
        let (title, file_name) = (intent.title.clone(), intent.file_name.clone());
        let video = Video { title, file_name, bytes, looked_at: false };
        self.videos.insert(id.clone(), video);
        id
    }
}

#[async_trait]
impl UploadProtocol for Memory {
    async fn answers(&self) -> bool {
        true
    }

    async fn register(&self, intent: &Intent, earlier: Earlier) -> Result<Option<String>, Failure> {
        if matches!(self.shape, Shape::Chunks | Shape::Form) {
            return Ok(None);
        }
        let mut held = self.held();
        if let Earlier::Maybe { taken } = earlier {
            let mut videos = held.videos.iter();
            let mine = videos.find(|(id, video)| {
                video.title == intent.title && video.bytes.is_none() && !taken.contains(id)
            });
            if let Some((id, _)) = mine {
                return Ok(Some(id.clone()));
            }
        }
        Ok(Some(held.video(intent, None)))
    }

    async fn open(&self, intent: &Intent, session: Option<&Session>) -> Result<Opened, Failure> {
        if let (Shape::Form, Some(_), Some(id)) = (self.shape, session, self.form_arrived(intent)) {
            let session = Session { key: id, kind: SessionKind::AlreadyThere };
            return Ok(Opened { session, url: None, arrived: Arrived::NOTHING });
        }
        let mut held = self.held();
        if let Some(session) = session
            && let Some(open) = held.sessions.get(&session.key)
        {
            let arrived = self.arrived(open);
            return Ok(Opened { session: session.clone(), url: None, arrived });
        }
        let key = held.name();
        let open = Open { video: intent.video_id.clone(), ..Open::default() };
        if self.shape != Shape::Form {
            held.sessions.retain(|_, other| other.video.is_none() || other.video != open.video);
            held.sessions.insert(key.clone(), open);
        }
        let kind = self.kind(intent.size, &key);
        let arrived = self.arrived(&Open::default());
        Ok(Opened { session: Session { key, kind }, url: None, arrived })
    }

    fn tickets_at_once(&self) -> usize {
        3
    }

    async fn tickets(
        &self,
        _: &Intent,
        _: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure> {
        let here = "http://localhost/";
        let url = Url::parse(here).ok().and_then(|base| SignedUrl::from_answer(here, &base).ok());
        let url = url.ok_or_else(|| Failure::UnexpectedAnswer("no address".into()))?;
        Ok(parts.iter().map(|asked| Ticket::to(asked.part, url.clone())).collect())
    }

    async fn send(
        &self,
        intent: &Intent,
        opened: &Opened,
        ticket: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let mut bytes = read(body).await?;
        let mut held = self.held();
        if held.damages > 0
            && let Some(first) = bytes.first_mut()
        {
            held.damages -= 1;
            *first ^= 1;
        }
        if self.shape == Shape::Form {
            let id = held.video(intent, Some(bytes));
            return Ok(Sent { etag: id, checksum: None, stored: None });
        }
        let keeps = held.keeps.take();
        let number = ticket.part.get();
        let key = &opened.session.key;
        let open = held.sessions.get_mut(key).ok_or(Failure::SessionGone)?;
        if self.shape == Shape::InOrder {
            let kept = open.parts.entry(1).or_default();
            if kept.len() as u64 != range.offset {
                return Err(Failure::UnexpectedAnswer("bytes out of order".into()));
            }
            bytes.truncate(keeps.unwrap_or(usize::MAX));
            kept.extend(bytes);
            let stored = Some(kept.len() as u64);
            return Ok(Sent { etag: String::new(), checksum: None, stored });
        }
        let checksum = Some(Crc64::of(&bytes));
        let was_held = open.parts.insert(number, bytes.clone()).is_some_and(|old| old == bytes);
        if was_held {
            held.sent_again.push(number);
        }
        Ok(Sent { etag: format!("\"{number}\""), checksum, stored: None })
    }

    async fn confirm(
        &self,
        _: &Intent,
        opened: &Opened,
        part: PartNumber,
        _: ByteRange,
    ) -> Result<(), Failure> {
        let mut held = self.held();
        let open = held.sessions.get_mut(&opened.session.key).ok_or(Failure::SessionGone)?;
        let before = u32::try_from(open.confirmed.len()).unwrap_or(u32::MAX);
        if part.get() > before + 1 {
            return Err(Failure::UnexpectedAnswer("a chunk out of its turn".into()));
        }
        if !open.parts.contains_key(&part.get()) {
            return Err(Failure::PartDamaged);
        }
        open.confirmed.insert(part.get());
        Ok(())
    }

    async fn finish(
        &self,
        intent: &Intent,
        session: &Session,
        receipts: &[Receipt],
        turn: Try,
    ) -> Result<Finished, Failure> {
        let mut held = self.held();
        if self.shape == Shape::Form {
            let id = match session.kind {
                SessionKind::AlreadyThere => session.key.clone(),
                _ => receipts.first().ok_or(Failure::SessionGone)?.etag.clone(),
            };
            return Ok(Finished { video_id: Some(id), size: None, checksum: None });
        }
        let named = intent.video_id.clone().unwrap_or_else(|| format!("of-{}", session.key));
        if let Some(Video { bytes: Some(bytes), .. }) = held.videos.get(&named) {
            if turn == Try::First {
                // A team that is not asked first refuses it, for good.
                let reason = "the upload was completed before".to_owned();
                return Err(Failure::Refused { code: Code::WrongState, reason });
            }
            let (size, checksum) = (Some(bytes.len() as u64), Some(Crc64::of(bytes)));
            return Ok(Finished { video_id: Some(named), size, checksum });
        }
        let open = held.sessions.get(&session.key).ok_or(Failure::SessionGone)?;
        let bytes: Vec<u8> = open.parts.values().flatten().copied().collect();
        if self.shape == Shape::Chunks && open.confirmed.len() != open.parts.len() {
            return Err(Failure::Refused { code: Code::Damaged, reason: "incomplete".into() });
        }
        held.sessions.remove(&session.key);
        let (size, checksum) = (Some(bytes.len() as u64), Some(Crc64::of(&bytes)));
        let video = held.videos.entry(named.clone()).or_default();
        video.bytes = Some(bytes);
        Ok(Finished { video_id: Some(named), size, checksum })
    }

    async fn processing(&self, videos: &[Awaited]) -> Standings {
        let stands =
            |video: &Awaited| (video.video_id.clone(), self.processing_of(&video.video_id));
        videos.iter().map(stands).collect()
    }

    async fn abandon(&self, intent: &Intent, session: Option<&Session>) -> Result<(), Failure> {
        let mut held = self.held();
        if let Some(session) = session {
            held.sessions.remove(&session.key);
        }
        if let Some(id) = &intent.video_id
            && held.videos.get(id).is_some_and(|video| video.bytes.is_none())
        {
            held.videos.remove(id);
        }
        Ok(())
    }
}

async fn read(mut body: PartBody) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
