// The filters of the overview. Changing one changes the URL, and with it everything below.
import { useEffect, useState } from "react";
import { offers } from "../api/schema.ts";
import { CloseIcon } from "../ui/icons.tsx";
import { words } from "../ui/parts.tsx";
import { type Filters, RANGES, show, spanOf } from "./filters.ts";

/** A moment as `<input type="datetime-local">` wants it: local time to the minute. */
function local(moment: Date): string {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

interface Props {
  filters: Filters;
  /** Actions and users that the answer names. */
  actions: string[];
  users: string[];
}

export function FilterBar({ filters, actions, users }: Props) {
  const [known, setKnown] = useState<string[]>([]);
  useEffect(() => {
    offers().then((offered) => setKnown(offered.actions), () => undefined);
  }, []);
  // A server that hides its schema still names the actions of its answers.
  const all = [...new Set([...known, ...actions, ...(filters.action ? [filters.action] : [])])];
  const filtered = filters.action || filters.user || filters.range === "custom";
  return (
    <form className="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <div>
        <label htmlFor="filter-time">Time</label>
        <select
          id="filter-time"
          value={filters.range}
          onChange={({ target }) => {
            if (target.value !== "custom") return show({ ...filters, range: target.value, from: null, to: null });
            const { from, to } = spanOf(filters);
            show({ ...filters, range: "custom", from: from.toISOString(), to: to.toISOString() });
          }}
        >
          {Object.entries(RANGES).map(([key, { title }]) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
          <option value="custom">From … to …</option>
        </select>
      </div>
      {filters.range === "custom" && <Custom filters={filters} />}
      <div>
        <label htmlFor="filter-action">Action</label>
        <select
          id="filter-action"
          value={filters.action ?? ""}
          onChange={({ target }) => show({ ...filters, action: target.value || null })}
        >
          <option value="">All actions</option>
          {all.map((action) => (
            <option key={action} value={action}>
              {words(action)}
            </option>
          ))}
        </select>
      </div>
      <UserField filters={filters} users={users} />
      {filtered && (
        <button
          type="button"
          className="quiet"
          onClick={() => show({ range: "", from: null, to: null, action: null, user: null })}
        >
          <CloseIcon />
          Clear
        </button>
      )}
    </form>
  );
}

function Custom({ filters }: { filters: Filters }) {
  const { from, to } = spanOf(filters);
  const change = (name: "from" | "to", value: string) => {
    if (value) show({ ...filters, [name]: new Date(value).toISOString() });
  };
  return (
    <>
      <div>
        <label htmlFor="filter-from">From</label>
        <input
          id="filter-from"
          type="datetime-local"
          value={local(from)}
          max={local(to)}
          onChange={({ target }) => change("from", target.value)}
        />
      </div>
      <div>
        <label htmlFor="filter-to">To</label>
        <input
          id="filter-to"
          type="datetime-local"
          value={local(to)}
          min={local(from)}
          onChange={({ target }) => change("to", target.value)}
        />
      </div>
    </>
  );
}

/** Takes effect on Enter, on leaving the field, and on choosing a suggestion. */
function UserField({ filters, users }: { filters: Filters; users: string[] }) {
  const [text, setText] = useState(filters.user ?? "");
  useEffect(() => setText(filters.user ?? ""), [filters.user]);
  const commit = (value: string) => {
    const user = value.trim() || null;
    if (user !== filters.user) show({ ...filters, user });
  };
  return (
    <div>
      <label htmlFor="filter-user">User</label>
      <input
        id="filter-user"
        list="users"
        value={text}
        placeholder="Everybody"
        autoCapitalize="none"
        spellCheck={false}
        onChange={({ target }) => {
          setText(target.value);
          if (users.includes(target.value)) commit(target.value);
        }}
        onBlur={() => commit(text)}
        onKeyDown={({ key }) => key === "Enter" && commit(text)}
      />
      <datalist id="users">
        {users.map((user) => (
          <option key={user} value={user} />
        ))}
      </datalist>
    </div>
  );
}
