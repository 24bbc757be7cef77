//! One connection through the proxy.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::message::{Head, Length};
use super::record::{End, Exchange, Note};
use super::{Fault, Shared, lock};

/// Bytes moved at once.
const SLICE: usize = 64 << 10;
/// Bodies of function calls, which are read before anything is decided.
const LONGEST_CALL: u64 = 16 << 20;

/// How long what is held is held.
const HELD: Duration = Duration::from_secs(60);

type Stream = BufReader<TcpStream>;

/// What comes next on a connection.
enum Next {
    Request,
    Close,
    Reset,
    /// Close, but not so soon, and the way to the other side not before.
    Linger(Duration, Option<Stream>),
}

/// Serves a client until one of the two goes away.
pub(super) async fn serve(client: TcpStream, shared: Arc<Shared>) {
    // Answers are whole: waiting to fill a packet only delays them.
    let _ = client.set_nodelay(true);
    let mut client = BufReader::with_capacity(SLICE, client);
    loop {
        match exchange(&mut client, &shared).await {
            Ok(Next::Request) => {}
            // Whatever went wrong: the connection is cut, which is what the client then sees.
            Ok(Next::Close) | Err(_) => return,
            Ok(Next::Linger(time, _storage)) => {
                tokio::time::sleep(time).await;
                return;
            }
            Ok(Next::Reset) => {
                let _ = client.get_ref().set_zero_linger();
                return;
            }
        }
    }
}

async fn exchange(client: &mut Stream, shared: &Arc<Shared>) -> io::Result<Next> {
    let Some(head) = Head::read(client).await? else { return Ok(Next::Close) };
    let mut begun = Vec::new();
    let mut length = head.length_of_request();
    let mut function = None;
    if let (true, Length::Bytes(bytes @ 1..=LONGEST_CALL)) =
        (calls_a_function(head.target()), length)
    {
        begun = vec![0; usize::try_from(bytes).unwrap_or_default()];
        client.read_exact(&mut begun).await?;
        length = Length::Bytes(0);
        function = called(&begun);
    }
    let exchange = Exchange::new(&head, function, length != Length::Bytes(0));
    let fault = shared.fault_for(&exchange);
    let note = Note::begin(shared, exchange);
    let request = Request { head: &head, begun: &begun, length };
    let Some(fault) = fault else {
        let mut storage = request.forward(client, shared, None).await?;
        let (status, closes) = answer(&mut storage, Some(client)).await?;
        note.end(End::Answered(status));
        return Ok(if closes || head.closes() { Next::Close } else { Next::Request });
    };
    let next = request.broken(client, shared, fault).await;
    note.end(End::Faulted);
    next
}

/// The other parts of a team's API lie beside its functions, and take bytes.
fn calls_a_function(target: &str) -> bool {
    target.starts_with("/api/") && !target.starts_with("/api/client/")
}

/// The function that a call's body names.
fn called(body: &[u8]) -> Option<String> {
    let call: serde_json::Value = serde_json::from_slice(body).ok()?;
    call["path"].as_str().map(str::to_owned)
}

struct Request<'a> {
    head: &'a Head,
    /// As much of the body as was read already.
    begun: &'a [u8],
    /// Of the rest.
    length: Length,
}

impl Request<'_> {
    async fn broken(&self, client: &mut Stream, shared: &Shared, fault: Fault) -> io::Result<Next> {
        match fault {
            Fault::Answer { status, headers, body } => {
                self.body(client, shared, None, u64::MAX, None).await?;
                let mut text = format!("HTTP/1.1 {status} Scripted\r\n");
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
                client.write_all(text.as_bytes()).await?;
                Ok(Next::Request)
            }
            Fault::Cut { after, reset } => {
                let mut storage = self.open(shared, after).await?;
                self.body(client, shared, Some(&mut storage), after, None).await?;
                Ok(if reset { Next::Reset } else { Next::Close })
            }
            Fault::Stall { after, lasting } => {
                let mut storage = self.open(shared, after).await?;
                self.body(client, shared, Some(&mut storage), after, None).await?;
                Ok(Next::Linger(lasting, Some(storage)))
            }
            Fault::SwallowAnswer => {
                let mut storage = self.forward(client, shared, None).await?;
                answer(&mut storage, None).await?;
                Ok(Next::Close)
            }
            Fault::Hold { done } => {
                if done {
                    let mut storage = self.forward(client, shared, None).await?;
                    answer(&mut storage, None).await?;
                }
                Ok(Next::Linger(HELD, None))
            }
            Fault::HalfAnswer => {
                let mut storage = self.forward(client, shared, None).await?;
                let head = Head::read(&mut storage).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
                client.write_all(&head.bytes[..head.bytes.len() / 2]).await?;
                client.flush().await?;
                Ok(Next::Close)
            }
            Fault::CutAnswer { after } => {
                let mut storage = self.forward(client, shared, None).await?;
                begin_answer(&mut storage, client, after).await?;
                Ok(Next::Close)
            }
            Fault::SlowAnswer { bytes_per_second } => {
                let mut storage = self.forward(client, shared, None).await?;
                let mut left = begin_answer(&mut storage, client, 0).await?;
                while left > 0 {
                    let part = left.min(SLICE as u64);
                    let takes = Duration::from_micros(part * 1_000_000 / bytes_per_second);
                    tokio::time::sleep(takes).await;
                    tokio::io::copy_buf(&mut (&mut storage).take(part), client).await?;
                    client.flush().await?;
                    left -= part;
                }
                Ok(Next::Close)
            }
            Fault::FlipAnswer { at } => {
                let mut storage = self.forward(client, shared, None).await?;
                let length = begin_answer(&mut storage, client, at).await?;
                client.write_all(&[storage.read_u8().await? ^ 1]).await?;
                tokio::io::copy_buf(&mut storage.take(length - at - 1), client).await?;
                Ok(Next::Close)
            }
            Fault::Flip { at } => {
                let mut storage = self.forward(client, shared, Some(at)).await?;
                let (_, closes) = answer(&mut storage, Some(client)).await?;
                Ok(if closes { Next::Close } else { Next::Request })
            }
        }
    }

    /// Connects, and sends the head and what was read of the body, at most so much of it.
    async fn open(&self, shared: &Shared, most: u64) -> io::Result<Stream> {
        let upstream = *lock(&shared.upstream);
        let upstream = upstream.ok_or(io::ErrorKind::HostUnreachable)?;
        let connecting = TcpStream::connect(upstream);
        let mut storage = tokio::time::timeout(Duration::from_secs(10), connecting).await??;
        storage.set_nodelay(true)?;
        storage.write_all(&self.head.bytes).await?;
        let begun = usize::try_from(most).unwrap_or(usize::MAX).min(self.begun.len());
        storage.write_all(&self.begun[..begun]).await?;
        Ok(BufReader::with_capacity(SLICE, storage))
    }

    async fn forward(
        &self,
        client: &mut Stream,
        shared: &Shared,
        flip: Option<u64>,
    ) -> io::Result<Stream> {
        let mut storage = self.open(shared, u64::MAX).await?;
        self.body(client, shared, Some(&mut storage), u64::MAX, flip).await?;
        Ok(storage)
    }

    /// Moves the rest of the body, `most` bytes of it, from the client to the storage or nowhere.
    async fn body(
        &self,
        client: &mut Stream,
        shared: &Shared,
        mut storage: Option<&mut Stream>,
        most: u64,
        flip: Option<u64>,
    ) -> io::Result<()> {
        let Length::Bytes(length) = self.length else {
            return Err(io::Error::other("the body of a request is of unknown length"));
        };
        let length = length.min(most);
        let mut slice = vec![0; SLICE];
        let mut done = 0;
        while done < length {
            let room = usize::try_from(length - done).unwrap_or(SLICE).min(SLICE);
            let read = client.read(&mut slice[..room]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            shared.pass(read as u64).await;
            let offset = flip.and_then(|at| usize::try_from(at.checked_sub(done)?).ok());
            if let Some(byte) = offset.and_then(|offset| slice[..read].get_mut(offset)) {
                *byte ^= 1;
            }
            if let Some(stream) = &mut storage
                && stream.write_all(&slice[..read]).await.is_err()
            {
                // It has answered early, most likely; the answer is still to be read.
                storage = None;
            }
            done += read as u64;
        }
        Ok(())
    }
}

/// Moves an answer to the client or nowhere. Its status, and whether the connection ends with it.
async fn answer(storage: &mut Stream, client: Option<&mut Stream>) -> io::Result<(u16, bool)> {
    let head = Head::read(storage).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut nowhere = tokio::io::sink();
    let to: &mut (dyn tokio::io::AsyncWrite + Unpin + Send) = match client {
        Some(client) => client,
        None => &mut nowhere,
    };
    to.write_all(&head.bytes).await?;
    let length = head.length_of_answer();
    match length {
        Length::Bytes(length) => {
            let moved = tokio::io::copy_buf(&mut storage.take(length), to).await?;
            if moved != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Length::Chunked => chunks(storage, to).await?,
        Length::UntilClosed => {
            tokio::io::copy_buf(storage, to).await?;
        }
    }
    to.flush().await?;
    Ok((head.status(), head.closes() || length == Length::UntilClosed))
}

/// Moves an answer's head and so much of its body, which is at least that long: its length.
async fn begin_answer(storage: &mut Stream, client: &mut Stream, after: u64) -> io::Result<u64> {
    let head = Head::read(storage).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let Length::Bytes(length @ 1..) = head.length_of_answer() else {
        return Err(io::Error::other("the body of an answer is of unknown length"));
    };
    client.write_all(&head.bytes).await?;
    let moved = tokio::io::copy_buf(&mut storage.take(after), client).await?;
    client.flush().await?;
    if moved < after { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(length) }
}

async fn chunks(
    from: &mut Stream,
    to: &mut (dyn tokio::io::AsyncWrite + Unpin + Send),
) -> io::Result<()> {
    loop {
        let mut line = String::new();
        from.read_line(&mut line).await?;
        to.write_all(line.as_bytes()).await?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        // The chunk and its line's end; trailers are none of what is spoken here.
        tokio::io::copy_buf(&mut from.take(size + 2), to).await?;
        if size == 0 {
            return Ok(());
        }
    }
}
