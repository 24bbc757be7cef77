//! A bus of its own, with what a laptop has there to say of itself: `python-dbusmock`, whose
//! services behave as NetworkManager, UPower and logind do.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::{Connection, Variant};

const MOCK: &str = "org.freedesktop.DBus.Mock";
const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const UPOWER: &str = "org.freedesktop.UPower";
const LOGIND: &str = "org.freedesktop.login1";
const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// To start, and for any answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What NetworkManager says of the network, by its enumeration `NMMetered`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metered {
    /// Somebody said so.
    Yes = 1,
    /// Somebody said not.
    No = 2,
    /// It looks like it.
    GuessYes = 3,
}

/// A running bus; dropped, it is killed with all that is on it.
#[derive(Debug)]
pub struct Bus {
    address: String,
    connection: Connection,
    network_manager: Option<Child>,
    _others: Vec<Child>,
    _daemon: Child,
}

impl Bus {
    /// A laptop's: on mains, on a network that is not metered, with a desktop's portal.
    ///
    /// # Errors
    /// Where `dbus-daemon` or `python3-dbusmock` is missing or does not start.
    pub async fn start() -> Result<Self> {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("dbus-daemon")?;
        let said = daemon.stdout.take().context("dbus-daemon says nothing")?;
        let mut lines = BufReader::new(said).lines();
        let address = tokio::time::timeout(PATIENCE, lines.next_line()).await??;
        let address = address.context("dbus-daemon has ended")?;
        let builder = Builder::address(address.as_str()).method_timeout(PATIENCE);
        let connection = builder.build().await?;
        let mut bus = Self {
            address,
            connection,
            network_manager: None,
            _others: Vec::new(),
            _daemon: daemon,
        };
        let portal = [PORTAL, "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Inhibit"];
        let others = [
            bus.serve(UPOWER, &["--template", "upower"]).await?,
            bus.serve(LOGIND, &["--template", "logind"]).await?,
            bus.serve(PORTAL, &portal).await?,
        ];
        bus._others.extend(others);
        let method =
            ("", "Inhibit", "sua{sv}", "o", "ret = '/org/freedesktop/portal/desktop/request'");
        bus.mock("/org/freedesktop/portal/desktop", PORTAL, "AddMethod", &method).await?;
        bus.start_network_manager(Metered::No).await?;
        Ok(bus)
    }

    /// Where it listens, for the environment of programs.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Lets a new NetworkManager take the place of the one before, if there was one.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start_network_manager(&mut self, metered: Metered) -> Result<()> {
        self.stop_network_manager().await?;
        let arguments = ["--template", "networkmanager"];
        self.network_manager = Some(self.serve(NETWORK_MANAGER, &arguments).await?);
        let property = (NETWORK_MANAGER, "Metered", Variant::from(metered as u32));
        self.mock("/org/freedesktop/NetworkManager", NETWORK_MANAGER, "AddProperty", &property)
            .await?;
        self.set_metered(metered).await
    }

    /// Ends NetworkManager, if it is there.
    ///
    /// # Errors
    /// Where it does not end.
    pub async fn stop_network_manager(&mut self) -> Result<()> {
        if let Some(mut network_manager) = self.network_manager.take() {
            network_manager.kill().await?;
            self.until_on_the_bus(NETWORK_MANAGER, false).await?;
        }
        Ok(())
    }

    /// Lets NetworkManager say something else of the network.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn set_metered(&self, metered: Metered) -> Result<()> {
        let changed = HashMap::from([("Metered", Variant::from(metered as u32))]);
        self.update("/org/freedesktop/NetworkManager", NETWORK_MANAGER, changed).await
    }

    /// Pulls the plug, or puts it in.
    ///
    /// # Errors
    /// Where `UPower` is not there.
    pub async fn set_on_battery(&self, on_battery: bool) -> Result<()> {
        let changed = HashMap::from([("OnBattery", Variant::from(on_battery))]);
        self.update("/org/freedesktop/UPower", UPOWER, changed).await
    }

    /// Who keeps the computer awake: what each inhibits, and its name.
    ///
    /// # Errors
    /// Where logind is not there.
    pub async fn inhibitors(&self) -> Result<Vec<(String, String)>> {
        type Inhibitor = (String, String, String, String, u32, u32);
        let manager = Some("org.freedesktop.login1.Manager");
        let path = "/org/freedesktop/login1";
        let answer =
            self.connection.call_method(Some(LOGIND), path, manager, "ListInhibitors", &()).await?;
        let all: Vec<Inhibitor> = answer.body().deserialize()?;
        Ok(all.into_iter().map(|(what, who, ..)| (what, who)).collect())
    }

    /// How often the desktop's portal was asked to keep the computer awake.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn asked_portal(&self) -> Result<usize> {
        type Call<'a> = (u64, Vec<Variant<'a>>);
        let path = "/org/freedesktop/portal/desktop";
        let answer = self
            .connection
            .call_method(Some(PORTAL), path, Some(MOCK), "GetMethodCalls", &"Inhibit")
            .await?;
        let body = answer.body();
        let calls: Vec<Call<'_>> = body.deserialize()?;
        Ok(calls.len())
    }

    async fn serve(&self, name: &str, arguments: &[&str]) -> Result<Child> {
        // The system's own Python has the system's own packages.
        let system = Path::new("/usr/bin/python3");
        let python = if system.exists() { system } else { Path::new("python3") };
        let child = Command::new(python)
            .args(["-m", "dbusmock", "--system"])
            .args(arguments)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("python3-dbusmock cannot be run")?;
        self.until_on_the_bus(name, true).await?;
        Ok(child)
    }

    async fn until_on_the_bus(&self, name: &str, wanted: bool) -> Result<()> {
        let bus = DBusProxy::new(&self.connection).await?;
        let waiting = async {
            while bus.name_has_owner(BusName::try_from(name)?).await? != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(done) => done,
            Err(_) => bail!("{name} is not on the bus, or off it, within {PATIENCE:?}"),
        }
    }

    async fn update(
        &self,
        path: &str,
        service: &str,
        changed: HashMap<&str, Variant<'_>>,
    ) -> Result<()> {
        self.mock(path, service, "UpdateProperties", &(service, changed)).await
    }

    async fn mock<B>(&self, path: &str, service: &str, method: &str, body: &B) -> Result<()>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        self.connection.call_method(Some(service), path, Some(MOCK), method, body).await?;
        Ok(())
    }
}
