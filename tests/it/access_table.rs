//! Who gets what: every field of the schema with what each caller is answered. `access.rs` asks.

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gets {
    /// The field.
    It,
    /// Null, as for a missing id.
    Null,
    /// UNAUTHENTICATED.
    NoLogin,
    /// FORBIDDEN.
    No,
}

use Gets::{It, No, NoLogin, Null};

/// A field, a query in which the answer to it stands at a path, and what anonymous, another viewer, the owner (also a
/// viewer), an analyst and an admin get. `$user`, `$session`, `$log`, `$login` and `$token` are the owner's.
pub struct Row(pub &'static str, pub &'static str, pub &'static str, pub [Gets; 5]);

const EVERYBODY_SIGNED_IN: [Gets; 5] = [NoLogin, It, It, It, It];
const ANALYSTS: [Gets; 5] = [NoLogin, No, No, It, It];
/// The owner is a viewer.
const ADMINS: [Gets; 5] = [NoLogin, No, No, No, It];
const OWNER_AND_ANALYSTS: [Gets; 5] = [NoLogin, Null, It, It, It];
/// An analyst sees the user, but not this of the user's; a viewer does not even see the user.
const OWNER_AND_ADMINS: [Gets; 5] = [NoLogin, Null, It, No, It];
/// What is reached by its own id: to others it is not there.
const OWNERS_AND_ADMINS_BY_ID: [Gets; 5] = [NoLogin, Null, It, Null, It];

pub const TABLE: &[Row] = &[
    Row("Query.me", "{ me { id } }", "/me/id", EVERYBODY_SIGNED_IN),
    Row("Query.rateLimit", "{ rateLimit { limit } }", "/rateLimit/limit", EVERYBODY_SIGNED_IN),
    Row("Query.node", "($user) { node(id: $user) { id } }", "/node/id", OWNER_AND_ANALYSTS),
    Row("Query.node", "($session) { node(id: $session) { id } }", "/node/id", OWNER_AND_ANALYSTS),
    Row("Query.node", "($log) { node(id: $log) { id } }", "/node/id", OWNER_AND_ANALYSTS),
    Row("Query.user", "($user) { user(id: $user) { id } }", "/user/id", OWNER_AND_ANALYSTS),
    Row("Query.session", "($session) { session(id: $session) { id } }", "/session/id", OWNER_AND_ANALYSTS),
    Row("Query.auditLog", "($log) { auditLog(id: $log) { id } }", "/auditLog/id", OWNER_AND_ANALYSTS),
    Row("Query.users", "{ users { nodes { id } } }", "/users/nodes/0/id", ANALYSTS),
    Row("Query.sessions", "{ sessions { nodes { id } } }", "/sessions/nodes/0/id", ANALYSTS),
    Row("Query.auditLogs", "{ auditLogs { nodes { id } } }", "/auditLogs/nodes/0/id", ANALYSTS),
    Row("Query.auditLogStats", "{ auditLogStats { total } }", "/auditLogStats/total", ANALYSTS),
    Row(
        "Query.userByUsername",
        "{ userByUsername(username: \"olga\") { id } }",
        "/userByUsername/id",
        OWNER_AND_ANALYSTS,
    ),
    Row("Query.nodes", "($user) { nodes(ids: [$user]) { id } }", "/nodes/0/id", OWNER_AND_ANALYSTS),
    Row(
        "Query.accessMatrix",
        "{ accessMatrix { coordinate roles owner } }",
        "/accessMatrix/0/coordinate",
        EVERYBODY_SIGNED_IN,
    ),
    Row("AuditLogStats.total", "{ auditLogStats { total } }", "/auditLogStats/total", ANALYSTS),
    Row("AuditLogStats.failures", "{ auditLogStats { failures } }", "/auditLogStats/failures", ANALYSTS),
    Row(
        "AuditLogStats.byAction",
        "{ auditLogStats { byAction { count } } }",
        "/auditLogStats/byAction/0/count",
        ANALYSTS,
    ),
    Row(
        "AuditLogStats.byUser",
        "{ auditLogStats { byUser { count failures user { id } } } }",
        "/auditLogStats/byUser/0/count",
        ANALYSTS,
    ),
    Row(
        "AuditLogStats.byIpAddress",
        "{ auditLogStats { byIpAddress { count } } }",
        "/auditLogStats/byIpAddress/0/count",
        ANALYSTS,
    ),
    Row(
        "AuditLogStats.overTime",
        "{ auditLogStats { overTime(interval: DAY) { count } } }",
        "/auditLogStats/overTime/0/count",
        ANALYSTS,
    ),
    Row("User.id", "($user) { user(id: $user) { id } }", "/user/id", OWNER_AND_ANALYSTS),
    Row("User.username", "($user) { user(id: $user) { username } }", "/user/username", OWNER_AND_ANALYSTS),
    Row("User.fullName", "($user) { user(id: $user) { fullName } }", "/user/fullName", OWNER_AND_ANALYSTS),
    Row("User.role", "($user) { user(id: $user) { role } }", "/user/role", OWNER_AND_ANALYSTS),
    Row("User.isActive", "($user) { user(id: $user) { isActive } }", "/user/isActive", OWNER_AND_ANALYSTS),
    Row("User.createdAt", "($user) { user(id: $user) { createdAt } }", "/user/createdAt", OWNER_AND_ANALYSTS),
    Row("User.updatedAt", "($user) { user(id: $user) { updatedAt } }", "/user/updatedAt", OWNER_AND_ANALYSTS),
    Row("User.email", "($user) { user(id: $user) { email } }", "/user/email", OWNER_AND_ANALYSTS),
    Row("User.lastLogin", "($user) { user(id: $user) { lastLogin } }", "/user/lastLogin", OWNER_AND_ANALYSTS),
    Row(
        "User.sessions",
        "($user) { user(id: $user) { sessions { nodes { id } } } }",
        "/user/sessions/nodes/0/id",
        OWNER_AND_ANALYSTS,
    ),
    Row(
        "User.auditLogs",
        "($user) { user(id: $user) { auditLogs { nodes { id } } } }",
        "/user/auditLogs/nodes/0/id",
        OWNER_AND_ANALYSTS,
    ),
    Row("Session.id", "($session) { session(id: $session) { id } }", "/session/id", OWNER_AND_ANALYSTS),
    Row("Session.user", "($session) { session(id: $session) { user { id } } }", "/session/user/id", OWNER_AND_ANALYSTS),
    Row(
        "Session.threadId",
        "($session) { session(id: $session) { threadId } }",
        "/session/threadId",
        OWNER_AND_ANALYSTS,
    ),
    Row("Session.context", "($session) { session(id: $session) { context } }", "/session/context", OWNER_AND_ANALYSTS),
    Row("Session.title", "($session) { session(id: $session) { title } }", "/session/title", OWNER_AND_ANALYSTS),
    Row(
        "Session.isActive",
        "($session) { session(id: $session) { isActive } }",
        "/session/isActive",
        OWNER_AND_ANALYSTS,
    ),
    Row(
        "Session.createdAt",
        "($session) { session(id: $session) { createdAt } }",
        "/session/createdAt",
        OWNER_AND_ANALYSTS,
    ),
    Row(
        "Session.updatedAt",
        "($session) { session(id: $session) { updatedAt } }",
        "/session/updatedAt",
        OWNER_AND_ANALYSTS,
    ),
    Row("Session.endedAt", "($session) { session(id: $session) { endedAt } }", "/session/endedAt", OWNER_AND_ANALYSTS),
    Row("AuditLog.id", "($log) { auditLog(id: $log) { id } }", "/auditLog/id", OWNER_AND_ANALYSTS),
    Row("AuditLog.user", "($log) { auditLog(id: $log) { user { id } } }", "/auditLog/user/id", OWNER_AND_ANALYSTS),
    Row("AuditLog.username", "($log) { auditLog(id: $log) { username } }", "/auditLog/username", OWNER_AND_ANALYSTS),
    Row("AuditLog.action", "($log) { auditLog(id: $log) { action } }", "/auditLog/action", OWNER_AND_ANALYSTS),
    Row("AuditLog.details", "($log) { auditLog(id: $log) { details } }", "/auditLog/details", OWNER_AND_ANALYSTS),
    Row(
        "AuditLog.description",
        "($log) { auditLog(id: $log) { description } }",
        "/auditLog/description",
        OWNER_AND_ANALYSTS,
    ),
    Row("AuditLog.ipAddress", "($log) { auditLog(id: $log) { ipAddress } }", "/auditLog/ipAddress", OWNER_AND_ANALYSTS),
    Row("AuditLog.userAgent", "($log) { auditLog(id: $log) { userAgent } }", "/auditLog/userAgent", OWNER_AND_ANALYSTS),
    Row("AuditLog.success", "($log) { auditLog(id: $log) { success } }", "/auditLog/success", OWNER_AND_ANALYSTS),
    Row("AuditLog.timestamp", "($log) { auditLog(id: $log) { timestamp } }", "/auditLog/timestamp", OWNER_AND_ANALYSTS),
    Row("Query.node", "($login) { node(id: $login) { id } }", "/node/id", OWNERS_AND_ADMINS_BY_ID),
    Row(
        "AuthSession.id",
        "($login) { node(id: $login) { ... on AuthSession { id } } }",
        "/node/id",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.createdAt",
        "($login) { node(id: $login) { ... on AuthSession { createdAt } } }",
        "/node/createdAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.lastUsedAt",
        "($login) { node(id: $login) { ... on AuthSession { lastUsedAt } } }",
        "/node/lastUsedAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.expiresAt",
        "($login) { node(id: $login) { ... on AuthSession { expiresAt } } }",
        "/node/expiresAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.revokedAt",
        "($login) { node(id: $login) { ... on AuthSession { revokedAt } } }",
        "/node/revokedAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.ipAddress",
        "($login) { node(id: $login) { ... on AuthSession { ipAddress } } }",
        "/node/ipAddress",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.userAgent",
        "($login) { node(id: $login) { ... on AuthSession { userAgent } } }",
        "/node/userAgent",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.isCurrent",
        "($login) { node(id: $login) { ... on AuthSession { isCurrent } } }",
        "/node/isCurrent",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "AuthSession.user",
        "($login) { node(id: $login) { ... on AuthSession { user { id } } } }",
        "/node/user/id",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "User.authSessions",
        "($user) { user(id: $user) { authSessions { nodes { id } } } }",
        "/user/authSessions/nodes/0/id",
        OWNER_AND_ADMINS,
    ),
    Row("Query.node", "($token) { node(id: $token) { id } }", "/node/id", OWNERS_AND_ADMINS_BY_ID),
    Row("ApiToken.id", "($token) { node(id: $token) { ... on ApiToken { id } } }", "/node/id", OWNERS_AND_ADMINS_BY_ID),
    Row(
        "ApiToken.name",
        "($token) { node(id: $token) { ... on ApiToken { name } } }",
        "/node/name",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "ApiToken.scopes",
        "($token) { node(id: $token) { ... on ApiToken { scopes } } }",
        "/node/scopes",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "ApiToken.createdAt",
        "($token) { node(id: $token) { ... on ApiToken { createdAt } } }",
        "/node/createdAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "ApiToken.expiresAt",
        "($token) { node(id: $token) { ... on ApiToken { expiresAt } } }",
        "/node/expiresAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "ApiToken.lastUsedAt",
        "($token) { node(id: $token) { ... on ApiToken { lastUsedAt } } }",
        "/node/lastUsedAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "ApiToken.revokedAt",
        "($token) { node(id: $token) { ... on ApiToken { revokedAt } } }",
        "/node/revokedAt",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "ApiToken.user",
        "($token) { node(id: $token) { ... on ApiToken { user { id } } } }",
        "/node/user/id",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "User.apiTokens",
        "($user) { user(id: $user) { apiTokens { nodes { id } } } }",
        "/user/apiTokens/nodes/0/id",
        OWNER_AND_ADMINS,
    ),
];

/// What changes something. Each caller meets a fresh owner, and is fresh too, as some of it ends the caller's own login.
pub const WRITES: &[Row] = &[
    Row(
        "Mutation.login",
        r#"mutation { login(input: {username: "nobody", password: "a good password"}) { expiresAt } }"#,
        "/login/expiresAt",
        [NoLogin; 5],
    ),
    Row(
        "Mutation.refreshToken",
        r#"mutation { refreshToken(input: {refreshToken: "x"}) { expiresAt } }"#,
        "/refreshToken/expiresAt",
        [NoLogin; 5],
    ),
    Row("Mutation.logout", "mutation { logout { success } }", "/logout/success", EVERYBODY_SIGNED_IN),
    Row(
        "Mutation.revokeAuthSession",
        "mutation($login: ID!) { revokeAuthSession(id: $login) { authSession { id } } }",
        "/revokeAuthSession/authSession",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "Mutation.revokeAllAuthSessions",
        "mutation($user: ID!) { revokeAllAuthSessions(userId: $user) { count } }",
        "/revokeAllAuthSessions/count",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "Mutation.createUser",
        r#"mutation { createUser(input: {username: "nora", email: "nora@example.com", password: "correct horse battery staple"}) { user { id } } }"#,
        "/createUser/user",
        ADMINS,
    ),
    Row(
        "Mutation.updateUser",
        r#"mutation($user: ID!) { updateUser(input: {id: $user, fullName: "Olga O"}) { user { id } } }"#,
        "/updateUser/user",
        [NoLogin, No, It, No, It],
    ),
    Row(
        "Mutation.setUserRole",
        "mutation($user: ID!) { setUserRole(input: {id: $user, role: ANALYST}) { user { id } } }",
        "/setUserRole/user",
        ADMINS,
    ),
    Row(
        "Mutation.deactivateUser",
        "mutation($user: ID!) { deactivateUser(id: $user) { user { id } } }",
        "/deactivateUser/user",
        ADMINS,
    ),
    Row(
        "Mutation.reactivateUser",
        "mutation($user: ID!) { reactivateUser(id: $user) { user { id } } }",
        "/reactivateUser/user",
        ADMINS,
    ),
    Row(
        "Mutation.unlockUser",
        "mutation($user: ID!) { unlockUser(id: $user) { user { id } } }",
        "/unlockUser/user",
        ADMINS,
    ),
    Row(
        "Mutation.deleteUser",
        "mutation($user: ID!) { deleteUser(id: $user) { deletedUserId } }",
        "/deleteUser/deletedUserId",
        ADMINS,
    ),
    Row(
        "Mutation.changePassword",
        r#"mutation { changePassword(input: {currentPassword: "a good password", newPassword: "correct horse battery staple"}) { user { id } } }"#,
        "/changePassword/user",
        EVERYBODY_SIGNED_IN,
    ),
    Row(
        "Mutation.resetPassword",
        r#"mutation($user: ID!) { resetPassword(input: {userId: $user, newPassword: "correct horse battery staple"}) { user { id } } }"#,
        "/resetPassword/user",
        ADMINS,
    ),
    Row(
        "Mutation.createApiToken",
        r#"mutation { createApiToken(input: {name: "x", scopes: [READ]}) { apiToken { id } } }"#,
        "/createApiToken/apiToken/id",
        EVERYBODY_SIGNED_IN,
    ),
    Row(
        "Mutation.revokeApiToken",
        "mutation($token: ID!) { revokeApiToken(id: $token) { apiToken { id } } }",
        "/revokeApiToken/apiToken/id",
        OWNERS_AND_ADMINS_BY_ID,
    ),
    Row(
        "Mutation.createSession",
        "mutation { createSession(input: {}) { session { id } } }",
        "/createSession/session",
        ANALYSTS,
    ),
    Row(
        "Mutation.updateSession",
        "mutation($session: ID!) { updateSession(input: {id: $session}) { session { id } } }",
        "/updateSession/session",
        ADMINS,
    ),
    Row(
        "Mutation.endSession",
        "mutation($session: ID!) { endSession(id: $session) { session { id } } }",
        "/endSession/session",
        ADMINS,
    ),
    Row(
        "Mutation.deleteSession",
        "mutation($session: ID!) { deleteSession(id: $session) { deletedSessionId } }",
        "/deleteSession/deletedSessionId",
        ADMINS,
    ),
    Row(
        "Mutation.recordAuditLog",
        "mutation { recordAuditLog(input: {action: QUERY_AGENT}) { auditLog { id } } }",
        "/recordAuditLog/auditLog",
        ANALYSTS,
    ),
];
