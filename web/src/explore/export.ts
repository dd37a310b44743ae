// Results as files: JSON as it came, lists as CSV that spreadsheets cannot take for formulas.

type Row = Record<string, unknown>;

export interface List {
  /** Where in the data it is: `auditLogs.nodes`. */
  path: string;
  rows: Row[];
}

const isObject = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

/** The lists of objects in the data that are in no other list. */
export function listsOf(data: unknown, path = ""): List[] {
  if (!isObject(data)) return [];
  return Object.entries(data).flatMap(([name, value]) => {
    const here = path ? `${path}.${name}` : name;
    if (!Array.isArray(value)) return listsOf(value, here);
    const rows = value.filter(isObject);
    return rows.length > 0 ? [{ path: here, rows }] : [];
  });
}

/** `{user: {name: "a"}}` -> `{"user.name": "a"}`; lists stay whole. */
function flat(row: Row, prefix = ""): Row {
  const columns: Row = {};
  for (const [name, value] of Object.entries(row)) {
    if (isObject(value)) Object.assign(columns, flat(value, `${prefix}${name}.`));
    else columns[prefix + name] = value;
  }
  return columns;
}

/** Text that begins like a formula gets a quote in front, which spreadsheets do not show. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const harmless = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",;\r\n\t]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** CSV by RFC 4180: a line of names, CRLF, quotes where needed. */
export function csv(rows: Row[]): string {
  const flatRows = rows.map((row) => flat(row));
  const names = [...new Set(flatRows.flatMap((row) => Object.keys(row)))];
  const lines = [names.map(cell), ...flatRows.map((row) => names.map((name) => cell(row[name])))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

export function download(name: string, type: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
