//! Managing users at the same moment: what must hold between them holds whoever comes first.

use guardianeye::model::{Role, User};
use serde_json::{Value, json};
use tokio::join;

use crate::support::{Caller, Reply, TestApp, on_both};

const ROUNDS: usize = 12;
const GOOD: &str = "correct horse battery staple";

const DEMOTE: &str = "mutation($id: ID!) { setUserRole(input: {id: $id, role: ANALYST}) { user { id } } }";
const DEACTIVATE: &str = "mutation($id: ID!) { deactivateUser(id: $id) { user { id } } }";
const DELETE: &str = "mutation($id: ID!) { deleteUser(id: $id) { deletedUserId } }";

on_both!(
    two_admins_who_remove_each_other_leave_one,
    two_admins_who_step_down_leave_one,
    a_name_is_given_away_once,
    of_two_changes_meant_for_one_state_one_is_made,
    a_login_by_the_old_password_does_not_outlive_the_reset
);

async fn two_admins_who_remove_each_other_leave_one(app: &TestApp) {
    for round in 0..ROUNDS {
        for (at, (one, other)) in
            [(DEMOTE, DEMOTE), (DEACTIVATE, DEACTIVATE), (DELETE, DELETE), (DEMOTE, DELETE), (DEACTIVATE, DEMOTE)]
                .into_iter()
                .enumerate()
        {
            let (ada, bob) = two_admins(app, &format!("{round}-{at}")).await;
            let (a, b) = (app.logged_in(&ada), app.logged_in(&bob));
            let replies = join!(a.gql(one, id(&bob)), b.gql(other, id(&ada)));
            one_wins(app, replies, &["FORBIDDEN", "UNAUTHENTICATED"]).await;
        }
    }
}

async fn two_admins_who_step_down_leave_one(app: &TestApp) {
    for round in 0..ROUNDS {
        for (at, query) in [DEMOTE, DEACTIVATE, DELETE].into_iter().enumerate() {
            let (ada, bob) = two_admins(app, &format!("{round}-{at}")).await;
            let (a, b) = (app.logged_in(&ada), app.logged_in(&bob));
            let replies = join!(a.gql(query, id(&ada)), b.gql(query, id(&bob)));
            one_wins(app, replies, &["CONFLICT"]).await;
        }
    }
}

async fn a_name_is_given_away_once(app: &TestApp) {
    let query = "mutation($name: String!, $mail: String!, $password: String!) {
            createUser(input: {username: $name, email: $mail, password: $password}) { user { id } } }";
    for round in 0..ROUNDS {
        let admin = app.admin();
        let create = async |name: String, mail: String| {
            admin.gql(query, json!({ "name": name, "mail": mail, "password": GOOD })).await
        };
        let replies = join!(
            create(format!("nora{round}"), format!("a{round}@example.com")),
            create(format!("NORA{round}"), format!("b{round}@example.com"))
        );
        assert_eq!(codes(&replies), ["", "CONFLICT"]);
        let replies = join!(
            create(format!("a{round}"), format!("c{round}@example.com")),
            create(format!("b{round}"), format!("C{round}@Example.com"))
        );
        assert_eq!(codes(&replies), ["", "CONFLICT"]);
    }
}

async fn of_two_changes_meant_for_one_state_one_is_made(app: &TestApp) {
    let vera = app.viewer();
    let query = "mutation($id: ID!, $name: String, $at: DateTime) { updateUser(input: {id: $id, fullName: $name, expectedUpdatedAt: $at}) { user { updatedAt } } }";
    for round in 0..ROUNDS {
        let at = vera.gql("{ me { updatedAt } }", json!({})).await.data()["me"]["updatedAt"].clone();
        let variables =
            |name: &str| json!({ "id": vera.id().to_string(), "name": format!("{name} {round}"), "at": at });
        let replies = join!(vera.gql(query, variables("One")), vera.gql(query, variables("Two")));
        assert_eq!(codes(&replies), ["", "CONFLICT"]);
    }
}

async fn a_login_by_the_old_password_does_not_outlive_the_reset(app: &TestApp) {
    let reset = "mutation($id: ID!, $password: String!) { resetPassword(input: {userId: $id, newPassword: $password}) { user { id } } }";
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
    let vera = app.viewer().id().to_string();
    let mut old = "a good password".to_owned();
    for round in 0..ROUNDS {
        let new = format!("{GOOD} {round}");
        let input = json!({ "input": { "username": "vera", "password": old } });
        let (anonymous, admin) = (app.anonymous(), app.admin());
        let (login, reset) =
            join!(anonymous.gql(login, input), admin.gql(reset, json!({ "id": vera, "password": new })));
        reset.data();
        match login.codes()[..] {
            ["UNAUTHENTICATED"] => {}
            [] => {
                let token = login.data()["login"]["accessToken"].as_str().expect("a token").to_owned();
                assert_eq!(
                    Caller::with_token(app, token).gql("{ me { id } }", json!({})).await.code(),
                    "UNAUTHENTICATED"
                );
            }
            _ => panic!("{:#}", login.body),
        }
        old = new;
    }
}

/// Two admins, and no other.
async fn two_admins(app: &TestApp, name: &str) -> (User, User) {
    app.execute("delete from users where role = 'admin'").await;
    let at = app.now();
    (app.user(&format!("ada-{name}"), Role::Admin, at).await, app.user(&format!("bob-{name}"), Role::Admin, at).await)
}

fn id(user: &User) -> Value {
    json!({ "id": user.id.to_string() })
}

/// Exactly one is done, the other refused like this, and one admin is left who can log in.
async fn one_wins(app: &TestApp, replies: (Reply, Reply), refusals: &[&str]) {
    let [won, lost] = codes(&replies);
    assert!(won.is_empty() && refusals.contains(&lost), "{won} {lost}");
    app.try_execute("create table if not exists admins (left_over integer not null check (left_over = 1))")
        .await
        .expect("makes");
    app.execute("insert into admins select count(*) from users where role = 'admin' and is_active").await;
}

/// The codes of both, what is done before what is refused.
fn codes(replies: &(Reply, Reply)) -> [&str; 2] {
    let mut codes = [&replies.0, &replies.1].map(|reply| match reply.codes()[..] {
        [] => "",
        [code] => code,
        _ => panic!("{:#}", reply.body),
    });
    codes.sort_unstable();
    codes
}
