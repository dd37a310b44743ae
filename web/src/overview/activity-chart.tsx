// Activity over time, stacked by action. The drawing is for eyes; the same numbers are in a table below it.
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";
import { useEffect, useRef } from "react";
import { useTheme } from "../theme.ts";
import { digits, words } from "../ui/parts.tsx";
import type { Overview } from "./data.ts";
import type { Interval } from "./filters.ts";
import { colourOf } from "./palette.ts";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

const SHORT: Record<Interval, Intl.DateTimeFormatOptions> = {
  HOUR: { weekday: "short", hour: "2-digit", minute: "2-digit" },
  DAY: { day: "numeric", month: "short" },
  WEEK: { day: "numeric", month: "short" },
  MONTH: { month: "short", year: "numeric" },
};

/** Days, weeks and months begin at midnight UTC, and are named by it. */
function label(start: Date, interval: Interval) {
  const zone = interval === "HOUR" ? {} : { timeZone: "UTC" };
  const text = new Intl.DateTimeFormat(undefined, { ...SHORT[interval], ...zone }).format(start);
  return interval === "WEEK" ? `week of ${text}` : text;
}

const nameOf = (action: string | null) => (action ? words(action) : "others");

interface Props {
  overview: Overview;
  onAction(action: string): void;
  onInterval(start: Date): void;
}

export function ActivityChart({ overview, onAction, onInterval }: Props) {
  const { series, starts, interval } = overview;
  const [theme] = useTheme();
  const canvas = useRef<HTMLCanvasElement>(null);
  const chosen = useRef(onInterval);
  chosen.current = onInterval;

  useEffect(() => {
    if (!canvas.current) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const font = { family: style.getPropertyValue("--font"), size: 12 };
    const chart = new Chart(canvas.current, {
      type: "bar",
      data: {
        labels: starts.map((start) => label(start, interval)),
        datasets: series.map(({ action, counts }) => ({
          label: nameOf(action),
          data: counts,
          backgroundColor: colourOf(action, theme),
          maxBarThickness: 72,
          categoryPercentage: 0.86,
          barPercentage: 0.94,
          borderRadius: 2,
          borderSkipped: false,
        })),
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        onClick: (_event, [bar]) => {
          const start = bar && starts[bar.index];
          if (start) chosen.current(start);
        },
        onHover: (event, bars) => {
          if (event.native?.target instanceof HTMLElement) event.native.target.style.cursor = bars.length ? "pointer" : "";
        },
        scales: {
          x: {
            stacked: true,
            grid: { display: false },
            border: { color: colour("--line-strong") },
            ticks: { color: colour("--faint"), font, maxRotation: 0, autoSkipPadding: 18 },
          },
          y: {
            stacked: true,
            beginAtZero: true,
            border: { display: false },
            grid: { color: colour("--line") },
            ticks: { color: colour("--faint"), font, precision: 0, maxTicksLimit: 6 },
          },
        },
        plugins: {
          tooltip: {
            filter: ({ parsed }) => (parsed.y ?? 0) > 0,
            itemSort: (a, b) => (b.parsed.y ?? 0) - (a.parsed.y ?? 0),
            backgroundColor: colour("--text"),
            titleColor: colour("--ground"),
            bodyColor: colour("--ground"),
            titleFont: font,
            bodyFont: font,
            padding: 10,
            cornerRadius: 8,
            boxPadding: 4,
          },
        },
      },
    });
    return () => chart.destroy();
  }, [series, starts, interval, theme]);

  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  const busiest = starts[overviewPeak(overview)];
  const summary =
    `Stacked bars of ${digits(overview.total)} entries in ${starts.length} intervals` +
    `${busiest ? `, the most in ${label(busiest, interval)}` : ""}. The table below has all numbers.`;
  return (
    <>
      <div className="chart">
        <canvas ref={canvas} role="img" aria-label={summary} />
      </div>
      <ul className="legend" aria-label="Actions">
        {series.map(({ action, counts }) => (
          <li key={action}>
            <button type="button" className="quiet" disabled={!action} onClick={() => action && onAction(action)}>
              <span className="swatch" style={{ background: colourOf(action, theme) }} aria-hidden="true" />
              {nameOf(action)} <span className="count">{digits(sum(counts))}</span>
            </button>
          </li>
        ))}
      </ul>
      <details className="numbers">
        <summary>The numbers as a table</summary>
        <div className="scroll" tabIndex={0} role="region" aria-label="Activity over time as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                {series.map(({ action }) => (
                  <th key={action} scope="col">
                    {nameOf(action)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {starts.map((start, index) => (
                <tr key={start.getTime()}>
                  <th scope="row">{label(start, interval)}</th>
                  {series.map(({ action, counts }) => (
                    <td key={action}>{digits(counts[index] ?? 0)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}

function overviewPeak({ series, starts }: Overview): number {
  const totals = starts.map((_, index) => series.reduce((total, { counts }) => total + (counts[index] ?? 0), 0));
  return totals.indexOf(Math.max(...totals));
}
