//! Whether TLS protects a request.

/// Whether TLS protects the path between the client and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportSecurity {
    /// The client runs on this machine, or a trusted proxy does not state the protocol.
    #[default]
    Unknown,
    /// A trusted proxy states that it received the request over TLS.
    Tls,
    /// The client connected from another machine without TLS, or a trusted proxy states plain HTTP.
    Plaintext,
}

impl TransportSecurity {
    /// From the protocol that a proxy states.
    pub(super) fn of_protocol(name: &str) -> Self {
        if name.eq_ignore_ascii_case("https") { Self::Tls } else { Self::Plaintext }
    }
}
