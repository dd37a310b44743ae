//! Failed logins: who has to wait, for how long, and who does not.

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use serde_json::{Value, json};

use crate::support::{Reply, on_both};

on_both! {
    async fn after_some_failures_each_further_try_waits_twice_as_long(app) {
        for _ in 0..4 {
            assert_eq!(try_at(&app.router, "192.0.2.1", "anna", "wrong").await.code(), "UNAUTHENTICATED");
        }
        // The fifth costs nothing yet but the wait before the sixth.
        let mut at = 0;
        for wait in [1, 2, 4, 8, 16] {
            let router = app.later(at).await;
            assert_eq!(try_at(&router, "192.0.2.1", "anna", "wrong").await.code(), "UNAUTHENTICATED");
            let refused = try_at(&router, "192.0.2.1", "anna", "a good password").await;
            assert_eq!((refused.code(), retry_after(&refused)), ("RATE_LIMITED", wait + 1));
            at += wait;
        }
        let router = app.later(at).await;
        try_at(&router, "192.0.2.1", "anna", "a good password").await.data();
        assert_eq!(try_at(&router, "192.0.2.1", "anna", "wrong").await.code(), "UNAUTHENTICATED", "the count began anew");
    }

    async fn a_name_that_is_nobodys_is_throttled_like_a_users(app) {
        for name in ["anna", "nobody"] {
            let mut codes = Vec::new();
            for _ in 0..7 {
                codes.push(try_at(&app.router, "192.0.2.1", name, "wrong").await.code().to_owned());
            }
            assert_eq!(codes[..5], ["UNAUTHENTICATED"; 5]);
            assert_eq!(codes[5..], ["RATE_LIMITED"; 2]);
        }
        assert_eq!(try_at(&app.router, "192.0.2.1", "ANNA@EXAMPLE.COM", "wrong").await.code(), "RATE_LIMITED", "the same account");
    }

    async fn a_stranger_does_not_lock_the_user_out(app) {
        try_at(&app.router, "192.0.2.1", "anna", "a good password").await.data();
        let mut at = 0;
        for _ in 0..120 {
            let router = app.later(at).await;
            try_at(&router, "198.51.100.7", "anna", "wrong").await;
            at += 901;
        }
        let router = app.later(at + 1_000_000).await;
        assert_eq!(try_at(&router, "198.51.100.7", "anna", "a good password").await.code(), "RATE_LIMITED", "locked for strangers");
        assert_eq!(try_at(&router, "203.0.113.9", "anna", "a good password").await.code(), "RATE_LIMITED", "wherever they are");
        try_at(&router, "192.0.2.1", "anna", "a good password").await.data();
        // The user's success ends the row of failures.
        try_at(&router, "203.0.113.9", "anna", "a good password").await.data();
    }

    async fn a_network_that_tries_many_names_has_to_wait(app) {
        let name = |n: usize| format!("name-{n}");
        for n in 0..100 {
            let address = format!("2001:db8:0:1::{n:x}");
            assert_eq!(try_at(&app.router, &address, &name(n), "wrong").await.code(), "UNAUTHENTICATED", "{n}");
        }
        assert_eq!(try_at(&app.router, "2001:db8:0:1::ffff", "anna", "a good password").await.code(), "RATE_LIMITED");
        try_at(&app.router, "2001:db8:0:2::1", "anna", "a good password").await.data();
        let router = app.later(901).await;
        try_at(&router, "2001:db8:0:1::ffff", "anna", "a good password").await.data();
    }

    async fn tries_at_the_same_time_are_counted_each(app) {
        let tries = (0..40).map(|_| try_at(&app.router, "192.0.2.1", "anna", "wrong"));
        let replies = futures_util::future::join_all(tries).await;
        let checked = replies.iter().filter(|reply| reply.code() == "UNAUTHENTICATED").count();
        // As many as may hash at once can slip past the fifth.
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        assert!((5..=5 + threads).contains(&checked), "{checked} passwords were tried");
    }

    async fn it_holds_on_other_instances_and_after_a_restart(app) {
        for _ in 0..5 {
            try_at(&app.router, "192.0.2.1", "anna", "wrong").await;
        }
        let other = app.later(0).await;
        assert_eq!(try_at(&other, "192.0.2.1", "anna", "a good password").await.code(), "RATE_LIMITED");
    }
}

/// A login from an address.
async fn try_at(router: &Router, address: &str, username: &str, password: &str) -> Reply {
    let query = "mutation($input: LoginInput!) { login(input: $input) { expiresAt } }";
    let body = json!({ "query": query, "variables": { "input": { "username": username, "password": password } } });
    let peer = std::net::SocketAddr::new(address.parse().expect("an address"), 4711);
    let request = Request::post("/graphql").header("content-type", "application/json").extension(ConnectInfo(peer));
    Reply::of(router.clone(), request.body(Body::from(body.to_string())).expect("a request")).await
}

fn retry_after(reply: &Reply) -> i64 {
    let value: &Value = &reply.body["errors"][0]["extensions"]["retryAfter"];
    value.as_i64().expect("seconds")
}
