//! `IpAddressFilter`: the tests of a text, and whether an address lies in a network.

use std::net::IpAddr;

use async_graphql::{InputObject, MaybeUndefined};
use ipnet::IpNet;

use super::{
    Budget,
    operators::{Operators, TextFilter},
};
use crate::{
    db::query::{Column, Filter, network},
    error::{Error, Result},
};

/// Tests of an address, which is kept as text: IPv4 as `192.0.2.17`, IPv6 as RFC 5952 has it, such as `2001:db8::17`.
/// `eq` and `in` compare to the letter; `contains` and `startsWith` take letters without regard to case.
#[derive(InputObject)]
pub struct IpAddressFilter {
    /// Is this text.
    eq: MaybeUndefined<String>,
    /// Is one of these texts; none for an empty list.
    r#in: MaybeUndefined<Vec<String>>,
    /// Holds this text.
    contains: MaybeUndefined<String>,
    /// Begins with this text.
    starts_with: MaybeUndefined<String>,
    /// Lies in this network: `10.1.0.0/16`, `2001:db8::/32`. All bits after the prefix have to be zero.
    cidr: MaybeUndefined<String>,
    /// Is absent, or is present.
    is_null: MaybeUndefined<bool>,
}

impl Operators for IpAddressFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        let Self { eq, r#in, contains, starts_with, cidr, is_null } = self;
        TextFilter { eq, r#in, contains, starts_with, is_null }.add(column, budget, parts)?;
        let network = budget.operator("cidr", cidr)?.map(|text| network_of(&text)).transpose()?;
        parts.extend(network.map(|network| Filter::Column(column, network::within(network))));
        Ok(())
    }
}

/// Refuses what may be a slip: a network whose address has bits after its prefix, and one that holds no stored address.
fn network_of(text: &str) -> Result<IpNet> {
    let refused = |message: String| Err(Error::bad_input("cidr", message));
    // The one parser knows prefixes, the other refuses zeros in front, which some take for octal.
    let is_address = text.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
    let Some(network) = text.parse::<IpNet>().ok().filter(|_| is_address) else {
        return refused(
            "a network is an address and the length of its prefix, such as 10.1.0.0/16 or 2001:db8::/32".to_owned(),
        );
    };
    if network != network.trunc() {
        return refused(format!("the address has bits after the prefix: the network is {}", network.trunc()));
    }
    // An address of IPv4 that came by IPv6 is kept as what it is.
    if let IpNet::V6(v6) = network
        && let (Some(v4), Some(prefix)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
    {
        return refused(format!("addresses of IPv4 are kept as such: the network is {v4}/{prefix}"));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_taken_when_it_is_one() {
        for text in
            ["10.1.0.0/16", "0.0.0.0/0", "10.1.2.3/32", "::/0", "2001:db8::/32", "2001:DB8:0::/32", "::1/128", "::/95"]
        {
            assert!(network_of(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_reason() {
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
