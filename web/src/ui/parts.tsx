// Small parts that several pages share: messages, waiting, chips.
import type { ReactNode } from "react";

/** Bad news, or news that can wait. Screen readers hear the former at once. */
export function Message({ kind, children }: { kind: "error" | "info"; children: ReactNode }) {
  return (
    <div className={`message ${kind}`} role={kind === "error" ? "alert" : "status"}>
      <div>{children}</div>
    </div>
  );
}

export function Waiting({ what }: { what: string }) {
  return (
    <div className="waiting" role="status">
      <span className="spinner" aria-hidden="true" />
      {what}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children && <span>{children}</span>}
    </div>
  );
}

/** FAILED_LOGIN -> failed login */
export const words = (name: string) => name.toLowerCase().replaceAll("_", " ");

const number = new Intl.NumberFormat();
export const digits = (count: number) => number.format(count);
