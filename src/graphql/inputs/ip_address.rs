//! `IpAddressFilter`: the operators of a text and `cidr`.

use std::net::IpAddr;

use async_graphql::{InputObject, MaybeUndefined};
use ipnet::IpNet;

use super::{
    filter::SizeLimit,
    operators::{Operators, TextFilter},
};
use crate::{
    db::query::{Column, Filter, Predicate},
    error::{Error, Result},
};

/// A filter for an IP address. Addresses are stored as text: IPv4 such as `192.0.2.17`, IPv6 in the form of RFC 5952 such as
/// `2001:db8::17`. `eq` and `in` are case-sensitive; `contains` and `startsWith` are case-insensitive.
#[derive(InputObject)]
pub struct IpAddressFilter {
    /// Equals this text.
    eq: MaybeUndefined<String>,
    /// Equals one of these texts; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<String>>,
    /// Contains this text.
    contains: MaybeUndefined<String>,
    /// Starts with this text.
    starts_with: MaybeUndefined<String>,
    /// Is in this network, such as `10.1.0.0/16` or `2001:db8::/32`. All bits after the prefix must be zero.
    cidr: MaybeUndefined<String>,
    /// True matches rows without a value, false rows with a value.
    is_null: MaybeUndefined<bool>,
}

impl Operators for IpAddressFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        let Self { eq, r#in, contains, starts_with, cidr, is_null } = self;
        TextFilter { eq, r#in, contains, starts_with, is_null }.add(column, limit, parts)?;
        let network = limit.operator("cidr", cidr)?.map(|text| network_of(&text)).transpose()?;
        parts.extend(network.map(|network| Filter::Column(column, Predicate::Network(network.into()))));
        Ok(())
    }
}

/// Parses a network. Rejects likely mistakes: bits after the prefix, and networks that contain no stored address.
fn network_of(text: &str) -> Result<IpNet> {
    let refused = |message: String| Err(Error::bad_input("cidr", message));
    // `IpNet` parses the prefix; `IpAddr` rejects leading zeros, which some programs read as octal.
    let is_address = text.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
    let Some(network) = text.parse::<IpNet>().ok().filter(|_| is_address) else {
        return refused("expected a network in CIDR notation, such as 10.1.0.0/16 or 2001:db8::/32".to_owned());
    };
    if network != network.trunc() {
        return refused(format!("the address has bits after the prefix; the network is {}", network.trunc()));
    }
    // IPv4-mapped IPv6 addresses are stored as IPv4.
    if let IpNet::V6(v6) = network
        && let (Some(v4), Some(prefix)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
    {
        return refused(format!("IPv4 addresses are stored as IPv4; the network is {v4}/{prefix}"));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_accepted() {
        for text in
            ["10.1.0.0/16", "0.0.0.0/0", "10.1.2.3/32", "::/0", "2001:db8::/32", "2001:DB8:0::/32", "::1/128", "::/95"]
        {
            assert!(network_of(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_rejected_with_a_reason() {
        for (text, reason) in [
            ("10.1.2.3/16", "the network is 10.1.0.0/16"),
            ("2001:db8::1/32", "the network is 2001:db8::/32"),
            ("::ffff:10.0.0.0/104", "the network is 10.0.0.0/8"),
            ("10.1.0.0", "such as 10.1.0.0/16"),
            ("10.1.0.0/33", "such as"),
            ("10.1/16", "such as"),
            ("10.1.0.0/-1", "such as"),
            ("10.1.0.0/+8", "such as"),
            ("10.1.0.0/ 8", "such as"),
            ("010.1.0.0/16", "such as"),
            ("fe80::%eth0/64", "such as"),
            ("", "such as"),
        ] {
            let error = network_of(text).expect_err(text);
            assert_eq!(error.field(), Some("cidr"));
            assert!(error.message().contains(reason), "{text}: {error}");
        }
    }
}
