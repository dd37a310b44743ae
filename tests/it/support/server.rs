//! The binary as a running server, for what only a process and real sockets can show.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

/// A running server on a free port.
pub struct Server {
    child: Child,
    pub port: u16,
    /// What it logged until it listened.
    pub log: String,
    /// What it logs from then on.
    rest: Option<JoinHandle<String>>,
}

impl Server {
    pub fn start(url: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
        command.args(["serve", "--port", "0"]).args(args).env("DATABASE_URL", url).envs(variables.iter().copied());
        Self::start_command(command)
    }

    /// The same with a command of one's own, which has to listen on port 0.
    pub fn start_command(mut command: Command) -> Self {
        let child = command.stderr(Stdio::piped()).spawn().expect("starts");
        let mut server = Self { child, port: 0, log: String::new(), rest: None };
        let mut lines = BufReader::new(server.child.stderr.take().expect("piped")).lines();
        while let Some(Ok(line)) = lines.next() {
            server.log.push_str(&line);
            server.log.push('\n');
            if let Some((_, address)) = line.split_once("listening on http://") {
                let address = address.split_whitespace().next().expect("an address");
                server.port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
                // Somebody has to read on, or the server would wait to be read.
                let rest = move || lines.map_while(Result::ok).flat_map(|line| [line, "\n".to_owned()]).collect();
                server.rest = Some(std::thread::spawn(rest));
                return server;
            }
        }
        server.child.wait().expect("ends");
        panic!("the server did not start: {}", server.log);
    }

    pub fn post(&self, body: &str) -> String {
        self.post_as("", body)
    }

    /// The same with an access token; an empty one is none.
    pub fn post_as(&self, token: &str, body: &str) -> String {
        let token = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        self.post_with("localhost", &token, body)
    }

    /// The same under another host name.
    pub fn post_to(&self, host: &str, body: &str) -> String {
        self.post_with(host, "", body)
    }

    /// The same with further headers, each with its end of line.
    pub fn post_with(&self, host: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        // A body that is refused for its size is not read to its end.
        let _ = write!(
            stream,
            "POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             {headers}Connection: close\r\n\r\n{body}",
            body.len()
        );
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("reads");
        answer
    }

    /// Asks for a path, with its query.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        // A URL that is refused for its size is not read to its end.
        let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).expect("text")
    }

    /// The most memory that the process ever had, in KiB, as Linux counts it.
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        peak.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// By SIGTERM; the server has to end well.
    pub fn stop(self) {
        self.terminate();
        self.wait();
    }

    /// The same; all that it has logged.
    pub fn stop_and_read(mut self) -> String {
        self.terminate();
        assert!(self.child.wait().expect("ends").success());
        let rest = self.rest.take().expect("somebody reads").join().expect("reads");
        format!("{}{rest}", self.log)
    }

    pub fn wait(mut self) {
        assert!(self.child.wait().expect("ends").success());
    }

    /// Tells it to stop, and returns when it takes no more connections.
    pub fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs").success());
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    /// A failed test leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
