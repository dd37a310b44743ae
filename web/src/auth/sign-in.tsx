// The sign-in: the only thing that strangers see.
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ThemeButton } from "../app.tsx";
import { plainly } from "../api/words.ts";
import { Mark } from "../ui/icons.tsx";
import { Message } from "../ui/parts.tsx";
import { signIn, useNotice } from "./session.ts";

export function SignIn() {
  const notice = useNotice();
  const [problem, setProblem] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => name.current?.focus(), []);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setProblem(null);
    setWaiting(true);
    try {
      await signIn(String(form.get("username")).trim(), String(form.get("password")), form.has("keep"));
    } catch (cause) {
      setProblem(plainly(cause));
      setWaiting(false);
      if (password.current) {
        password.current.value = "";
        password.current.focus();
      }
    }
  }

  return (
    <Entrance title="Sign in" lead="Users, conversations and the audit log of your AI security operations.">
      {problem ? <Message kind="error">{problem}</Message> : notice && <Message kind="info">{notice}</Message>}
      <form onSubmit={(event) => void submit(event)}>
        <label>
          User name or e-mail
          <input ref={name} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
        </label>
        <label>
          Password
          <input ref={password} name="password" type="password" autoComplete="current-password" required />
        </label>
        <label className="check">
          <input name="keep" type="checkbox" />
          Keep me signed in for this tab
        </label>
        <button type="submit" className="primary" disabled={waiting}>
          {waiting ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </Entrance>
  );
}

/** The frame of the pages before the console. */
export function Entrance({ title, lead, children }: { title: string; lead: string; children: React.ReactNode }) {
  return (
    <main className="entrance">
      <div className="corner">
        <ThemeButton />
      </div>
      <section className="card" aria-labelledby="entrance-title">
        <div className="entrance-brand">
          <Mark size={44} />
          <span>GuardianEye</span>
        </div>
        <h1 id="entrance-title">{title}</h1>
        <p className="lead">{lead}</p>
        {children}
      </section>
    </main>
  );
}
