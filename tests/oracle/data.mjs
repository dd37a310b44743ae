// The server's data as one recording, and resolvers that answer from it. Nothing here knows how an operation is executed:
// that is graphql-js's part, and what is compared.

const ORDERS = {
  User: ['CREATED_AT', 'USERNAME', 'EMAIL', 'LAST_LOGIN'],
  Session: ['CREATED_AT', 'UPDATED_AT'],
  AuditLog: ['TIMESTAMP'],
};
const LISTS = { User: 'users', Session: 'sessions', AuditLog: 'auditLogs' };
const FIELDS = {
  User: 'id username fullName role isActive createdAt updatedAt email lastLogin',
  Session: 'id user { id } threadId context title isActive createdAt updatedAt endedAt',
  AuditLog: 'id user { id } username action details description ipAddress userAgent success timestamp',
};
const INTERVALS = ['HOUR', 'DAY', 'WEEK', 'MONTH'];

// Every row of every type under its id, the cursors of each order, and what the server alone computes.
export async function record(ask) {
  const rows = {};
  const orders = {};
  for (const [type, fields] of Object.entries(ORDERS)) {
    rows[type] = new Map();
    for (const field of fields) {
      for (const direction of ['ASC', 'DESC']) {
        const { list } = await ask(
          `{ list: ${LISTS[type]}(first: 100, orderBy: {field: ${field}, direction: ${direction}}) {
            pageInfo { hasNextPage } edges { cursor node { ${FIELDS[type]} } } } }`,
        );
        if (list.pageInfo.hasNextPage) throw new Error(`more than 100 rows of ${type}`);
        for (const { node } of list.edges) rows[type].set(node.id, { __typename: type, ...node });
        orders[`${type}.${field}.${direction}`] = list.edges.map(({ cursor, node }) => ({ cursor, id: node.id }));
      }
    }
  }
  const counts = 'count failures';
  const { me, accessMatrix, stats } = await ask(
    `{ me { id } accessMatrix { coordinate roles owner scope } stats: auditLogStats { total failures
      byAction { action ${counts} } byUser(first: 100) { user { id } ${counts} }
      byIpAddress(first: 100) { ipAddress ${counts} } } }`,
  );
  for (const interval of INTERVALS) {
    // Intervals that are too many are an error here, and stay one.
    const over = (data) => (stats[interval] = data.stats.overTime);
    await ask(`{ stats: auditLogStats { overTime(interval: ${interval}) { start ${counts} } } }`).then(over, () => {});
  }
  return { rows, orders, me, accessMatrix, stats };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class Oracle {
  constructor(data) {
    this.data = data;
  }

  // graphql-js asks this for every field that has more to it than being in the row.
  fieldResolver = (source, args, _context, info) => {
    const own = this[`${info.parentType.name}_${info.fieldName}`];
    const value = own ? own.call(this, source ?? {}, args) : source[info.fieldName];
    return typeof value === 'function' ? value(args) : value;
  };

  find(type, id, argument = 'id') {
    if (!UUID.test(id)) throw new Error(`${argument} is no UUID`);
    return this.data.rows[type].get(id) ?? null;
  }

  any(id, argument) {
    return this.find('User', id, argument) ?? this.find('Session', id, argument) ?? this.find('AuditLog', id, argument);
  }

  Query_me = () => this.data.rows.User.get(this.data.me.id);
  Query_node = (_, { id }) => this.any(id, 'id');
  Query_nodes = (_, { ids }) => ids.map((id) => this.any(id, 'ids'));
  Query_user = (_, { id }) => this.find('User', id);
  Query_session = (_, { id }) => this.find('Session', id);
  Query_auditLog = (_, { id }) => this.find('AuditLog', id);
  Query_userByUsername = (_, { username }) => [...this.data.rows.User.values()].find((user) => user.username === username);
  Query_users = (_, args) => this.page('User', args);
  Query_sessions = (_, args) => this.page('Session', args);
  Query_auditLogs = (_, args) => this.page('AuditLog', args);
  Query_accessMatrix = () => this.data.accessMatrix;
  Query_auditLogStats = () => this.data.stats;
  User_sessions = (user, args) => this.page('Session', args, user.id);
  User_auditLogs = (user, args) => this.page('AuditLog', args, user.id);
  Session_user = (session) => this.data.rows.User.get(session.user.id);
  AuditLog_user = (entry) => entry.user && this.data.rows.User.get(entry.user.id);
  UserCount_user = (count) => count.user && this.data.rows.User.get(count.user.id);
  AuditLogStats_byUser = (stats, { first }) => stats.byUser.slice(0, limit(first, 10));
  AuditLogStats_byIpAddress = (stats, { first }) => stats.byIpAddress.slice(0, limit(first, 10));
  AuditLogStats_overTime = (stats, { interval }) => {
    if (!stats[interval]) throw new Error('too many intervals');
    return stats[interval];
  };
  Mutation_login = () => {
    throw new Error('nobody logs in with what is generated');
  };

  page(type, { first, after, last, before, filter, orderBy }, userId) {
    const given = (value) => value !== undefined && value !== null;
    if (given(first) && given(last)) throw new Error('first and last');
    const backward = given(last) || (!given(first) && given(before));
    if (given(backward ? after : before)) throw new Error('a cursor of the other end');
    const size = limit(backward ? last : first, 20);
    const { field, direction } = orderBy ?? { field: ORDERS[type][0], direction: 'DESC' };
    let places = this.data.orders[`${type}.${field}.${direction}`];
    const cursor = backward ? before : after;
    const at = given(cursor) ? places.findIndex((place) => place.cursor === cursor) : -1;
    if (given(cursor) && at < 0) throw new Error('no such cursor');
    check(filter);
    const passes = (place) => {
      const row = this.data.rows[type].get(place.id);
      return (userId === undefined || row.user?.id === userId) && holds(filter, row);
    };
    const all = places.filter(passes);
    const ahead = given(cursor) ? (backward ? places.slice(0, at) : places.slice(at + 1)).filter(passes) : all;
    const behind = given(cursor) && ahead.length < all.length;
    const page = backward ? ahead.slice(-size) : ahead.slice(0, size);
    const more = ahead.length > size;
    const node = (place) => this.data.rows[type].get(place.id);
    return {
      edges: page.map((place) => ({ cursor: place.cursor, node: node(place) })),
      nodes: page.map(node),
      totalCount: all.length,
      pageInfo: {
        hasNextPage: backward ? behind : more,
        hasPreviousPage: backward ? more : behind,
        startCursor: page[0]?.cursor ?? null,
        endCursor: page.at(-1)?.cursor ?? null,
      },
    };
  }
}

function limit(size, byDefault) {
  if (size === undefined || size === null) return byDefault;
  if (size < 1 || size > 100) throw new Error('between 1 and 100');
  return size;
}

// Ids in filters are looked at before any row is.
function check(filter) {
  for (const [name, test] of Object.entries(filter ?? {})) {
    if (['and', 'or', 'not'].includes(name)) [test].flat().forEach(check);
    if (!['id', 'user'].includes(name) || !test) continue;
    const ids = [test.eq, test.in, test.notIn].flat().filter((id) => id !== undefined && id !== null);
    if (!ids.every((id) => UUID.test(id))) throw new Error('no UUID in a filter');
  }
}

// The filters that are generated. An operator that is null is as good as absent.
function holds(filter, row) {
  return Object.entries(filter ?? {}).every(([name, test]) => {
    if (test === null) return true;
    if (name === 'and') return test.every((each) => holds(each, row));
    if (name === 'or') return test.some((each) => holds(each, row));
    if (name === 'not') return !holds(test, row);
    const value = name === 'user' ? row.user?.id ?? null : row[name];
    if (typeof test === 'boolean') return value === test;
    return Object.entries(test).every(([operator, operand]) => {
      if (operand === null) return true;
      if (operator === 'eq') return value === operand;
      if (operator === 'in') return operand.includes(value);
      if (operator === 'notIn') return !operand.includes(value);
      if (operator === 'isNull') return (value === null) === operand;
      if (operator === 'gte') return value >= operand;
      if (operator === 'lt') return value < operand;
      throw new Error(`an operator that is not generated: ${operator}`);
    });
  });
}
