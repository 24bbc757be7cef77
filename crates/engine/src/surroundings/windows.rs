//! The connection profile and the power manager of the Windows Runtime.
//!
//! <https://learn.microsoft.com/uwp/api/windows.networking.connectivity.networkcosttype>,
//! <https://learn.microsoft.com/uwp/api/windows.system.power.powermanager>

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use windows::Foundation::EventHandler;
use windows::Networking::Connectivity::{
    NetworkCostType, NetworkInformation, NetworkStatusChangedEventHandler,
};
use windows::System::Power::{PowerManager, PowerSupplyStatus};

use super::{Metered, Power, Surroundings};

/// Tells what the system says, whenever it says that something is different.
pub(super) async fn follow(news: watch::Sender<Surroundings>) {
    let changed = Arc::new(Notify::new());
    let network = Arc::clone(&changed);
    let supply = Arc::clone(&changed);
    let listening = NetworkInformation::NetworkStatusChanged(
        &NetworkStatusChangedEventHandler::new(move |_| {
            network.notify_one();
            Ok(())
        }),
    )
    .and(PowerManager::PowerSupplyStatusChanged(&EventHandler::new(move |_, _| {
        supply.notify_one();
        Ok(())
    })));
    if let Err(error) = listening {
        tracing::debug!(%error, "the system tells nothing of its changes");
    }
    loop {
        news.send_replace(Surroundings { metered: metered(), power: power() });
        changed.notified().await;
    }
}

fn metered() -> Metered {
    let cost = NetworkInformation::GetInternetConnectionProfile()
        .and_then(|profile| profile.GetConnectionCost())
        .and_then(|cost| cost.NetworkCostType());
    match cost {
        Ok(NetworkCostType::Fixed | NetworkCostType::Variable) => Metered::Yes,
        Ok(NetworkCostType::Unrestricted) => Metered::No,
        _ => Metered::Unknown,
    }
}

fn power() -> Power {
    match PowerManager::PowerSupplyStatus() {
        Ok(PowerSupplyStatus::NotPresent) => Power::Battery,
        Ok(_) => Power::Mains,
        Err(_) => Power::Unknown,
    }
}
