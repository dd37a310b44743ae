//! Characters that hide something are refused in every text that enters, and what scripts need is not.

use guardianeye::model::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, on_both};

/// Each mutation with a text of one line, and the field that a refusal names. `$user` and `$session` are the caller's own.
const LINES: &[(&str, &str)] = &[
    (
        "createUser(input: {username: \"u1\", email: \"u1@example.com\", password: \"correct horse battery staple\", fullName: $text}) { user { id } }",
        "fullName",
    ),
    (
        "createUser(input: {username: $text, email: \"u2@example.com\", password: \"correct horse battery staple\"}) { user { id } }",
        "username",
    ),
    (
        "createUser(input: {username: \"u3\", email: $text, password: \"correct horse battery staple\"}) { user { id } }",
        "email",
    ),
    ("updateUser(input: {id: $user, fullName: $text}) { user { id } }", "fullName"),
    ("updateUser(input: {id: $user, username: $text}) { user { id } }", "username"),
    ("updateUser(input: {id: $user, email: $text}) { user { id } }", "email"),
    ("createSession(input: {title: $text}) { session { id } }", "title"),
    ("createSession(input: {threadId: $text}) { session { id } }", "threadId"),
    ("updateSession(input: {id: $session, title: $text}) { session { id } }", "title"),
    ("updateSession(input: {id: $session, threadId: $text}) { session { id } }", "threadId"),
    ("createApiToken(input: {name: $text, scopes: [READ]}) { apiToken { id } }", "name"),
];

on_both!(
    no_text_of_one_line_hides_a_character,
    texts_in_persian_hindi_and_emoji_are_taken,
    a_description_has_lines_and_hides_nothing
);

async fn no_text_of_one_line_hides_a_character(app: &TestApp) {
    let admin = app.admin();
    let ids = ids(app).await;
    for (field, name) in LINES {
        let query = with_used_variables(&format!("mutation($text: String!, $user: ID!, $session: ID!) {{ {field} }}"));
        for character in [
            '\n',
            '\u{85}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{3164}',
            '\u{feff}',
            '\u{e0061}',
        ] {
            for text in [format!("a{character}b"), format!("{character}ab"), format!("ab{character}")] {
                let mut variables = ids.clone();
                variables["text"] = json!(text);
                let reply = admin.gql(&query, only_used(&query, &variables)).await;
                assert_eq!(
                    (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
                    ("BAD_USER_INPUT", &json!(name)),
                    "{} {field}: {:#}",
                    text.escape_unicode(),
                    reply.body
                );
            }
        }
    }
}

async fn texts_in_persian_hindi_and_emoji_are_taken(app: &TestApp) {
    let ids = ids(app).await;
    for text in [
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        "\u{915}\u{94d}\u{200d}\u{937}",
        "\u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}",
    ] {
        for (field, name) in LINES
            .iter()
            .filter(|(field, name)| !["username", "email"].contains(name) && !field.starts_with("createUser"))
        {
            let query =
                with_used_variables(&format!("mutation($text: String!, $user: ID!, $session: ID!) {{ {field} }}"));
            let mut variables = ids.clone();
            variables["text"] = json!(text);
            let reply = app.admin().gql(&query, only_used(&query, &variables)).await;
            assert!(reply.codes().is_empty(), "{name} {field}: {:#}", reply.body);
        }
    }
}

async fn a_description_has_lines_and_hides_nothing(app: &TestApp) {
    let query = "mutation($text: String!) { recordAuditLog(input: {action: QUERY_AGENT, description: $text}) { auditLog { description } } }";
    let several = "one\r\n\ttwo\nthree";
    assert_eq!(
        app.analyst().gql(query, json!({ "text": several })).await.data()["recordAuditLog"]["auditLog"]["description"],
        several
    );
    for character in ['\u{1b}', '\u{85}', '\u{200b}', '\u{200f}', '\u{2028}', '\u{202e}', '\u{feff}', '\u{e0061}'] {
        let reply = app.analyst().gql(query, json!({ "text": format!("one\ntwo{character}") })).await;
        assert_eq!(
            (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
            ("BAD_USER_INPUT", &json!("description")),
            "{character:?}"
        );
        let named = format!("U+{:04X} at character 8", u32::from(character));
        assert!(reply.message().contains(&named), "{}", reply.message());
    }
}

async fn ids(app: &crate::support::TestApp) -> Value {
    let user = app.user("ida", Role::Viewer, app.now()).await;
    let session = app.session(app.admin().id(), "mine", app.now()).await;
    json!({ "user": user.id.to_string(), "session": session.id.to_string() })
}

/// Variables that an operation defines have to be used.
fn with_used_variables(query: &str) -> String {
    let (head, rest) = query.split_once(')').expect("variables");
    let definitions = head.trim_start_matches("mutation(").split(", ");
    let used: Vec<_> =
        definitions.filter(|definition| rest.contains(definition.split(':').next().expect("a name"))).collect();
    format!("mutation({}){rest}", used.join(", "))
}

fn only_used(query: &str, variables: &Value) -> Value {
    let fields = variables.as_object().expect("variables").iter();
    fields
        .filter(|(name, _)| query.contains(&format!("${name}")))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
