// Documents by chance, the same for the same seed: valid by the schema, with values and variables that are sometimes wrong.
import {
  GraphQLNonNull, getNamedType, getNullableType, isEnumType, isInputObjectType, isListType, isInterfaceType, isNonNullType,
} from 'graphql';

const LISTS = { users: 'User', sessions: 'Session', auditLogs: 'AuditLog' };
const ORDER_FIELDS = { User: 'CREATED_AT', Session: 'CREATED_AT', AuditLog: 'TIMESTAMP' };
const ROOT = [
  'me', 'node', 'nodes', 'user', 'users', 'session', 'sessions', 'auditLog', 'auditLogs', 'auditLogStats', 'accessMatrix',
  'userByUsername',
];
// What a login changes by itself is not compared.
const LEFT_OUT = ['authSessions', 'apiTokens'];
// An interface's types have these under the same name with different types: they go by an alias of their own.
const CLASHING = { 'AuditLog.username': 'actor', 'AuditLog.timestamp': 'at' };
// Values that are wrong for a type, and some that only look wrong.
const ODD = {
  Int: [2147483648, -2147483649, 1.5, 2, '1', '', true, [1], {}, 1e10],
  ID: [5, 1.5, true, '', 'no uuid', '5', {}, []],
  String: [5, true, {}, ['a'], 'text'],
  Boolean: [0, 1, 'true', [true], {}],
  DateTime: [0, 'yesterday', true, {}],
  Enum: ['NOTHING', 'desc', '', 1, true, {}],
  Input: ['text', 1, true, [], { nothing: 1 }],
};

export class Generator {
  constructor(schema, data, seed) {
    this.schema = schema;
    this.data = data;
    this.state = seed >>> 0;
    this.ids = Object.fromEntries(Object.entries(data.rows).map(([type, rows]) => [type, [...rows.keys()]]));
  }

  // mulberry32
  random() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  chance = (p) => this.random() < p;
  below = (n) => Math.floor(this.random() * n);
  pick = (list) => list[this.below(list.length)];

  document() {
    this.fragments = [];
    this.values = {};
    this.names = 0;
    this.mood = this.pick(['right', 'right', 'right', 'bad values', 'bad values', 'bad variables', 'bad variables']);
    this.budget = 40;
    const several = this.chance(0.15);
    const [first, definitions] = this.operation(4);
    const head = (name, of) => `query ${name}${of.length > 0 ? `(${of.join(', ')})` : ''}`;
    if (!several) {
      const name = this.pick(['', 'Only']);
      const keyword = name || definitions.length > 0 || this.chance(0.3) ? `${head(name, definitions)} ` : '';
      const operationName = name && this.chance(0.5) ? name : undefined;
      return this.request(`${keyword}${first}`, operationName);
    }
    const fragments = this.fragments;
    this.fragments = [];
    const [second, others] = this.operation(1);
    this.fragments.unshift(...fragments);
    const text = [`${head('A', definitions)} ${first}`, `${head('B', others)} ${second}`];
    if (this.chance(0.5)) text.reverse();
    return this.request(text.join('\n'), this.pick(['A', 'A', 'B', 'B', 'C', undefined]));
  }

  request(operations, operationName) {
    const text = [operations, ...this.fragments.map(({ text }) => text)];
    if (this.chance(0.2)) text.reverse();
    const variables = { ...this.values };
    if (this.chance(0.1)) variables.unknown = 1;
    return { query: text.join('\n'), variables, ...(operationName === undefined ? {} : { operationName }) };
  }

  operation(depth) {
    this.definitions = [];
    const text = this.selections('Query', depth);
    return [text, this.definitions];
  }

  selections(type, depth) {
    const items = [];
    const repeatable = [];
    const number = 1 + this.below(type === 'Query' ? 3 : 4);
    while (items.length < number) {
      this.budget -= 1;
      const kind = this.random();
      if (kind < 0.08) items.push(`__typename${this.directives()}`);
      else if (kind < 0.2) items.push(this.inline(type, depth));
      else if (kind < 0.3) items.push(this.spread(type, depth));
      else if (kind < 0.42 && repeatable.length > 0) items.push(this.again(this.pick(repeatable)));
      else items.push(this.field(type, depth, repeatable));
    }
    return `{${this.gap()}${items.join(this.pick([' ', ', ', '\n  ']))} }`;
  }

  gap = () => this.pick([' ', '\n', ' # a comment\n ']);

  inline(type, depth) {
    const types = isInterfaceType(this.schema.getType(type)) ? ['User', 'Session', 'AuditLog', 'Node'] : [type, this.nodeOr(type)];
    const on = this.pick(types);
    const bare = on === type && this.chance(0.5);
    return `...${bare ? '' : ` on ${on}`}${this.directives()} ${this.selections(on, depth)}`;
  }

  nodeOr = (type) => (['User', 'Session', 'AuditLog'].includes(type) ? 'Node' : type);

  spread(type, depth) {
    const fitting = this.fragments.filter(({ on }) => on === type || on === this.nodeOr(type));
    if (fitting.length > 0 && this.chance(0.6)) return `...${this.pick(fitting).name}${this.directives()}`;
    const on = type === 'Node' ? this.pick(['User', 'Session', 'AuditLog', 'Node']) : type;
    const body = this.selections(on, depth - 1);
    const name = `F${this.names++}`;
    this.fragments.push({ name, on, text: `fragment ${name} on ${on} ${body}` });
    return `...${name}${this.directives()}`;
  }

  field(type, depth, repeatable) {
    const fields = Object.values(this.schema.getType(type).getFields()).filter((field) => {
      if (type === 'Query') return ROOT.includes(field.name);
      if (LEFT_OUT.includes(field.name)) return false;
      return (depth > 0 && this.budget > 0) || !this.composite(field.type);
    });
    if (fields.length === 0) return '__typename';
    const field = this.pick(fields);
    const given = field.args.filter((arg) => isNonNullType(arg.type) || this.chance(0.3));
    const args = this.coherent(given).map((arg) => `${arg.name}: ${this.argument(type, field, arg)}`);
    const text = args.length > 0 ? `(${args.join(', ')})` : '';
    const clash = CLASHING[`${type}.${field.name}`];
    // What has arguments goes by a name of its own, so that fields of one name are always the same field.
    const plain = this.pick(['', '', 'x', 'y']);
    const alias = text ? `a${this.names++}` : clash ?? (plain && `${plain}${field.name}`);
    const start = `${alias ? `${alias}: ` : ''}${field.name}${text}`;
    const again = { start, type: getNamedType(field.type).name, composite: this.composite(field.type), depth };
    repeatable.push(again);
    return this.again(again);
  }

  again({ start, type, composite, depth }) {
    return `${start}${this.directives()}${composite ? ` ${this.selections(type, depth - 1)}` : ''}`;
  }

  composite = (type) => 'getFields' in getNamedType(type);

  // A page has one end; both of them only when something is to go wrong.
  coherent(args) {
    if (this.mood === 'bad values') return args;
    const forward = this.chance(0.6);
    return args.filter(({ name }) => !(forward ? ['last', 'before'] : ['first', 'after']).includes(name));
  }

  directives() {
    if (!this.chance(0.15)) return '';
    const one = (name) => ` @${name}(if: ${this.condition()})`;
    return this.pick([['skip'], ['include'], ['skip', 'include'], ['include', 'skip']]).map(one).join('');
  }

  condition() {
    if (this.chance(0.5)) return this.pick(['true', 'true', 'false']);
    return this.variable(new GraphQLNonNull(this.schema.getType('Boolean')), () => this.chance(0.5));
  }

  argument(type, field, arg) {
    const make = () => this.value(arg.type, { list: LISTS[field.name], type, name: arg.name, field: field.name });
    if (this.chance(0.45)) return this.variable(arg.type, make);
    if (isInputObjectType(getNullableType(arg.type)) && this.chance(0.4)) return this.mixed(arg.type, make());
    if (!isNonNullType(arg.type) && this.chance(0.06)) return 'null';
    return literal(make(), arg.type);
  }

  // An input object in the document with variables in it.
  mixed(type, value) {
    const fields = getNullableType(type).getFields();
    const parts = Object.entries(value).map(([name, of]) => {
      const text = this.chance(0.5) ? this.variable(fields[name].type, () => of, fields[name]) : literal(of, fields[name].type);
      return `${name}: ${text}`;
    });
    return `{${parts.join(', ')}}`;
  }

  variable(type, make, { defaultValue } = {}) {
    const name = `v${this.names++}`;
    const bad = this.mood === 'bad variables' && this.chance(0.35);
    const strict = isNonNullType(type);
    const byDefault = this.chance(0.25);
    // With a default, of its own or the place's, a nullable variable may stand where null may not.
    const loose = strict && (byDefault || defaultValue !== undefined) && this.chance(0.5);
    const declared = strict && loose ? getNullableType(type) : this.chance(0.1) && !strict ? new GraphQLNonNull(type) : type;
    this.definitions.push(`$${name}: ${declared}${byDefault ? ` = ${literal(make(), type)}` : ''}`);
    if (bad) {
      // Null where only a default allows the variable is among the known differences.
      const odd = this.pick([undefined, loose ? undefined : null, this.odd(type), this.odd(type), this.odd(type)]);
      if (odd !== undefined) this.values[name] = odd;
    } else if (!isNonNullType(declared) || byDefault) {
      if (this.chance(0.7)) this.values[name] = !isNonNullType(declared) && this.chance(0.12) && !loose ? null : make();
    } else this.values[name] = make();
    return `$${name}`;
  }

  odd(type) {
    const named = getNamedType(type);
    if (isListType(getNullableType(type)) && this.chance(0.6)) return this.pick([[this.odd(named)], [null], [[]]]);
    if (isInputObjectType(named)) {
      const [name, field] = this.pick(Object.entries(named.getFields()));
      return this.chance(0.5) ? { [name]: this.odd(field.type) } : this.pick(ODD.Input);
    }
    return this.pick(isEnumType(named) ? ODD.Enum : ODD[named.name] ?? ['any', 1]);
  }

  value(type, place) {
    const nullable = getNullableType(type);
    const wrong = this.mood === 'bad values' && this.chance(0.2);
    if (isListType(nullable)) {
      const one = () => this.value(nullable.ofType, place);
      // A single value stands for a list of one.
      return this.chance(0.2) ? one() : Array.from({ length: this.below(place.levels ? 3 : 4) }, one);
    }
    const rows = this.ids[place.list ?? ''] ?? [];
    switch (nullable.name) {
      case 'Int':
        return wrong ? this.pick([0, -1, 101, 2147483647]) : 1 + this.below(12);
      case 'Boolean':
        return this.chance(0.5);
      case 'ID':
        return wrong ? this.pick(['', 'no uuid', 7]) : this.pick(this.idsFor(place));
      case 'DateTime':
        return this.pick([...this.data.rows.AuditLog.values()]).timestamp;
      case 'StatsInterval':
        return this.pick(['HOUR', 'DAY', 'WEEK', 'MONTH']);
      case 'String':
        if (place.name === 'after' || place.name === 'before') return this.cursor(place, wrong);
        return this.pick([...this.data.rows.User.values()]).username;
      default:
        if (isEnumType(nullable)) return this.pick(nullable.getValues()).name;
        return this.input(nullable, place, rows);
    }
  }

  idsFor({ field }) {
    const types = { user: ['User'], session: ['Session'], auditLog: ['AuditLog'] }[field] ?? Object.keys(this.ids);
    return [...types.flatMap((type) => this.ids[type]), '00000000-0000-4000-8000-000000000000'];
  }

  cursor({ list }, wrong) {
    if (wrong) return this.pick(['', 'no cursor']);
    return this.pick(this.data.orders[`${list}.${ORDER_FIELDS[list]}.DESC`]).cursor;
  }

  input(type, place) {
    const { name } = type;
    const some = (fields) => Object.fromEntries(Object.entries(fields).filter(() => this.chance(0.6)).map(([key, of]) => [key, of()]));
    const of = (field) => this.value(type.getFields()[field].type, place);
    if (name.endsWith('Order')) return { field: of('field'), ...some({ direction: () => of('direction') }) };
    const levels = (place.levels ?? 0) + 1;
    const deeper = (field) => this.value(type.getFields()[field].type, { ...place, levels });
    const logical = levels > 1 ? {} : { and: () => deeper('and'), or: () => deeper('or'), not: () => deeper('not') };
    const only = (fields) => Object.fromEntries(fields.map((field) => [field, () => deeper(field)]));
    const own = {
      UserFilter: () => ({ ...only(['id', 'username', 'role', 'isActive', 'createdAt']), ...logical }),
      SessionFilter: () => ({ ...only(['id', 'user', 'isActive', 'createdAt']), ...logical }),
      AuditLogFilter: () => ({ ...only(['id', 'user', 'action', 'success', 'timestamp']), ...logical }),
      TextFilter: () => only(['eq', 'in']),
      DateTimeFilter: () => only(['gte', 'lt']),
      IdFilter: () => only(['eq', 'in', 'notIn', 'isNull']),
    }[name] ?? (() => only(['eq', 'in', 'notIn']));
    return place.field === 'auditLogStats' ? {} : some(own());
  }
}

// A value as it stands in a document.
export function literal(value, type) {
  const nullable = getNullableType(type);
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, nullable.ofType ?? nullable)).join(', ')}]`;
  if (isListType(nullable)) return literal(value, nullable.ofType);
  if (typeof value === 'object') {
    const fields = nullable.getFields();
    return `{${Object.entries(value).map(([name, of]) => `${name}: ${literal(of, fields[name].type)}`).join(', ')}}`;
  }
  return isEnumType(nullable) ? value : JSON.stringify(value);
}
