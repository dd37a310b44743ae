// Documents that chance would seldom write: the corners of the specification, by name of what they ask.

const wrap = (list) => list.map(([query, variables, operationName]) => ({ query, variables, operationName }));

export function CASES(data) {
  const [user] = data.rows.User.keys();
  const [session] = data.rows.Session.keys();
  const list = 'users(first: 2, orderBy: {field: USERNAME, direction: $d}) { nodes { username } }';
  const first = (type) => `query($n: ${type}) { users(first: $n) { totalCount } }`;
  const conditional = (condition) => `{ me { id @skip(if: ${condition}) username @include(if: ${condition}) } }`;
  return wrap([
    // Keys in the order of selection, whatever merges later.
    ['{ me { role id } a: me { id } me { username id } }'],
    ['{ me { ...A id ...B } } fragment A on User { role username } fragment B on User { fullName role email }'],
    ['{ users { pageInfo { startCursor } nodes { id } } users { nodes { username id } pageInfo { hasNextPage } } }'],
    ['{ users { nodes { sessions { nodes { id } } } } users { nodes { id sessions { totalCount nodes { title } } } } }'],
    // One field that fails in several places is one error with all its locations.
    ['{ users(first: 0) { totalCount } users(first: 0) { nodes { id } } }'],
    ['{ ...A ...B } fragment A on Query { users(first: 0) { totalCount } } fragment B on Query { users(first: 0) { nodes { id } } }'],
    ['{ me { sessions(first: 0) { totalCount } } me { id sessions(first: 0) { nodes { id } } } }'],
    // Null travels to the nearest field that may be null, also when only one of the merged selections failed.
    ['{ auditLogStats { byUser(first: 0) { count } } me { id } }'],
    ['{ auditLogStats { total byUser(first: 0) { count } failures } }'],
    ['{ auditLogStats { total } auditLogStats { byUser(first: 0) { count } } }'],
    ['{ auditLogStats { byUser(first: 0) { count } } auditLogStats { total } }'],
    ['{ me { id } nodes(ids: ["x"]) { id } }'],
    [`{ nodes(ids: ["${user}", "no uuid"]) { id } }`],
    [`query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }`, { ids: user }],
    [`query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, { ids: [user, null] }],
    [`query($ids: [ID!]! = "${user}") { nodes(ids: $ids) { __typename } }`],
    [`query($id: ID!) { nodes(ids: [$id, "${session}"]) { ... on Session { title } ... on User { username } } }`, { id: user }],
    // Types of an interface.
    [`{ node(id: "${user}") { ... on Node { id ... on User { role } } ... on Session { title } __typename } }`],
    [`{ node(id: "${session}") { ...N ...S } } fragment N on Node { id } fragment S on Session { isActive user { ...N } }`],
    [`{ a: node(id: "${session}") { ... @include(if: false) { id } } b: node(id: "${user}") { ... @skip(if: false) { id } } }`],
    // An object of which nothing is left is an empty object.
    ['{ me { id @skip(if: true) } }'],
    ['{ me @include(if: false) { id } }'],
    ['{ users { nodes @skip(if: true) { id } } }'],
    [conditional('true')], [conditional('false')],
    ['query($c: Boolean = true) { me { id @skip(if: $c) username @include(if: $c) } }'],
    ['query($c: Boolean = true) { me { id @skip(if: $c) username @include(if: $c) } }', { c: false }],
    ['query($c: Boolean! = false) { me { id @skip(if: $c) ...F @include(if: $c) } } fragment F on User { role @skip(if: $c) }'],
    ['query($c: Boolean!) { me { id @include(if: $c) } }'],
    ['query($c: Boolean!) { me { id @include(if: $c) } }', { c: null }],
    ['query($c: Boolean!) { me { id @include(if: $c) } }', { c: 'true' }],
    // Null for a variable whose default let it stand where null may not: the field that uses it fails.
    ['query($c: Boolean = true) { me { id ... @include(if: true) { role } } users(first: 1) { totalCount @skip(if: $c) } }'],
    // Absent is not null: the place's own default holds.
    [`query($d: OrderDirection) { ${list} }`], [`query($d: OrderDirection!) { ${list} }`], [`query($d: OrderDirection! = ASC) { ${list} }`],
    [`query($d: OrderDirection = ASC) { ${list} }`], [`query($d: OrderDirection) { ${list} }`, { d: 'ASC' }],
    ['query($f: UserFilter) { users(filter: $f) { totalCount } }'],
    ['query($f: UserFilter) { users(filter: $f) { totalCount } }', { f: null }],
    ['query($in: [Role!]) { users(filter: {role: {in: $in}}) { totalCount } }'],
    ['query($in: [Role!]) { users(filter: {role: {in: $in}}) { totalCount } }', { in: 'ADMIN' }],
    ['query($in: [Role!]) { users(filter: {role: {in: $in}}) { totalCount } }', { in: ['ADMIN', null] }],
    ['query($in: [Role!]) { users(filter: {role: {in: $in}}) { totalCount } }', { in: ['ADMIN', 'NONE', 'NOTHING'] }],
    ['query($f: UserFilter = {role: {eq: ADMIN}}) { users(filter: $f) { nodes { role } } }'],
    ['query($o: UserOrder) { users(orderBy: $o) { nodes { id } } }', { o: {} }],
    ['query($o: UserOrder) { users(orderBy: $o) { nodes { id } } }', { o: { field: 'NOTHING', direction: 1, more: 1 } }],
    ['query($o: UserOrder) { users(orderBy: $o) { nodes { id } } }', { o: { field: 'USERNAME', direction: null } }],
    ['query($o: UserOrder) { users(orderBy: $o) { nodes { id } } }', { o: { field: 'USERNAME' } }],
    ['query($f: UserFilter) { users(filter: $f) { totalCount } }', { f: { and: { role: { eq: 'ADMIN' } } } }],
    ['query($f: UserFilter) { users(filter: $f) { totalCount } }', { f: { and: [{ x: 1 }, { or: [{ y: 1 }] }] } }],
    ['query($in: [Role!]!) { users(filter: {role: {in: $in}}) { totalCount } }', { in: ['ADMIN'] }],
    ['query($r: Role! = ADMIN) { users(filter: {role: {in: [$r], notIn: []}}) { totalCount } }'],
    ['query($r: Role = ADMIN) { users(filter: {role: {in: [$r]}}) { totalCount } }'],
    ['{ users(filter: {role: {in: ADMIN}, and: {or: {isActive: true}}}, first: null) { totalCount } }'],
    ['query($v: Int = 1) { sessions(filter: {id: {in: 7}, context: {contains: {a: [$v, NAME, "x", null]}}}) @skip(if: true) { totalCount } me { id } }'],
    ['query($t: DateTime) { users(filter: {createdAt: {gte: $t}}) { totalCount } }', { t: 'yesterday' }],
    ...[1, 2147483647, 2147483648, -2147483649, 1.5, '1', true, null, [1], [[1]], {}].map((n) => [first('Int'), { n }]),
    ...[1, 1.5, '1', null].map((n) => [first('Int!'), { n }]), [first('Int!')], [first('Int = 1')], [first('Int = 1'), { n: null }],
    ...[5, '5', 1.5, true, null, [user], user].map((id) => ['query($id: ID!) { user(id: $id) { id } }', { id }]),
    // Several mistakes are several errors, each at its variable.
    ['query(\n  $a: Int!\n  $b: Role\n  $c: [ID!]!\n) { users(first: $a, filter: {role: {eq: $b}}) { totalCount } nodes(ids: $c) { id } }',
      { b: 'x', c: [1.5, {}, 'a'] }],
    // Several operations: which is run, and whose variables count.
    ['query A { me { id } } query B { me { role } }', undefined, 'B'], ['query A { me { id } } query B { me { role } }'],
    ['query A { me { id } } query B { me { role } }', undefined, 'C'], ['query A { me { id } }', undefined, 'A'],
    ['query A { me { id } }', undefined, 'B'], ['{ me { id } }', undefined, 'A'], ['query A { me { id } }'],
    ['query A($n: Int!) { users(first: $n) { totalCount } } query B { me { role } }', undefined, 'B'],
    ['query A($n: Int!) { users(first: $n) { totalCount } } query B { me { role } }', undefined, 'A'],
    ['query A($n: Int!) { ...F } query B($n: Int = 1) { ...F } fragment F on Query { users(first: $n) { nodes { id } } }', {}, 'B'],
    ['mutation M($i: LoginInput!) { login(input: $i) { expiresAt } }', { i: { username: 'x' } }],
    ['mutation M($i: LoginInput!) { login(input: $i) { expiresAt } }', { i: { username: 1, password: null, more: 2 } }],
    ['mutation M($p: String!) { login(input: {username: "x", password: $p}) { expiresAt } }'],
  ]);
}

// What no validator may let through.
export const INVALID = wrap([
  ['{ nothing }'], ['{ me }'], ['{ me { id { x } } }'], ['{ me { id(x: 1) } }'], ['{ user { id } }'], ['{ me { ...F } }'],
  ['{ me { id } } fragment F on User { id }'], ['{ me { ...F } } fragment F on Nothing { id }'], ['{ me { ...F } } fragment F on Session { id }'],
  ['{ me { ... on Session { id } } }'], ['{ me { ...F } } fragment F on User { ...F }'], ['{ me { id @nothing } }'], ['{ me { id @skip } }'],
  ['{ me { id @skip(if: true) @skip(if: true) } }'], ['{ me { id @skip(if: 1) } }'], ['query($a: Int) { me { id } }'], ['{ users(first: $a) { totalCount } }'],
  ['query($a: Int, $a: Int) { users(first: $a) { totalCount } }'], ['query($a: User) { users(first: $a) { totalCount } }'],
  ['query($a: ID) { user(id: $a) { id } }'], ['query($a: Int = "x") { users(first: $a) { totalCount } }'],
  ['{ users(first: "1") { totalCount } }'], ['{ users(first: 1.5) { totalCount } }'],
  ['{ users(first: [1]) { totalCount } }'], ['{ users(orderBy: {}) { totalCount } }'],
  ['{ users(orderBy: {field: NOTHING}) { totalCount } }'],
  ['{ users(orderBy: {field: USERNAME, direction: null}) { totalCount } }'],
  ['{ users(filter: {nothing: 1}) { totalCount } }'], ['{ users(filter: {isActive: "true"}) { totalCount } }'],
  ['{ users(filter: {username: {eq: 1}}) { totalCount } }'], ['{ users(filter: {username: {eq: NAME}}) { totalCount } }'],
  ['{ nodes(ids: [null]) { id } }'], ['{ nodes(ids: null) { id } }'], ['{ user(id: 1.5) { id } }'], ['{ user(id: true) { id } }'],
  ['{ user(id: null) { id } }'], ['{ user(id: NAME) { id } }'], ['{ user(id: "a", id: "b") { id } }'], ['{ me { a: id a: role } }'],
  ['{ me { a: username a: email } }'], ['{ users(first: 1) { totalCount } users(first: 2) { totalCount } }'],
  ['{ users { totalCount } users(first: 2) { totalCount } }'],
  ['query A { me { id } } query A { me { role } }'], ['{ me { id } } query A { me { id } }'],
  ['fragment F on User { id } fragment F on User { role } { me { ...F } }'],
  ['{ me { id } } fragment F on Role { x }'], ['{ me { ... on Role { x } } }'],
  ['query($d: OrderDirection) { users(orderBy: {field: $d}) { totalCount } }'], ['query($f: UserOrderField) { users(orderBy: {field: $f}) { totalCount } }'],
  ['query @skip(if: true) { me { id } }'],
  // Literals.
  ['{ users(first: 2147483648) { totalCount } }'], ['{ users(first: 1.0) { totalCount } }'],
  ['query($n: Int = 2147483648) { users(first: $n) { totalCount } }'], ['query($n: Int! = null) { users(first: $n) { totalCount } }'],
  ['{ users(orderBy: {field: "USERNAME"}) { totalCount } }'], ['{ users(orderBy: "USERNAME") { totalCount } }'],
  ['{ users(orderBy: [{field: USERNAME}]) { totalCount } }'], ['{ users(filter: {role: {in: [ADMIN, "NONE"]}}) { totalCount } }'],
  ['query($d: OrderDirection) { users(orderBy: {field: "EMAIL", direction: $d}) { totalCount } }'],
  ['query($d: OrderDirection) { users(orderBy: {direction: $d}) { totalCount } }'],
  ['query($r: Role = "ADMIN") { users(filter: {role: {eq: $r}}) { totalCount } }'],
  ['{ users(filter: {and: {or: [{isActive: 1}]}}) { totalCount } }'], ['{ users(filter: {createdAt: {gte: "yesterday"}}) { totalCount } }'],
  ['{ users(filter: {isActive: true, isActive: false}) { totalCount } }'], ['{ userByUsername(username: NAME) { id } }'],
  ['{ sessions(filter: {context: {contains: {a: 1, a: 2}}}) { totalCount } }'],
  // Variables where their types do not fit, given or not.
  ...[['String', 'first: $v'], ['[Int]', 'first: $v'], ['Role', 'filter: {role: {in: $v}}'], ['Role', 'filter: {role: {in: [$v]}}'],
    ['[Role]', 'filter: {role: {in: $v}}'], ['String', 'filter: {and: {role: {eq: $v}}}'], ['UserOrderField = null', 'orderBy: {field: $v}'],
  ].map(([type, place]) => [`query($v: ${type}) { ...F } fragment F on Query { users(${place}) { totalCount } }`]),
]);

// What is written down by the server comes last: it would change the counts.
export const LAST = wrap([
  ['mutation { login(input: {username: "nobody", password: "x"}) { expiresAt } }'],
  ['mutation { a: login(input: {username: "nobody", password: "x"}) { expiresAt } __typename }'],
]);

// What is known to differ, document by document, and why: docs/specification.md. One that no longer differs fails the
// comparison too, so that it leaves this list.
export const KNOWN = wrap([
  ['{ me { ... on Node { ... on User { a: role } } a: id } }'],
  ['query($name: String = "admin") { userByUsername(username: $name) { id } }', { name: null }],
  ['query($c: Boolean = true) { me { id @skip(if: $c) } }', { c: null }],
  ['query($d: OrderDirection) { users(orderBy: {field: EMAIL, direction: $d}) { totalCount } }', { d: null }],
]);
