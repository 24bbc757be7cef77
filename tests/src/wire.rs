//! A network of its own, slow and breakable, for programs that are started on it.

use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A network namespace with nothing in it but the programs started there: packets between them
/// pass one queue with a rate, and none at all while it is cut. Clones share it; it goes with the
/// last of them. Linux lets whoever may make a namespace do this.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Keeps the namespace; killed when nobody has it any more.
    _holder: Arc<Child>,
    id: u32,
}

impl Wire {
    /// A wire that carries so many Mbit/s, in packets as long as Ethernet's.
    ///
    /// # Errors
    /// Where the system makes none.
    pub async fn lay(megabits: u32) -> Result<Self> {
        let script = format!(
            "ip link set lo mtu 1500 up && \
             echo 0 > /proc/sys/net/ipv4/conf/lo/disable_policy && \
             tc qdisc add dev lo root tbf rate {megabits}mbit burst 64kb latency 200ms && \
             echo laid && exec cat"
        );
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("unshare")?;
        let id = holder.id().context("the namespace has no process")?;
        let said = holder.stdout.take().context("the namespace says nothing")?;
        let line = BufReader::new(said).lines().next_line().await?;
        ensure!(line.as_deref() == Some("laid"), "this system lays no wire: {line:?}");
        Ok(Self { _holder: Arc::new(holder), id })
    }

    /// A program that sees this network and no other.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--preserve-credentials", "--user", "--net", "--target"]);
        command.arg(self.id.to_string()).arg(program);
        command
    }

    /// Has connections that are made from now on try again only after a minute, as those do that were
    /// long without an answer.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn grow_patient(&self) -> Result<()> {
        let route = "dev lo proto kernel scope host src 127.0.0.1 table local rto_min 60s";
        for to in ["127.0.0.0/8", "127.0.0.1"] {
            let arguments = ["route", "replace", "local", to].into_iter().chain(route.split(' '));
            self.ip(arguments).await?;
        }
        Ok(())
    }

    /// Lets no packet through. Nobody is told: packets vanish where they arrive, because a system that
    /// cannot even send them tries again twice a second, and finds the network by itself.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn cut(&self) -> Result<()> {
        self.ip("xfrm policy add dir in action block".split(' ')).await
    }

    /// Lets packets through again.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn mend(&self) -> Result<()> {
        self.ip("xfrm policy flush".split(' ')).await
    }

    async fn ip<'a>(&self, arguments: impl Iterator<Item = &'a str>) -> Result<()> {
        let status = self.command("ip").args(arguments).status().await?;
        ensure!(status.success(), "the wire cannot be changed");
        Ok(())
    }
}
