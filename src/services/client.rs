//! The client of a request, as far as HTTP knows it.

/// Where a request came from, for the audit log and for limits per address.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The client address.
    pub ip_address: Option<String>,
    /// The `User-Agent` header, cut to 512 characters.
    pub user_agent: Option<String>,
    /// True if the request came through a proxy on this machine that is not configured as trusted. Its client can be any
    /// machine.
    pub through_untrusted_proxy: bool,
}
