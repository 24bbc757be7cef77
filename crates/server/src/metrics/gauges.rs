//! What is looked up only when somebody asks: connections, rows, the disk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dailies_database::{Database, DatabaseError};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::data_folder::free_space;
use crate::db::videos;
use crate::media::MediaEngine;
use crate::serve::Traffic;

/// How long a database may take to say its numbers, before the last ones are shown.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: String,
}

/// Where the numbers come from.
pub(crate) struct Sources {
    database: Database,
    media: OnceLock<MediaEngine>,
    folder: PathBuf,
    videos: Family<StateLabels, Gauge>,
    jobs: Family<StateLabels, Gauge>,
    deliveries: Gauge,
    free: Gauge<f64, AtomicU64>,
}

impl Sources {
    /// `listeners` by their names.
    pub(crate) fn new(
        registry: &mut Registry,
        database: Database,
        embedded_media: bool,
        folder: &Path,
        listeners: Vec<(&'static str, Arc<Traffic>)>,
    ) -> Self {
        let (videos, jobs) = (Family::default(), Family::default());
        let (deliveries, free) = (Gauge::<i64, AtomicI64>::default(), Gauge::default());
        registry.register("videos", "Videos by state", Family::clone(&videos));
        registry.register(
            "disk_free_bytes",
            "In the data folder's file system",
            Gauge::clone(&free),
        );
        if embedded_media {
            registry.register("media_jobs", "Media jobs by state", Family::clone(&jobs));
            let help = "Webhooks of the media engine that wait";
            registry.register("webhooks_pending", help, Gauge::clone(&deliveries));
        }
        registry.register_collector(Box::new(Listeners(listeners)));
        registry.register_collector(Box::new(WriteTimes(database.clone())));
        let (media, folder) = (OnceLock::new(), folder.to_owned());
        Self { database, media, folder, videos, jobs, deliveries, free }
    }

    /// The media engine, which starts after the listeners it works with.
    pub(crate) fn media(&self, engine: MediaEngine) {
        let _ = self.media.set(engine);
    }

    /// Looks everything up again.
    pub(super) async fn refresh(&self) {
        let states = self.database.read::<_, DatabaseError, _>(videos::by_status);
        match tokio::time::timeout(PATIENCE, states).await {
            Ok(Ok(states)) => set(&self.videos, &states),
            Ok(Err(error)) => tracing::warn!(%error, "videos could not be counted"),
            Err(_) => tracing::warn!("videos could not be counted in time"),
        }
        if let Some(media) = self.media.get() {
            match tokio::time::timeout(PATIENCE, media.backlog()).await {
                Ok(Ok(backlog)) => {
                    set(&self.jobs, &backlog.jobs);
                    self.deliveries.set(backlog.deliveries);
                }
                Ok(Err(error)) => tracing::warn!(%error, "media jobs could not be counted"),
                Err(_) => tracing::warn!("media jobs could not be counted in time"),
            }
        }
        if let Ok(free) = free_space(&self.folder) {
            self.free.set(free as f64);
        }
    }
}

fn set(family: &Family<StateLabels, Gauge>, states: &[(String, i64)]) {
    // A state that no row has any more is 0, not what it was.
    family.clear();
    for (state, rows) in states {
        family.get_or_create(&StateLabels { state: state.clone() }).set(*rows);
    }
}

#[derive(Debug)]
struct Listeners(Vec<(&'static str, Arc<Traffic>)>);

impl Collector for Listeners {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        type Read = fn(&Traffic) -> u64;
        let counters: [(&str, &str, Read); 3] = [
            ("received_bytes", "Taken by a listener", |it| it.received.load(Ordering::Relaxed)),
            ("sent_bytes", "Given by a listener", |it| it.sent.load(Ordering::Relaxed)),
            ("turned_away", "Connections above an address's limit", |it| {
                it.turned_away.load(Ordering::Relaxed)
            }),
        ];
        for (name, help, read) in counters {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (listener, traffic) in &self.0 {
                let labels = [("listener", *listener)];
                ConstCounter::new(read(traffic)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Connections that are open";
        let mut family = encoder.encode_descriptor("connections", help, None, MetricType::Gauge)?;
        for (listener, traffic) in &self.0 {
            let labels = [("listener", *listener)];
            family.encode_family(&labels)?.encode_gauge(&traffic.open.load(Ordering::Relaxed))?;
        }
        Ok(())
    }
}

/// How long the team's database takes to bring a group of writes to disk.
struct WriteTimes(Database);

impl fmt::Debug for WriteTimes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WriteTimes")
    }
}

impl Collector for WriteTimes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let times = self.0.commit_times();
        let mut buckets: Vec<(f64, u64)> =
            times.buckets.iter().map(|(limit, count)| (limit.as_secs_f64(), *count)).collect();
        buckets.push((f64::INFINITY, times.slower));
        let count = buckets.iter().map(|(_, count)| count).sum();
        let help = "Groups of writes to the team's database, until they were on disk";
        let mut metric = encoder.encode_descriptor(
            "database_commit_seconds",
            help,
            None,
            MetricType::Histogram,
        )?;
        let sum = times.total.as_secs_f64();
        metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}
