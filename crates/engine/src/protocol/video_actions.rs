//! The team API's `videoActions`: S3 in one PUT or in parts, in both dialects.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dailies_api::convex::FunctionKind::{Action, Mutation, Query};
use dailies_api::error::ErrorCode;
use dailies_api::uploads::{
    CompleteMultipartUpload, CompletedPart, Done, GetUploadUrl, InitiateVideoUpload,
    InitiatedUpload, MarkUploadComplete, MarkUploadFailed, MultipartUpload, PARTS_PER_SIGNING,
    PartChecksum, SignUploadParts, SignedParts, UploadUrl,
};
use dailies_api::videos::{
    CreateVersion, CreateVideo, CreatedVersion, ListVideos, PaginationOpts, SetVisibility, Video,
    VideoArgs, VideoPage, VideoStatus,
};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::error::Code;
use crate::net::{SignedUrl, put_answer, put_body};
use crate::protocol::growing_files::GrowingFiles;
use crate::protocol::processing::each_left;
use crate::protocol::{
    Arrived, ArrivedPart, Asked, Awaited, Earlier, Finished, Intent, Opened, Order, Processing,
    Sent, Standings, Ticket, Try, UploadProtocol,
};
use crate::source::{Crc64, PartBody};
use crate::store::{Receipt, Session, SessionKind};
use crate::team::{Dialect, Team, TeamError};
use crate::transfer::{ByteRange, Failure, PartNumber};

/// How far this computer's clock and the server's may be apart when a video is looked for.
const CLOCKS_APART: Duration = Duration::from_secs(15 * 60);
/// Rows of a project's list that are asked for at once.
const PAGE: u64 = 100;
/// Pages looked through at the most.
const PAGES: usize = 20;
/// So many videos to be asked about are worth a page of the list.
const WORTH_A_PAGE: usize = 2;

/// Uploads through one team server.
#[derive(Clone, Debug)]
pub struct VideoActions {
    team: Arc<Team>,
    growing: GrowingFiles,
}

impl VideoActions {
    /// Uploads through `team`.
    #[must_use]
    pub fn new(team: Arc<Team>) -> Self {
        Self { team, growing: GrowingFiles::default() }
    }

    fn signed(&self, url: &str) -> Result<SignedUrl, Failure> {
        SignedUrl::from_answer(url, self.team.client().base()).map_err(|refusal| Failure::Refused {
            code: Code::StorageRefused,
            reason: format!("the team server named {refusal}"),
        })
    }

    async fn video(&self, video_id: &str) -> Result<Video, Failure> {
        let args = VideoArgs { video_id: video_id.to_owned() };
        Ok(self.team.client().call(Query, "videos:get", &args).await?)
    }

    /// The video that an earlier try to register this intent made, if it did.
    async fn adopt(&self, intent: &Intent, taken: &[String]) -> Result<Option<String>, Failure> {
        let stack = match &intent.version_of {
            // Where it has no versions yet, none was made.
            Some(source) => match self.video(source).await?.version_stack_id {
                Some(stack) => Some(stack),
                None => return Ok(None),
            },
            None => None,
        };
        let is_of = |video: &Video| match &stack {
            // It has the title of the version before it.
            Some(stack) => video.version_stack_id.as_ref() == Some(stack),
            None => video.title == intent.title,
        };
        let earliest =
            intent.added_at.0 - i64::try_from(CLOCKS_APART.as_millis()).unwrap_or_default();
        let mut cursor = None;
        for _ in 0..PAGES {
            let page = self.page(&intent.project_id, cursor).await?;
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact")]
            let recent = |video: &&Video| video.creation_time >= earliest as f64;
            let mine = page.page.iter().filter(recent).find(|video| {
                video.status == VideoStatus::Uploading
                    && is_of(video)
                    && video.file_size == intent.size_at_first()
                    && !taken.contains(&video.id)
            });
            if let Some(video) = mine {
                return Ok(Some(video.id.clone()));
            }
            if page.is_done || !page.page.iter().any(|video| recent(&video)) {
                break;
            }
            cursor = Some(page.continue_cursor);
        }
        Ok(None)
    }

    async fn adopt_or_create(&self, intent: &Intent, earlier: &Earlier) -> Result<String, Failure> {
        if let (Earlier::Maybe { taken }, Dialect::Current) = (earlier, self.team.dialect())
            && let Some(video) = self.adopt(intent, taken).await?
        {
            return Ok(video);
        }
        let key = intent.id.to_string();
        let client = self.team.client();
        if let Some(source) = &intent.version_of {
            let args = CreateVersion {
                source_video_id: source.clone(),
                file_size: intent.size_at_first(),
                content_type: Some(intent.content_type.clone()),
                // An argument that only our server knows: another one would refuse the call.
                title: None,
            };
            let path = "videos:createVersion";
            let made: CreatedVersion = client.call_once(Mutation, path, &args, Some(&key)).await?;
            return Ok(made.video_id);
        }
        let args = CreateVideo {
            project_id: intent.project_id.clone(),
            title: intent.title.clone(),
            description: None,
            file_size: intent.size_at_first(),
            content_type: Some(intent.content_type.clone()),
        };
        Ok(client.call_once(Mutation, "videos:create", &args, Some(&key)).await?)
    }

    /// One PUT, as the documented dialect has it.
    async fn open_single(&self, video_id: &str) -> Result<Opened, TeamError> {
        let args = GetUploadUrl {
            video_id: video_id.to_owned(),
            filename: None,
            file_size: None,
            content_type: None,
        };
        let answer: UploadUrl =
            self.team.client().call(Action, "videoActions:getUploadUrl", &args).await?;
        let (Some(url), Some(key)) =
            (answer.upload_url.or(answer.url), answer.s3_key.or(answer.upload_id))
        else {
            return Err(Failure::UnexpectedAnswer("an upload without address or key".into()).into());
        };
        Ok(Opened {
            session: Session { key, kind: SessionKind::Single },
            url: Some(self.signed(&url)?),
            arrived: Arrived::NOTHING,
        })
    }

    async fn page(&self, project: &str, cursor: Option<String>) -> Result<VideoPage, Failure> {
        let args = ListVideos {
            project_id: project.to_owned(),
            pagination_opts: PaginationOpts { num_items: PAGE, cursor },
        };
        Ok(self.team.client().call(Query, "videos:list", &args).await?)
    }

    /// Where a project's videos stand, by its list, which begins with the newest. It is read as far
    /// as that is cheaper than a question about each that is left; a superseded version is not in it.
    async fn listed(&self, project: &str, videos: &[&Awaited], standings: &mut Standings) {
        let mut left: HashSet<_> = videos.iter().map(|video| video.video_id.as_str()).collect();
        let mut cursor = None;
        for _ in 0..videos.len() / WORTH_A_PAGE {
            let page = match self.page(project, cursor).await {
                Ok(page) => page,
                // A list that is refused or makes no sense says nothing of its videos.
                Err(Failure::Refused { .. } | Failure::UnexpectedAnswer(_)) => return,
                Err(failure) => {
                    let failed = |video: &str| (video.to_owned(), Err(failure.clone()));
                    standings.extend(left.into_iter().map(failed));
                    return;
                }
            };
            for video in page.page {
                left.remove(video.id.as_str());
                standings.insert(video.id.clone(), Ok(standing(video)));
            }
            if page.is_done || left.is_empty() {
                return;
            }
            cursor = Some(page.continue_cursor);
        }
    }

    async fn processing_of(&self, video_id: String) -> Result<Processing, Failure> {
        if self.team.dialect() == Dialect::Documented {
            // Nothing can be asked but for a session, which there is once the video can be played.
            return Ok(match self.team.playback(&video_id).await {
                Ok(session) => Processing::Playable { duration: session.duration },
                Err(_) => Processing::UnderWay,
            });
        }
        Ok(standing(self.video(&video_id).await?))
    }

    async fn mark_complete(&self, video_id: &str, key: &str) -> Result<Finished, Failure> {
        // The current dialect refuses an argument that it does not know.
        let s3_key = (self.team.dialect() == Dialect::Documented).then(|| key.to_owned());
        let args = MarkUploadComplete { video_id: video_id.to_owned(), s3_key };
        let done: Option<Done> =
            self.team.client().call(Action, "videoActions:markUploadComplete", &args).await?;
        let done = done.unwrap_or_default();
        let checksum = done.crc64nvme.as_deref().and_then(Crc64::from_wire);
        Ok(Finished { video_id: None, size: done.size, checksum })
    }
}

#[async_trait]
impl UploadProtocol for VideoActions {
    async fn answers(&self) -> bool {
        let client = self.team.client();
        client.clients().answer(client.base()).await
    }

    async fn register(&self, intent: &Intent, earlier: Earlier) -> Result<Option<String>, Failure> {
        let video_id = self.adopt_or_create(intent, &earlier).await?;
        // Before its first byte, and again after every failure: nobody sees it meanwhile.
        if let Some(visibility) = intent.visibility {
            let args = SetVisibility { video_id: video_id.clone(), visibility };
            let _: Value = self.team.client().call(Mutation, "videos:setVisibility", &args).await?;
        }
        Ok(Some(video_id))
    }

    async fn open(&self, intent: &Intent, _: Option<&Session>) -> Result<Opened, Failure> {
        let video_id = intent.video()?;
        if self.team.dialect() == Dialect::Documented {
            return Ok(self.open_single(video_id).await?);
        }
        let args = InitiateVideoUpload {
            video_id: video_id.to_owned(),
            filename: intent.file_name.clone(),
            file_size: intent.total(),
            content_type: intent.content_type.clone(),
        };
        let path = "videoActions:initiateVideoUpload";
        match self.team.client().call(Action, path, &args).await {
            Ok(InitiatedUpload::Single { url, key }) => Ok(Opened {
                session: Session { key, kind: SessionKind::Single },
                url: Some(self.signed(&url)?),
                arrived: Arrived::NOTHING,
            }),
            Ok(InitiatedUpload::Multipart(upload)) => multipart(upload),
            Ok(InitiatedUpload::AlreadyUploaded { key }) => Ok(Opened {
                session: Session { key, kind: SessionKind::AlreadyThere },
                url: None,
                arrived: Arrived::NOTHING,
            }),
            Err(TeamError::Function { code: Some(ErrorCode::FunctionNotFound), .. }) => {
                Ok(self.open_single(video_id).await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn takes_growing_files(&self) -> Option<Order> {
        let client = self.team.client();
        let taken = self.team.dialect() == Dialect::Current
            && self.growing.are_taken(client.base(), client.clients()).await;
        taken.then_some(Order::Any)
    }

    fn tickets_at_once(&self) -> usize {
        PARTS_PER_SIGNING
    }

    async fn tickets(
        &self,
        intent: &Intent,
        opened: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure> {
        if let Some(url) = &opened.url {
            let content_type = Some(intent.content_type.clone());
            let (url, part) = (url.clone(), PartNumber::FIRST);
            return Ok(vec![Ticket { content_type, ..Ticket::to(part, url) }]);
        }
        let checksums = parts.iter().filter_map(|asked| {
            let crc64nvme = asked.checksum?.to_wire();
            Some(PartChecksum { part_number: asked.part.get(), crc64nvme })
        });
        // Of a file that grows, the other side takes a part for a whole one.
        let whole = match opened.session.kind {
            SessionKind::Multipart { part_size, .. } if intent.total().is_none() => Some(part_size),
            _ => None,
        };
        let length = parts.first().map(|asked| asked.length);
        let args = SignUploadParts {
            video_id: intent.video()?.to_owned(),
            part_numbers: parts.iter().map(|asked| asked.part.get()).collect(),
            checksums: checksums.collect(),
            length: length.filter(|length| whole.is_some_and(|whole| *length < whole)),
        };
        let signed: SignedParts =
            self.team.client().call(Action, "videoActions:signUploadParts", &args).await?;
        let ticket = |&Asked { part, checksum, .. }: &Asked| {
            let url = signed
                .parts
                .iter()
                .find(|signed| signed.part_number == part.get())
                .map(|signed| self.signed(&signed.url));
            let url = url.ok_or_else(|| {
                Failure::UnexpectedAnswer(format!("part {} was not signed", part.get()))
            })??;
            Ok(Ticket { checksum, ..Ticket::to(part, url) })
        };
        parts.iter().map(ticket).collect()
    }

    async fn send(
        &self,
        _: &Intent,
        _: &Opened,
        ticket: &Ticket,
        _: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let clients = self.team.client().clients();
        let mut request = clients.put(&ticket.url);
        // Nothing may be sent but what was signed: a storage refuses any other header of its own.
        if let Some(checksum) = ticket.checksum {
            request = request.header("x-amz-checksum-crc64nvme", checksum.to_wire());
        }
        if let Some(content_type) = &ticket.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let response = put_body(clients, request, body).await?;
        let answer = put_answer(response).await?;
        Ok(Sent { etag: answer.etag, checksum: answer.checksum, stored: None })
    }

    async fn finish(
        &self,
        intent: &Intent,
        session: &Session,
        receipts: &[Receipt],
        turn: Try,
    ) -> Result<Finished, Failure> {
        let video_id = intent.video()?;
        let mut put_together = !matches!(session.kind, SessionKind::Multipart { .. });
        if turn == Try::Again && self.team.dialect() == Dialect::Current {
            // Completing is not idempotent there, so the video's state decides what is left to do.
            let video = self.video(video_id).await?;
            let checksum = video.crc64nvme.as_deref().and_then(Crc64::from_wire);
            match video.status {
                VideoStatus::Processing | VideoStatus::Ready => {
                    return Ok(Finished { video_id: None, size: video.file_size, checksum });
                }
                VideoStatus::Uploading | VideoStatus::Failed => {
                    put_together |=
                        video.s3_key.is_some() && video.s3_multipart_upload_id.is_none();
                }
            }
        }
        if !put_together {
            let part = |receipt: &Receipt| CompletedPart {
                part_number: receipt.part.get(),
                etag: receipt.etag.clone(),
            };
            let args = CompleteMultipartUpload {
                video_id: video_id.to_owned(),
                parts: receipts.iter().map(part).collect(),
            };
            let path = "videoActions:completeMultipartUpload";
            let _: Value = self.team.client().call(Action, path, &args).await?;
        }
        self.mark_complete(video_id, &session.key).await
    }

    async fn processing(&self, videos: &[Awaited]) -> Standings {
        let mut standings = Standings::new();
        if self.team.dialect() == Dialect::Current {
            let mut projects: HashMap<&str, Vec<&Awaited>> = HashMap::new();
            for video in videos {
                projects.entry(&video.project_id).or_default().push(video);
            }
            for (project, videos) in projects {
                self.listed(project, &videos, &mut standings).await;
            }
        }
        each_left(videos, standings, |video| self.processing_of(video)).await
    }

    /// Only a resuming initiate counts as activity, besides signing; an upload that is idle for 24 h
    /// is removed. One whose bytes are put together must not be initiated: it would start from zero.
    async fn heartbeat(&self, intent: &Intent, session: &Session) -> Result<(), Failure> {
        match (self.team.dialect(), &session.kind) {
            (Dialect::Documented, _) | (_, SessionKind::AlreadyThere) => Ok(()),
            (Dialect::Current, _) => self.open(intent, Some(session)).await.map(drop),
        }
    }

    async fn abandon(&self, intent: &Intent, session: Option<&Session>) -> Result<(), Failure> {
        let Some(video_id) = &intent.video_id else { return Ok(()) };
        let client = self.team.client();
        if let Some(SessionKind::Multipart { .. }) = session.map(|session| &session.kind) {
            let args = VideoArgs { video_id: video_id.clone() };
            let aborted = client.call(Action, "videoActions:abortVideoUpload", &args).await;
            gone(aborted)?;
        }
        let error = (self.team.dialect() == Dialect::Documented)
            .then(|| "The upload was cancelled.".to_owned());
        let args = MarkUploadFailed { video_id: video_id.clone(), error };
        gone(client.call(Action, "videoActions:markUploadFailed", &args).await)
    }
}

fn standing(video: Video) -> Processing {
    match video.status {
        VideoStatus::Uploading | VideoStatus::Processing => Processing::UnderWay,
        VideoStatus::Ready => Processing::Playable { duration: video.duration },
        VideoStatus::Failed => Processing::Failed { reason: video.upload_error },
    }
}

fn multipart(upload: MultipartUpload) -> Result<Opened, Failure> {
    let arrived = upload.uploaded_parts.into_iter().map(|part| {
        let number = PartNumber::new(part.part_number)
            .ok_or_else(|| Failure::UnexpectedAnswer("a part with number zero".into()))?;
        let checksum = part.crc64nvme.as_deref().and_then(Crc64::from_wire);
        let content = part.size.zip(checksum);
        Ok(ArrivedPart { part: number, etag: Some(part.etag), content })
    });
    Ok(Opened {
        arrived: Arrived::Parts(arrived.collect::<Result<_, Failure>>()?),
        url: None,
        session: Session {
            key: upload.key,
            kind: SessionKind::Multipart {
                upload_id: upload.upload_id,
                part_size: upload.part_size_bytes,
                part_count: upload.part_count,
                signs_checksums: upload.checksum_algorithm.is_some(),
            },
        },
    })
}

/// What the server refuses to remove because it is not there, or is finished, is as good as removed.
fn gone(answer: Result<Value, TeamError>) -> Result<(), Failure> {
    match answer {
        Ok(_) => Ok(()),
        Err(TeamError::Function {
            code: Some(ErrorCode::NotFound | ErrorCode::NoUpload | ErrorCode::WrongState) | None,
            ..
        }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
