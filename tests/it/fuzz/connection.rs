//! A connection that sends bytes as they are and reads one reply after the other.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Long enough for a busy machine: an answer that does not come fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Connection {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    media_type: String,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn is_json(&self) -> bool {
        self.media_type.contains("json")
    }
}

impl Connection {
    pub fn open(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Sends a request on the open connection, or on a new one when the server has closed it.
    pub fn send(&mut self, request: &[u8]) -> io::Result<Reply> {
        if let Some(stream) = self.stream.take()
            && let Ok(reply) = self.exchange(stream, request)
        {
            return Ok(reply);
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.exchange(BufReader::new(stream), request)
    }

    fn exchange(&mut self, mut stream: BufReader<TcpStream>, request: &[u8]) -> io::Result<Reply> {
        // A request that is refused early is not read to its end; what was answered can be read all the same.
        let sent = stream.get_mut().write_all(request);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("{line:?} {sent:?}")))?;
        let (mut length, mut media_type, mut keep) = (None, String::new(), sent.is_ok());
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            match &*name.to_ascii_lowercase() {
                "content-length" => length = value.trim().parse().ok(),
                "content-type" => value.trim().clone_into(&mut media_type),
                "connection" => keep &= !value.trim().eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        let no_body = request.starts_with(b"HEAD ") || matches!(status, 204 | 304);
        match length {
            _ if no_body => {}
            Some(length) => {
                body.resize(length, 0);
                stream.read_exact(&mut body)?;
            }
            None => {
                keep = false;
                stream.get_ref().shutdown(std::net::Shutdown::Write)?;
                stream.read_to_end(&mut body)?;
            }
        }
        if keep {
            self.stream = Some(stream);
        }
        Ok(Reply { status, body, media_type })
    }
}
