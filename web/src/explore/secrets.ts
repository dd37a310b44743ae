// Takes secrets out of GraphQL and JSON text that is kept or shared: tokens by their looks, wherever they stand, and
// values by the name before them. Text inside strings (an editor's state, a saved history) and comments is searched as
// well, however deep it is escaped, and half-typed text that no parser takes is searched like any other.

/** API tokens, refresh tokens, and JWTs (three parts of base64url, the first of a JSON object). */
const TOKEN = /ge[yr]_[\w-]{8,}|eyJ[\w-]{6,4096}\.[\w-]{6,4096}\.[\w-]*/g;
const REMOVED = "(token removed)";

const PASSWORD_NAME = /passw|passphrase|pwd|secret/i;
const SECRET_NAME = /passw|passphrase|pwd|secret|token|api_?key|credential|authorization/i;

/** In this order: block string, string (one line, the end may be missing), comment, word or number, any other character. */
const LEXEME = /"""(?:\\"""|(?!""")[^])*(?:"""|$)|"(?:\\.|[^"\\\n])*"?|#[^\n]*|[\w$.+-]+|[^]/g;

/** Each string holds less text than the one around it; deeper than this, text is searched for tokens only. */
const MOST_LEVELS = 12;

/**
 * The text without secrets; unchanged when there are none. `operation`: the GraphQL text that the variables belong to, as
 * in `password: $p` it says which variable is a secret.
 */
export function withoutSecrets(text: string, operation = text): string {
  return strip(text, secretVariables(operation), 0);
}

/** The variables, without their `$`, that a secret name takes its value from. */
function secretVariables(text: string, level = 0): Set<string> {
  const found = new Set<string>();
  const place = new Place(found);
  for (const [lexeme] of text.matchAll(LEXEME)) {
    if (lexeme.startsWith("$") && place.value()) found.add(lexeme.slice(1));
    if (hasText(lexeme) && level < MOST_LEVELS) {
      for (const name of secretVariables(contentOf(lexeme), level + 1)) found.add(name);
    }
    place.pass(lexeme);
  }
  return found;
}

function strip(text: string, variables: ReadonlySet<string>, level: number): string {
  if (level > MOST_LEVELS) return text.replace(TOKEN, REMOVED);
  const place = new Place(variables);
  const kept = text.replace(LEXEME, (lexeme) => {
    const kind = place.value();
    place.pass(lexeme);
    if (isString(lexeme) && kind) return isBlock(lexeme) ? '""""""' : '""';
    if (hasText(lexeme)) return withContent(lexeme, (content) => strip(content, variables, level + 1));
    return kind === "password" && /^[-+]?\d/.test(lexeme) ? '""' : lexeme;
  });
  return kept.replace(TOKEN, REMOVED);
}

const isString = (lexeme: string) => lexeme.startsWith('"');
const isBlock = (lexeme: string) => lexeme.startsWith('"""');
const isComment = (lexeme: string) => lexeme.startsWith("#");
const hasText = (lexeme: string) => isString(lexeme) || isComment(lexeme);

/** The text that a string or comment stands for. */
function contentOf(lexeme: string): string {
  if (isComment(lexeme)) return lexeme.slice(1);
  if (isBlock(lexeme)) return lexeme.replace(/^"""|"""$/g, "").replaceAll('\\"""', '"""');
  try {
    return JSON.parse(lexeme) as string;
  } catch {
    // Not closed, or with an escape that is none.
    return lexeme.slice(1).replace(/\\(.)/g, "$1");
  }
}

/** The lexeme as it was, or with other content. */
function withContent(lexeme: string, change: (content: string) => string): string {
  const content = contentOf(lexeme);
  const changed = change(content);
  if (changed === content) return lexeme;
  if (isComment(lexeme)) return `#${changed}`;
  return isBlock(lexeme) ? `"""${changed.replaceAll('"""', '\\"""')}"""` : JSON.stringify(changed);
}

type Kind = "password" | "secret" | undefined;

/** What is known of the place that the reading of a text has come to. */
class Place {
  /** The word or string that a colon makes a name. */
  private word = "";
  /** What the name of the value at hand stands for. */
  private kind: Kind;
  /** What was read before, without space. */
  private previous = "";
  /** The open brackets, each with what a value in it is, by the names of all values around it. */
  private readonly open: { bracket: string; own: Kind; inside: Kind }[] = [];
  private readonly variables: ReadonlySet<string>;

  constructor(variables: ReadonlySet<string>) {
    this.variables = variables;
  }

  /** What a value is that stands here; undefined for one that is no secret, and for what is no value but a key. */
  value(): Kind {
    const around = this.open.at(-1);
    if (this.isAfterName()) return stronger(this.kind, around?.inside);
    return around?.bracket === "[" ? around.inside : undefined;
  }

  /** In `$password: String = "x"` the value comes after the equals sign. */
  private isAfterName(): boolean {
    return this.previous === ":" || this.previous === "=";
  }

  pass(lexeme: string) {
    if (/^\s$/.test(lexeme) || isComment(lexeme)) return;
    if (lexeme === ":") {
      this.kind = this.kindOf(this.word.replace(/^\$/, ""));
    } else if (/^[[{(]$/.test(lexeme)) {
      const own = this.isAfterName() ? this.kind : undefined;
      this.open.push({ bracket: lexeme, own, inside: stronger(own, this.open.at(-1)?.inside) });
    } else if (/^[\]})]$/.test(lexeme)) {
      this.kind = this.open.pop()?.own;
    } else if (isString(lexeme)) {
      this.word = contentOf(lexeme);
    } else if (/^[\w$]/.test(lexeme)) {
      this.word = lexeme;
    }
    this.previous = lexeme;
  }

  private kindOf(name: string): Kind {
    if (PASSWORD_NAME.test(name) || this.variables.has(name)) return "password";
    return SECRET_NAME.test(name) ? "secret" : undefined;
  }
}

const stronger = (one: Kind, other: Kind): Kind => (one === "password" ? one : (other ?? one));
