//! Rows that are read are the rows that were written, whatever is in them and whichever way they are read.

use fastrand::Rng;
use guardianeye::{
    db::{audit_logs, list, query::ListQuery, sessions},
    model::{AuditAction, AuditLog, AuditLogId, RawJson, Session, SessionId, Timestamp, UserId},
};
use uuid::Uuid;

use crate::support::{Backend, TestApp, on_both};

/// What texts are put together from: what quotes, escapes, separates or ends something somewhere.
const PIECES: &[&str] = &[
    "",
    " ",
    "a",
    "null",
    "NULL",
    "0",
    "1",
    "'",
    "''",
    "\"",
    "\\",
    "\\'",
    "\\u0000",
    "x'ff'",
    "%",
    "_",
    ",",
    ":",
    ";",
    "|",
    "\n",
    "\r\n",
    "\t",
    "\u{1}",
    "\u{1b}",
    "\u{1c}",
    "\u{1d}",
    "\u{1e}",
    "\u{1f}",
    "\u{7f}",
    "\u{80}",
    "\u{ff}",
    "ÿ",
    "þ",
    "é",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "🛡",
    "\u{10ffff}",
    "{}",
    "[",
    "]",
    "true",
    "1e400",
    "$1",
    "?",
];
/// JSON whose text would change if anybody printed it again.
const DOCUMENTS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "\"\"",
    " {\"b\" : 1,\n \"a\":2, \"a\": 3}\t",
    "1.50",
    "-0",
    "1e-7",
    "123456789012345678901234567890.10",
    r#"{"quoted": "\"\\\/\b\f\n\r\t\u00ff\ud83d\ude00", "raw": "ÿ🛡'"}"#,
    "[[[[[[[[[[]]]]]]]]]]",
    "[1,2,\r\n3]",
];
const ROWS: usize = 150;

on_both!(audit_logs_are_read_as_they_were_written, sessions_are_read_as_they_were_written, no_rows_are_no_rows);

async fn audit_logs_are_read_as_they_were_written(app: &TestApp) {
    let mut random = Rng::with_seed(1);
    let users = [app.viewer().id(), app.analyst().id(), app.admin().id()];
    let mut written: Vec<_> = (0..ROWS).map(|_| audit_log(app, &mut random, &users)).collect();
    let mut tx = app.db().begin().await.expect("a transaction");
    for entry in &written {
        assert!(audit_logs::insert(&mut tx, entry).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
    written.sort_by_key(|entry| std::cmp::Reverse((entry.timestamp, entry.id)));

    let mut list_query = ListQuery::newest(audit_logs::orders::TIMESTAMP, 1_000);
    let db = app.db().metered();
    assert_eq!(list::page::<AuditLog>(&db, &list_query).await.expect("a list").rows, written);
    assert_eq!((db.meter().statements(), db.meter().rows()), (1, ROWS as u64));

    let pages = list::pages_by_user::<AuditLog>(app.db(), &users, &list_query).await.expect("pages");
    for user in users {
        let of_user: Vec<_> = written.iter().filter(|entry| entry.user_id == Some(user)).cloned().collect();
        assert_eq!(pages[&user].rows, of_user);
    }

    let ids: Vec<Uuid> = written.iter().map(|entry| entry.id.into()).collect();
    let mut listed = list::by_ids::<AuditLog>(app.db(), &ids).await.expect("entries");
    listed.sort_by_key(|entry| std::cmp::Reverse((entry.timestamp, entry.id)));
    assert_eq!(listed, written);

    list_query.pruned_columns = vec![audit_logs::columns::DETAILS, audit_logs::columns::USER_AGENT];
    let less: Vec<_> = written.into_iter().map(|entry| AuditLog { details: None, user_agent: None, ..entry }).collect();
    assert_eq!(list::page::<AuditLog>(app.db(), &list_query).await.expect("a list").rows, less);
}

async fn sessions_are_read_as_they_were_written(app: &TestApp) {
    let mut random = Rng::with_seed(2);
    let users = [app.viewer().id(), app.analyst().id(), app.admin().id()];
    let mut written: Vec<_> = (0..ROWS).map(|_| session(app, &mut random, &users)).collect();
    let mut tx = app.db().begin().await.expect("a transaction");
    for session in &written {
        assert!(sessions::insert(&mut tx, session).await.expect("inserts"));
        let found = sessions::find_within(&mut tx, session.id).await.expect("finds");
        assert_eq!(found.as_ref(), Some(session), "one row alone is read in its own way");
    }
    tx.commit().await.expect("commits");
    written.sort_by_key(|session| std::cmp::Reverse((session.created_at, session.id)));

    let list_query = ListQuery::newest(sessions::orders::CREATED_AT, 1_000);
    assert_eq!(list::page::<Session>(app.db(), &list_query).await.expect("a list").rows, written);
    let pages = list::pages_by_user::<Session>(app.db(), &users, &list_query).await.expect("pages");
    for user in users {
        let of_user: Vec<_> = written.iter().filter(|session| session.user_id == user).cloned().collect();
        assert_eq!(pages[&user].rows, of_user);
    }
}

async fn no_rows_are_no_rows(app: &TestApp) {
    let list_query = ListQuery::newest(audit_logs::orders::TIMESTAMP, 10);
    let db = app.db().metered();
    assert_eq!(list::page::<AuditLog>(&db, &list_query).await.expect("a list").rows, []);
    assert!(
        list::pages_by_user::<AuditLog>(&db, &[app.viewer().id(), UserId(Uuid::nil())], &list_query)
            .await
            .expect("pages")
            .is_empty()
    );
    assert_eq!(list::by_ids::<AuditLog>(&db, &[]).await.expect("entries"), []);
    assert_eq!((db.meter().statements(), db.meter().rows()), (3, 0));
}

fn audit_log(app: &TestApp, random: &mut Rng, users: &[UserId]) -> AuditLog {
    let timestamp = time(app, random);
    AuditLog {
        id: AuditLogId::new(timestamp),
        user_id: (random.u8(..) > 32).then(|| users[random.usize(..users.len())]),
        username: text(app, random),
        action: AuditAction::ALL[random.usize(..AuditAction::ALL.len())],
        details: json(random),
        description: text(app, random),
        ip_address: text(app, random),
        user_agent: text(app, random),
        success: random.bool(),
        timestamp,
    }
}

fn session(app: &TestApp, random: &mut Rng, users: &[UserId]) -> Session {
    let created_at = time(app, random);
    Session {
        id: SessionId::new(created_at),
        user_id: users[random.usize(..users.len())],
        thread_id: text(app, random),
        context: json(random),
        title: text(app, random),
        is_active: random.bool(),
        created_at,
        updated_at: time(app, random),
        ended_at: random.bool().then(|| time(app, random)),
    }
}

/// Few different ones, so that the id has to decide, and the ends of the years.
fn time(app: &TestApp, random: &mut Rng) -> Timestamp {
    match random.u8(..16) {
        0 => Timestamp::MAX,
        1 => "1970-01-01T00:00:00Z".parse().expect("a time"),
        _ => app.now().plus_micros(random.i64(-20..20)),
    }
}

fn text(app: &TestApp, random: &mut Rng) -> Option<String> {
    if random.u8(..8) == 0 {
        return None;
    }
    let mut text = String::new();
    for _ in 0..random.usize(..6) {
        text.push_str(PIECES[random.usize(..PIECES.len())]);
        // PostgreSQL has no texts with a NUL.
        if app.backend == Backend::Sqlite && random.u8(..8) == 0 {
            text.push('\0');
        }
    }
    Some(text)
}

fn json(random: &mut Rng) -> Option<RawJson> {
    (random.u8(..8) > 0).then(|| RawJson(DOCUMENTS[random.usize(..DOCUMENTS.len())].to_owned()))
}
