//! A long, narrow and lossy line between two network namespaces, where the kernel has no `netem`.
//!
//! `bench-shape A B` opens a TUN device in each, carries packets between them as slowly as the line
//! would, and says so once it does. Both ends are the kernel's own TCP. Ended by a signal.

use std::collections::VecDeque;
use std::fs::File;
use std::net::Ipv4Addr;
use std::num::NonZeroU64;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space, set_current_timer_slack};
use tun_rs::{DeviceBuilder, SyncDevice};

/// Of the devices in their namespaces.
const DEVICE: &str = "line0";
/// What an Ethernet frame adds to each packet, bytes.
const FRAME: usize = 14;
/// Longer than any packet.
const LONGEST: usize = 64 << 10;
/// Packets on their way, besides those that wait for their turn: more than any line here holds.
const UNDER_WAY: usize = 64 << 10;

/// Joins two network namespaces by a line.
#[derive(Parser)]
struct Line {
    /// The sender's namespace, as `ip netns` names it; it becomes 10.77.0.1.
    from: String,
    /// The receiver's; it becomes 10.77.0.2.
    to: String,
    /// Each way, Mbit/s.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Round trip, milliseconds.
    #[arg(long, default_value_t = 80.0)]
    round_trip: f64,
    /// Packets lost on the way from sender to receiver, percent.
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Packets that wait for their turn at the most; what comes beyond is dropped.
    #[arg(long, default_value_t = 1000)]
    queue: usize,
    /// The same seed loses the same packets, counted from the first.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let line = Line::parse();
    let from = device(line.from.clone(), Ipv4Addr::new(10, 77, 0, 1))?;
    let to = device(line.to.clone(), Ipv4Addr::new(10, 77, 0, 2))?;
    let there = carry(Arc::clone(&from), Arc::clone(&to), &line, line.loss / 100.0);
    let back = carry(to, from, &line, 0.0);
    #[expect(clippy::print_stdout, reason = "whoever starts it reads this")]
    {
        println!("ready");
    }
    for thread in there.into_iter().chain(back) {
        thread.join().map_err(|_| anyhow!("a thread of the line broke"))??;
    }
    Ok(())
}

/// Opens the device of a namespace.
fn device(namespace: String, address: Ipv4Addr) -> Result<Arc<SyncDevice>> {
    // A thread of its own: whoever opens a device has to be in its namespace.
    let opening = thread::spawn(move || -> Result<SyncDevice> {
        let file = File::open(format!("/run/netns/{namespace}"))
            .with_context(|| format!("there is no namespace {namespace}"))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
        let device = DeviceBuilder::new().name(DEVICE).mtu(1500).ipv4(address, 24, None);
        Ok(device.build_sync()?)
    });
    Ok(Arc::new(opening.join().map_err(|_| anyhow!("opening a device broke"))??))
}

/// A packet, and when it arrives.
type Packet = (Instant, Vec<u8>);

/// One direction.
fn carry(
    from: Arc<SyncDevice>,
    to: Arc<SyncDevice>,
    line: &Line,
    loss: f64,
) -> [thread::JoinHandle<Result<()>>; 2] {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    let turn = Turn {
        bits_per_second: line.rate * 1e6,
        delay: Duration::from_secs_f64(line.round_trip / 2000.0),
        loss,
        queue: line.queue,
        luck: fastrand::Rng::with_seed(line.seed),
    };
    [thread::spawn(move || turn.take(&from, &sender)), thread::spawn(move || arrive(&to, receiver))]
}

/// The near end of a direction.
struct Turn {
    bits_per_second: f64,
    delay: Duration,
    loss: f64,
    queue: usize,
    luck: fastrand::Rng,
}

impl Turn {
    fn take(mut self, device: &SyncDevice, sender: &SyncSender<Packet>) -> Result<()> {
        let mut packet = vec![0; LONGEST];
        let mut waiting: VecDeque<Instant> = VecDeque::new();
        let mut free = Instant::now();
        loop {
            let length = device.recv(&mut packet)?;
            let now = Instant::now();
            while waiting.front().is_some_and(|sent| *sent <= now) {
                waiting.pop_front();
            }
            if self.luck.f64() < self.loss || waiting.len() >= self.queue {
                continue;
            }
            let bits = (length + FRAME) as f64 * 8.0;
            free = free.max(now) + Duration::from_secs_f64(bits / self.bits_per_second);
            waiting.push_back(free);
            sender.send((free + self.delay, packet[..length].to_vec()))?;
        }
    }
}

/// The far end of a direction.
fn arrive(device: &SyncDevice, packets: Receiver<Packet>) -> Result<()> {
    // The usual 50 µs would be half a packet's time at 100 Mbit/s.
    set_current_timer_slack(NonZeroU64::new(1000))?;
    for (at, packet) in packets {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        // A device whose other side is gone takes nothing; the line ends by a signal.
        let _ = device.send(&packet);
    }
    Ok(())
}
