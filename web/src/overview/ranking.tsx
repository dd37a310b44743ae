// The busiest of a kind, longest bar first. A click narrows the overview or opens the query behind it.
import { Empty, digits } from "../ui/parts.tsx";

export interface Place {
  key: string;
  name: string;
  count: number;
  failures: number;
  onClick?: (() => void) | undefined;
  /** What the click does, for the tooltip. */
  does?: string;
}

export function Ranking({ title, places }: { title: string; places: Place[] }) {
  const most = Math.max(...places.map(({ count }) => count), 1);
  return (
    <section className="card panel" aria-label={title}>
      <h2>{title}</h2>
      {places.length === 0 ? (
        <Empty title="Nobody" />
      ) : (
        <ol className="ranking">
          {places.map(({ key, name, count, failures, onClick, does }) => (
            <li key={key}>
              <button type="button" className="quiet" onClick={onClick} disabled={!onClick} title={does}>
                <span className="place-name">{name}</span>
                <span className="place-count">
                  {failures > 0 && <span className="failures">{digits(failures)} failed</span>}
                  <strong>{digits(count)}</strong>
                </span>
                <span className="track" aria-hidden="true">
                  <span style={{ width: `${(count / most) * 100}%` }} />
                  <span className="failed" style={{ width: `${(failures / most) * 100}%` }} />
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
