//! The rows of the demo data. Times are minutes before the latest time in the data.

use crate::model::{AuditAction, AuditLog, AuditLogId, RawJson, Role, Session, SessionId, Timestamp, User, UserId};

fn minutes_before(until: Timestamp, minutes: u64) -> Timestamp {
    until.minus_micros(minutes * 60_000_000)
}

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

pub(super) struct Account {
    pub(super) username: &'static str,
    full_name: &'static str,
    role: Role,
}

// Indexes in the list of accounts.
const ADMIN: usize = 0;
const ANALYST: usize = 1;
const VIEWER: usize = 2;

pub(super) const ACCOUNTS: [Account; 3] = [
    Account { username: "admin", full_name: "System Administrator", role: Role::Admin },
    Account { username: "analyst", full_name: "Security Analyst", role: Role::Analyst },
    Account { username: "viewer", full_name: "Security Viewer", role: Role::Viewer },
];

impl Account {
    pub(super) fn user(&self, id: UserId, until: Timestamp) -> User {
        let created = minutes_before(until, 30 * DAY);
        User {
            id,
            username: self.username.to_owned(),
            email: format!("{}@guardianeye.local", self.username),
            role: self.role,
            is_active: true,
            full_name: Some(self.full_name.to_owned()),
            created_at: created,
            updated_at: created,
            last_login: None,
        }
    }
}

/// A session; times are minutes before the latest time.
pub(super) struct SampleSession {
    pub(super) owner: usize,
    thread: &'static str,
    title: &'static str,
    context: &'static str,
    created: u64,
    updated: u64,
    ended: Option<u64>,
}

impl SampleSession {
    pub(super) fn session(&self, id: SessionId, user_id: UserId, until: Timestamp) -> Session {
        Session {
            id,
            user_id,
            thread_id: Some(self.thread.to_owned()),
            context: Some(RawJson(self.context.to_owned())),
            title: Some(self.title.to_owned()),
            is_active: self.ended.is_none(),
            created_at: minutes_before(until, self.created),
            updated_at: minutes_before(until, self.updated),
            ended_at: self.ended.map(|ended| minutes_before(until, ended)),
        }
    }
}

pub(super) const SESSIONS: [SampleSession; 6] = [
    SampleSession {
        owner: ANALYST,
        thread: "thread-incident-triage-001",
        title: "Triage of suspicious PowerShell on ws-0412",
        context: r#"{"agent":"incident_triage","severity":"high","assets":["ws-0412","10.0.4.12"],"messages":14,"language":"en"}"#,
        created: 5 * HOUR,
        updated: 40,
        ended: None,
    },
    SampleSession {
        owner: ANALYST,
        thread: "thread-threat-hunting-001",
        title: "Hunt for lateral movement from the VPN gateway",
        context: r#"{"agent":"threat_hunting","severity":"medium","assets":["vpn-0003"],"hypothesis":"stolen VPN credentials","messages":31,"language":"en"}"#,
        created: DAY + 3 * HOUR,
        updated: DAY,
        ended: Some(DAY),
    },
    SampleSession {
        owner: ANALYST,
        thread: "thread-vulnerability-001",
        title: "Which servers need the TLS library patch first?",
        context: r#"{"agent":"vulnerability_prioritization","severity":"critical","assets":["srv-0007","srv-0019","db-0002"],"messages":9,"language":"en"}"#,
        created: 3 * DAY,
        updated: 2 * DAY + 20 * HOUR,
        ended: None,
    },
    SampleSession {
        owner: ADMIN,
        thread: "thread-compliance-001",
        title: "Quarterly access review",
        context: r#"{"agent":"compliance_auditor","framework":"ISO 27001","controls":["A.5.15","A.5.18"],"messages":22,"language":"en"}"#,
        created: 6 * DAY,
        updated: 5 * DAY,
        ended: Some(5 * DAY),
    },
    SampleSession {
        owner: ADMIN,
        thread: "thread-anomaly-001",
        title: "Outbound traffic of db-0002 at night",
        context: r#"{"agent":"anomaly_investigation","severity":"medium","assets":["db-0002"],"window":"01:00-04:00","messages":6,"language":"en"}"#,
        created: 9 * HOUR,
        updated: 8 * HOUR,
        ended: None,
    },
    SampleSession {
        owner: VIEWER,
        thread: "thread-incident-triage-002",
        title: "What happened on ws-0412?",
        context: r#"{"agent":"incident_triage","severity":"low","assets":["ws-0412"],"messages":3,"language":"en"}"#,
        created: 2 * HOUR,
        updated: HOUR,
        ended: None,
    },
];

/// An audit log entry; the time is in minutes before the latest time.
pub(super) struct SampleLog {
    pub(super) owner: usize,
    action: AuditAction,
    description: &'static str,
    details: Option<&'static str>,
    ip_address: &'static str,
    user_agent: &'static str,
    success: bool,
    at: u64,
}

impl SampleLog {
    pub(super) fn entry(&self, id: AuditLogId, user_id: UserId, until: Timestamp) -> AuditLog {
        AuditLog {
            id,
            user_id: Some(user_id),
            username: None,
            action: self.action,
            details: self.details.map(|details| RawJson(details.to_owned())),
            description: Some(self.description.to_owned()),
            ip_address: Some(self.ip_address.to_owned()),
            user_agent: Some(self.user_agent.to_owned()),
            success: self.success,
            timestamp: minutes_before(until, self.at),
        }
    }
}

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
const SDK: &str = "langgraph-sdk-py/0.1.40";

/// A login of each account; the other entries are based on it.
const BY_ADMIN: SampleLog = SampleLog {
    owner: ADMIN,
    action: AuditAction::Login,
    description: "Logged in",
    details: Some(r#"{"method":"password","mfa":false}"#),
    ip_address: "10.0.0.5",
    user_agent: BROWSER,
    success: true,
    at: 0,
};
const BY_ANALYST: SampleLog = SampleLog { owner: ANALYST, ip_address: "192.0.2.17", ..BY_ADMIN };
const BY_ANALYST_AT_HOME: SampleLog = SampleLog { ip_address: "2001:db8::17", ..BY_ANALYST };
const BY_VIEWER: SampleLog = SampleLog { owner: VIEWER, ip_address: "10.0.7.31", ..BY_ADMIN };

pub(super) const AUDIT_LOGS: [SampleLog; 24] = [
    SampleLog { at: 30 * DAY - HOUR, ..BY_ADMIN },
    SampleLog {
        action: AuditAction::UserCreated,
        description: "Created the user analyst",
        details: Some(r#"{"username":"analyst","role":"analyst"}"#),
        at: 30 * DAY - HOUR - 5,
        ..BY_ADMIN
    },
    SampleLog {
        action: AuditAction::UserCreated,
        description: "Created the user viewer",
        details: Some(r#"{"username":"viewer","role":"viewer"}"#),
        at: 30 * DAY - HOUR - 6,
        ..BY_ADMIN
    },
    SampleLog {
        action: AuditAction::ConfigChanged,
        description: "Changed a setting",
        details: Some(r#"{"setting":"retentionDays","from":90,"to":365}"#),
        at: 30 * DAY - 2 * HOUR,
        ..BY_ADMIN
    },
    SampleLog { at: 6 * DAY + 10, ..BY_ADMIN },
    SampleLog {
        action: AuditAction::SessionCreated,
        description: "Created the session Quarterly access review",
        details: Some(r#"{"threadId":"thread-compliance-001"}"#),
        at: 6 * DAY,
        ..BY_ADMIN
    },
    SampleLog {
        action: AuditAction::AgentExecution,
        description: "The compliance_auditor agent examined 2 controls",
        details: Some(r#"{"agent":"compliance_auditor","controls":2,"durationMs":8421,"findings":3}"#),
        at: 5 * DAY + 20 * HOUR,
        ..BY_ADMIN
    },
    SampleLog {
        action: AuditAction::SessionEnded,
        description: "Ended the session Quarterly access review",
        details: Some(r#"{"threadId":"thread-compliance-001","messages":22}"#),
        at: 5 * DAY,
        ..BY_ADMIN
    },
    SampleLog { at: 3 * DAY + 5, ..BY_ANALYST },
    SampleLog {
        action: AuditAction::QueryAgent,
        description: "Asked the vulnerability_prioritization agent about 3 servers",
        details: Some(r#"{"agent":"vulnerability_prioritization","hosts":3,"tokens":812}"#),
        at: 3 * DAY,
        ..BY_ANALYST
    },
    SampleLog {
        action: AuditAction::AgentExecution,
        description: "The threat_hunting agent examined vpn-0003",
        details: Some(r#"{"agent":"threat_hunting","host":"vpn-0003","durationMs":15230,"findings":1}"#),
        user_agent: SDK,
        at: DAY + 2 * HOUR,
        ..BY_ANALYST
    },
    SampleLog {
        action: AuditAction::AgentExecution,
        description: "The threat_hunting agent failed on vpn-0003",
        details: Some(
            r#"{"agent":"threat_hunting","host":"vpn-0003","durationMs":30000,"error":"the tool did not answer"}"#,
        ),
        user_agent: SDK,
        success: false,
        at: DAY + HOUR,
        ..BY_ANALYST
    },
    SampleLog {
        action: AuditAction::SessionEnded,
        description: "Ended the session Hunt for lateral movement from the VPN gateway",
        details: Some(r#"{"threadId":"thread-threat-hunting-001","messages":31}"#),
        at: DAY,
        ..BY_ANALYST
    },
    SampleLog { action: AuditAction::Logout, description: "Logged out", details: None, at: DAY - 10, ..BY_ANALYST },
    SampleLog {
        action: AuditAction::QueryAgent,
        description: "Asked the anomaly_investigation agent about db-0002",
        details: Some(r#"{"agent":"anomaly_investigation","host":"db-0002","tokens":403}"#),
        at: 9 * HOUR - 2,
        ..BY_ADMIN
    },
    SampleLog {
        action: AuditAction::FailedLogin,
        description: "Login refused",
        details: Some(r#"{"reason":"wrong password","attempt":1}"#),
        success: false,
        at: 5 * HOUR + 4,
        ..BY_ANALYST_AT_HOME
    },
    SampleLog { at: 5 * HOUR + 3, ..BY_ANALYST_AT_HOME },
    SampleLog {
        action: AuditAction::QueryAgent,
        description: "Asked the incident_triage agent about ws-0412",
        details: Some(r#"{"agent":"incident_triage","host":"ws-0412","tokens":655}"#),
        at: 5 * HOUR,
        ..BY_ANALYST_AT_HOME
    },
    SampleLog {
        action: AuditAction::AgentExecution,
        description: "The incident_triage agent examined ws-0412",
        details: Some(r#"{"agent":"incident_triage","host":"ws-0412","durationMs":6120,"findings":2}"#),
        user_agent: SDK,
        at: 4 * HOUR,
        ..BY_ANALYST_AT_HOME
    },
    SampleLog {
        action: AuditAction::FailedLogin,
        description: "Login refused",
        details: Some(r#"{"reason":"wrong password","attempt":1}"#),
        success: false,
        at: 2 * HOUR + 9,
        ..BY_VIEWER
    },
    SampleLog {
        action: AuditAction::FailedLogin,
        description: "Login refused",
        details: Some(r#"{"reason":"wrong password","attempt":2}"#),
        success: false,
        at: 2 * HOUR + 8,
        ..BY_VIEWER
    },
    SampleLog { at: 2 * HOUR + 7, ..BY_VIEWER },
    SampleLog {
        action: AuditAction::QueryAgent,
        description: "Asked the incident_triage agent about ws-0412",
        details: None,
        at: 2 * HOUR,
        ..BY_VIEWER
    },
    SampleLog { action: AuditAction::Logout, description: "Logged out", details: None, at: HOUR - 1, ..BY_VIEWER },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::default_accounts;

    #[test]
    fn samples_have_valid_json_and_consistent_times() {
        let json = |text: &str| crate::json::read("context", text.as_bytes()).is_ok_and(|value| value.is_object());
        for sample in &SESSIONS {
            assert!(json(sample.context), "{}", sample.context);
            assert!(sample.created >= sample.updated && sample.updated >= sample.ended.unwrap_or_default());
        }
        for sample in &AUDIT_LOGS {
            assert!(sample.details.is_none_or(json), "{:?}", sample.details);
            assert!(sample.at < 30 * DAY, "after the creation of the accounts");
        }
        for wanted in
            [AuditAction::Login, AuditAction::QueryAgent, AuditAction::AgentExecution, AuditAction::FailedLogin]
        {
            assert!(AUDIT_LOGS.iter().any(|sample| sample.action == wanted));
        }
    }

    #[test]
    fn accounts_are_the_default_accounts() {
        assert_eq!(ACCOUNTS.map(|account| account.username), default_accounts::DEFAULT_ACCOUNTS);
    }
}
