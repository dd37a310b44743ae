// After a sign-in with a password that everybody knows, or that an administrator chose: a new one first, then the console.
import { type FormEvent, useState } from "react";
import { plainly } from "../api/words.ts";
import { Message } from "../ui/parts.tsx";
import { type SignedIn, changePassword, signOut } from "./session.ts";
import { Entrance } from "./sign-in.tsx";

const REASONS = {
  default: "still has the password that the account was made with, which everybody knows.",
  reset: "has a password that an administrator chose.",
};

export function ChangePassword({ person, passwordChange }: SignedIn) {
  const [problem, setProblem] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [current, next, again] = ["current", "next", "again"].map((name) => String(form.get(name)));
    if (next !== again) return setProblem("The two new passwords are not the same.");
    if (next === current) return setProblem("The new password is the old one. Please choose another.");
    setProblem(null);
    setWaiting(true);
    try {
      await changePassword(current ?? "", next ?? "");
    } catch (cause) {
      setProblem(plainly(cause));
      setWaiting(false);
    }
  }

  return (
    <Entrance
      title="Choose a password"
      lead={`${person.username} ${REASONS[passwordChange ?? "reset"]} Choose your own to go on.`}
    >
      {problem && <Message kind="error">{problem}</Message>}
      <form onSubmit={(event) => void submit(event)}>
        <input type="hidden" name="username" autoComplete="username" value={person.username} readOnly />
        <label>
          Current password
          <input name="current" type="password" autoComplete="current-password" required />
        </label>
        <label>
          New password
          <input name="next" type="password" autoComplete="new-password" aria-describedby="hint" required />
        </label>
        <p id="hint" className="hint">
          A few words that have nothing to do with each other are easy to remember and hard to guess.
        </p>
        <label>
          New password again
          <input name="again" type="password" autoComplete="new-password" required />
        </label>
        <button type="submit" className="primary" disabled={waiting}>
          {waiting ? "Changing…" : "Change the password"}
        </button>
        <button type="button" className="quiet wide" onClick={() => void signOut()}>
          Sign out
        </button>
      </form>
    </Entrance>
  );
}
