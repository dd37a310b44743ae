//! The texts of the large data set: names, agents, addresses, descriptions.

use std::net::Ipv6Addr;

use super::random::RowRandom;
use crate::model::AuditAction;

/// One of about two thousand addresses of private and documentation networks; a few of them are frequent.
pub(super) fn address(random: &mut RowRandom) -> String {
    let rank = random.skewed(2000);
    let [a, b, c, ..] = rank.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    match rank % 10 {
        0..7 => format!("10.{}.{}.{}", a % 16, b, c.max(1)),
        7 | 8 => format!("192.0.2.{}", a.max(1)),
        _ => Ipv6Addr::new(0x2001, 0xdb8, a.into(), 0, 0, 0, 0, u16::from_be_bytes([b, c])).to_string(),
    }
}

pub(super) fn host(random: &mut RowRandom) -> String {
    format!("{}-{:04}", random.one_of(&["ws", "srv", "db", "vpn", "mail"]), random.skewed(3000))
}

/// The description and the details of an audit log entry.
pub(super) fn description(action: AuditAction, success: bool, random: &mut RowRandom) -> (String, String) {
    let (agent, host, millis) = (random.weighted(&AGENTS), host(random), 40 + random.skewed(30_000));
    let user = random.skewed(10_000) + 1;
    match action {
        AuditAction::Login => (
            "Logged in".to_owned(),
            format!(r#"{{"method":"{}","mfa":{}}}"#, random.one_of(&["password", "sso"]), random.per_mille(700)),
        ),
        AuditAction::Logout => ("Logged out".to_owned(), format!(r#"{{"sessionSeconds":{}}}"#, millis / 4)),
        AuditAction::FailedLogin => {
            ("Login refused".to_owned(), format!(r#"{{"reason":"wrong password","attempt":{}}}"#, random.skewed(5) + 1))
        }
        AuditAction::QueryAgent => (
            format!("Asked the {agent} agent about {host}"),
            format!(r#"{{"agent":"{agent}","host":"{host}","tokens":{}}}"#, 80 + random.skewed(4000)),
        ),
        AuditAction::AgentExecution if success => (
            format!("The {agent} agent examined {host}"),
            format!(r#"{{"agent":"{agent}","host":"{host}","durationMs":{millis},"findings":{}}}"#, random.skewed(9)),
        ),
        AuditAction::AgentExecution => (
            format!("The {agent} agent failed on {host}"),
            format!(r#"{{"agent":"{agent}","host":"{host}","durationMs":{millis},"error":"the tool did not answer"}}"#),
        ),
        AuditAction::UserCreated => {
            (format!("Created the user user-{user:07}"), format!(r#"{{"username":"user-{user:07}","role":"viewer"}}"#))
        }
        AuditAction::UserUpdated => (
            format!("Changed the user user-{user:07}"),
            format!(
                r#"{{"username":"user-{user:07}","changed":["{}"]}}"#,
                random.one_of(&["role", "email", "fullName"])
            ),
        ),
        AuditAction::UserDeleted => {
            (format!("Deleted the user former-{user:07}"), format!(r#"{{"username":"former-{user:07}"}}"#))
        }
        AuditAction::SessionCreated => {
            (format!("Opened a conversation about {host}"), format!(r#"{{"agent":"{agent}","host":"{host}"}}"#))
        }
        AuditAction::SessionEnded => (
            format!("Ended a conversation about {host}"),
            format!(r#"{{"agent":"{agent}","messages":{}}}"#, random.skewed(120) + 1),
        ),
        // The data set has no other actions.
        _ => (
            "Changed a setting".to_owned(),
            format!(r#"{{"setting":"{}"}}"#, random.one_of(&["retentionDays", "alertThreshold", "defaultAgent"])),
        ),
    }
}

/// About one in twenty entries is a failure: every failed login, and a tenth of the agent executions.
pub(super) const ACTIONS: [(u64, AuditAction); 11] = [
    (335, AuditAction::QueryAgent),
    (210, AuditAction::AgentExecution),
    (190, AuditAction::Login),
    (95, AuditAction::Logout),
    (70, AuditAction::SessionCreated),
    (50, AuditAction::SessionEnded),
    (30, AuditAction::FailedLogin),
    (10, AuditAction::UserUpdated),
    (5, AuditAction::UserCreated),
    (3, AuditAction::ConfigChanged),
    (2, AuditAction::UserDeleted),
];

pub(super) const AGENTS: [(u64, &str); 5] = [
    (400, "incident_triage"),
    (250, "threat_hunting"),
    (200, "vulnerability_prioritization"),
    (100, "compliance_auditor"),
    (50, "anomaly_investigation"),
];

pub(super) const SEVERITIES: [(u64, &str); 4] = [(450, "low"), (350, "medium"), (160, "high"), (40, "critical")];

pub(super) const MODELS: [&str; 3] = ["small", "medium", "large"];

pub(super) const TOOLS: [&str; 6] = ["siem_search", "asset_lookup", "whois", "sandbox", "cve_lookup", "ticket"];

pub(super) const TITLES: [&str; 8] = [
    "Triage of the alert on {host}",
    "Odd logins on {host}",
    "Which patches does {host} need first?",
    "Lateral movement from {host}",
    "Phishing mail opened on {host}",
    "Quarterly access review: {host}",
    "Outbound traffic of {host} at night",
    "Timeline of the incident on {host}",
];

pub(super) const USER_AGENTS: [(u64, &str); 6] = [
    (
        420,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    ),
    (200, "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
    (
        150,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
    ),
    (120, "langgraph-sdk-py/0.1.40"),
    (70, "python-httpx/0.27.2"),
    (40, "curl/8.10.1"),
];

pub(super) const FIRST_NAMES: [&str; 16] = [
    "Amara", "Bela", "Chidi", "Dana", "Emil", "Farah", "Goran", "Hana", "Ilias", "Jun", "Kofi", "Leila", "Mira",
    "Noor", "Oskar", "Priya",
];

pub(super) const LAST_NAMES: [&str; 16] = [
    "Abara",
    "Berg",
    "Castro",
    "Dvorak",
    "Eriksen",
    "Fofana",
    "Garcia",
    "Haddad",
    "Ito",
    "Jansen",
    "Kaya",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up() {
        assert_eq!(ACTIONS.iter().map(|(weight, _)| weight).sum::<u64>(), 1000);
        assert_eq!(AGENTS.iter().map(|(weight, _)| weight).sum::<u64>(), 1000);
        assert_eq!(SEVERITIES.iter().map(|(weight, _)| weight).sum::<u64>(), 1000);
        assert_eq!(USER_AGENTS.iter().map(|(weight, _)| weight).sum::<u64>(), 1000);
    }
}
