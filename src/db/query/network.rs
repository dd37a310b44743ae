//! The texts of the addresses in a network. Addresses are stored as text, so a network becomes a pattern, exact for
//! addresses as this server writes them (IPv4 in dotted decimal, IPv6 as in RFC 5952), and ranges of texts that contain
//! all of them, which an index on the column answers. See `docs/decisions/013-cidr-filter.md`.

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The addresses of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// All of them, for a small network.
    Addresses(Vec<String>),
    /// The texts that lie in one of the ranges and match the pattern.
    Pattern {
        /// From the first text up to, but not including, the second. Empty if the texts have no common prefix.
        ranges: Vec<(String, String)>,
        /// A regular expression that PostgreSQL and Rust interpret alike.
        pattern: String,
    },
}

/// One octet of IPv4.
const OCTET: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
/// One group of IPv6.
const GROUP: &str = "[0-9a-f]{1,4}";

impl From<IpNet> for Network {
    fn from(network: IpNet) -> Self {
        match network {
            IpNet::V4(network) if network.prefix_len() > 24 => {
                Self::Addresses(network.subnets(32).into_iter().flatten().map(|net| net.addr().to_string()).collect())
            }
            IpNet::V6(network) if network.prefix_len() == 128 => Self::Addresses(vec![network.addr().to_string()]),
            IpNet::V4(network) => v4(network),
            IpNet::V6(network) => v6(network),
        }
    }
}

fn v4(network: Ipv4Net) -> Network {
    let whole = usize::from(network.prefix_len() / 8);
    let octets = network.network().octets();
    // The octets that the prefix covers, each with its dot, and the values of the octet that it covers in part.
    let fixed = octets[..whole].iter().map(|byte| format!("{byte}.")).collect::<Vec<_>>().concat();
    let cut: Vec<String> = match network.prefix_len() % 8 {
        0 => Vec::new(),
        bits => (octets[whole]..=octets[whole] | (0xff >> bits)).map(|byte| format!("{fixed}{byte}.")).collect(),
    };
    // Up to 128 ranges. The pattern would be matched against all addresses of a single range that is too wide.
    let starts = if cut.is_empty() { vec![fixed.clone()] } else { cut.clone() };
    let mut bytes: Vec<String> = octets[..whole].iter().map(u8::to_string).collect();
    if !cut.is_empty() {
        let values: Vec<_> = cut.iter().map(|start| start[fixed.len()..].trim_end_matches('.')).collect();
        bytes.push(format!("({})", values.join("|")));
    }
    bytes.resize(4, OCTET.to_owned());
    Network::Pattern {
        ranges: starts.into_iter().filter(|start| !start.is_empty()).map(prefix_range).collect(),
        pattern: format!("^{}$", bytes.join(r"\.")),
    }
}

/// The range of the texts that start with this one, whose last character is ASCII.
pub(in crate::db) fn prefix_range(start: String) -> (String, String) {
    let mut end = start.clone();
    if let Some(last) = end.pop() {
        end.push(char::from_u32(u32::from(last) + 1).unwrap_or(char::MAX));
    }
    (start, end)
}

/// One of the eight groups of an address: a value whose last `free` bits are arbitrary.
#[derive(Clone, Copy)]
struct Group {
    value: u16,
    free: u32,
}

impl Group {
    fn may_be_zero(self) -> bool {
        self.value == 0
    }

    /// The digits that all values start with, without leading zeros.
    fn digits(self) -> String {
        match u32::from(self.value) >> self.free.next_multiple_of(4) {
            0 => String::new(),
            digits => format!("{digits:x}"),
        }
    }

    fn pattern(self) -> String {
        let (any, some) = (self.free / 4, self.free % 4);
        let first = (u32::from(self.value) >> (any * 4)) & 0xf;
        // The digit that is arbitrary in part.
        let digit: Vec<_> = (first..first + (1 << some)).map(|digit| format!("{digit:x}")).collect();
        let digit = format!("[{}]", digit.concat());
        match (self.value, any, some) {
            (_, 4.., _) => GROUP.to_owned(),
            (value, 0, 0) => format!("{value:x}"),
            (0, 0, _) => digit,
            (0, any, 0) => format!("[0-9a-f]{{1,{any}}}"),
            (0, any, _) => format!("([0-9a-f]{{1,{any}}}|{digit}[0-9a-f]{{{any}}})"),
            (_, 0, _) => format!("{}{digit}", self.digits()),
            (_, any, 0) => format!("{}[0-9a-f]{{{any}}}", self.digits()),
            (_, any, _) => format!("{}{digit}[0-9a-f]{{{any}}}", self.digits()),
        }
    }
}

fn v6(network: Ipv6Net) -> Network {
    let prefix = u32::from(network.prefix_len());
    let groups: Vec<Group> = (0..)
        .zip(network.network().segments())
        .map(|(at, value)| Group { value, free: 16 - prefix.saturating_sub(16 * at).min(16) })
        .collect();
    // The number of groups that the prefix covers, the last of them perhaps in part.
    let fixed = prefix.div_ceil(16) as usize;
    let mut forms = vec![written_out(&groups, fixed)];
    for head in 0..fixed.min(7) {
        forms.extend(shortened(&groups, fixed, head));
    }
    if network.contains(&Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0)) {
        forms.push(format!("::ffff:{}", [OCTET; 4].join(r"\.")));
    }
    // Groups that are not zero are always written out.
    let whole = groups.iter().take_while(|group| group.free == 0 && group.value != 0).count();
    let mut start = groups[..whole].iter().map(|group| format!("{:x}:", group.value)).collect::<Vec<_>>().concat();
    start.push_str(&groups.get(whole).map(|group| group.digits()).filter(|_| whole < fixed).unwrap_or_default());
    Network::Pattern {
        ranges: Some(start).filter(|start| !start.is_empty()).map(prefix_range).into_iter().collect(),
        pattern: format!("^({})$", forms.join("|")),
    }
}

/// All fixed groups are written out; a `::` may follow.
fn written_out(groups: &[Group], fixed: usize) -> String {
    match fixed {
        0 => "[0-9a-f:]*:[0-9a-f:]*".to_owned(),
        8 => join(groups),
        _ => format!("{}:[0-9a-f:]*", join(&groups[..fixed])),
    }
}

/// After `head` groups, fewer than are fixed, follows the `::`, which stands for two or more zero groups.
fn shortened(groups: &[Group], fixed: usize, head: usize) -> Vec<String> {
    let start = format!("{}::", join(&groups[..head]));
    let zeros = |to: usize| groups[head..to].iter().all(|group| group.may_be_zero());
    let most = 6_usize.saturating_sub(head);
    let free = most.min(8 - fixed);
    let mut forms = Vec::new();
    if head <= 6 && zeros(fixed) {
        forms.push(match free {
            0 => start.clone(),
            free => format!("{start}({GROUP}(:{GROUP}){{0,{}}})?", free - 1),
        });
    }
    for tail in 8 - fixed + 1..=most {
        if zeros(8 - tail) {
            forms.push(format!("{start}{}", join(&groups[8 - tail..])));
        }
    }
    forms
}

fn join(groups: &[Group]) -> String {
    groups.iter().map(|group| group.pattern()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use regex::Regex;

    use super::*;

    /// The result of the statement's condition for a text, without a database.
    fn contains(network: &Network, pattern: Option<&Regex>, address: &str) -> bool {
        match network {
            Network::Addresses(texts) => texts.iter().any(|listed| listed == address),
            Network::Pattern { ranges, .. } => {
                let in_range = |(from, to): &(String, String)| from.as_str() <= address && address < to.as_str();
                pattern.is_some_and(|pattern| pattern.is_match(address))
                    && (ranges.is_empty() || ranges.iter().any(in_range))
            }
        }
    }

    fn pattern(network: &Network) -> Option<Regex> {
        match network {
            Network::Pattern { pattern, .. } => Some(Regex::new(pattern).expect("a pattern")),
            Network::Addresses(_) => None,
        }
    }

    /// Runs of equal bits: IPv6 addresses have many zeros, and that is where the forms differ.
    fn v6_address(random: &mut fastrand::Rng) -> Ipv6Addr {
        let mut segments = [0; 8];
        for segment in &mut segments {
            *segment = match random.u8(..8) {
                0..4 => 0,
                4 => 1 << random.u16(..16),
                5 => random.u16(..16),
                6 => 0xffff,
                _ => random.u16(..),
            };
        }
        segments.into()
    }

    /// An address that shares a prefix with this one, and differs in the next bit.
    fn near(random: &mut fastrand::Rng, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                let at = random.u32(..32);
                Ipv4Addr::from(u32::from(address) ^ (1 << at) ^ (random.u32(..) & ((1 << at) - 1))).into()
            }
            IpAddr::V6(address) => {
                let at = random.u32(..128);
                let rest = if random.bool() { u128::from(v6_address(random)) & ((1 << at) - 1) } else { 0 };
                Ipv6Addr::from(u128::from(address) ^ (1 << at) ^ rest).into()
            }
        }
    }

    #[test]
    fn random_networks_contain_the_same_addresses_as_in_ipnet() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut inside, mut outside) = (0, 0);
        for _ in 0..6_000 {
            let address: IpAddr = if random.u8(..3) == 0 {
                Ipv4Addr::from(random.u32(..)).into()
            } else {
                v6_address(&mut random).into()
            };
            let most = if address.is_ipv4() { 32 } else { 128 };
            let network = IpNet::new(address, random.u8(..=most)).expect("a network").trunc();
            // Such a network is rejected earlier: its addresses are stored as IPv4 addresses.
            if matches!(network, IpNet::V6(network) if network.prefix_len() >= 96 && network.addr().to_ipv4_mapped().is_some())
            {
                continue;
            }
            let texts = Network::from(network);
            let pattern = pattern(&texts);
            for _ in 0..12 {
                let other = match random.u8(..8) {
                    0 => address,
                    1 => v6_address(&mut random).into(),
                    2 => Ipv4Addr::from(random.u32(..)).into(),
                    _ => near(&mut random, address),
                };
                let expected = network.contains(&other);
                *(if expected { &mut inside } else { &mut outside }) += 1;
                assert_eq!(
                    contains(&texts, pattern.as_ref(), &other.to_string()),
                    expected,
                    "{other} in {network}: {texts:?}"
                );
            }
        }
        assert!(inside > 20_000 && outside > 20_000, "{inside} inside, {outside} outside");
    }

    #[test]
    fn an_ipv4_network_contains_no_other_texts() {
        let network = Network::from("10.1.0.0/16".parse::<IpNet>().expect("a network"));
        let pattern = pattern(&network);
        for text in [
            "10.1.2",
            "10.1.2.3.4",
            "10.1.2.256",
            "10.1.2.03",
            "10.1.2.x",
            "10.1.",
            "10.1.2.3, 10.1.2.4",
            "",
            " 10.1.2.3",
        ] {
            assert!(!contains(&network, pattern.as_ref(), text), "{text}");
        }
    }

    #[test]
    fn ranges_are_few_and_narrow() {
        let ranges = |network: &str| match Network::from(network.parse::<IpNet>().expect("a network")) {
            Network::Pattern { ranges, .. } => ranges.into_iter().map(|(from, to)| format!("{from} {to}")).collect(),
            Network::Addresses(texts) => vec![format!("{} texts", texts.len())],
        };
        for (network, expected) in [
            ("0.0.0.0/0", vec![]),
            ("10.0.0.0/8", vec!["10. 10/"]),
            ("10.1.0.0/16", vec!["10.1. 10.1/"]),
            ("10.1.2.0/24", vec!["10.1.2. 10.1.2/"]),
            ("10.1.2.0/25", vec!["128 texts"]),
            ("10.1.2.3/32", vec!["1 texts"]),
            ("172.16.0.0/14", vec!["172.16. 172.16/", "172.17. 172.17/", "172.18. 172.18/", "172.19. 172.19/"]),
            ("::/0", vec![]),
            ("::/16", vec![]),
            ("2001:db8::/32", vec!["2001:db8: 2001:db8;"]),
            ("2001:db8:4000::/34", vec!["2001:db8: 2001:db8;"]),
            ("2001:db8:4000::/36", vec!["2001:db8:4 2001:db8:5"]),
            ("2001:0:1::/48", vec!["2001: 2001;"]),
            ("fe80::/10", vec!["fe ff"]),
            ("::1/128", vec!["1 texts"]),
        ] {
            assert_eq!(ranges(network), expected, "{network}");
        }
        assert_eq!((ranges("10.0.0.0/9").len(), ranges("192.0.0.0/4").len()), (128, 16));
    }
}
