//! The rows of the large data set. A row is the same on every machine and in every run with the same number of users and the
//! same latest time. Its id depends only on its index.

use secrecy::SecretString;

use super::{
    content::{
        ACTIONS, AGENTS, FIRST_NAMES, LAST_NAMES, MODELS, SEVERITIES, TITLES, TOOLS, USER_AGENTS, address, description,
        host,
    },
    random::{Kind, RowRandom},
};
use crate::model::{
    AuditAction, AuditLog, AuditLogId, Credentials, RawJson, Role, Session, SessionId, Timestamp, User, UserId,
};

const DAY: u64 = 86_400_000_000;
/// All actions of users are within this time before the latest time.
const ACTIVE: u64 = 90 * DAY;
/// Users were created within this time before `ACTIVE`, so that they exist before their actions.
const CREATED: u64 = 730 * DAY;

/// Generates the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Generator {
    /// The number of users that own the sessions and audit log entries; at least 1.
    pub users: u64,
    /// The latest time in the data.
    pub until: Timestamp,
}

impl Generator {
    /// The user `user-0000001` has index 0. No password matches: `!` is not a hash.
    pub(super) fn user(&self, index: u64) -> Credentials {
        let mut random = RowRandom::of(Kind::User, index);
        let id = UserId(random.uuid());
        let number = index + 1;
        let role = random.weighted(&[(878, Role::Viewer), (120, Role::Analyst), (2, Role::Admin)]);
        let created = ACTIVE + random.near(CREATED);
        let full_name = format!("{} {}", random.one_of(&FIRST_NAMES), random.one_of(&LAST_NAMES));
        let user = User {
            id,
            username: format!("user-{number:07}"),
            email: format!("user-{number:07}@example.com"),
            role,
            is_active: !random.per_mille(40),
            full_name: (!random.per_mille(50)).then_some(full_name),
            created_at: self.before(created),
            updated_at: self.before(random.below(created)),
            last_login: (!random.per_mille(150)).then(|| self.before(random.near(ACTIVE))),
        };
        Credentials { user, hashed_password: SecretString::from("!"), password_change_required: false }
    }

    pub(super) fn session(&self, index: u64) -> Session {
        let mut random = RowRandom::of(Kind::Session, index);
        let id = SessionId(random.uuid());
        let user_id = self.owner(index, &mut random);
        let thread = random.uuid();
        let agent = random.weighted(&AGENTS);
        let (host, severity) = (host(&mut random), random.weighted(&SEVERITIES));
        let title = random.one_of(&TITLES).replace("{host}", &host);
        let messages = random.skewed(120) + 1;
        let context = format!(
            r#"{{"agent":"{agent}","model":"{}","severity":"{severity}","assets":["{host}","{}"],"messages":{messages},"tools":["{}","{}"],"language":"en"}}"#,
            random.one_of(&MODELS),
            address(&mut random),
            random.one_of(&TOOLS),
            random.one_of(&TOOLS),
        );
        let created = random.near(ACTIVE);
        // A conversation takes up to a day; the end follows the last message within half an hour.
        let updated = created - random.near(created.min(DAY) + 1);
        let ended = random.per_mille(300).then(|| updated - random.below(updated.min(DAY / 48) + 1));
        Session {
            id,
            user_id,
            thread_id: Some(format!("thread-{}", thread.simple())),
            context: (!random.per_mille(50)).then_some(RawJson(context)),
            title: (!random.per_mille(80)).then_some(title),
            is_active: ended.is_none(),
            created_at: self.before(created),
            updated_at: self.before(updated),
            ended_at: ended.map(|ended| self.before(ended)),
        }
    }

    pub(super) fn audit_log(&self, index: u64) -> AuditLog {
        let mut random = RowRandom::of(Kind::AuditLog, index);
        let id = AuditLogId(random.uuid());
        let age = random.near(ACTIVE);
        let owner = self.owner(index, &mut random);
        let action = random.weighted(&ACTIONS);
        let success = match action {
            AuditAction::FailedLogin => false,
            AuditAction::AgentExecution => !random.per_mille(100),
            _ => true,
        };
        // Without a user: an unknown user name, or the system itself.
        let is_anonymous =
            matches!(action, AuditAction::FailedLogin | AuditAction::ConfigChanged) && random.per_mille(250);
        let (description, details) = description(action, success, &mut random);
        AuditLog {
            id,
            user_id: (!is_anonymous).then_some(owner),
            username: None,
            action,
            details: random.per_mille(500).then_some(RawJson(details)),
            description: Some(description),
            ip_address: Some(address(&mut random)),
            user_agent: Some(random.weighted(&USER_AGENTS).to_owned()),
            success,
            timestamp: self.before(age),
        }
    }

    /// The position of a row in the order of insertion: audit log entries by time, so that those of one week are adjacent;
    /// other rows by id, as an index grows faster in its order.
    pub(super) fn position(kind: Kind, index: u64) -> u64 {
        let mut random = RowRandom::of(kind, index);
        let (position, _) = random.uuid().as_u64_pair();
        if matches!(kind, Kind::AuditLog) { ACTIVE - random.near(ACTIVE) } else { position }
    }

    /// Every fourth row is distributed over all users in turn, so that each user has a row as soon as there are four times as
    /// many rows as users. The others mostly belong to the users with the lowest numbers.
    fn owner(&self, index: u64, random: &mut RowRandom) -> UserId {
        let user = if index.is_multiple_of(4) { index / 4 % self.users } else { random.skewed(self.users) };
        UserId(RowRandom::of(Kind::User, user).uuid())
    }

    fn before(&self, micros: u64) -> Timestamp {
        self.until.minus_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn generator() -> Generator {
        Generator { users: 500, until: "2025-06-01T12:00:00Z".parse().expect("a time") }
    }

    fn is_json(json: Option<&RawJson>) -> bool {
        json.is_none_or(|json| crate::json::read("context", json.0.as_bytes()).is_ok_and(|value| value.is_object()))
    }

    fn fits(text: Option<&String>, most: usize) -> bool {
        text.is_none_or(|text| !text.is_empty() && text.chars().count() <= most)
    }

    #[test]
    fn row_depends_only_on_its_index() {
        let (one, other) = (generator(), generator());
        let later: Vec<_> = (100..200).rev().map(|index| one.audit_log(index)).collect();
        for (entry, index) in later.iter().rev().zip(100..) {
            assert_eq!(*entry, other.audit_log(index));
        }
        assert_eq!(one.session(17), other.session(17));
        assert_eq!(one.user(17).user, other.user(17).user);
        assert_ne!(one.user(17).user.id, one.user(18).user.id);
        // Another time or number of users changes the content, never the id, which identifies the row in a second run.
        let moved = Generator { users: 9, until: one.until.plus_seconds(3600) };
        assert_eq!(moved.session(17).id, one.session(17).id);
        assert_eq!(moved.audit_log(17).id, one.audit_log(17).id);
    }

    #[test]
    fn audit_log_is_inserted_in_order_of_time() {
        let generator = generator();
        let mut indexes: Vec<_> = (0..500).collect();
        indexes.sort_by_key(|&index| Generator::position(Kind::AuditLog, index));
        assert!(indexes.is_sorted_by_key(|&index| generator.audit_log(index).timestamp));
    }

    #[test]
    fn users_fit_the_columns_and_precede_their_actions() {
        let generator = generator();
        let (mut roles, mut inactive, mut never) = (HashMap::new(), 0, 0);
        for index in 0..5_000 {
            let user = generator.user(index).user;
            assert_eq!(user.username, format!("user-{:07}", index + 1));
            assert!(user.email.ends_with("@example.com") && fits(user.full_name.as_ref(), 255));
            assert!(user.created_at <= user.updated_at && user.updated_at <= generator.until);
            assert!(user.last_login.is_none_or(|at| user.created_at <= at && at <= generator.until));
            assert!(user.created_at <= generator.before(ACTIVE), "created before any action");
            *roles.entry(user.role).or_insert(0) += 1;
            inactive += u32::from(!user.is_active);
            never += u32::from(user.last_login.is_none());
        }
        assert!(roles[&Role::Viewer] > roles[&Role::Analyst] && roles[&Role::Analyst] > roles[&Role::Admin]);
        assert!(roles[&Role::Admin] > 0 && (100..300).contains(&inactive) && (600..900).contains(&never));
        assert!(fits(Some(&generator.user(9_999_999).user.username), 50));
    }

    #[test]
    fn sessions_fit_the_columns_and_end_after_they_begin() {
        let generator = generator();
        let mut ended = 0;
        for index in 0..20_000 {
            let session = generator.session(index);
            assert!(fits(session.title.as_ref(), 255) && fits(session.thread_id.as_ref(), 255));
            assert!(is_json(session.context.as_ref()), "{:?}", session.context);
            assert!(session.context.is_none_or(|json| (100..=300).contains(&json.0.len())));
            assert!(generator.before(ACTIVE) <= session.created_at && session.created_at <= session.updated_at);
            assert!(session.updated_at <= session.ended_at.unwrap_or(generator.until));
            assert!(session.ended_at.is_none_or(|at| at <= generator.until));
            assert_eq!(session.is_active, session.ended_at.is_none());
            ended += u32::from(!session.is_active);
        }
        assert!((5_600..6_400).contains(&ended), "{ended}");
    }

    #[test]
    fn audit_logs_fit_the_columns_and_one_in_twenty_failed() {
        let generator = generator();
        let (mut actions, mut failed, mut detailed, mut recent) = (HashMap::new(), 0, 0, 0);
        for index in 0..20_000 {
            let entry = generator.audit_log(index);
            assert!(fits(entry.ip_address.as_ref(), 45) && fits(entry.user_agent.as_ref(), 512));
            let address = entry.ip_address.as_deref().unwrap_or_default();
            assert!(address.parse::<std::net::IpAddr>().is_ok(), "{address}");
            assert!(is_json(entry.details.as_ref()), "{:?}", entry.details);
            assert!(generator.before(ACTIVE) <= entry.timestamp && entry.timestamp <= generator.until);
            *actions.entry(entry.action).or_insert(0) += 1;
            failed += u32::from(!entry.success);
            detailed += u32::from(entry.details.is_some());
            recent += u32::from(entry.timestamp > generator.before(ACTIVE / 4));
        }
        assert_eq!(actions.len(), ACTIONS.len());
        assert!((800..1_200).contains(&failed), "{failed}");
        assert!((9_500..10_500).contains(&detailed), "{detailed}");
        assert!((9_500..10_500).contains(&recent), "half of it in the last quarter of the time: {recent}");
    }

    #[test]
    fn rows_are_skewed_and_every_user_owns_some() {
        let generator = generator();
        let mut owned = HashMap::new();
        for index in 0..20_000 {
            *owned.entry(generator.session(index).user_id).or_insert(0_u32) += 1;
        }
        let mut counts: Vec<_> = owned.values().copied().collect();
        counts.sort_unstable();
        assert_eq!(counts.len(), 500);
        assert!(counts[0] >= 10, "every fourth row goes round: {}", counts[0]);
        let top: u32 = counts.iter().rev().take(5).sum();
        assert!(top > 20_000 / 5, "the first 5 of 500 own more than a fifth: {top}");
        assert_eq!(owned[&generator.user(0).user.id], counts[499], "the first user owns the most");
    }
}
