//! NetworkManager and UPower, by the system's bus.
//!
//! <https://networkmanager.dev/docs/api/latest/gdbus-org.freedesktop.NetworkManager.html>,
//! <https://upower.freedesktop.org/docs/UPower.html>

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use zbus::connection::Builder;
use zbus::fdo::{PropertiesChangedStream, PropertiesProxy};
use zbus::names::InterfaceName;
use zbus::proxy::{CacheProperties, OwnerChangedStream};
use zbus::{Connection, OwnedVariant};

use super::{Metered, Power, Surroundings};

/// For an answer. Who takes longer to start says so when it has.
const PATIENCE: Duration = Duration::from_secs(2);
/// Until a bus is looked for again that was not there, or has gone.
const AGAIN: Duration = Duration::from_secs(300);

const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const UPOWER: &str = "org.freedesktop.UPower";

/// Tells what the bus says. Where there is none, nothing is known, and that is no error.
pub(super) async fn follow(news: watch::Sender<Surroundings>) {
    loop {
        if let Err(error) = listen(&news).await {
            tracing::debug!(%error, "the system's bus tells nothing");
        }
        news.send_replace(Surroundings::default());
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(news: &watch::Sender<Surroundings>) -> zbus::Result<()> {
    let connecting = Builder::system().method_timeout(PATIENCE).build();
    let Ok(bus) = tokio::time::timeout(PATIENCE, connecting).await else { return Ok(()) };
    let bus = bus?;
    let path = "/org/freedesktop/NetworkManager";
    let mut network = Property::of(&bus, NETWORK_MANAGER, path, "Metered").await?;
    let path = "/org/freedesktop/UPower";
    let mut power = Property::of(&bus, UPOWER, path, "OnBattery").await?;
    loop {
        let (metered, on_battery) = tokio::join!(network.get(), power.get());
        let surroundings =
            Surroundings { metered: metered_of(metered), power: power_of(on_battery) };
        tracing::debug!(?surroundings, "the computer says");
        news.send_replace(surroundings);
        let goes_on = tokio::select! {
            goes_on = network.changed() => goes_on,
            goes_on = power.changed() => goes_on,
        };
        if !goes_on {
            return Ok(());
        }
    }
}

/// Of the enumeration `NMMetered`.
fn metered_of(value: Option<OwnedVariant>) -> Metered {
    match value.and_then(|value| u32::try_from(value).ok()) {
        Some(1) => Metered::Yes,
        Some(3) => Metered::Guess,
        // 4 is a guess as well, and costs nobody anything.
        Some(2 | 4) => Metered::No,
        _ => Metered::Unknown,
    }
}

fn power_of(value: Option<OwnedVariant>) -> Power {
    match value.and_then(|value| bool::try_from(value).ok()) {
        Some(true) => Power::Battery,
        Some(false) => Power::Mains,
        None => Power::Unknown,
    }
}

/// A property of a service that may be missing, and may come and go.
struct Property {
    object: PropertiesProxy<'static>,
    interface: InterfaceName<'static>,
    name: &'static str,
    changes: PropertiesChangedStream,
    owners: OwnerChangedStream<'static>,
}

impl Property {
    /// Of an object whose interface has its service's name.
    async fn of(
        bus: &Connection,
        service: &'static str,
        path: &'static str,
        name: &'static str,
    ) -> zbus::Result<Self> {
        let interface = InterfaceName::try_from(service)?;
        let object = PropertiesProxy::builder(bus)
            .destination(service)
            .path(path)
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let changes = object.receive_properties_changed_with_args(&[(0, service)]).await?;
        let owners = object.inner().receive_owner_changed().await?;
        Ok(Self { object, interface, name, changes, owners })
    }

    /// `None` where nobody says.
    async fn get(&self) -> Option<OwnedVariant> {
        self.object.get(self.interface.clone(), self.name).await.ok()
    }

    /// Waits until it may be another; `false` where the bus has gone. What is announced is not
    /// read: a service that has just started has announced nothing, and is asked all the same.
    async fn changed(&mut self) -> bool {
        tokio::select! {
            change = self.changes.next() => change.is_some(),
            owner = self.owners.next() => owner.is_some(),
        }
    }
}
