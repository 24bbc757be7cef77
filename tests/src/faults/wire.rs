//! The protocols as the proxies see them.

use crate::only_documented;
use crate::proxy::{Exchange, Fault, Rule, What};

/// Where the embedded media engine takes bytes.
pub(super) const BYTES: &str = "/mux-upload/";
/// One upload: ids begin with the time, and until the year 3084 that begins with this. Whoever finds
/// out what a server speaks asks for one that has no such id.
const UPLOAD: &str = "/upload/0";

/// A protocol, in one of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// `videoActions`, in parts.
    Parts,
    /// `videoActions`, a small file.
    Single,
    /// `videoActions`, as it is documented.
    Documented,
    /// `videoUpload`.
    Chunks,
    /// Mux direct uploads.
    Direct,
    /// Forms.
    Form,
}

/// Where in an upload, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The team hears of it.
    Register,
    /// A session is opened.
    Open,
    /// Addresses are asked for.
    Sign,
    /// How much is there is asked.
    Standing,
    /// The first part goes.
    First,
    /// The last part goes.
    Last,
    /// A part is confirmed.
    Confirm,
    /// The parts are put together.
    Finish,
    /// The team is told.
    Tell,
    /// What becomes of it is asked.
    Look,
}

/// Which of the two proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Team,
    Storage,
}

/// How a step is known on the wire.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) side: Side,
    pub(super) what: What,
    /// What comes so often before, where the same is asked at an earlier step.
    after: Option<(What, usize)>,
}

impl Mark {
    fn at(side: Side, what: What) -> Self {
        Self { side, what, after: None }
    }

    fn after(self, what: What, times: usize) -> Self {
        Self { after: Some((what, times)), ..self }
    }

    /// Breaks the next `times` requests of this step.
    pub(super) fn rule(&self, times: usize, fault: Fault) -> Rule {
        let rule = Rule::new(self.what.clone(), times, fault);
        match self.after.clone() {
            Some((what, times)) => rule.after(what, times),
            None => rule,
        }
    }

    /// Whether the step has come.
    pub(super) fn has_come(&self, seen: &[Exchange]) -> bool {
        let earlier = self.after.as_ref().map_or(Some(0), |(what, times)| {
            let before = seen.iter().enumerate().filter(|(_, one)| what.fits(one));
            before.map(|(at, _)| at + 1).nth(times - 1)
        });
        earlier.is_some_and(|earlier| seen[earlier..].iter().any(|one| self.what.fits(one)))
    }
}

impl Step {
    /// In their order.
    pub const ALL: [Self; 10] = [
        Self::Register,
        Self::Open,
        Self::Sign,
        Self::Standing,
        Self::First,
        Self::Last,
        Self::Confirm,
        Self::Finish,
        Self::Tell,
        Self::Look,
    ];

    /// Whether its requests carry a file's bytes.
    #[must_use]
    pub fn carries_payload(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }
}

impl Wire {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Parts, Self::Single, Self::Documented, Self::Chunks, Self::Direct, Self::Form];

    /// How the step is known, where the protocol has it.
    pub(super) fn mark(self, step: Step) -> Option<Mark> {
        let team = |what| Some(Mark::at(Side::Team, what));
        let storage = |what| Some(Mark::at(Side::Storage, what));
        let call = |function| team(What::Function(function));
        match (self, step) {
            (Self::Parts | Self::Single | Self::Documented, Step::Register) => {
                call("videos:create")
            }
            (Self::Parts | Self::Single, Step::Open) => call("videoActions:initiateVideoUpload"),
            (Self::Parts, Step::Sign) => call("videoActions:signUploadParts"),
            (Self::Parts, Step::First) => storage(What::Part(1)),
            (Self::Parts, Step::Last) => storage(What::Part(3)),
            (Self::Parts, Step::Finish) => call("videoActions:completeMultipartUpload"),
            (Self::Documented, Step::Open) => call("videoActions:getUploadUrl"),
            (Self::Single | Self::Documented, Step::First) => storage(What::Sent("/")),
            (Self::Parts | Self::Single | Self::Documented, Step::Tell) => {
                call("videoActions:markUploadComplete")
            }
            (Self::Parts | Self::Single, Step::Look) => call("videos:get"),
            (Self::Chunks, Step::Open) => team(What::Sent("/videoUpload/initializeVideoUpload")),
            (Self::Chunks, Step::Sign) => team(What::Sent("/videoUpload/getChunkUploadUrl")),
            (Self::Chunks, Step::First) => storage(What::Part(1)),
            (Self::Chunks, Step::Last) => storage(What::Part(3)),
            (Self::Chunks, Step::Confirm) => team(What::Sent("/videoUpload/confirmChunkUpload")),
            (Self::Chunks, Step::Finish) => team(What::Sent("/videoUpload/completeVideoUpload")),
            (Self::Direct, Step::Register) => team(What::Sent("/upload")),
            (Self::Direct, Step::Open) => team(What::Asked(UPLOAD)),
            (Self::Direct, Step::Standing) => team(What::Asked(BYTES)),
            (Self::Direct, Step::First) => team(What::Start),
            (Self::Direct, Step::Last) => team(What::End),
            // The same is asked four times: where bytes go, whether all came, what came of them,
            // and how that is processed.
            (Self::Direct, Step::Finish) => {
                Some(Mark::at(Side::Team, What::Asked(UPLOAD)).after(What::End, 1))
            }
            (Self::Direct, Step::Look) => {
                Some(Mark::at(Side::Team, What::Asked(UPLOAD)).after(What::Asked(UPLOAD), 3))
            }
            (Self::Form, Step::First) => team(What::Sent("/api/client/v1/uploads")),
            (Self::Form, Step::Look) => team(What::Asked("/api/client/v1/uploads/")),
            _ => None,
        }
    }

    /// Rules that make the team API what this speaks.
    pub(super) fn rules(self) -> Vec<Rule> {
        if self == Self::Documented { only_documented() } else { Vec::new() }
    }

    /// Mebibytes of a file that takes this way.
    pub(super) fn mebibytes(self) -> u64 {
        match self {
            Self::Single => 4,
            _ => 13,
        }
    }

    /// What its connection is called in the command line.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Parts | Self::Single | Self::Documented => "video-actions",
            Self::Chunks => "chunked-sessions",
            Self::Direct => "mux-direct",
            Self::Form => "uploads-api",
        }
    }

    /// Where its uploads go, in a team with this project.
    pub(super) fn project(self, project: &str) -> String {
        if self == Self::Form { "root".into() } else { project.into() }
    }

    /// Whether bytes go to addresses that open for a while.
    pub(super) fn has_addresses(self) -> bool {
        self != Self::Form
    }

    /// Whether something that it sends proves that bytes arrived as they were.
    pub(super) fn has_checksums(self) -> bool {
        !matches!(self, Self::Direct | Self::Form)
    }

    /// Whether a lost answer at this step leaves what the protocol can't find again, so that all
    /// that can be promised is one whole video.
    pub(super) fn forgets(self, step: Step) -> bool {
        match self {
            Self::Parts | Self::Single | Self::Direct => false,
            Self::Documented => step <= Step::First,
            Self::Chunks => step == Step::Open,
            Self::Form => step == Step::First,
        }
    }
}
