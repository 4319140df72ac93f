/** Numbers and times as the one who reads them writes them. */

export interface Reader {
  locale: string;
  timeZone: string;
}

let current: Reader = { locale: "en", timeZone: "UTC" };

/** Renders for one reader. It is done in one go, so that nobody else's page comes between. */
export function writtenFor(reader: Reader, render: () => string): string {
  current = reader;
  return render();
}

/** Whom the page is rendered for that is being rendered. */
export const reading = (): Reader => current;

/** The first language asked for that Intl knows; the zone is what a script of ours has noted in a cookie. */
export function readerOf(request: Request): Reader {
  const languages = (request.headers.get("accept-language") ?? "").split(",").map((part) => part.split(";")[0]?.trim());
  const locale = languages.find((language) => language !== undefined && isLocale(language)) ?? "en";
  const zone = /(?:^|;\s*)vst_tz=([\w%+/-]{1,64})/.exec(request.headers.get("cookie") ?? "")?.[1] ?? "UTC";
  return { locale, timeZone: isTimeZone(zone) ? decodeURIComponent(zone) : "UTC" };
}

function isLocale(language: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(language).length > 0;
  } catch {
    return false;
  }
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: decodeURIComponent(zone) });
    return true;
  } catch {
    return false;
  }
}

/** Making a formatter takes longer than using it a thousand times. */
const formatters = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();

function formatter<Format extends Intl.DateTimeFormat | Intl.NumberFormat>(name: string, make: () => Format): Format {
  const known = formatters.get(name);
  if (known) return known as Format;
  if (formatters.size > 100) formatters.clear();
  const made = make();
  formatters.set(name, made);
  return made;
}

/** `at`: an ISO time. */
export function Moment({ at, seconds = false }: { at: string; seconds?: boolean }) {
  const { locale, timeZone } = current;
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return <span>{at}</span>;
  const timeStyle = seconds ? "medium" : "short";
  const format = formatter(
    `t ${locale} ${timeZone} ${timeStyle}`,
    () => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle, timeZone }),
  );
  const zone = timeZone === "UTC" ? " UTC" : "";
  return (
    <time datetime={time.toISOString()} title={`${time.toISOString()} (UTC)`}>
      {format.format(time) + zone}
    </time>
  );
}

/** When it is that on the clock there. @param text as `datetime-local` gives it: 2030-01-31T12:00 */
export function onClockOf({ timeZone }: Reader, text: string): Date {
  // Swedish writes times as ISO 8601 does.
  const clock = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone });
  const wanted = Date.parse(`${text}:00Z`);
  let at = wanted;
  // Twice, for when the clocks are changed between the first guess and there.
  for (let guesses = 0; guesses < 2; guesses++) at += wanted - Date.parse(`${clock.format(at).replace(" ", "T")}Z`);
  return new Date(at);
}

export function numberText({ locale }: Reader, value: number, digits = 0): string {
  const make = () =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits > 1 ? digits : 0, maximumFractionDigits: digits });
  return formatter(`n ${locale} ${digits}`, make).format(value);
}

export function Count({ of, digits = 0 }: { of: number; digits?: number }) {
  return <span class="number">{numberText(current, of, digits)}</span>;
}

/** "1 unit", "2,000 units". */
export function counted(reader: Reader, of: number, one: string, many = `${one}s`): string {
  return `${numberText(reader, of)} ${of === 1 ? one : many}`;
}

/** `of`: a share, 1 being the whole. Two digits are for columns, where all have as many. */
export function percentText({ locale }: Reader, of: number, digits = 1): string {
  const make = () =>
    new Intl.NumberFormat(locale, {
      style: "percent",
      minimumFractionDigits: digits > 1 ? digits : 0,
      maximumFractionDigits: digits,
    });
  return formatter(`p ${locale} ${digits}`, make).format(of);
}

export function Percent({ of, digits = 1 }: { of: number; digits?: number }) {
  return <span class="number">{percentText(current, of, digits)}</span>;
}

/** How long something has been so, in the largest unit that says enough. */
export function durationText(seconds: number): string {
  const [unit, size] =
    seconds >= 172_800
      ? ["days", 86_400]
      : seconds >= 7_200
        ? ["hours", 3_600]
        : seconds >= 120
          ? ["minutes", 60]
          : ["s", 1];
  return `${Math.round(seconds / Number(size))} ${unit}`;
}
