//! Failed logins: who has to wait, for how long, and who does not.

use guardianeye::{
    auth::HashCost,
    config::Limits,
    model::Role,
    services::{Client, Services, login, users},
};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, log_in_from, on_both};

const GOOD: &str = "a good password";
/// Where anna logs in from, and other addresses of the same network and of others.
const HOME: &str = "192.0.2.1";
const NEXT_DOOR: &str = "192.0.2.200";
const STRANGER: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.9";

on_both!(
    after_some_failures_each_further_try_waits_twice_as_long,
    unknown_username_is_throttled_like_a_known_one,
    strangers_keep_others_waiting_for_fifteen_minutes_at_most,
    known_networks_are_matched_by_prefix,
    the_newest_networks_of_a_user_are_known,
    a_known_network_does_not_wait_for_its_strangers,
    success_clears_the_failures_of_its_own_network_only,
    the_failures_of_a_network_drain_with_time,
    successful_logins_use_up_nothing_of_their_network,
    user_name_and_email_are_throttled_apart,
    a_cap_over_the_account_answers_like_a_wrong_password,
    a_hundred_failures_from_a_known_network_lock_until_unlocked,
    unlocking_clears_all_that_makes_a_user_wait,
    tries_at_the_same_time_are_counted_each,
    it_holds_on_other_instances_and_after_a_restart
);

async fn after_some_failures_each_further_try_waits_twice_as_long(app: &TestApp) {
    for _ in 0..4 {
        assert_eq!(log_in_from(&app.router, HOME, "anna", "wrong").await.code(), "UNAUTHENTICATED");
    }
    // The fifth costs nothing yet but the wait before the sixth.
    let mut at = 0;
    for wait in [1, 2, 4, 8, 16] {
        let router = app.later(at).await;
        assert_eq!(log_in_from(&router, HOME, "anna", "wrong").await.code(), "UNAUTHENTICATED");
        let refused = log_in_from(&router, HOME, "anna", GOOD).await;
        assert_eq!((refused.code(), retry_after(&refused)), ("RATE_LIMITED", wait + 1));
        at += wait;
    }
    let router = app.later(at).await;
    log_in_from(&router, HOME, "anna", GOOD).await.data();
    assert_eq!(log_in_from(&router, HOME, "anna", "wrong").await.code(), "UNAUTHENTICATED", "the count began anew");
}

async fn unknown_username_is_throttled_like_a_known_one(app: &TestApp) {
    let mut observed = Vec::new();
    for name in ["anna", "nobody"] {
        let mut answers = Vec::new();
        for at in [0, 0, 0, 0, 0, 0, 1, 1, 3, 3] {
            let (services, db) = (services_at(app, at).await, app.db().metered());
            let client = Client { ip_address: Some(HOME.to_owned()), ..Client::default() };
            let before = services.password_hasher.counts();
            let error = login::login(&services, &db, &client, name, "wrong".into()).await.expect_err("refused");
            let hashes = services.password_hasher.counts().argon2 - before.argon2;
            answers.push((
                error.code(),
                error.message().to_owned(),
                error.retry_after(),
                hashes,
                db.meter().statements(),
            ));
        }
        observed.push(answers);
    }
    assert_eq!(observed[0], observed[1]);
    let limited: Vec<_> = observed[0].iter().map(|(_, _, retry_after, ..)| *retry_after).collect();
    assert_eq!(limited, [None, None, None, None, None, Some(2), None, Some(3), None, Some(5)]);
}

async fn strangers_keep_others_waiting_for_fifteen_minutes_at_most(app: &TestApp) {
    log_in_from(&app.router, HOME, "anna", GOOD).await.data();
    let mut at = 0;
    for _ in 0..120 {
        assert_eq!(
            log_in_from(&app.later(at).await, STRANGER, "anna", "wrong").await.code(),
            "UNAUTHENTICATED",
            "at {at} s"
        );
        at += 900;
    }
    let before = app.later(at - 1).await;
    for address in [STRANGER, ELSEWHERE] {
        assert_eq!(log_in_from(&before, address, "anna", GOOD).await.code(), "RATE_LIMITED", "{address}");
    }
    log_in_from(&before, HOME, "anna", GOOD).await.data();
    assert_eq!(
        log_in_from(&before, STRANGER, "anna", GOOD).await.code(),
        "RATE_LIMITED",
        "the user's success is no stranger's"
    );
    log_in_from(&app.later(at).await, ELSEWHERE, "anna", GOOD).await.data();
}

async fn known_networks_are_matched_by_prefix(app: &TestApp) {
    for home in [HOME, "2001:db8:0:1::1"] {
        log_in_from(&app.router, home, "anna", GOOD).await.data();
    }
    for _ in 0..6 {
        log_in_from(&app.router, STRANGER, "anna", "wrong").await;
    }
    for (inside, outside) in [(NEXT_DOOR, "192.0.3.1"), ("2001:db8:0:1:ffff::2", "2001:db8:0:2::1")] {
        assert_eq!(log_in_from(&app.router, outside, "anna", GOOD).await.code(), "RATE_LIMITED", "{outside}");
        log_in_from(&app.router, inside, "anna", GOOD).await.data();
    }
}

async fn the_newest_networks_of_a_user_are_known(app: &TestApp) {
    for network in 0..33 {
        log_in_from(&app.later(network).await, &format!("10.0.{network}.1"), "anna", GOOD).await.data();
    }
    let router = app.later(40).await;
    for _ in 0..6 {
        log_in_from(&router, STRANGER, "anna", "wrong").await;
    }
    assert_eq!(log_in_from(&router, "10.0.0.1", "anna", GOOD).await.code(), "RATE_LIMITED", "32 are remembered");
    log_in_from(&router, "10.0.1.1", "anna", GOOD).await.data();
    // Half a year after the last login from there a network is forgotten.
    let router = app.later(181 * 24 * 60 * 60).await;
    for _ in 0..6 {
        log_in_from(&router, STRANGER, "anna", "wrong").await;
    }
    assert_eq!(log_in_from(&router, "10.0.1.1", "anna", GOOD).await.code(), "RATE_LIMITED");
}

async fn a_known_network_does_not_wait_for_its_strangers(app: &TestApp) {
    log_in_from(&app.router, HOME, "anna", GOOD).await.data();
    for n in 0..100 {
        assert_eq!(
            log_in_from(&app.router, HOME, &format!("name-{n}"), "wrong").await.code(),
            "UNAUTHENTICATED",
            "{n}"
        );
    }
    assert_eq!(log_in_from(&app.router, HOME, "vera", GOOD).await.code(), "RATE_LIMITED");
    log_in_from(&app.router, HOME, "anna", GOOD).await.data();
}

async fn success_clears_the_failures_of_its_own_network_only(app: &TestApp) {
    for address in [HOME, ELSEWHERE] {
        log_in_from(&app.router, address, "anna", GOOD).await.data();
    }
    for _ in 0..5 {
        log_in_from(&app.router, ELSEWHERE, "anna", "wrong").await;
    }
    log_in_from(&app.router, HOME, "anna", GOOD).await.data();
    assert_eq!(log_in_from(&app.router, ELSEWHERE, "anna", GOOD).await.code(), "RATE_LIMITED");
    log_in_from(&app.later(1).await, ELSEWHERE, "anna", GOOD).await.data();
    assert_eq!(log_in_from(&app.later(1).await, ELSEWHERE, "anna", "wrong").await.code(), "UNAUTHENTICATED");
}

async fn the_failures_of_a_network_drain_with_time(app: &TestApp) {
    let fail = async |at: i64, n: usize| {
        log_in_from(&app.later(at).await, &format!("2001:db8:0:1::{n:x}"), &format!("name-{at}-{n}"), "wrong").await
    };
    for n in 0..100 {
        assert_eq!(fail(0, n).await.code(), "UNAUTHENTICATED", "{n}");
    }
    let refused = fail(0, 100).await;
    assert_eq!((refused.code(), retry_after(&refused)), ("RATE_LIMITED", 10));
    assert_eq!(log_in_from(&app.later(0).await, "2001:db8:0:1::ffff", "anna", GOOD).await.code(), "RATE_LIMITED");
    log_in_from(&app.later(0).await, "2001:db8:0:2::1", "anna", GOOD).await.data();
    // A hundred of them in 15 minutes.
    for n in 0..50 {
        assert_eq!(fail(450, n).await.code(), "UNAUTHENTICATED", "{n}");
    }
    assert_eq!(fail(450, 50).await.code(), "RATE_LIMITED");
    assert_eq!(fail(459, 0).await.code(), "UNAUTHENTICATED");
}

async fn successful_logins_use_up_nothing_of_their_network(app: &TestApp) {
    for _ in 0..110 {
        log_in_from(&app.router, HOME, "anna", GOOD).await.data();
        app.execute("delete from known_networks").await;
    }
    log_in_from(&app.router, HOME, "vera", GOOD).await.data();
}

async fn user_name_and_email_are_throttled_apart(app: &TestApp) {
    for name in ["anna", "anna@example.com", "ANNA@Example.com"] {
        for _ in 0..5 {
            let code = log_in_from(&app.router, STRANGER, name, "wrong").await.code().to_owned();
            assert_eq!(code, if name.starts_with("ANNA") { "RATE_LIMITED" } else { "UNAUTHENTICATED" }, "{name}");
        }
    }
}

async fn a_cap_over_the_account_answers_like_a_wrong_password(app: &TestApp) {
    let wrong = log_in_from(&app.router, STRANGER, "nobody", "wrong").await.body["errors"].clone();
    for name in ["anna", "anna@example.com"] {
        for _ in 0..5 {
            log_in_from(&app.router, STRANGER, name, "wrong").await;
        }
    }
    // By now neither name waits any more, and the account does not either. From the eleventh failure on it waits two
    // seconds, which the attempt that is refused meanwhile does not prolong.
    let router = app.later(1).await;
    log_in_from(&router, STRANGER, "anna", "wrong").await;
    for (at, capped) in [(1, true), (3, false)] {
        let (services, db) = (services_at(app, at).await, app.db().metered());
        let client = Client { ip_address: Some(STRANGER.to_owned()), ..Client::default() };
        let done = login::login(&services, &db, &client, "anna@example.com", GOOD.into()).await;
        assert_eq!(done.is_err(), capped, "at {at} s: {done:?}");
        if let Err(error) = done {
            assert_eq!(wrong[0]["message"], error.message());
            assert_eq!(
                (error.code().as_str(), error.retry_after(), services.password_hasher.counts().argon2),
                ("UNAUTHENTICATED", None, 1),
                "at {at} s"
            );
        }
    }
    let log = app
        .analyst()
        .gql("{ auditLogs(filter: {action: {eq: FAILED_LOGIN}, user: {isNull: false}}) { totalCount } }", json!({}))
        .await;
    assert_eq!(log.data()["auditLogs"]["totalCount"], 12, "capped ones are recorded too");
}

async fn a_hundred_failures_from_a_known_network_lock_until_unlocked(app: &TestApp) {
    log_in_from(&app.router, HOME, "anna", GOOD).await.data();
    let mut at = 0;
    for n in 0..100 {
        let name = if n % 2 == 0 { "anna" } else { "anna@example.com" };
        assert_eq!(log_in_from(&app.later(at).await, HOME, name, "wrong").await.code(), "UNAUTHENTICATED");
        at += 900;
    }
    let router = app.later(at + 7 * 24 * 60 * 60).await;
    assert_eq!(log_in_from(&router, HOME, "anna", GOOD).await.code(), "UNAUTHENTICATED");
    users::unlock_as_operator(app.db(), app.services.clock, "anna", None).await.expect("unlocks");
    log_in_from(&router, HOME, "anna", GOOD).await.data();
}

async fn unlocking_clears_all_that_makes_a_user_wait(app: &TestApp) {
    let olga = app.user("olga", Role::Viewer, app.now()).await;
    log_in_from(&app.router, HOME, "olga", GOOD).await.data();
    let unlock = "mutation($id: ID!) { unlockUser(id: $id) { user { username } } }";
    for address in [HOME, STRANGER] {
        for name in ["Olga", "olga@example.com"] {
            for _ in 0..5 {
                log_in_from(&app.router, address, name, "wrong").await;
            }
            assert_eq!(log_in_from(&app.router, address, name, GOOD).await.code(), "RATE_LIMITED");
        }
        app.admin().gql(unlock, json!({ "id": olga.id.to_string() })).await.data();
        for name in ["olga", "OLGA@example.com"] {
            log_in_from(&app.router, address, name, GOOD).await.data();
        }
    }
}

async fn tries_at_the_same_time_are_counted_each(app: &TestApp) {
    let tries = (0..40).map(|_| log_in_from(&app.router, HOME, "anna", "wrong"));
    let replies = futures_util::future::join_all(tries).await;
    let checked = replies.iter().filter(|reply| reply.code() == "UNAUTHENTICATED").count();
    assert_eq!(checked, 5, "passwords were tried");
}

async fn it_holds_on_other_instances_and_after_a_restart(app: &TestApp) {
    for _ in 0..5 {
        log_in_from(&app.router, HOME, "anna", "wrong").await;
    }
    let other = app.later(0).await;
    assert_eq!(log_in_from(&other, HOME, "anna", GOOD).await.code(), "RATE_LIMITED");
}

async fn services_at(app: &TestApp, seconds: i64) -> Services {
    let clock = guardianeye::clock::Clock::Fixed(app.now().plus_seconds(seconds));
    Services::new(app.db().clone(), clock, Limits::default(), HashCost::Minimal).await.expect("starts")
}

fn retry_after(reply: &Reply) -> i64 {
    let value: &Value = &reply.body["errors"][0]["extensions"]["retryAfter"];
    value.as_i64().expect("seconds")
}
