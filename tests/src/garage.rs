//! garage: an S3 that somebody else wrote, as processes of its own. `make peers` installs it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};

use crate::counterparts;
use crate::programs::free_address;

/// The variable that says where the program lies.
const PROGRAM: &str = "DAILIES_GARAGE";
/// Its own way to say a region.
const REGION: &str = "garage";
/// Of any of its commands.
const LIMIT: Duration = Duration::from_secs(60);

/// A cluster on loopback, with a key that may do everything and a bucket.
#[derive(Debug)]
pub struct Garage {
    program: PathBuf,
    nodes: Vec<Node>,
    /// Public half of the key.
    pub access_key_id: String,
    /// Secret half of the key.
    pub secret_access_key: String,
    /// A bucket that is there.
    pub bucket: String,
    /// For signatures.
    pub region: String,
}

#[derive(Debug)]
struct Node {
    config: PathBuf,
    s3: SocketAddr,
    rpc: SocketAddr,
    child: Option<Child>,
}

impl Garage {
    /// Starts so many nodes, each of which has everything, in folders below `folder`.
    ///
    /// # Errors
    /// Where the program is missing, or the nodes do not come together.
    pub async fn start(folder: &Path, nodes: usize) -> Result<Self> {
        let program = std::env::var_os(PROGRAM).context("say where garage is: make peers does")?;
        let rpc_secret = hex(64);
        let mut garage = Self {
            program: program.into(),
            nodes: Vec::new(),
            access_key_id: format!("GK{}", hex(24)),
            secret_access_key: hex(64),
            bucket: "originals".into(),
            region: REGION.into(),
        };
        for number in 0..nodes {
            let folder = folder.join(format!("garage-{number}"));
            garage.nodes.push(garage.node(&folder, &rpc_secret, nodes)?);
        }
        garage.lay_out().await?;
        let (key, secret) = (garage.access_key_id.clone(), garage.secret_access_key.clone());
        garage.does(0, &["key", "import", "--yes", "-n", "team", &key, &secret]).await?;
        garage.does(0, &["key", "allow", "--create-bucket", "team"]).await?;
        garage.does(0, &["bucket", "create", "originals"]).await?;
        let allow =
            ["bucket", "allow", "--read", "--write", "--owner", "originals", "--key", "team"];
        garage.does(0, &allow).await?;
        Ok(garage)
    }

    /// Where a node answers S3 requests.
    #[must_use]
    pub fn address(&self, node: usize) -> SocketAddr {
        self.nodes[node].s3
    }

    /// Ends a node as a power cut would.
    ///
    /// # Errors
    /// Where it has ended before.
    pub async fn kill(&mut self, node: usize) -> Result<()> {
        let mut child = self.nodes[node].child.take().context("this node has ended")?;
        child.kill().await.context("a node cannot be killed")
    }

    /// Starts a node that was killed again.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start_again(&mut self, node: usize) -> Result<()> {
        let child = self.spawn(&self.nodes[node].config)?;
        self.nodes[node].child = Some(child);
        self.answers(node).await
    }

    /// What `dailies-server` has to be told to use it, through `public` for those outside.
    #[must_use]
    pub fn settings(&self, public: &str) -> Vec<(&'static str, String)> {
        vec![
            ("DAILIES_S3_ENDPOINT", format!("http://{}", self.address(0))),
            ("DAILIES_S3_PUBLIC_ENDPOINT", public.to_owned()),
            ("DAILIES_S3_REGION", self.region.clone()),
            ("DAILIES_S3_BUCKET", self.bucket.clone()),
            ("DAILIES_S3_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("DAILIES_S3_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }

    fn node(&self, folder: &Path, rpc_secret: &str, copies: usize) -> Result<Node> {
        std::fs::create_dir_all(folder)?;
        let (s3, rpc) = (free_address()?, free_address()?);
        let config = folder.join("garage.toml");
        let text = format!(
            "metadata_dir = {meta:?}\ndata_dir = {data:?}\ndb_engine = \"lmdb\"\n\
             replication_factor = {copies}\nrpc_bind_addr = \"{rpc}\"\n\
             rpc_public_addr = \"{rpc}\"\nrpc_secret = \"{rpc_secret}\"\n\
             [s3_api]\ns3_region = \"{REGION}\"\napi_bind_addr = \"{s3}\"\n",
            meta = folder.join("meta"),
            data = folder.join("data"),
        );
        std::fs::write(&config, text)?;
        let child = Some(self.spawn(&config)?);
        Ok(Node { config, s3, rpc, child })
    }

    fn spawn(&self, config: &Path) -> Result<Child> {
        let log = File::options().create(true).append(true).open(config.with_extension("log"))?;
        Command::new(&self.program)
            .arg("-c")
            .arg(config)
            .arg("server")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be run", self.program.display()))
    }

    /// Makes the nodes one cluster.
    async fn lay_out(&self) -> Result<()> {
        let mut ids = Vec::new();
        for number in 0..self.nodes.len() {
            self.answers(number).await?;
            let said = self.does(number, &["node", "id", "-q"]).await?;
            let id = said.split_whitespace().last().context("a node without an id")?;
            ids.push(id.split('@').next().unwrap_or(id).to_owned());
        }
        for (number, id) in ids.iter().enumerate() {
            if number > 0 {
                let peer = format!("{id}@{}", self.nodes[number].rpc);
                self.does(0, &["node", "connect", &peer]).await?;
            }
        }
        for (number, id) in ids.iter().enumerate() {
            let zone = format!("zone{number}");
            self.does(0, &["layout", "assign", "-z", &zone, "-c", "10G", id]).await?;
        }
        self.does(0, &["layout", "apply", "--version", "1"]).await?;
        Ok(())
    }

    async fn does(&self, node: usize, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.nodes[node].config).args(arguments);
        counterparts::run(LIMIT, &mut command).await
    }

    async fn answers(&self, node: usize) -> Result<()> {
        for _ in 0..300 {
            if tokio::net::TcpStream::connect(self.nodes[node].rpc).await.is_ok()
                && tokio::net::TcpStream::connect(self.nodes[node].s3).await.is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = std::fs::read_to_string(self.nodes[node].config.with_extension("log"))?;
        bail!("garage does not answer:\n{log}")
    }
}

fn hex(digits: usize) -> String {
    (0..digits).map(|_| fastrand::digit(16)).collect()
}
