/** States by word and shape, never by colour alone. */

const shapes = {
  active: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  paused: "M4 3h3v10H4zM9 3h3v10H9z",
  draft: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z",
  done: "m2 8 2-2 3 3 5-6 2 2-7 8Z",
  over: "M2 7h12v2H2z",
  warn: "M8 1 15 14H1ZM7 6v4h2V6Zm0 5v2h2v-2Z",
  fail: "m3 5 2-2 3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3Z",
  unknown: "M3 7h2v2H3zM7 7h2v2H7zM11 7h2v2h-2z",
} as const;
export type Shape = keyof typeof shapes;

const known: Readonly<Record<string, Shape>> = {
  active: "active",
  paused: "paused",
  draft: "draft",
  completed: "done",
  archived: "over",
  ok: "done",
  unchanged: "done",
  closed: "done",
  pass: "done",
  valid: "done",
  idle: "done",
  sending: "active",
  suspended: "fail",
  refreshing: "unknown",
  never: "unknown",
  pending: "unknown",
  half_open: "warn",
  "half-open": "warn",
  warn: "warn",
  failing: "fail",
  fail: "fail",
  open: "fail",
  invalid: "fail",
};

export function Icon({ shape }: { shape: Shape }) {
  return (
    <svg class={`icon ${shape}`} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path fill-rule="evenodd" d={shapes[shape]} />
    </svg>
  );
}

/** Where people say it otherwise than the API. */
const spoken: Readonly<Record<string, string>> = { never: "nothing yet" };

/** @param of a state as the API names it */
export function Status({ of, words = spoken[of] ?? of.replaceAll("_", " ") }: { of: string; words?: string }) {
  return (
    <span class="status">
      <Icon shape={known[of] ?? "unknown"} /> {words}
    </span>
  );
}
