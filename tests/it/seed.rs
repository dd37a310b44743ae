//! Filling the database, and testing it end to end: `db seed` and `db check` as the commands call them.

use std::{future::pending, time::Duration};

use guardianeye::{
    db::list,
    error::ErrorCode,
    model::{AuditLog, Role, Session, User},
    ops::{seed, self_check},
};
use serde_json::json;

use crate::support::{TestApp, on_both};

on_both!(
    a_check_passes_all_seven_steps_and_leaves_nothing,
    a_check_that_is_interrupted_fails_and_leaves_nothing,
    a_check_finds_that_a_unique_index_is_missing,
    demo_data_comes_once_and_changes_nobody,
    a_large_data_set_is_extended_and_repeated_without_harm,
    a_large_data_set_that_contradicts_a_user_changes_nothing,
    a_load_that_is_cut_off_leaves_nothing
);

async fn a_check_passes_all_seven_steps_and_leaves_nothing(app: &TestApp) {
    let before = counts(app).await;
    let mut passed = 0;
    let ok = self_check::check(app.db(), &app.services.password_hasher, app.services.clock, pending(), &mut |event| {
        if let self_check::Event::Ended(_, self_check::Outcome::Passed(_), _) = event {
            passed += 1;
        }
    })
    .await;
    assert!(ok);
    assert_eq!(passed, 7);
    assert_eq!(counts(app).await, before);
}

async fn a_check_that_is_interrupted_fails_and_leaves_nothing(app: &TestApp) {
    let before = counts(app).await;
    let ok = self_check::check(
        app.db(),
        &app.services.password_hasher,
        app.services.clock,
        std::future::ready(()),
        &mut |_| {},
    )
    .await;
    assert!(!ok);
    assert_eq!(counts(app).await, before);
}

async fn a_check_finds_that_a_unique_index_is_missing(app: &TestApp) {
    app.execute("drop index ix_users_username").await;
    let before = counts(app).await;
    assert!(
        !self_check::check(app.db(), &app.services.password_hasher, app.services.clock, pending(), &mut |_| {}).await
    );
    assert_eq!(counts(app).await, before);
}

async fn demo_data_comes_once_and_changes_nobody(app: &TestApp) {
    let hasher = &app.services.password_hasher;
    let first = seed::demo(app.db(), hasher, app.now()).await.expect("seeds");
    assert_eq!(first.tables.iter().map(|table| table.added).collect::<Vec<_>>(), [3, 6, 24]);
    assert_eq!(first.known_passwords, ["admin", "analyst", "viewer"]);
    let again = seed::demo(app.db(), hasher, app.now()).await.expect("seeds");
    assert_eq!(again.tables.iter().map(|table| table.added).collect::<Vec<_>>(), [0, 0, 0]);
    let query =
        "{ userByUsername(username: \"analyst\") { fullName role sessions { totalCount } auditLogs { totalCount } } }";
    let analyst = app.admin().gql(query, json!({})).await.data()["userByUsername"].clone();
    assert_eq!((&analyst["fullName"], &analyst["role"]), (&json!("Security Analyst"), &json!("ANALYST")));
}

async fn a_large_data_set_is_extended_and_repeated_without_harm(app: &TestApp) {
    let indexes = app.db().indexes().await.expect("indexes");
    // Enough rows that the secondary indexes are set aside on the way.
    for (sizes, added) in
        [((50, 300, 600), (50, 300, 600)), ((100, 6_000, 6_000), (50, 5_700, 5_400)), ((100, 6_000, 6_000), (0, 0, 0))]
    {
        let filled = seed::bulk(app.db(), sizes_of(sizes), app.now(), &mut |_| {}).await.expect("seeds");
        assert_eq!(filled.iter().map(|table| table.added).collect::<Vec<_>>(), [added.0, added.1, added.2]);
    }
    assert_eq!(app.db().indexes().await.expect("indexes"), indexes);
    assert_eq!(counts(app).await, (103, 6_000, 6_000));
}

async fn a_large_data_set_that_contradicts_a_user_changes_nothing(app: &TestApp) {
    app.user("user-0000007", Role::Viewer, app.now()).await;
    let before = counts(app).await;
    for users in [50, 6_000] {
        let refused = seed::bulk(app.db(), sizes_of((users, 10, 10)), app.now(), &mut |_| {}).await.expect_err("taken");
        assert_eq!(refused.code(), ErrorCode::Conflict);
        assert_eq!(counts(app).await, before);
    }
}

async fn a_load_that_is_cut_off_leaves_nothing(app: &TestApp) {
    let (before, indexes) = (counts(app).await, app.db().indexes().await.expect("indexes"));
    let mut progress = |_| {};
    let load = seed::bulk(app.db(), sizes_of((100, 50_000, 50_000)), app.now(), &mut progress);
    assert!(tokio::time::timeout(Duration::from_millis(50), load).await.is_err());
    assert_eq!(counts(app).await, before);
    assert_eq!(app.db().indexes().await.expect("indexes"), indexes);
}

fn sizes_of((users, sessions, audit_logs): (u64, u64, u64)) -> seed::Sizes {
    seed::Sizes { users, sessions, audit_logs }
}

async fn counts(app: &TestApp) -> (i64, i64, i64) {
    let count = |result: guardianeye::error::Result<i64>| result.expect("counts");
    (
        count(list::count::<User>(app.db(), None).await),
        count(list::count::<Session>(app.db(), None).await),
        count(list::count::<AuditLog>(app.db(), None).await),
    )
}
