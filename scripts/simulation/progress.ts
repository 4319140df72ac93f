/** How far it is: a bar where somebody looks on, else a line now and then. */

export interface Progress {
  /** A new stretch of work, of so many steps. */
  begin(label: string, steps: number): void;
  step(): void;
  /** A line beside it. */
  say(text: string): void;
  end(): void;
}

export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const barWidth = 24;
/** Somebody reads a log: a line at each tenth of the way, and no two within this. */
const lineEveryMs = 2_000;
const drawEveryMs = 50;

export const silent: Progress = { begin() {}, step() {}, say() {}, end() {} };

export function createProgress(screen: Screen, now: () => number = Date.now): Progress {
  let label = "";
  let [steps, done] = [0, 0];
  let shown = -1;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let beganAtMs = 0;

  function draw(isLast = false): void {
    if (steps === 0) return;
    if (now() - shownAtMs < (screen.isTTY ? drawEveryMs : lineEveryMs) && !isLast) return;
    if (isLast && shown === done) return;
    [shownAtMs, shown] = [now(), done];
    const seconds = Math.round((now() - beganAtMs) / 1000);
    const count = `${done}/${steps}`;
    if (!screen.isTTY) {
      screen.write(`${label}: ${count}, ${seconds} s\n`);
      return;
    }
    const filled = Math.round((done / steps) * barWidth);
    const line = `${label}  ${"█".repeat(filled)}${"░".repeat(barWidth - filled)}  ${count}  ${seconds} s`;
    screen.write(`\r\u001b[2K${line.slice(0, (screen.columns ?? 80) - 1)}`);
  }

  function close(): void {
    if (steps === 0) return;
    draw(true);
    if (screen.isTTY) screen.write("\n");
    steps = 0;
  }

  return {
    begin(next, count) {
      close();
      [label, steps, done, shown, beganAtMs] = [next, count, 0, -1, now()];
      shownAtMs = screen.isTTY ? Number.NEGATIVE_INFINITY : now();
      draw();
    },
    step() {
      done++;
      draw();
    },
    say(text) {
      close();
      screen.write(`${text}\n`);
    },
    end: close,
  };
}
